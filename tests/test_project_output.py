"""A project that prints and logs: its output stays out of ours, and says what went wrong."""

from __future__ import annotations

import io
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from celery_tui import loading
from tests.conftest import a_redis
from tests.servers import client, wait_for
from tests.shell import OURS, Ended, in_terminal, run

NOISY = """
import atexit, logging, os, subprocess, sys, threading, time
from celery import Celery
print("IMPORTING")
print("ERROR OF IMPORT", file=sys.stderr)
logging.basicConfig(level=10)
logging.getLogger("redis.connection").setLevel(10)
logging.getLogger("shop").warning("configured")
app = Celery("shop", broker=os.environ["BROKER"], backend=os.environ["BROKER"])
subprocess.run(["echo", "A CHILD"])

def chatter():
    while True:
        os.write(1, b"RAW\\n")
        print("PRINTED")
        time.sleep(0.1)

threading.Thread(target=chatter, daemon=True).start()
atexit.register(print, "GOODBYE")
"""
CONFIG = """
import os
broker_url = os.environ["BROKER"]
broker_transport_options = {"global_keyprefix": "shop:"}
"""


@pytest.fixture(scope="module")
def broker() -> Iterator[str]:
    """A Redis with nothing in it."""
    with a_redis() as server:
        yield server.url(3)


def status(folder: Path, broker: str, *args: str, **env: str) -> Ended:
    """What `status` says there of an app, or of what the environment names."""
    command = (*OURS, *args, "status", "--listen", "1s")
    return run(*command, cwd=folder, stdin=subprocess.DEVNULL, BROKER=broker, **env)


def test_status_keeps_stdout_for_itself_and_stderr_for_what_the_project_prints(
    tmp_path: Path, broker: str
) -> None:
    (tmp_path / "noisy.py").write_text(NOISY, encoding="utf-8")
    told = run(
        *OURS, "-A", "noisy", "status", "--json", "--listen", "1s", cwd=tmp_path, BROKER=broker
    )
    assert json.loads(told.out.removesuffix("GOODBYE\n"))["schema"] == 1
    for words in ("IMPORTING", "ERROR OF IMPORT", "configured", "A CHILD", "RAW", "PRINTED"):
        assert words in told.err
    assert "DEBUG:" not in told.err
    assert "GOODBYE" not in told.err, "stdout is the project's again at the end"


def test_status_that_nobody_reads_on_is_no_error(tmp_path: Path, broker: str) -> None:
    source = NOISY.replace('atexit.register(print, "GOODBYE")', "")
    (tmp_path / "noisy.py").write_text(source, encoding="utf-8")
    line = f"{' '.join(OURS)} -A noisy status --json --listen 1s | true"
    told = run("sh", "-c", line, cwd=tmp_path, BROKER=broker)
    assert "Traceback" not in told.err
    assert "Exception ignored" not in told.err


@pytest.mark.parametrize("command", [(), ("status", "--listen", "1s")])
def test_an_app_that_takes_long_to_import_is_waited_for_visibly(
    tmp_path: Path, broker: str, command: tuple[str, ...]
) -> None:
    source = NOISY.replace("import atexit", "import time; time.sleep(3.5)\nimport atexit", 1)
    (tmp_path / "slow.py").write_text(source, encoding="utf-8")
    keys, until = (b"qq", "1 Home") if not command else (b"", "")
    env = {"BROKER": broker}
    ended = in_terminal([*OURS, "-A", "slow", *command], tmp_path, keys, until, env)
    assert ended.code == 0, ended
    shown = ended.out.split("\x1b[?1049h")[0]
    seconds = [int(found) for found in re.findall(r"\rloading the app slow… (\d+)s\r", shown)]
    assert len(seconds) >= 2
    assert seconds == sorted(set(seconds))
    assert "\r" + " " * len(f"loading the app slow… {seconds[-1]}s") + "\r" in shown


class Terminal(io.StringIO):
    """A stream that is one."""

    def isatty(self) -> bool:
        return True


def test_an_app_that_is_imported_soon_is_not_talked_of() -> None:
    terminal = Terminal()
    with loading.told("soon", terminal):
        pass
    assert terminal.getvalue() == ""


def test_without_a_terminal_nothing_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loading, "AFTER_S", 0.01)
    terminal, other = Terminal(), io.StringIO()
    with loading.told("slow", other), loading.told("slow", None), loading.told("slow", terminal):
        wait_for(terminal.getvalue, "it is said")
    assert other.getvalue() == ""


PLAIN = """
import os
from celery import Celery
app = Celery("soon", broker=os.environ["BROKER"])
"""


def refused(folder: Path, *args: str, **env: str) -> str:
    """How the dashboard and `status` say why they end, which is the same; exit code 3."""
    one = in_terminal([*OURS, *args], cwd=folder, env=env)
    other = run(*OURS, *args, "status", cwd=folder, stdin=subprocess.DEVNULL, **env)
    assert (one.code, other.code) == (3, 3), (one, other)
    assert other.out == ""
    assert one.said.replace("\r\n", "\n") == other.err
    assert "Traceback" not in other.err
    return other.err


def test_an_app_that_ends_the_program_is_told_with_its_last_words(tmp_path: Path) -> None:
    source = 'import sys\nprint("Set SHOP_ENV first")\nsys.exit(4)\n'
    (tmp_path / "ends.py").write_text(source, encoding="utf-8")
    said = refused(tmp_path, "-A", "ends").splitlines()
    assert said[0] == "Set SHOP_ENV first"
    assert len(said) == 2
    assert "The app 'ends' ended the program while it was imported (sys.exit(4))" in said[1]


def test_an_app_that_asks_a_question_is_not_waited_for_unseen(tmp_path: Path) -> None:
    (tmp_path / "asks.py").write_text('input("Which shop? ")\n', encoding="utf-8")
    ended = in_terminal([*OURS, "-A", "asks"], cwd=tmp_path, keys=b"q", until="loading the app")
    assert ended.code == 3
    assert "Which shop?" in ended.said
    assert "Cannot load the Celery app 'asks': EOFError" in ended.said


def test_an_attribute_that_is_not_there(tmp_path: Path) -> None:
    (tmp_path / "proj.py").write_text(PLAIN, encoding="utf-8")
    said = refused(tmp_path, "-A", "proj:nosuch", BROKER="memory://")
    assert "The module 'proj' has no attribute 'nosuch'" in said
    assert "-A proj:app" in said
    assert said.count("\n") == 1


# -- CELERY_CONFIG_MODULE --------------------------------------------------------------------


def test_the_module_that_configures_celery_is_asked_where_nothing_else_says(
    tmp_path: Path, broker: str
) -> None:
    (tmp_path / "shopconf.py").write_text(CONFIG, encoding="utf-8")
    told = status(tmp_path, broker, CELERY_CONFIG_MODULE="shopconf")
    assert told.code == 0, told
    assert broker.removeprefix("redis://") in told.out
    other = broker.replace("/3", "/4")
    for args, env in (
        (("-b", other), {}),
        ((), {"CELERY_TUI_BROKER": other}),
        ((), {"CELERY_BROKER_URL": other}),
    ):
        told = status(tmp_path, broker, *args, CELERY_CONFIG_MODULE="shopconf", **env)
        assert other.removeprefix("redis://") in told.out, told


def test_its_key_prefix_is_used(tmp_path: Path, broker: str) -> None:
    app = client(broker, broker_transport_options={"global_keyprefix": "shop:"})
    app.send_task("sample.add", queue="prefixed")
    app.close()
    (tmp_path / "shopconf.py").write_text(CONFIG, encoding="utf-8")
    assert "prefixed" not in status(tmp_path, broker, "-b", broker).out
    assert "prefixed" in status(tmp_path, broker, CELERY_CONFIG_MODULE="shopconf").out


def test_a_module_that_is_not_there_is_one_sentence(tmp_path: Path) -> None:
    said = refused(tmp_path, CELERY_CONFIG_MODULE="nowhere")
    assert "CELERY_CONFIG_MODULE names 'nowhere', and there is no such module" in said
    assert said.count("\n") == 1


def test_the_plugin_has_it_from_celery(tmp_path: Path, broker: str) -> None:
    (tmp_path / "shopconf.py").write_text(CONFIG, encoding="utf-8")
    command = (sys.executable, "-m", "celery", "tui", "status", "--listen", "1s")
    told = run(*command, cwd=tmp_path, BROKER=broker, CELERY_CONFIG_MODULE="shopconf")
    assert broker.removeprefix("redis://") in told.out, told
