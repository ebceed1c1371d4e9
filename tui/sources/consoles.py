"""Log handlers that write to the terminal: what they would have written is taken from them."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Callable, Iterator

Take = Callable[[logging.LogRecord], None]
TERMINAL = (1, 2)


class _Instead(logging.Filter):
    """Takes what a handler was about to write."""

    def __init__(self, take: Take) -> None:
        super().__init__()
        self._take, self._process = take, os.getpid()

    def filter(self, record: logging.LogRecord) -> bool:
        """A child of ours writes as ever: what it took would stay in it."""
        if os.getpid() != self._process:
            return True
        self._take(record)
        return False


class Consoles:
    """Keeps every handler that is found from writing to the terminal, until removed."""

    def __init__(self, take: Take) -> None:
        """``take`` is given each record, in whatever thread tells it."""
        self._instead = _Instead(take)
        self._led: list[logging.Handler] = []

    def lead(self) -> None:
        """Also those that were made since this was called last."""
        for handler in consoles():
            if handler not in self._led:
                self._led.append(handler)
                handler.addFilter(self._instead)

    def remove(self) -> None:
        """Let them write again."""
        for handler in self._led:
            handler.removeFilter(self._instead)
        self._led.clear()


def consoles() -> Iterator[logging.Handler]:
    """The handlers of all loggers that write to stdout, stderr or another terminal."""
    known = list(logging.root.manager.loggerDict.values())
    for logger in (logging.root, *known):
        if isinstance(logger, logging.Logger):
            yield from (one for one in list(logger.handlers) if _is_console(one))


def _is_console(handler: logging.Handler) -> bool:
    if not isinstance(handler, logging.StreamHandler):
        return False
    stream = handler.stream
    if stream is not None and stream in (sys.stdout, sys.stderr, sys.__stdout__, sys.__stderr__):
        return True
    try:
        descriptor = stream.fileno()
        return descriptor in TERMINAL or os.isatty(descriptor)
    except (AttributeError, OSError, ValueError):  # no file, or one that is closed
        return False
