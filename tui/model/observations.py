"""What sources put into the Inbox, besides Health and Outcome; never changed afterwards."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from .events import Event
from .peeked import Opened, Peeked, Sampled
from .seam import Health, LogLine, Outcome, Preview
from .task import Progress
from .waiting import Waiting


class EventBatch(msgspec.Struct, frozen=True, gc=False):
    """Events of one message; ``arrived`` is epoch seconds of our clock."""

    arrived: float
    events: tuple[Event, ...]
    malformed: dict[str, int]
    left_out: tuple[tuple[str, float], ...] = ()
    """(worker, timestamp) of starts that were heard and left out, because too many wait."""


class Reply(msgspec.Struct, frozen=True, gc=False):
    """One worker's answer to one question, as it came.

    ``question`` is ping, active, reserved, scheduled, stats, active_queues or registered;
    ``payload`` is Celery's own reply (userguide "Workers", inspect) and hostile input.
    """

    question: str
    hostname: str
    payload: Any
    asked_at: float
    at: float


class RoundEnded(msgspec.Struct, frozen=True, gc=False):
    """A question's time is up: these answered; who did not is the reader's to tell."""

    question: str
    asked_at: float
    at: float
    answered: frozenset[str]
    receivers: int | None = None
    """Connections that got the broadcast, where the broker tells."""
    standing: frozenset[str] | None = None
    """Workers of those that did not answer whose connection stands, where the broker tells."""


class QueueDepth(msgspec.Struct, frozen=True, gc=False):
    """One queue's reading; None where the broker does not tell."""

    depth: int | None
    by_priority: dict[str, int]
    consumers: int | None = None
    quarantine: bool = False
    doubtful: int = 0
    """Of a quarantine: messages besides that may be in their queue, or have run, too."""
    restarted: bool = False
    """Of a quarantine: whether the broker was restarted since, and may have its messages, too."""
    waiting: Waiting | None = None
    """Age of the oldest message and rates, where they were looked at; None: as told before."""
    at: float | None = None
    """Epoch seconds at which it was read, where that was before the others."""


class QueueDepths(msgspec.Struct, frozen=True, gc=False):
    """Readings of some or all queues; ``gone`` were deleted since."""

    at: float
    queues: dict[str, QueueDepth]
    gone: tuple[str, ...] = ()
    unacked: int | None = None
    """Unacknowledged messages over all queues."""
    unacked_by_queue: Mapping[str, int | None] | None = None
    """Of a queue that is not among them there is none."""
    sampled: bool = False
    """Waiting times of some queues, between two readings: it says nothing of the rest."""
    no_ages: str = ""
    """Why no waiting times can be told; empty: they are."""


class Unacknowledged(msgspec.Struct, frozen=True, gc=False):
    """Whether the messages of certain tasks lie unacknowledged in the broker."""

    at: float
    found: dict[str, float | None]
    """Task id -> epoch seconds of its delivery; None where the broker does not tell."""
    missing: tuple[str, ...] = ()
    """Of these there is none: all were looked through."""


class ResultMeta(msgspec.Struct, frozen=True, gc=False):
    """What the result backend stores of one task; text is repr for people, None is not stored."""

    id: str
    state: str
    result: str | None = None
    exception: str | None = None
    traceback: str | None = None
    date_done: float | None = None
    """Epoch seconds."""
    name: str | None = None
    args: list[Any] | None = None
    kwargs: dict[str, Any] | None = None
    args_text: str | None = None
    kwargs_text: str | None = None
    """Their reprs, where nothing exact is stored."""
    worker: str | None = None
    pid: int | None = None
    queue: str | None = None
    retries: int | None = None
    parent_id: str | None = None
    group_id: str | None = None
    children: tuple[str, ...] = ()
    progress: Progress | None = None
    """Of a state that is none of Celery's own."""


class Results(msgspec.Struct, frozen=True, gc=False):
    """Answers of the result backend; ``missing`` ids have nothing stored."""

    at: float
    metas: tuple[ResultMeta, ...]
    """The newest first, where they were not asked for by id."""
    missing: tuple[str, ...] = ()


class ResultsLookedThrough(msgspec.Struct, frozen=True, gc=False):
    """How far the search for recent results is, which is made once after we attached."""

    at: float
    keys: int
    of: int
    """Keys looked through, of about so many."""
    told: int = 0
    """Results told so far."""
    unread: dict[str, int] = {}
    """Why some of the newest cannot be shown, and how many."""
    note: str = ""
    """Why it ended early; empty: it did not."""
    done: bool = False


class Prefixes(msgspec.Struct, frozen=True, gc=False):
    """Key prefixes under which some Celery's control bindings were found in this database."""

    at: float
    found: tuple[str, ...]


Observation = (
    EventBatch
    | Reply
    | RoundEnded
    | QueueDepths
    | Unacknowledged
    | Results
    | ResultsLookedThrough
    | Prefixes
    | Peeked
    | Sampled
    | Opened
    | Health
    | Preview
    | Outcome
    | LogLine
)
