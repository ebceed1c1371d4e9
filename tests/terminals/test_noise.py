"""A project that writes to its terminal all the time: nothing of it lands on the dashboard."""

from __future__ import annotations

import os
import re
import signal
import sys
import time
from collections.abc import Iterator
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

    def __init__(self, folder: Path, broker: str) -> None:
        (folder / "noisy.py").write_text(SOURCE, encoding="utf-8")
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
        wait_for(self.tty.has_ended, "it has ended", WITHIN_S)
        assert self.tty.process.returncode == 0
        assert self.tty.modes() == self.before
        assert self.tty.sent.count(LEFT) >= 1


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


@pytest.fixture
def noisy(tmp_path: Path, broker: str) -> Iterator[Noisy]:
    """Its dashboard, once it stands there."""
    one = Noisy(tmp_path, broker)
    with one.tty:
        one.shows("Attention", "1 Home")
        yield one


def walk(noisy: Noisy) -> None:
    """Every screen, and a dialog; something is written while each stands there."""
    for key, *words in (
        (b"1", "Attention", "live"),
        (b"i", "results", "Esc"),
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
    noisy: Noisy,
) -> None:
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
    text = noisy.log.read_text(encoding="utf-8")
    shell = noisy.tty.sent[noisy.tty.sent.rindex(LEFT) :].decode(errors="replace")
    said, kept = written(noisy.told), lines_in(text)
    print(f"written {counted(said)}, logged {counted(kept)}, after {counted(lines_in(shell))}")
    assert len(counted(said)) == 12
    assert min(counted(said).values()) >= 3
    assert not said - kept - lines_in(shell)
    assert "no line yet" in text
    assert len(kept & lines_in(shell)) == 0
