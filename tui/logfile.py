"""What befalls us outside the monitor, in the file of ``--log``: its owner's only, no passwords."""

from __future__ import annotations

import os
import time
import traceback
from pathlib import Path

from . import urls
from .errors import SettingsError


def check(path: Path | None) -> None:
    """Raise SettingsError now, and not behind the screen, if the file cannot be written."""
    if path is not None:
        _append(path, "")


def record(path: Path, error: BaseException, *secrets: str) -> None:
    """Append the traceback of an error that nobody expected."""
    text = "".join(traceback.format_exception(error))
    stamp = time.strftime("%Y-%m-%d %H:%M:%S")
    _append(path, f"{stamp} CRITICAL celery_tui: {urls.clean(text, *secrets)}\n")


def _append(path: Path, text: str) -> None:
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        with open(descriptor, "a", encoding="utf-8") as file:
            file.write(text)
    except OSError as error:
        raise SettingsError(
            f"Cannot write the log file {path}: {error.strerror}", "Name another file with --log."
        ) from None
