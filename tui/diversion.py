"""What others here write to the terminal, or read of it: led aside, while the dashboard has it."""

from __future__ import annotations

import contextlib
import os
import selectors
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from typing import Any, TextIO

from . import urls
from .errors import AppError
from .prints import Lines

IN, OUT, ERR = 0, 1, 2
PIPE_BYTES = 1 << 20
"""So much may be written while our reader does not come to run: who writes has to wait then."""
READ_AT_ONCE = 1 << 16
UNENDED_S = 0.5
"""A line that was begun and goes on no more is one."""
KEPT = 2_000
"""Lines kept until somebody takes them."""
LAST_WORDS = 20
Take = Callable[[float, str], None]
"""Called with epoch seconds and a line, in a thread."""


class Diversion:
    """Leads descriptors 1 and 2 into a pipe, and keeps the terminal on ones of its own.

    Whatever writes there - Python, C, a child - writes into the pipe; a thread cuts it into lines.
    Whoever reads 0 is told that nothing comes any more: keys are ours, and a question would not be
    seen.
    """

    def __init__(self) -> None:
        self.terminal: TextIO | None = None
        """What nobody else writes to; None before it begins and after it has ended."""
        self.keyboard = -1
        """What keys come from; -1 before it begins and after it has ended."""
        self._kept: tuple[int, int] = (-1, -1)
        self._pipe = self._wake = (-1, -1)
        self._reader: threading.Thread | None = None
        self._lines: deque[tuple[float, str]] = deque(maxlen=KEPT)
        self._pushed_out = 0
        self._take: Take | None = None
        self._lock = threading.Lock()

    def begin(self) -> None:
        """From now on. The terminal must be open as 1 and 2."""
        flush_all()
        encoding = getattr(sys.__stderr__, "encoding", None) or "utf-8"
        self._kept = os.dup(OUT), os.dup(ERR)
        self.terminal = open(os.dup(ERR), "w", encoding=encoding, errors="replace")  # noqa: SIM115
        self._pipe, self._wake = os.pipe(), os.pipe()
        os.set_blocking(self._pipe[0], False)
        _widen(self._pipe[1])
        self._reader = threading.Thread(target=self._read, name="diversion", daemon=True)
        self._reader.start()
        os.dup2(self._pipe[1], OUT)
        os.dup2(self._pipe[1], ERR)
        self.keyboard = os.dup(IN)
        nothing = os.open(os.devnull, os.O_RDONLY)
        os.dup2(nothing, IN)
        os.close(nothing)

    def end(self) -> None:
        """Give 0, 1 and 2 their terminal back; what was written before comes out first."""
        reader, self._reader = self._reader, None
        if reader is None:
            return
        flush_all()
        _flush_c()
        keyboard, self.keyboard = self.keyboard, -1
        for kept, descriptor in zip((keyboard, *self._kept), (IN, OUT, ERR), strict=True):
            os.dup2(kept, descriptor)
        os.write(self._wake[1], b"!")
        reader.join(5.0)
        terminal, self.terminal = self.terminal, None
        with contextlib.suppress(OSError, ValueError):  # it may be gone
            if terminal is not None:
                terminal.close()
        for descriptor in (keyboard, *self._kept, self._pipe[1], self._wake[1]):
            os.close(descriptor)

    def deliver(self, take: Take) -> None:
        """Let all lines go there: those of before first."""
        with self._lock:
            if self._pushed_out:
                take(time.time(), f"({self._pushed_out:,} lines before these were left out)")
            while self._lines:
                take(*self._lines.popleft())
            self._take = take

    def last_words(self) -> list[str]:
        """What was written last and taken by nobody, without passwords."""
        with self._lock:
            return [urls.clean(text) for _, text in list(self._lines)[-LAST_WORDS:]]

    # -- its thread ---------------------------------------------------------------------------

    def _read(self) -> None:
        _line_by_line_c()
        source, wake = self._pipe[0], self._wake[0]
        lines = Lines(getattr(sys.__stdout__, "encoding", None) or "utf-8")
        with selectors.DefaultSelector() as selector:
            selector.register(source, selectors.EVENT_READ)
            selector.register(wake, selectors.EVENT_READ)
            ended = False
            while not ended:
                ready = selector.select(UNENDED_S if lines.pending else None)
                ended = any(key.fd == wake for key, _ in ready)
                quiet = not self._took(source, lines)
                if (quiet or ended) and lines.pending:
                    self._hear(lines.finish())
        os.close(source)
        os.close(wake)

    def _took(self, source: int, lines: Lines) -> bool:
        """Read what is there; whether that was anything."""
        took = False
        with contextlib.suppress(BlockingIOError):
            for _ in range(PIPE_BYTES // READ_AT_ONCE + 1):  # a flood must not keep us from ending
                data = os.read(source, READ_AT_ONCE)
                took = took or bool(data)
                for line in lines.feed(data):
                    self._hear(line)
        return took

    def _hear(self, line: str) -> None:
        with self._lock:
            if self._take is not None:
                with contextlib.suppress(Exception):  # unread, the pipe would hold everybody up
                    self._take(time.time(), line)
                return
            self._pushed_out += len(self._lines) == KEPT
            self._lines.append((time.time(), line))


@contextlib.contextmanager
def begun() -> Iterator[Diversion]:
    """A diversion for as long as this lasts; its last words are said if the app cannot be had."""
    diversion = Diversion()
    if os.name == "posix":
        diversion.begin()
    try:
        yield diversion
    except AppError:
        diversion.end()
        for line in diversion.last_words():
            sys.stderr.write(f"{line}\n")  # why it failed may stand there
        raise
    finally:
        diversion.end()


@contextlib.contextmanager
def own_stdout() -> Iterator[TextIO]:
    """stdout for ourselves alone: what anybody else writes there goes to stderr meanwhile."""
    kept = _set_aside()
    if kept is None:
        yield sys.stdout
        return
    encoding, errors = sys.stdout.encoding, sys.stdout.errors
    try:
        with open(os.dup(kept), "w", encoding=encoding, errors=errors) as ours:
            yield ours
    finally:
        flush_all()
        os.dup2(kept, OUT)
        os.close(kept)


def _set_aside() -> int | None:
    """stdout on another descriptor, and stderr in its place; None where there is none to lead."""
    try:
        if sys.stdout.fileno() != OUT:
            return None
        flush_all()
        kept = os.dup(OUT)
        os.dup2(ERR, OUT)
    except (OSError, ValueError, AttributeError):  # closed, or somebody's own
        return None
    return kept


def flush_all() -> None:
    """Let what Python has kept back go where it was meant to go."""
    for stream in (sys.stdout, sys.stderr, sys.__stdout__, sys.__stderr__):
        with contextlib.suppress(OSError, ValueError, AttributeError):
            if stream is not None:
                stream.flush()


def _widen(pipe: int) -> None:
    with contextlib.suppress(ImportError, AttributeError, OSError):  # not Linux, or too much
        import fcntl

        fcntl.fcntl(pipe, fcntl.F_SETPIPE_SZ, PIPE_BYTES)


# -- C's own stdout, which nobody flushes for us ---------------------------------------------


def _line_by_line_c() -> None:
    """A pipe would get what C's ``puts`` writes by 4 KB, and what was written last never."""
    with contextlib.suppress(ImportError, OSError, ValueError, AttributeError):
        import ctypes

        libc, stdout = _c_stdout()
        libc.setvbuf(stdout, None, ctypes.c_int(1), ctypes.c_size_t(0))


def _flush_c() -> None:
    with contextlib.suppress(ImportError, OSError, ValueError, AttributeError):
        libc, stdout = _c_stdout()
        libc.fflush(stdout)


def _c_stdout() -> tuple[Any, Any]:
    import ctypes

    libc = ctypes.CDLL(None)
    return libc, ctypes.c_void_p.in_dll(libc, "__stdoutp" if sys.platform == "darwin" else "stdout")
