"""`celery-tui status`: look for a short while, print what is true, say by exit code how it is."""

from __future__ import annotations

import json
import sys
import time
from typing import Any, TextIO

from ..errors import TuiError
from ..model.seam import Finding, Level
from ..monitor import Monitor
from ..settings import Settings
from .document import document
from .plain import lines

__all__ = ["COULD_NOT_LOOK", "document", "exit_code", "run"]

LISTEN_S = 2.0
PATIENCE_S = 8.0
"""So much longer a look may take while a source has not answered: the machine may be busy."""
COULD_NOT_LOOK = 3
TICK_S = 0.25
"""More often than a screen needs: replies that are due must not wait in so short a look."""
NAP_S = 0.01


def run(
    settings: Settings,
    listen_s: float = LISTEN_S,
    as_json: bool = False,
    out: TextIO | None = None,
    app: Any = None,
    err: TextIO | None = None,
) -> int:
    """Listen for ``listen_s``, print to ``out``; 0 fine, 1 warnings, 2 critical, 3 not looked.

    It lasts longer while a source has not answered. ``app`` is the user's Celery app where it is
    already loaded.
    """
    out, err = out or sys.stdout, err or sys.stderr
    monitor = Monitor(settings, app=app)
    try:
        monitor.check_broker()
        monitor.start()
    except TuiError as error:
        _write(err, f"celery-tui: {error}".replace("\n", " "))
        return COULD_NOT_LOOK
    try:
        _watch(monitor, listen_s)
        told = document(monitor)
    finally:
        monitor.stop()
    if as_json:
        _write(out, json.dumps(told, indent=2, allow_nan=False))
    else:
        for line in lines(told):
            _write(out, line)
    return exit_code(monitor.findings)


def _watch(monitor: Monitor, listen_s: float) -> None:
    until = time.monotonic() + listen_s
    due = 0.0
    while (now := time.monotonic()) < until + PATIENCE_S:
        if now >= until and monitor.has_answered and _all_told(monitor):
            return
        monitor.drain()
        if now >= due:
            monitor.tick(monitor.clock())
            due = now + TICK_S
        time.sleep(NAP_S)
    _all_told(monitor)


def _all_told(monitor: Monitor) -> bool:
    """Fold in all that waits; whether that led to no further question."""
    while not monitor.drain():
        continue
    monitor.tick(monitor.clock())
    return monitor.has_answered


def exit_code(findings: tuple[Finding, ...]) -> int:
    """0 fine, 1 warnings, 2 critical."""
    levels = {finding.severity for finding in findings}
    return 2 if Level.CRIT in levels else 1 if levels else 0


def _write(stream: TextIO, line: str) -> None:
    """One line in whatever encoding the stream has: a pipe may be ASCII."""
    encoding = getattr(stream, "encoding", None) or "utf-8"
    stream.write(line.encode(encoding, "backslashreplace").decode(encoding) + "\n")
