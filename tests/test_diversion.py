"""Descriptors 1 and 2 led aside and given back, in a process of its own."""

import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from celery_tui.differ import textual_private
from tests.shell import environment

BEGIN = """
import ctypes, os, signal, sys, time
from celery_tui.diversion import Diversion
heard = []
diversion = Diversion()
diversion.begin()
"""
END = """
diversion.end()
print(len(heard), *heard[:5], sep="|")
"""
HEAR = "diversion.deliver(lambda at, line: heard.append(line))\n"


def said(body: str, stdout: Path) -> str:
    """What stands where stdout led to, after the process has ended by itself within a minute."""
    with stdout.open("wb") as file:
        subprocess.run(
            (sys.executable, "-c", BEGIN + body + END), stdout=file, stderr=subprocess.STDOUT,
            env=environment(), check=True, timeout=60,
        )  # fmt: skip
    return stdout.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("body", "heard"),
    [
        (HEAR + "print('one'); os.write(2, b'two')", "2|one|two"),
        ("print('before'); " + HEAR + "print('after')", "2|before|after"),
        (HEAR + "ctypes.CDLL(None).puts(b'C')", "1|C"),
        (HEAR + "ctypes.CDLL(None).printf(b'C, no line')", "1|C, no line"),
        (HEAR + "sys.stdout.write('kept back')", "1|kept back"),
        (HEAR + "sys.__stderr__.write('the real one')", "1|the real one"),
        (HEAR + "os.system('echo a child >&2')", "1|a child"),
        (HEAR + "print(repr(sys.stdin.read()), os.system('cat'))", "1|'' 0"),
        (HEAR + "os.close(1); os.write(2, b'one is closed')", "1|one is closed"),
        ("print('nobody listens')", "0"),
    ],
)
def test_what_was_written_is_heard_and_nothing_of_it_lands_where_it_was_meant_to(
    body: str, heard: str, tmp_path: Path
) -> None:
    assert said(body, tmp_path / "out") == f"{heard}\n"


def test_many_lines_before_anybody_listens_are_counted(tmp_path: Path) -> None:
    body = f"for n in range(3_000): print(n)\ntime.sleep(0.5); {HEAR}"
    assert said(body, tmp_path / "out").startswith(
        "2001|(1,000 lines before these were left out)|1000|1001|"
    )


def test_who_writes_without_letting_python_run_does_not_wait_for_ever(tmp_path: Path) -> None:
    # PyDLL keeps the lock of the interpreter: our reader cannot run meanwhile.
    body = HEAR + "ctypes.PyDLL(None).write(1, b'x' * 9 + bytes([10]), 10)\n" * 3
    assert said(body, tmp_path / "out").startswith("3|")
    if sys.platform == "linux":
        body = HEAR + "d = b'123456789' + bytes([10]); n = ctypes.c_size_t(500_000)\n"
        body += "assert ctypes.PyDLL(None).write(1, d * 50_000, n) == 500_000"
        assert said(body, tmp_path / "out").startswith("50000|123456789|")


def test_who_takes_the_lines_and_fails_holds_nobody_up(tmp_path: Path) -> None:
    body = "diversion.deliver(lambda at, line: heard.append(line) or 1 / 0)\n"
    body += "for n in range(20_000): os.write(1, b'a line' * 12 + bytes([10]))"
    assert said(body, tmp_path / "out").startswith("20000|a line")


def test_a_driver_of_another_textual_is_left_as_it_is() -> None:
    other: Any = SimpleNamespace()
    assert not textual_private.draw_on(other, sys.stderr)
    assert not vars(other)


def test_a_child_that_goes_on_with_our_descriptors_holds_nobody_up(tmp_path: Path) -> None:
    body = HEAR + "child = os.fork()\nif not child: time.sleep(600)\nprint('parent')\n"
    body += "began = time.monotonic(); diversion.end(); assert time.monotonic() - began < 30\n"
    body += "os.kill(child, signal.SIGKILL); os.wait()"
    assert said(body, tmp_path / "out") == "1|parent\n"


def test_ended_twice_or_begun_again_it_is_the_same(tmp_path: Path) -> None:
    body = "print('lost'); diversion.end(); diversion.end(); before = len(os.listdir('/dev/fd'))\n"
    body += "for _ in range(20):\n  diversion = Diversion(); diversion.begin(); diversion.end()\n"
    body += f"assert len(os.listdir('/dev/fd')) == before\ndiversion.begin(); {HEAR}print('again')"
    assert said(body, tmp_path / "out") == "1|again\n"
