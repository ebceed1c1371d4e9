"""Errors that nobody caught, in whatever thread: told without passwords and without variables."""

from __future__ import annotations

import contextlib
import logging
import sys
import threading
import traceback
from collections.abc import Callable, Iterator

from . import urls

log = logging.getLogger(__name__)


@contextlib.contextmanager
def guarded(secrets: Callable[[], tuple[str, ...]]) -> Iterator[None]:
    """Until the block ends they are told by us; ``secrets`` is asked anew for each."""
    before = sys.excepthook, threading.excepthook, sys.unraisablehook

    def uncaught(error: BaseException | None, where: str) -> None:
        if error is not None:
            log.critical("%s", told(error, where, secrets()))

    def in_thread(args: threading.ExceptHookArgs) -> None:
        if args.exc_type is not SystemExit:
            uncaught(args.exc_value, f"in thread {args.thread.name if args.thread else '?'}")

    sys.excepthook = lambda kind, error, trace: uncaught(error, "uncaught")
    threading.excepthook = in_thread
    sys.unraisablehook = lambda args: uncaught(args.exc_value, args.err_msg or "while cleaning up")
    try:
        yield
    finally:
        sys.excepthook, threading.excepthook, sys.unraisablehook = before


def told(error: BaseException, where: str, secrets: tuple[str, ...]) -> str:
    """What it is in the first line, then its traceback."""
    text = f"{where}: {type(error).__name__}: {error}\n"
    return urls.clean(text + "".join(traceback.format_exception(error)).rstrip(), *secrets)
