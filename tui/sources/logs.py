"""What libraries log and the project prints, as lines of the Log screen, and of a file."""

from __future__ import annotations

import contextlib
import logging
import os
import threading
import time
from collections.abc import Callable
from pathlib import Path

from .. import urls
from ..errors import SettingsError
from ..links.chatter import OURS, is_ours, quieten, restore
from ..model.seam import LogLine
from ..prints import Budget
from .consoles import Consoles
from .inbox import Inbox

LONGEST_LINE = 2_000
LOOK_AGAIN_S = 1.0
TOLD = "celery_tui_told"
"""Attribute of a record that is in the Log already: several handlers may meet it."""


class ToInbox(logging.Handler):
    """Puts one LogLine a record; a traceback is told by its last line."""

    def __init__(self, inbox: Inbox) -> None:
        super().__init__(logging.WARNING)
        self.inbox = inbox
        self.secrets: tuple[str, ...] = ()

    def emit(self, record: logging.LogRecord) -> None:
        if is_first(record):
            self.inbox.put(self.line(record))

    def line(self, record: logging.LogRecord, printed: bool = False) -> LogLine:
        """Without passwords."""
        try:
            text = said(record)
        except Exception:  # a wrong format string of somebody else must not end a thread
            text = str(record.msg)
        text = urls.clean(text, *self.secrets)[:LONGEST_LINE]
        return LogLine(record.created, record.name, level_of(record), text, printed)


class _Cleaned(logging.Formatter):
    """A line of the log file, without passwords."""

    def __init__(self, secrets: tuple[str, ...]) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s: %(message)s")
        self.secrets = secrets

    def format(self, record: logging.LogRecord) -> str:
        return urls.clean(super().format(record), *self.secrets)


class _File(logging.FileHandler):
    """The file of ``--log``; that it cannot be written is told once, and not on the terminal."""

    def __init__(self, path: Path, tell: Callable[[str], None]) -> None:
        super().__init__(path, encoding="utf-8")
        self._tell: Callable[[str], None] | None = tell

    def handleError(self, record: logging.LogRecord) -> None:
        tell, self._tell = self._tell, None
        if tell is not None:
            tell(f"the log file {self.baseFilename} cannot be written any more")


class Logs:
    """Leads all logging and what is printed into the Inbox (and a file), until removed."""

    def __init__(self, inbox: Inbox, file: Path | None = None, project: str = "") -> None:
        self._inbox = inbox
        self._to_inbox = ToInbox(inbox)
        self._path = file
        self._project = project or "this process"
        self._to_file: _File | None = None
        self._consoles = Consoles(self._logged)
        self._budget = Budget()
        self._lock = threading.Lock()
        self._installed = False
        self._looked_at = 0.0
        self._levels: list[tuple[logging.Logger, int]] = []
        """What loggers had before."""

    def install(self, secrets: tuple[str, ...] = ()) -> None:
        """Begin. Raises SettingsError if the file cannot be written."""
        if self._installed:
            return
        if self._path is not None:
            self._to_file = _file_handler(self._path, self._told)
        self._installed = True
        ours = logging.getLogger(OURS)
        self._levels.append((ours, ours.level))
        ours.setLevel(logging.INFO if self._to_file else logging.WARNING)
        self.protect(secrets)
        for handler in self._handlers():
            logging.getLogger().addHandler(handler)
        logging.captureWarnings(True)

    def protect(self, secrets: tuple[str, ...], project: str = "") -> None:
        """The URLs whose passwords must not appear; to be called when an app was loaded, too."""
        self._project = project or self._project
        self._to_inbox.secrets = secrets
        if self._to_file is not None:
            self._to_file.setFormatter(_Cleaned(secrets))
        self._look()

    def remove(self) -> None:
        """End, and leave logging as it was."""
        if not self._installed:
            return
        self.settle(time.time())
        self._installed = False
        logging.captureWarnings(False)
        for handler in self._handlers():
            logging.getLogger().removeHandler(handler)
        self._consoles.remove()
        restore(self._levels)
        self._levels.clear()
        if self._to_file is not None:
            with contextlib.suppress(OSError):  # its disk is full: that was told
                self._to_file.close()

    # -- what comes in, in any thread ---------------------------------------------------------

    def printed(self, at: float, text: str) -> None:
        """Somebody wrote a line to where the terminal was."""
        if at - self._looked_at > LOOK_AGAIN_S:  # it may come from a handler that is new
            self._look()
        if self._may(at):
            text = f"{self._project} prints: {urls.clean(text, *self._to_inbox.secrets)}"
            line = LogLine(at, "project", "info", text, printed=True)
            self._inbox.put(line)
            self._write(line)

    def _logged(self, record: logging.LogRecord) -> None:
        """A handler was about to write this to the terminal."""
        if not is_first(record) or (record.levelno < logging.WARNING and is_ours(record.name)):
            return
        quiet = record.levelno < logging.WARNING
        if quiet and not self._may(record.created):
            return
        self._inbox.put(self._to_inbox.line(record, printed=quiet))
        if self._to_file is not None and not _reaches_root(record.name):
            self._to_file.handle(record)

    def _may(self, at: float) -> bool:
        """Whether one more line may come in; it is counted if not."""
        with self._lock:
            return self._budget.take(at)

    def settle(self, now: float) -> None:
        """Say how many lines were left out; to be called now and then."""
        with self._lock:
            left_out = self._budget.told()
        if left_out:
            text = f"{left_out:,} lines of {self._project} left out: too many at once"
            line = LogLine(now, "project", "warn", text)
            self._inbox.put(line)
            self._write(line)

    def _write(self, line: LogLine) -> None:
        if self._to_file is not None:
            level = logging.WARNING if line.level == "warn" else logging.INFO
            record = logging.LogRecord(line.kind, level, "", 0, "%s", (line.text,), None)
            self._to_file.handle(record)

    def _told(self, text: str) -> None:
        self._inbox.put(LogLine(time.time(), "log", "warn", text))

    def _look(self) -> None:
        """Find the handlers and levels that somebody has made since."""
        self._looked_at = time.time()
        self._consoles.lead()
        self._levels += quieten()

    def _handlers(self) -> list[logging.Handler]:
        return [self._to_inbox, *((self._to_file,) if self._to_file is not None else ())]


def said(record: logging.LogRecord) -> str:
    """The record's message, and the error it carries, in one line."""
    text = record.getMessage()
    error = record.exc_info[1] if record.exc_info else None
    if error is not None:
        text = f"{text} ({type(error).__name__}: {error})"
    return " ".join(text.split())


def level_of(record: logging.LogRecord) -> str:
    """The Log's word for it."""
    if record.levelno >= logging.ERROR:
        return "crit"
    return "warn" if record.levelno >= logging.WARNING else "info"


def is_first(record: logging.LogRecord) -> bool:
    """Whether this record was not met before; it is, from now on."""
    first = not getattr(record, TOLD, False)
    setattr(record, TOLD, True)
    return first


def _reaches_root(name: str) -> bool:
    """Whether the handlers of the root logger meet what this logger tells."""
    logger: logging.Logger | None = logging.getLogger(name)
    while logger is not None and logger.propagate:
        logger = logger.parent
    return logger is None


def _file_handler(path: Path, tell: Callable[[str], None]) -> _File:
    try:
        # Only its owner may read it, also if the umask says otherwise.
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600))
        with contextlib.suppress(PermissionError):
            path.chmod(0o600)
        return _File(path, tell)
    except OSError as error:
        raise SettingsError(
            f"Cannot write the log file {path}: {error.strerror}", "Name another file with --log."
        ) from error
