"""Writes every act down: one JSON line in ``audit.jsonl`` under the user's state folder."""

from __future__ import annotations

import getpass
import json
import os
import stat
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from .. import urls
from ..links.app_secrets import secrets_of
from ..model.seam import ActionRequest, Outcome
from ..settings import Settings

FILE = "audit.jsonl"


def path() -> Path:
    """``$XDG_STATE_HOME/celery-tui/audit.jsonl``, or what this system has for it."""
    from platformdirs import user_state_path

    return user_state_path("celery-tui", appauthor=False) / FILE


def entry(
    request: ActionRequest, outcomes: Sequence[Outcome], settings: Settings, error: str = ""
) -> dict[str, Any]:
    """Who did what to which ids, and what came of it; never arguments, which may be secret."""
    secrets = secrets_of(settings)
    return {
        "time": datetime.now(UTC).isoformat(timespec="milliseconds"),
        **who(),
        "broker": urls.redact(settings.broker or ""),
        "request": request.id,
        "act": str(request.act),
        "pressed": datetime.fromtimestamp(request.at, UTC).isoformat(timespec="milliseconds"),
        **({"signal": request.signal} if request.act == "terminate" else {}),
        "ids": [target.id for target in request.targets],
        "edited": sorted(request.edited or ()),
        "reason": request.reason,
        "outcome": urls.without(error, *secrets) or _summary(outcomes),
        "replies": [_told(outcome, secrets) for outcome in outcomes],
    }


def who() -> dict[str, str | None]:
    """The person behind the key press, as far as this system tells."""
    try:
        user: str | None = getpass.getuser()
    except (OSError, KeyError, ImportError):
        user = None
    try:
        tty: str | None = os.ttyname(0)
    except OSError:
        tty = None
    environ = os.environ
    return {
        "user": user,
        "sudo_user": environ.get("SUDO_USER"),
        "ssh_connection": environ.get("SSH_CONNECTION"),
        "tty": tty,
    }


def _summary(outcomes: Sequence[Outcome]) -> str:
    counts: dict[str, int] = {}
    for outcome in outcomes:
        counts[outcome.stage] = counts.get(outcome.stage, 0) + 1
    return ", ".join(f"{number} {stage}" for stage, number in counts.items()) or "nothing sent"


def _told(outcome: Outcome, secrets: tuple[str, ...]) -> dict[str, Any]:
    told: dict[str, Any] = {"id": outcome.target.id, "stage": str(outcome.stage)}
    told["text"] = urls.without(outcome.text, *secrets)
    for name in ("answered", "of", "new_id", "undo"):
        if getattr(outcome, name) is not None:
            told[name] = getattr(outcome, name)
    return told


def write(line: dict[str, Any]) -> str:
    """Append one line; what went wrong, in words, or nothing. It never raises for a full disk."""
    try:
        file = path()
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        _append(file, json.dumps(line, ensure_ascii=True, default=str).encode() + b"\n")
    except OSError as error:
        return f"the audit line was not written: {error}"
    return ""


def _append(file: Path, line: bytes) -> None:
    """In one write, so that lines of two dashboards never mix."""
    descriptor = os.open(file, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        if stat.S_IMODE(os.fstat(descriptor).st_mode) & 0o077:
            os.fchmod(descriptor, 0o600)
        written = os.write(descriptor, line)
        if written < len(line):
            raise OSError(f"only {written} of {len(line)} bytes fitted")
    finally:
        os.close(descriptor)
