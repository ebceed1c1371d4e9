"""How much of what could go on for ever a run does: short, or with ``scripts/test --long`` all."""

from __future__ import annotations

import os
from typing import TypeVar

T = TypeVar("T")
LONG = bool(os.environ.get("CELERY_TUI_LONG"))


def rounds(short: T, long: T) -> T:
    """What this run does; printed by who uses it, for the record."""
    return long if LONG else short
