"""One queue of the broker as we know it."""

from __future__ import annotations

import msgspec

HISTORY_SAMPLES = 60
HISTORY_STEP_S = 5.0


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
    history: list[int | None] = msgspec.field(default_factory=list)
    """Depths, oldest first, one each HISTORY_STEP_S; None is a gap."""
    sampled_at: float = 0.0


def sample(queue: Queue, now: float) -> None:
    """Append the depth to the history when a step has passed; gaps stay gaps."""
    if queue.sampled_at and now - queue.sampled_at < HISTORY_STEP_S:
        return
    steps = int((now - queue.sampled_at) / HISTORY_STEP_S) if queue.sampled_at else 1
    queue.history.extend([None] * min(steps - 1, HISTORY_SAMPLES))
    queue.history.append(queue.depth)
    del queue.history[:-HISTORY_SAMPLES]
    queue.sampled_at = now
