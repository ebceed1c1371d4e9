"""What libraries log, as lines of the Log screen: written to stderr it would corrupt the screen."""

from __future__ import annotations

import contextlib
import logging
import os
from pathlib import Path

from .. import urls
from ..errors import SettingsError
from ..model.seam import LogLine
from .inbox import Inbox

LONGEST_LINE = 2_000


class ToInbox(logging.Handler):
    """Puts one LogLine a record; a traceback is told by its last line."""

    def __init__(self, inbox: Inbox) -> None:
        super().__init__(logging.WARNING)
        self.inbox = inbox
        self.secrets: tuple[str, ...] = ()

    def emit(self, record: logging.LogRecord) -> None:
        try:
            text = said(record)
        except Exception:  # a wrong format string of somebody else must not end a thread
            text = str(record.msg)
        level = "crit" if record.levelno >= logging.ERROR else "warn"
        text = urls.clean(text, *self.secrets)[:LONGEST_LINE]
        self.inbox.put(LogLine(record.created, record.name, level, text))


class _Cleaned(logging.Formatter):
    """A line of the log file, without passwords."""

    def __init__(self, secrets: tuple[str, ...]) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s: %(message)s")
        self.secrets = secrets

    def format(self, record: logging.LogRecord) -> str:
        return urls.clean(super().format(record), *self.secrets)


class Logs:
    """Leads the root logger into the Inbox (and a file, if asked for) until removed."""

    def __init__(self, inbox: Inbox, file: Path | None = None) -> None:
        self._to_inbox = ToInbox(inbox)
        self._path = file
        self._to_file: logging.Handler | None = None
        self._installed = False

    def install(self, secrets: tuple[str, ...] = ()) -> None:
        """Begin. Raises SettingsError if the file cannot be written."""
        if self._installed:
            return
        if self._path is not None:
            self._to_file = _file_handler(self._path)
            logging.getLogger("celery_tui").setLevel(logging.INFO)
        self._installed = True
        self.protect(secrets)
        for handler in self._handlers():
            logging.getLogger().addHandler(handler)
        logging.captureWarnings(True)

    def protect(self, secrets: tuple[str, ...]) -> None:
        """The URLs whose passwords must not appear."""
        self._to_inbox.secrets = secrets
        if self._to_file is not None:
            self._to_file.setFormatter(_Cleaned(secrets))

    def remove(self) -> None:
        """End, and leave logging as it was."""
        if not self._installed:
            return
        self._installed = False
        logging.captureWarnings(False)
        for handler in self._handlers():
            logging.getLogger().removeHandler(handler)
        if self._to_file is not None:
            self._to_file.close()

    def _handlers(self) -> list[logging.Handler]:
        return [self._to_inbox, *((self._to_file,) if self._to_file is not None else ())]


def said(record: logging.LogRecord) -> str:
    """The record's message, and the error it carries, in one line."""
    text = record.getMessage()
    error = record.exc_info[1] if record.exc_info else None
    if error is not None:
        text = f"{text} ({type(error).__name__}: {error})"
    return " ".join(text.split())


def _file_handler(path: Path) -> logging.Handler:
    try:
        # Only its owner may read it, also if the umask says otherwise.
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600))
        with contextlib.suppress(PermissionError):
            path.chmod(0o600)
        return logging.FileHandler(path, encoding="utf-8")
    except OSError as error:
        raise SettingsError(
            f"Cannot write the log file {path}: {error.strerror}", "Name another file with --log."
        ) from error
