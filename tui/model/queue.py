"""One queue of the broker as we know it."""

from __future__ import annotations

import msgspec

from .history import History
from .rates import PerSecond
from .waiting import NOTHING_KNOWN, WINDOW_S, Bracket, Flow, Waiting

NEVER = "never"
FLOW_OLD_S = 300.0
"""Rates that were sampled longer ago are not told."""
LEAST_SLOPE, STEADY_SHARE = 3.0, 0.02
"""A depth that changes by less in a minute is steady: messages, share of what waits."""


DOUBTFUL = "doubtful"
"""State of a target that is a quarantine in which nothing else is left."""


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
    uncounted_since: float | None = None
    """Since when the broker counts no consumer although workers say that they listen."""
    last_consumer: str = ""
    """Worker that listened last, once nobody does."""
    unconsumed_since: float | None = None
    quarantine: bool = False
    """Holds what we purged, for undo; no worker ever reads it."""
    doubtful: int = 0
    """Of a quarantine: messages besides that may be in their queue, or have run, too."""
    restarted: bool = False
    """Of a quarantine: whether the broker was restarted since, and may have its messages, too."""
    empty_since: float | None = None
    """Since when every reading found nothing in it."""
    history: History = msgspec.field(default_factory=History)
    """Its depths."""
    waiting: Waiting | None = None
    """What sampling told last of the age of its oldest message, and of rates."""
    sent: PerSecond | None = None
    """Sent to it, as far as clients say so (task-sent)."""
    sent_at: float | None = None
    """Epoch seconds of the last of those."""
    taken: PerSecond | None = None
    """Received from it by workers, as far as their events tell from where."""
    limbo: int | None = None
    """Unacknowledged, and in no list of any worker that consumes it."""

    @property
    def only_doubtful(self) -> bool:
        """A quarantine of which nothing can be brought back without asking whether it ran."""
        return self.quarantine and not self.depth and self.doubtful > 0

    def count_sent(self, at: float) -> None:
        """A client says that it has sent a message to it."""
        self.sent_at = at
        self.sent = self.sent or PerSecond(at - WINDOW_S)
        self.sent.add(at)

    def count_taken(self, at: float) -> None:
        """A worker has received a message from it."""
        self.taken = self.taken or PerSecond(at - WINDOW_S)
        self.taken.add(at)

    def oldest_s(self, now: float) -> Bracket:
        """Age of the oldest message, (at least, at most) seconds; an empty queue has none."""
        if self.waiting is None or not self.depth:
            return NOTHING_KNOWN
        low, high = self.waiting.oldest_s
        since = max(0.0, now - self.waiting.at)
        return low if low is None else low + since, high if high is None else high + since

    def flow(self, now: float, all_told: bool = False) -> Flow | None:
        """What comes and goes a second; ``all_told``: events tell all that is taken from it.

        What sampling misses came and went between two polls. It is as much in as out, and events
        may tell how much at least.
        """
        sampled = self._sampled(now)
        if sampled is None:
            return None
        sent, taken = _rate(self.sent, now), _rate(self.taken, now)
        missed = max(0.0, sent - sampled.in_per_s, taken - sampled.out_per_s)
        if sampled.sure:
            return sampled
        return Flow(sampled.in_per_s + missed, sampled.out_per_s + missed, all_told)

    def _sampled(self, now: float) -> Flow | None:
        if self.waiting is not None and now - self.waiting.at > FLOW_OLD_S:
            return None
        if self.waiting is not None and self.waiting.flow is not None:
            return self.waiting.flow
        empty = self.depth == 0 and not self.quarantine
        return Flow(0.0, 0.0, sure=False) if empty else None

    def drain_s(
        self, now: float, consumed: bool | None, all_told: bool = False
    ) -> float | str | None:
        """Seconds until what waits is taken, "never", or None for not known.

        ``consumed``: whether a worker listens to it, None for not known. A queue that turns over
        within the time its rates are taken of is told how long that takes; a deeper one is told
        when it will be empty, if it gets shallower.
        """
        if self.quarantine or self.depth is None:
            return None
        if not self.depth:
            return 0.0
        if consumed is False:
            return NEVER
        flow = self.flow(now, all_told)
        known = flow is not None and flow.sure
        if flow is not None and known and self.depth <= flow.out_per_s * WINDOW_S:
            return self.depth / flow.out_per_s
        shrinks = self._shrinks_per_s(flow if known else None)
        if shrinks is None or not shrinks:
            return None
        return self.depth / shrinks if shrinks > 0 else NEVER

    def _shrinks_per_s(self, flow: Flow | None) -> float | None:
        """By so much for the last minute and a half, else for the last seconds; 0: steady."""
        slope = self.history.slope()
        if slope is not None:
            steady = abs(slope) < max(LEAST_SLOPE, (self.depth or 0) * STEADY_SHARE)
            return 0.0 if steady else -slope / 60
        if flow is None:
            return None
        net, moved = flow.out_per_s - flow.in_per_s, flow.out_per_s + flow.in_per_s
        # Fewer than that is chance, where each message comes when it likes.
        return net if abs(net) * WINDOW_S > 2 * (moved * WINDOW_S) ** 0.5 else 0.0


def _rate(counter: PerSecond | None, now: float) -> float:
    return (counter.per_second(now) or 0.0) if counter is not None else 0.0
