"""A project that writes to its terminal all the time: nothing of it lands on the dashboard."""

from __future__ import annotations

import os
import re
import signal
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.conftest import a_redis
from tests.servers import Worker, client, wait_for
from tests.shell import OURS
from tests.terminals.emulator import Pty
from tests.terminals.noisy import FOREIGN, SOURCE, WORD, counted, lines_in, written
from tests.terminals.shown import Shown

LEFT = b"\x1b[?1049l"
WITHIN_S = 60.0
LOG_LINE = re.compile(rf"^[▐ ] *[\d:]+ +\S.*{WORD} \w+ \d+\.", re.MULTILINE)


class Noisy:
    """The dashboard of a project that is never still."""

    def __init__(self, folder: Path, broker: str, source: str = SOURCE) -> None:
        (folder / "noisy.py").write_text(source, encoding="utf-8")
        self.told, self.log = folder / "told", folder / "log"
        self.told.touch()
        env = Shown(folder, list).environment(
            TERM="xterm-256color", COLORTERM="truecolor", BROKER=broker, WRITTEN=str(self.told),
            PYTHONPATH=str(folder), XDG_STATE_HOME=str(folder / "state"),
        )  # fmt: skip
        command = (*OURS, "-A", "noisy", "--log", str(self.log))
        self.tty = Pty(command, env, (100, 30))
        self.before = self.tty.modes()

    def goes_to(self, key: bytes, *words: str) -> None:
        """Press a key; returns once all of the words stand on the screen."""
        self.tty.press(key)
        self.shows(*words)

    def shows(self, *words: str) -> None:
        """Wait for words."""

        def there() -> bool:
            text = "\n".join(self.tty.lines())
            return all(word in text for word in words)

        try:
            wait_for(there, f"the screen shows {' and '.join(words)}", WITHIN_S)
        except AssertionError as error:
            raise AssertionError(f"{error}:\n" + "\n".join(self.tty.lines())) from None

    def writes(self, rounds: int) -> None:
        """Let it write so many times more, in each way."""
        until = len(written(self.told)) + 11 * rounds
        wait_for(lambda: len(written(self.told)) >= until, f"{rounds} rounds of noise")

    def is_clean(self) -> None:
        """Nothing of the project has reached the terminal as the project wrote it."""
        self.tty.read()
        assert FOREIGN not in self.tty.sent
        assert not [
            char for line in self.tty.screen.buffer.values() for char in line.values() if char.blink
        ]

    def quits(self) -> None:
        """By keys."""
        self.goes_to(b"q", "press q again")
        self.tty.press(b"q")
        self.ends(0)

    def ends(self, code: int) -> None:
        """With this exit code, and the terminal as it was."""
        wait_for(self.tty.has_ended, "it has ended", WITHIN_S)
        assert self.tty.process.returncode == code
        assert self.tty.modes() == self.before
        assert not self.tty.screen.cursor.hidden

    @property
    def shell(self) -> str:
        """What came to the terminal after the dashboard had left it."""
        return self.tty.sent[self.tty.sent.rindex(LEFT) :].decode(errors="replace")

    @property
    def logged(self) -> str:
        """The file of --log."""
        return self.log.read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def broker() -> Iterator[str]:
    """A Redis with a worker that has done a task, and messages that nobody takes."""
    with a_redis() as server:
        url = server.url(0)
        app = client(url, url)
        with Worker(url, url) as worker:
            app.send_task("sample.add", (1, 2)).get(timeout=60)
            app.send_task("sample.add", (1, 2), queue="orphan")
            assert worker.hostname
            yield url
        app.close()


Start = Callable[..., Noisy]


@pytest.fixture
def start(tmp_path: Path, broker: str) -> Iterator[Start]:
    """Starts the dashboard of a project; returns once it stands there."""
    with ExitStack() as stack:

        def started(source: str = SOURCE) -> Noisy:
            one = Noisy(tmp_path, broker, source)
            stack.enter_context(one.tty)
            one.shows("Attention", "1 Home")
            return one

        yield started


def walk(noisy: Noisy) -> None:
    """Every screen, and a dialog; something is written while each stands there."""
    for key, *words in (
        (b"1", "Attention", "live"),
        (b"i", "Finding"),
        (b"i", "results", "inspect"),
        (b"\x1b", "Finding"),
        (b"\x1b", "Attention"),
        (b"2", "orphan", "consumers"),
        (b"\r", "Esc", "back"),
        (b"\x1b", "orphan", "consumers"),
        (b"3", "w1@test", "online"),
        (b"\r", "Esc", "back"),
        (b"\x1b", "w1@test", "online"),
        (b"4", "/ filter"),
        (b"?", "Keys"),
        (b"\x1b", "/ filter"),
        (b":", "quit"),
        (b"\x1b", "/ filter"),
        (b"\x14", "/ filter"),
        (b"\x0c", "/ filter"),
    ):
        assert isinstance(key, bytes)
        noisy.goes_to(key, *map(str, words))
        noisy.writes(2)
        noisy.is_clean()


def test_while_every_screen_is_walked_no_foreign_byte_reaches_the_terminal_and_all_is_in_the_log(
    start: Start,
) -> None:
    noisy = start()
    walk(noisy)
    assert WORD.encode() not in noisy.tty.sent, "only the Log may tell of it"
    noisy.goes_to(b"8", "noisy prints:", WORD)
    noisy.writes(3)
    noisy.is_clean()
    lines = noisy.tty.lines()
    assert "celery-tui" in lines[0]
    assert "8 Log" in lines[2]
    foreign = [line for line in lines if WORD in line]
    assert len(foreign) > 10
    assert not [line for line in foreign if not LOG_LINE.match(line)]
    noisy.quits()
    said, kept, after = written(noisy.told), lines_in(noisy.logged), lines_in(noisy.shell)
    print(f"written {counted(said)}; logged {counted(kept)}; after the end {counted(after)}")
    assert len(counted(said)) == 12
    assert min(counted(said).values()) >= 3
    assert not said - kept - after
    assert not kept & after
    assert "no line yet" in noisy.logged
    assert "GOODBYE" in noisy.shell, "once it has left, stdout is the project's again"
    assert noisy.log.stat().st_mode & 0o077 == 0
    assert not re.search(r"DEBUG (redis|kombu|amqp|asyncio|celery_tui)", noisy.logged)


def test_stopped_and_continued_the_project_writes_neither_to_the_shell_nor_to_the_screen(
    start: Start,
) -> None:
    noisy = start()
    pid = noisy.tty.process.pid
    noisy.tty.press(b"\x1a")

    def stopped() -> bool:
        noisy.tty.read()
        found, status = os.waitpid(pid, os.WNOHANG | os.WUNTRACED)
        return found == pid and os.WIFSTOPPED(status)

    wait_for(stopped, "it is stopped")
    assert not noisy.tty.screen.cursor.hidden
    noisy.tty.sent = b""
    before = counted(written(noisy.told))["child"]
    wait_for(lambda: counted(written(noisy.told))["child"] > before + 5, "its child writes on")
    noisy.tty.read()
    assert noisy.tty.sent == b""
    os.kill(pid, signal.SIGCONT)
    noisy.shows("Attention", "1 Home")
    noisy.writes(2)
    noisy.is_clean()
    noisy.goes_to(b"4", "/ filter")
    noisy.quits()
    said = {line for line in written(noisy.told) if line[0] == "child"}
    assert not said - lines_in(noisy.logged) - lines_in(noisy.shell)


QUIET = """
import os, sys, threading, time
from celery import Celery
app = Celery("shop", broker=os.environ["BROKER"], backend=os.environ["BROKER"])
"""
CRASHES = f"""{QUIET}
def crash(*_):
    raise RuntimeError("amqp://u:s3cret@h broke")

def later():
    while not os.path.exists(os.environ["WRITTEN"] + ".crash"):
        time.sleep(0.1)
    from celery_tui.model.cluster import Cluster
    Cluster.tick = crash
    print("about to crash")

threading.Thread(target=later, daemon=True).start()
"""


def test_what_ended_a_dashboard_unexpectedly_is_told_on_the_terminal_it_had(start: Start) -> None:
    noisy = start(CRASHES)
    noisy.told.with_suffix(".crash").touch()
    noisy.ends(3)
    assert "celery-tui: Something unexpected happened: RuntimeError: amqp://u:***@h" in noisy.shell
    assert "Traceback" not in noisy.shell
    assert "noisy prints: about to crash" in noisy.logged


FLOODS = f"""{QUIET}
def flood():
    time.sleep(2)
    began = time.monotonic()
    for number in range(100_000):
        os.write(1, b"a flood of lines, number %d" % number + bytes([10]))
    os.write(1, b"one line of " + b"x" * 3_000_000 + bytes([10]))
    with open(os.environ["WRITTEN"], "a") as told:
        told.write(f"flood {{int(time.monotonic() - began)}}")

threading.Thread(target=flood, daemon=True).start()
"""


def test_a_flood_is_counted_where_it_is_left_out_and_holds_nobody_up(start: Start) -> None:
    noisy = start(FLOODS)
    noisy.goes_to(b"8", "noisy prints: a flood of lines")
    wait_for(lambda: written(noisy.told), "the flood is over", WITHIN_S)
    noisy.goes_to(b"3", "w1@test", "online")
    noisy.goes_to(b"8", "noisy prints: one line of xxx")
    noisy.quits()
    left_out = sum(
        int(found.replace(",", ""))
        for found in re.findall(r"([\d,]+) lines of noisy", noisy.logged)
    )
    kept = noisy.logged.count("noisy prints:")
    print(f"{kept} lines kept, {left_out} left out, in {written(noisy.told)} s")
    assert left_out > 0
    assert kept + left_out == 100_001
    assert max(map(len, noisy.logged.splitlines())) < 2_200


@pytest.mark.parametrize(
    "act",
    [
        """try: input("Which shop? ")\n    except EOFError: print("nobody answers")""",
        """os.dup2(os.open(os.devnull, os.O_RDONLY), 0)\n    print("nobody answers")""",
        """subprocess.run(["cat"])\n    print("nobody answers")""",
        """sys.stdout.close()\n    os.write(1, b"nobody answers")""",
    ],
    ids=["a question", "another stdin", "a child that reads", "no stdout"],
)
def test_keys_are_the_dashboards_whatever_the_project_does_with_its_own(
    start: Start, act: str
) -> None:
    source = f"{QUIET}\nimport subprocess\ndef later():\n    time.sleep(2)\n    {act}\n"
    noisy = start(f"{source}\nthreading.Thread(target=later, daemon=True).start()\n")
    noisy.goes_to(b"8", "nobody answers")
    noisy.goes_to(b"3", "w1@test", "online")
    noisy.quits()
