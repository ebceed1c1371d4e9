"""Sentences of dialogs and outcomes: counts, durations, and command lines to copy."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Sequence

NAMED_AT_MOST = 3


def count(number: int, noun: str) -> str:
    """``1 task``, ``1,204 tasks``."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def duration(seconds: float) -> str:
    """``0.4s``, ``22m07s``, ``3h05m``, ``2d04h``."""
    if seconds < 10:
        return f"{max(0.0, seconds):.1f}s"
    whole = int(seconds)
    if whole < 60:
        return f"{whole}s"
    if whole < 3600:
        return f"{whole // 60}m{whole % 60:02}s"
    if whole < 86400:
        return f"{whole // 3600}h{whole % 3600 // 60:02}m"
    return f"{whole // 86400}d{whole % 86400 // 3600:02}h"


def named(names: Iterable[str]) -> str:
    """``w1, w2, w3 and 4 more``, in a stable order."""
    found = sorted(set(names))
    shown = ", ".join(found[:NAMED_AT_MOST])
    rest = len(found) - NAMED_AT_MOST
    return f"{shown} and {rest} more" if rest > 0 else shown


def celery_line(*words: str, destination: Sequence[str] = ()) -> str:
    """``celery … words`` for a shell; the broker URL stays in its variable with its password."""
    addressed = ["-d", ",".join(destination)] if destination else []
    rest = " ".join(shlex.quote(word) for word in (*words, *addressed))
    return f'celery -b "$CELERY_BROKER_URL" {rest}'
