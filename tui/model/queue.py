"""One queue of the broker as we know it."""

from __future__ import annotations

import msgspec

from .history import History


class Queue(msgspec.Struct, gc=False):
    """Depth and consumers of one queue; counts are messages, None is "not known"."""

    name: str
    depth: int | None = None
    by_priority: dict[str, int] = msgspec.field(default_factory=dict)
    """Priority step -> messages waiting at it."""
    unacked: int | None = None
    """Delivered to a worker and not acknowledged (per routing key on Redis)."""
    read_at: float | None = None
    first_seen: float = 0.0
    consumers: int | None = None
    """Consumers as the broker counts them (RabbitMQ); None where it does not tell (Redis)."""
    last_consumer: str = ""
    """Worker that listened last, once nobody does."""
    unconsumed_since: float | None = None
    quarantine: bool = False
    """Holds what we purged, for undo; no worker ever reads it."""
    history: History = msgspec.field(default_factory=History)
    """Its depths."""
