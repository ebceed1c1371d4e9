"""A full-screen program in a pseudo-terminal of our own, and what it draws there and when."""

import fcntl
import os
import pty
import select
import signal
import struct
import subprocess
import termios
import time
from collections.abc import Callable, Mapping, Sequence
from types import TracebackType
from typing import Self

import pyte

MODE_2026 = b"\x1b[?2026$p"
MODE_2026_ANSWER = b"\x1b[?2026;2$y"
"""A terminal that knows synchronized output says so when asked."""
FRAME_BEGINS, FRAME_ENDS = b"\x1b[?2026h", b"\x1b[?2026l"
REMEMBERED = 15
"""Bytes of the past in which a mark or a question may have begun."""
SLOW_PIECE = 32
"""Bytes a slow line takes at once: it has no buffer worth mentioning, unlike the pty before it."""
LINE_BUSY_S = 0.002
"""A slow line that is read again so soon has not been idle: it owes what it was late."""
EDGE = (1, 3, 5)
"""Columns that tell the background of a row."""
LEFT_OUT = ("NO_COLOR", "TMUX", "COLUMNS", "LINES", "COLORFGBG")


def environment(extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """Ours without what would change colours and sizes, and without a person's own brokers."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if name not in LEFT_OUT and not name.startswith(("CELERY", "PYTHON"))
    }
    terminal = {"TERM": "xterm-256color", "COLORTERM": "truecolor", "LANG": "C.UTF-8"}
    return {**kept, **terminal, **(extra or {})}


class Terminal:
    """A program with a controlling terminal of its own, as a person's would have.

    What it writes is kept with the time of its arrival and drawn later, so that drawing never
    delays the program while it is being timed. With ``bytes_per_s`` the terminal hangs on a slow
    line: a byte arrives when the line has carried it, and the program feels the back-pressure.
    """

    def __init__(
        self,
        command: Sequence[str],
        columns: int = 80,
        rows: int = 24,
        env: Mapping[str, str] | None = None,
        cwd: str | None = None,
        bytes_per_s: float | None = None,
    ) -> None:
        self.size = (columns, rows)
        self.in_frame = False
        """What was drawn last belongs to a frame whose end has not been drawn."""
        self.drawn = 0
        """Bytes drawn."""
        self._bytes_per_s = bytes_per_s
        self._line_free_at = 0.0
        self.frames_read = 0
        """Ends of frames among what was read."""
        self._heard = b""
        self._marked = b""
        self._screen = pyte.Screen(columns, rows)
        self._stream = pyte.ByteStream(self._screen)
        self._master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        self._chunks: list[tuple[float, bytes]] = []
        self.bytes_read = 0
        self.open = True
        self.began = time.monotonic()
        """When the program was started."""
        self.process = subprocess.Popen(
            list(command),
            stdin=slave,
            stdout=slave,
            stderr=slave,
            env=environment(env),
            cwd=cwd,
            start_new_session=True,
            preexec_fn=_own_terminal,
        )
        os.close(slave)

    @property
    def pid(self) -> int:
        """Process id of the program."""
        return self.process.pid

    # -- reading ------------------------------------------------------------------------------

    def read(self, seconds: float, until: Callable[[], object] | None = None) -> bool:
        """Take what is written for so long, or until that is true (then True)."""
        end = time.monotonic() + seconds
        while self.open and (left := end - time.monotonic()) > 0:
            if until is not None and until():
                return True
            if select.select([self._master], [], [], min(left, 0.02 if until else 0.25))[0]:
                self._take()
        return bool(until is not None and until())

    def read_frame(self, seconds: float) -> bool:
        """Take what is written until a frame has ended; False if none did within so long."""
        before = self.frames_read
        return self.read(seconds, lambda: self.frames_read > before)

    def must_run(self) -> None:
        """Raise AssertionError with the screen if the program has ended."""
        if not self.open or self.process.poll() is not None:
            self.draw()
            raise AssertionError(f"it has ended by itself\n{self.text}")

    def _take(self) -> None:
        try:
            data = os.read(self._master, SLOW_PIECE if self._bytes_per_s else 65536)
        except OSError:  # Linux says so when the last one who had it open is gone
            data = b""
        if not data:
            self.open = False
            return
        if self._bytes_per_s:
            self._carry(len(data) / self._bytes_per_s)
        self.bytes_read += len(data)
        self._chunks.append((time.monotonic(), data))
        self._listen(data)

    def _carry(self, seconds: float) -> None:
        """Wait until the slow line has brought it all here."""
        now = time.monotonic()
        busy = now - self._line_free_at < LINE_BUSY_S
        self._line_free_at = (self._line_free_at if busy else now) + seconds
        time.sleep(max(0.0, self._line_free_at - now))

    def _listen(self, data: bytes) -> None:
        """Answer each question and count each frame, also where one came in two pieces."""
        for _ in range(_found(self._heard, data, MODE_2026)):
            os.write(self._master, MODE_2026_ANSWER)
        self.frames_read += _found(self._heard, data, FRAME_ENDS)
        self._heard = (self._heard + data)[-REMEMBERED:]

    def received(self, words: bytes) -> bool:
        """Whether a piece read and not yet drawn holds the words."""
        return any(words in data for _, data in self._chunks)

    def forget(self) -> None:
        """Drop what was read and not drawn: for long measurements that look at no screen."""
        self._chunks.clear()

    # -- seeing -------------------------------------------------------------------------------

    def draw(self, until: Callable[[], object] | None = None) -> float | None:
        """Draw what was read; seconds from the start to the piece after which it was true.

        It is asked after each piece that was read, and after each frame that ended within one.
        """
        for index, (at, data) in enumerate(self._chunks):
            begun = 0
            while begun < len(data):
                ended = data.find(FRAME_ENDS, begun) + len(FRAME_ENDS)
                ended = ended if ended >= len(FRAME_ENDS) else len(data)
                self._feed(data[begun:ended])
                begun = ended
                if until is not None and until():
                    rest = [(at, data[begun:])] if begun < len(data) else []
                    self._chunks[: index + 1] = rest
                    return at - self.began
        self._chunks.clear()
        return None

    def _feed(self, data: bytes) -> None:
        self._stream.feed(data)
        self.drawn += len(data)
        marked = self._marked + data
        begins, ends = marked.rfind(FRAME_BEGINS), marked.rfind(FRAME_ENDS)
        if begins != ends:  # else there is neither
            self.in_frame = begins > ends
        self._marked = marked[-REMEMBERED:]

    def row_on(self, background: str) -> int | None:
        """The first row whose left edge has that background (six digits); None: there is none."""
        for y in range(self.size[1]):
            line = self._screen.buffer[y]
            if all(line[x].bg == background for x in EDGE):
                return y
        return None

    @property
    def lines(self) -> list[str]:
        """The rows on screen, as drawn so far."""
        return [line.rstrip() for line in self._screen.display]

    @property
    def text(self) -> str:
        """All of the screen, as drawn so far."""
        return "\n".join(self.lines)

    def shows(self, words: str) -> bool:
        """Whether the words are on screen now; draws what was read."""
        self.draw()
        return words in self.text

    def wait_for(self, words: str, seconds: float = 60.0) -> float:
        """Seconds until the words were on screen. Raises AssertionError with the screen."""
        began = time.monotonic()
        if not self.read(seconds, lambda: self.shows(words)):
            raise AssertionError(f"not within {seconds:g} s on screen: {words!r}\n{self.text}")
        return time.monotonic() - began

    # -- a person's side ----------------------------------------------------------------------

    def press(self, keys: str) -> None:
        """Type."""
        os.write(self._master, keys.encode())

    def close_window(self) -> None:
        """Close the terminal: the program is hung up."""
        if self._master >= 0:
            os.close(self._master)
            self._master, self.open = -1, False

    def send(self, number: signal.Signals) -> None:
        """Signal the program alone."""
        self.process.send_signal(number)

    def ended(self, seconds: float) -> int | None:
        """Its exit code once it ends within so long, else None; what it writes is read."""
        self.read(seconds, lambda: self.process.poll() is not None)
        try:
            return self.process.wait(max(0.1, seconds if self._master < 0 else 0.1))
        except subprocess.TimeoutExpired:
            return None

    def end(self) -> None:
        """TERM, then KILL; then close the terminal."""
        if self.process.poll() is None:
            self.process.terminate()
            if self.ended(5.0) is None:
                self.process.kill()
                self.process.wait()
        self.close_window()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.end()


def _found(before: bytes, data: bytes, words: bytes) -> int:
    """How often the words are in the data, those included that began before it."""
    return (before[-(len(words) - 1) :] + data).count(words)


def _own_terminal() -> None:
    """In the child: the pty becomes its controlling terminal, so that closing it hangs up."""
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)
