"""What Textual's driver takes badly: odd bytes, other encodings, and SIGCONT unasked."""

from __future__ import annotations

import asyncio
import codecs
import io
import locale
import os
import signal
from functools import partial
from typing import Any, TextIO

from rich.cells import cell_len
from textual.app import App
from textual.driver import Driver


def read_any_byte() -> None:
    """Let keys that are not UTF-8 be keys: Textual's reader ends the program at the first.

    They are read in the encoding of the locale; what is none in that either becomes one strange
    character. To be called before the terminal is read.
    """
    try:
        from textual.drivers import linux_driver
    except ImportError:  # Windows reads characters
        return
    encoding = locale.getencoding()
    if codecs.lookup(encoding).name == "ascii":
        encoding = "utf-8"
    decoder = partial(codecs.getincrementaldecoder(encoding), "replace")
    linux_driver.getincrementaldecoder = lambda _: decoder  # type: ignore[attr-defined,assignment]


def write_any_character(stream: TextIO | None, utf_8: bool) -> None:
    """Let what the terminal's encoding lacks take the cells it was given, as `?`.

    Python would write an escape of six characters, and push the rest of the line aside. With
    ``utf_8`` everything can be written: somebody said so, whatever the locale says.
    """
    if isinstance(stream, io.TextIOWrapper):
        codecs.register_error("cells", _question_marks)
        stream.reconfigure(encoding="utf-8" if utf_8 else None, errors="cells")


def _question_marks(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    return "?" * cell_len(error.object[error.start : error.end]), error.end


def continue_after_any_stop(app: App[Any], loop: asyncio.AbstractEventLoop) -> None:
    """Let SIGCONT without a SIGTSTP before it leave one reader, and the modes to go back to.

    `kill -STOP` gives no notice, and `timeout` and systemd send SIGCONT to what never stopped.
    Textual would start a second time: two threads read the keys then, the end waits for ever or
    leaves a raw terminal behind.
    """
    stop, go_on = signal.getsignal(signal.SIGTSTP), signal.getsignal(signal.SIGCONT)
    driver = getattr(go_on, "__self__", None)
    if not isinstance(driver, Driver) or not callable(stop) or not callable(go_on):
        return  # no real terminal
    noticed = False

    def stopping(number: int, frame: Any) -> None:
        nonlocal noticed
        noticed = True
        stop(number, frame)

    def going_on(number: int, frame: Any) -> None:
        nonlocal noticed
        if noticed:
            noticed = False
            go_on(number, frame)
        else:
            loop.call_soon_threadsafe(_start_anew, app, driver)

    signal.signal(signal.SIGTSTP, stopping)
    signal.signal(signal.SIGCONT, going_on)


def _start_anew(app: App[Any], driver: Driver) -> None:
    """Leave the terminal and take it again: whoever had it meanwhile may have changed all."""
    if app.return_code is not None:
        return  # it is leaving for good
    try:
        ours = os.tcgetpgrp(getattr(driver, "fileno", 0)) == os.getpgrp()
    except OSError:
        return  # the terminal is gone; SIGHUP, which came with this, ends us
    if not ours:  # in the background writing the terminal's modes would stop us
        os.kill(os.getpid(), signal.SIGSTOP)
        return
    driver.suspend_application_mode()
    driver.resume_application_mode()
    app.app_resume_signal.publish(app)
