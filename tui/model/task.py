"""One task as we know it: its state, its attempts, and which source told what."""

from __future__ import annotations

from typing import Any

import msgspec

PENDING, RECEIVED, STARTED = "PENDING", "RECEIVED", "STARTED"
SUCCESS, FAILURE, RETRY = "SUCCESS", "FAILURE", "RETRY"
REVOKED, REJECTED, UNKNOWN = "REVOKED", "REJECTED", "UNKNOWN"
STATES = (PENDING, RECEIVED, STARTED, RETRY, SUCCESS, FAILURE, REVOKED, REJECTED, UNKNOWN)
"""Celery's words, and UNKNOWN: it has left its worker and no source says how it ended."""
FINAL = frozenset({SUCCESS, FAILURE, REVOKED, REJECTED})

RANK = {
    PENDING: 0,
    RECEIVED: 1,
    STARTED: 2,
    RETRY: 3,
    REJECTED: 3,
    REVOKED: 4,
    FAILURE: 5,
    SUCCESS: 4,
    UNKNOWN: 2,
}
"""How far a state is: of two at the same moment the greater holds."""

EVENTS, INSPECT, BACKEND, BROKER = "events", "inspect", "result backend", "broker"
"""The sources a fact may come from."""
_SOURCES: dict[tuple[str, ...], tuple[str, ...]] = {}
"""Each combination of them once: all tasks of which the same sources spoke share it."""


class Precedence(msgspec.Struct, frozen=True, order=True, gc=False):
    """Of two pieces of news the greater holds: by try, then by time, then by how far the state is.

    No tuple: a million of those are a pause of the garbage collector that is felt.
    """

    retries: int = 0
    at: float = 0.0
    """Epoch seconds, the teller's clock."""
    rank: int = 0
    """Of ``RANK``."""


MISSING = "result missing: nothing is stored (expired or ignored)"
"""Verdict on a task that has left its worker and of which the backend knows nothing."""


class Attempt(msgspec.Struct, gc=False):
    """One try of a task on one worker; times are epoch seconds, None is not known."""

    retries: int
    worker: str = ""
    pid: int | None = None
    received_at: float | None = None
    started_at: float | None = None
    ended_at: float | None = None
    state: str = RECEIVED
    exception: str | None = None


class Exact(msgspec.Struct, gc=False):
    """Arguments that can be sent again as they were, and where they were seen."""

    args: list[Any]
    kwargs: dict[str, Any]
    source: str


class Task(msgspec.Struct, gc=False):
    """What all sources together say of one task id.

    Times are epoch seconds, durations seconds; None is "not known". ``args``, ``kwargs``,
    ``result`` and ``exception`` are reprs for people, possibly cut by the sender.
    """

    id: str
    serial: int = 0
    """Its number in the order in which we first saw tasks."""
    name: str = ""
    state: str = PENDING
    worker: str = ""
    pid: int | None = None
    queue: str | None = None
    exchange: str | None = None
    routing_key: str | None = None
    client: str = ""
    """Node name of whoever sent it (``gen<pid>@host``), from task-sent."""
    args: str | None = None
    kwargs: str | None = None
    args_source: str = ""
    exact: Exact | None = None
    root_id: str | None = None
    parent_id: str | None = None
    group_id: str | None = None
    retries: int = 0
    eta: str | None = None
    expires: str | None = None
    first_seen: float = 0.0
    """Epoch seconds, our clock: when any source first named it; 0: long before, nobody knows."""
    sent_at: float | None = None
    received_at: float | None = None
    started_at: float | None = None
    ended_at: float | None = None
    runtime_s: float | None = None
    result: str | None = None
    exception: str | None = None
    traceback: str | None = None
    terminated: bool = False
    signum: str | None = None
    expired: bool = False
    source: str = EVENTS
    """Which source spoke last about the state."""
    as_of: float = 0.0
    """Epoch seconds at which that source said so."""
    order: Precedence = Precedence()
    """Of what set the state; smaller news never lowers it."""
    sources: tuple[str, ...] = ()
    verdict: str | None = None
    """How the state was worked out when no event told it, in words."""
    attempts: tuple[Attempt, ...] = ()
    extra: dict[str, Any] | None = None
    """Fields of custom events, kept as they came."""

    def heard_from(self, source: str) -> None:
        """Remember that a source spoke of it."""
        if source not in self.sources:
            told = (*self.sources, source)
            self.sources = _SOURCES.setdefault(told, told)

    @property
    def final(self) -> bool:
        """Whether nothing more is expected of it."""
        return self.state in FINAL

    @property
    def proven(self) -> bool:
        """Whether its end is beyond doubt: a revoke that only the backend tells of is not."""
        if self.state == REVOKED and self.source == BACKEND:
            return self.expired or self.terminated
        return self.state in FINAL

    @property
    def changed_at(self) -> float:
        """Epoch seconds of the newest moment known of its life."""
        moments = (self.ended_at, self.started_at, self.received_at, self.sent_at)
        return next((moment for moment in moments if moment is not None), self.first_seen)

    def runtime_so_far(self, now: float) -> float | None:
        """Seconds it ran, or has been running; None when its start is not known."""
        if self.runtime_s is not None:
            return self.runtime_s
        if self.started_at is None:
            return None
        end = now if self.state == STARTED else self.ended_at
        return None if end is None else max(0.0, end - self.started_at)
