"""A pseudo terminal with a process in it, whose output an emulator obeys."""

from __future__ import annotations

import codecs
import fcntl
import os
import pty
import select
import struct
import subprocess
import termios
from collections.abc import Callable, Mapping, Sequence
from types import TracebackType
from typing import Any, Self

import pyte

from tests.terminals.cells import Cells, cells
from tests.terminals.shown import ROOT

ALTERNATE = 1049


class Screen(pyte.Screen):
    """pyte's, with what it lacks."""

    def __init__(self, columns: int, lines: int, answer: Callable[[bytes], None]) -> None:
        super().__init__(columns, lines)
        self.answer = answer

    def write_process_input(self, data: str) -> None:
        """The terminal says something, as if typed."""
        self.answer(data.encode())

    def set_mode(self, *modes: int, **kwargs: Any) -> None:
        """The alternate screen is empty whenever it is entered."""
        super().set_mode(*modes, **kwargs)
        if ALTERNATE in modes and kwargs.get("private"):
            self.erase_in_display(2)

    def report_device_status(self, mode: int = 0, **kwargs: Any) -> None:
        """Answer what is asked of every terminal, and nothing else."""
        if not kwargs.get("private"):
            super().report_device_status(mode)


class Pty:
    """A terminal of its own: the process leads its session."""

    def __init__(
        self,
        command: Sequence[str],
        env: Mapping[str, str],
        size: tuple[int, int] = (80, 24),
        encoding: str = "utf-8",
    ) -> None:
        self.leader, follower = pty.openpty()
        self.screen = Screen(*size, self.press)
        self.stream = pyte.ByteStream(self.screen)
        decoder: Any = codecs.getincrementaldecoder(encoding)("replace")
        self.stream.utf8_decoder = decoder
        self.sent = b""
        self.tty = os.ttyname(follower)
        """Where other programs write to it."""
        self._tell(*size)
        self.process = subprocess.Popen(
            command, stdin=follower, stdout=follower, stderr=follower, cwd=ROOT, env=dict(env),
            start_new_session=True, preexec_fn=_take_terminal,
        )  # fmt: skip
        os.close(follower)

    def read(self) -> None:
        """Obey what was written meanwhile."""
        while select.select([self.leader], [], [], 0.02)[0]:
            try:
                data = os.read(self.leader, 65_536)
            except OSError:  # nobody writes any more
                return
            self.sent += data
            self.stream.feed(data)

    def has_ended(self) -> bool:
        """Whether the process has; what it wrote last is read, or it could not."""
        self.read()
        return self.process.poll() is not None

    def cells(self) -> Cells:
        """What stands there now."""
        self.read()
        return cells(self.screen)

    def lines(self) -> list[str]:
        """The same without colours."""
        self.read()
        return list(self.screen.display)

    def press(self, keys: bytes) -> None:
        """As if typed."""
        os.write(self.leader, keys)

    def resize(self, width: int, height: int) -> None:
        """Somebody pulls at the window."""
        self.screen.resize(height, width)
        self._tell(width, height)

    def close(self) -> None:
        """Somebody closes the window: the kernel sends SIGHUP, and SIGCONT after it."""
        os.close(self.leader)
        self.leader = -1

    def modes(self) -> list[Any]:
        """What the kernel does with keys: termios."""
        return termios.tcgetattr(self.leader)

    def _tell(self, width: int, height: int) -> None:
        fcntl.ioctl(self.leader, termios.TIOCSWINSZ, struct.pack("HHHH", height, width, 0, 0))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.process.kill()
        self.process.wait()
        if self.leader >= 0:
            self.close()


def _take_terminal() -> None:
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)
