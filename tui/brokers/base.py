"""What sources and actions ask of a broker beyond Celery's own protocol."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Protocol

import msgspec

from ..links.redis_vitals import Refused
from ..model.observations import QueueDepth
from ..model.peeked import End, Peeked, Sampled
from .message import Message


class Quarantined(msgspec.Struct, frozen=True):
    """Messages that a purge moved aside; ``name`` is what restore takes."""

    name: str
    moved: int
    """Messages in it: at the purge, or now in a listing."""
    queue: str = ""
    """The queue they came from."""
    at: float = 0.0
    """Epoch seconds of the purge."""
    doubtful: int = 0
    """Messages in it that may be in the queue, or have run, too."""
    elsewhere: str = ""
    """The broker it was purged from, where this may be another one; empty: it is this one."""
    restarted: bool | None = False
    """Whether the broker was restarted since, and may have them, too; None: that is not known."""
    trouble: str = ""
    """Why a purge ended before it had all; empty: it has."""


class Forecast(msgspec.Struct, frozen=True):
    """What a purge or an undo would do beyond the plain, in words for its dialog."""

    facts: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    sure: bool = False
    """Whether it shall be asked for by more than one key."""
    final: bool = False
    """Whether this user could not undo it."""
    blocked: str = ""
    """Why it cannot be done at all; empty: it can."""


class Found(msgspec.Struct, frozen=True):
    """A message as it lies in the broker, and where."""

    message: Message
    queue: str
    unacked: bool
    """Whether a worker holds it (prefetched, ETA, or running with late acks)."""


class Delivered(msgspec.Struct, frozen=True):
    """Which messages of certain tasks are delivered and not acknowledged."""

    found: dict[str, float | None]
    """Task id -> epoch seconds of its delivery, where the broker tells."""
    missing: tuple[str, ...]


Progress = Callable[[int], bool | None]
"""Told the sum after each step of a long act; False (not None): go no further."""


class Broker(Protocol):
    """One connection to one broker; it belongs to the thread that opened it.

    Every method raises BrokerError when the link is lost or the broker refuses.
    """

    kind: str
    """``redis``, as in the URL."""

    def ping(self) -> float:
        """Milliseconds of one round trip."""

    def refused(self) -> Refused | None:
        """What it takes from nobody now, while it can be read; None: nothing, as far as told."""

    def discover(self) -> bool:
        """One step of the search for queues; True when that ended a round over all keys."""

    @property
    def lists(self) -> int:
        """Keys that ``depths`` reads: what one reading costs."""

    def depths(self) -> dict[str, QueueDepth]:
        """Depth of each queue found so far; one that is missing now has ceased to exist."""

    def sample(self, most: int) -> dict[str, QueueDepth]:
        """Queues whose waiting times were looked at now, in at most ``most`` lists."""

    def want(self, queues: Collection[str], shown: Collection[str] = ()) -> None:
        """Queues that others told of are read too; those on screen are sampled first."""

    def carry_on(self, former: Broker) -> None:
        """Go on with the waiting times that a lost connection has learnt."""

    @property
    def no_ages(self) -> str:
        """Why no waiting times are told; empty: they are."""

    @property
    def limit(self) -> str:
        """What of it this user may not see, in words; empty: nothing."""

    def unacked(self) -> int | None:
        """Messages delivered and not acknowledged; None where the broker does not tell."""

    def unacked_by_queue(self) -> Mapping[str, int | None] | None:
        """One step of counting them by queue: the counts when a round ended, else None."""

    def delivered(self, ids: Collection[str]) -> Delivered | None:
        """One step of a search for these tasks' messages; what was found when it is over.

        Until then ``ids`` are those of its first step.
        """

    def prefixes(self) -> tuple[str, ...]:
        """Other key prefixes in use, when nothing was found under ours."""

    def before_purge(self, queue: str) -> Forecast:
        """What a purge of that queue would do beyond the plain."""

    def before_undo(self, name: str, *, doubtful: bool = False) -> Forecast:
        """What an undo of that purge would do beyond the plain, with its ``doubtful`` or not."""

    def quarantine(self, queue: str, progress: Progress | None = None) -> Quarantined:
        """Move all messages of a queue aside; where that takes steps, it tells and asks."""

    def restore(
        self,
        name: str,
        progress: Progress | None = None,
        *,
        doubtful: bool = False,
        elsewhere: bool = False,
    ) -> int:
        """Move a quarantine's messages back to the old end of its queue; how many were moved.

        It goes on where a killed one stopped. Those that may be in the queue already are left
        out, unless the operator wants the ``doubtful`` too, being told that they may run twice;
        and so are those that would go on to ``elsewhere`` than they would have.
        """

    def discard(self, name: str) -> int:
        """Throw the doubtful messages of a quarantine away; how many these were."""

    def quarantines(self) -> list[Quarantined]:
        """All quarantines, oldest first; of what a killed one left open the broker is asked."""

    def find_message(self, queues: Iterable[str], task_id: str) -> Found | None:
        """The message of a task, looked for in these queues and among the unacknowledged."""

    def peek(
        self,
        queue: str,
        end: End,
        offset: int,
        count: int,
        steps: Collection[int] = (),
        asked: int = 0,
    ) -> Peeked:
        """Messages of a queue, from one of its ends; the queue stays as it is.

        ``steps``: priority steps that may be in use besides Celery's own. Where messages cannot
        be read without changing them, it is done for who has ``asked`` often enough, being told.
        """

    def sample_names(self, queue: str, count: int, steps: Collection[int] = ()) -> Sampled:
        """Task names of about so many messages, from both ends and the middle."""

    def close(self) -> None:
        """Let the connection go."""
