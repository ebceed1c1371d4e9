"""A line on the terminal for as long as the import of an app takes."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Iterator
from typing import TextIO

from .terminal import is_terminal

AFTER_S, EVERY_S = 1.0, 1.0


@contextlib.contextmanager
def told(what: str, terminal: TextIO | None) -> Iterator[None]:
    """Say after a second how long it takes, again and again, and wipe it off at the end.

    What is none, or closed, is told nothing; so is anybody of nothing.
    """
    if terminal is None or not what or not is_terminal(terminal):
        yield
        return
    done = threading.Event()
    thread = threading.Thread(target=_say, args=(what, terminal, done), name="loading", daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join(1.0)  # a terminal that Ctrl+S holds must not hold us


def _say(what: str, terminal: TextIO, done: threading.Event) -> None:
    began, shown = time.monotonic(), ""
    wait_s = AFTER_S
    with contextlib.suppress(OSError, ValueError):
        while not done.wait(wait_s):
            wait_s = EVERY_S
            shown = f"loading the app {what}… {time.monotonic() - began:.0f}s"
            _over(terminal, shown)
        if shown:
            _over(terminal, " " * len(shown))


def _over(terminal: TextIO, text: str) -> None:
    """The cursor stays in front: what anybody prints meanwhile stands in its place."""
    encoding = terminal.encoding or "ascii"
    try:
        text.encode(encoding)
    except UnicodeError:
        text = text.replace("…", "...").encode(encoding, "replace").decode(encoding)
    terminal.write(f"\r{text}\r")
    terminal.flush()
