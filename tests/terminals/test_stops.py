"""Stopped and continued on a real terminal: the screen is whole, the shell gets its own back."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.servers import wait_for
from tests.terminals.emulator import Pty
from tests.terminals.shown import Shown

ENTERED, LEFT = b"\x1b[?1049h", b"\x1b[?1049l"


class Stopped:
    """The app on a terminal, which a test stops and continues."""

    def __init__(self, at: Shown, tty: Pty) -> None:
        self.at, self.tty = at, tty
        self.pid = tty.process.pid

    def signal(self, number: signal.Signals) -> None:
        """From another terminal."""
        os.kill(self.pid, number)

    def is_stopped(self) -> bool:
        """As a shell learns of it; what was written before is on the terminal."""
        pid, status = os.waitpid(self.pid, os.WNOHANG | os.WUNTRACED)
        self.tty.read()
        return pid == self.pid and os.WIFSTOPPED(status)

    def shell_writes(self) -> None:
        """Whoever has the terminal meanwhile writes all over it."""
        terminal = os.open(self.tty.tty, os.O_WRONLY | os.O_NOCTTY)
        os.write(terminal, b"\x1b[44m" + b"$ ls\r\nsome files\r\n" * 40 + b"\x1b[m\x1b[?25h")
        os.close(terminal)
        wait_for(lambda: any("some files" in line for line in self.tty.lines()), "scribbled")
        self.tty.sent = b""

    def works(self) -> None:
        """The screen is whole, nothing is shown twice or lost, and keys are read, each once."""
        self.at.agree("the screen is whole again")
        self.at.come(900, "after.stop", "and.more")
        self.at.agree("tasks come in again")
        self.tty.press(b"4")
        self.at.agree("keys work", "/ filter")
        self.tty.press(b"?")
        self.at.agree("each is read once", "Keys")
        self.tty.press(b"\x1b")
        self.at.agree("and Esc", "/ filter")
        assert self.tty.screen.cursor.hidden

    def quits(self) -> None:
        """By keys, promptly, and the screen is left once."""
        self.tty.sent = b""
        self.tty.press(b"q")
        self.at.agree("it asks again", "press q again")
        self.tty.press(b"q")
        wait_for(self.tty.has_ended, "it has ended")
        assert self.tty.process.returncode == 0
        assert self.tty.sent.count(LEFT) == 1


@pytest.fixture
def stopped(tmp_path: Path) -> Iterator[Stopped]:
    """An app that runs; the terminal must be as it was before, once it has ended."""
    at = Shown(tmp_path, lambda: tty.cells())
    env = at.environment(TERM="xterm-256color", COLORTERM="truecolor")
    with Pty(at.command, env, (100, 30)) as tty:
        before = tty.modes()
        at.agree("it stands there", "celery-tui")
        raw = tty.modes()
        assert raw != before
        yield Stopped(at, tty)
        if tty.leader < 0:
            return  # a test has closed it
        tty.read()
        assert tty.modes() == before
        assert not tty.screen.cursor.hidden


@pytest.mark.parametrize("way", ["Ctrl+Z", "kill -TSTP"])
def test_stopped_with_notice_the_terminal_is_the_shells_and_then_ours_again(
    stopped: Stopped, way: str
) -> None:
    tty = stopped.tty
    raw = tty.modes()
    if way == "Ctrl+Z":
        tty.press(b"\x1a")
    else:
        stopped.signal(signal.SIGTSTP)
    wait_for(stopped.is_stopped, f"stopped by {way}")
    assert tty.modes() != raw
    assert tty.sent.rindex(LEFT) > tty.sent.rindex(ENTERED)
    assert not tty.screen.cursor.hidden
    stopped.shell_writes()
    stopped.signal(signal.SIGCONT)
    stopped.works()
    assert tty.modes() == raw
    assert ENTERED in tty.sent
    stopped.quits()


def test_stopped_without_notice_it_comes_back_and_leaves_the_terminal_as_it_was(
    stopped: Stopped,
) -> None:
    stopped.signal(signal.SIGSTOP)
    wait_for(stopped.is_stopped, "stopped by kill -STOP")
    stopped.shell_writes()
    stopped.signal(signal.SIGCONT)
    stopped.works()
    stopped.quits()


def test_continued_without_a_stop_nothing_changes(stopped: Stopped) -> None:
    for _ in range(3):
        stopped.signal(signal.SIGCONT)
    stopped.works()
    stopped.quits()


def test_ended_and_continued_at_once_as_by_timeout_it_ends(stopped: Stopped) -> None:
    stopped.signal(signal.SIGTERM)
    stopped.signal(signal.SIGCONT)
    wait_for(stopped.tty.has_ended, "it has ended")
    assert stopped.tty.process.returncode == 0


def test_when_its_window_is_closed_it_ends(stopped: Stopped) -> None:
    stopped.tty.close()
    wait_for(lambda: stopped.tty.process.poll() is not None, "it has ended")


@pytest.mark.parametrize("odd", [b"\xfc", b"\xff\xfe", b"\xe6\xbc", b"\x80\x9b"])
def test_a_key_that_is_no_utf_8_is_only_a_strange_key(stopped: Stopped, odd: bytes) -> None:
    stopped.tty.press(odd)
    stopped.works()
    stopped.quits()
