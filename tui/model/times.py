"""ISO times, as Celery writes them into messages, as epoch seconds."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import lru_cache


@lru_cache(maxsize=8192)
def parse_iso(text: str) -> float | None:
    """Epoch seconds of an ISO 8601 time (no zone: UTC, Celery's default); None if it is none."""
    try:
        moment = datetime.fromisoformat(text)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError, TypeError):
        return None
