"""Counts per second over the last minute, in constant memory."""

from __future__ import annotations

from .task import FAILURE, FINAL, RECEIVED

SPAN_S = 64
WINDOW_S = 10
UNKNOWN = -1


class PerSecond:
    """A ring of one counter a second; seconds nobody counted in are 0, or unknown if said so."""

    __slots__ = ("_buckets", "_last", "since", "total")

    def __init__(self, since: float) -> None:
        self.since = since
        self.total = 0
        self._buckets = [0] * SPAN_S
        self._last = int(since)

    def add(self, now: float, count: int = 1) -> None:
        """Count ``count`` things at ``now`` (epoch seconds)."""
        second = int(now)
        if second > self._last:
            self._clear_to(second)
        if self._buckets[second % SPAN_S] > UNKNOWN:
            self._buckets[second % SPAN_S] += count
        self.total += count

    def unknown(self, since: float, until: float) -> None:
        """Nobody could have counted then: those seconds say nothing, from end to end."""
        if int(until) > self._last:
            self._clear_to(int(until))
        for second in range(max(int(since), self._last - SPAN_S + 1), int(until) + 1):
            self._buckets[second % SPAN_S] = UNKNOWN

    def per_second(self, now: float, window_s: int = WINDOW_S) -> float | None:
        """Mean of the last full seconds that are known, at most ``window_s``; None: none is."""
        full = min(window_s, int(now) - int(self.since))
        if full < 1:
            return None
        second = int(now)
        if second > self._last:
            self._clear_to(second)
        counts = [self._buckets[(second - back) % SPAN_S] for back in range(1, full + 1)]
        known = [count for count in counts if count > UNKNOWN]
        return sum(known) / len(known) if known else None

    def _clear_to(self, second: int) -> None:
        for late in range(max(self._last + 1, second - SPAN_S + 1), second + 1):
            self._buckets[late % SPAN_S] = 0
        self._last = second


class Rates:
    """Of the whole cluster: events that came, tasks that were received, finished, and failed."""

    def __init__(self, since: float) -> None:
        self.events = PerSecond(since)
        self.received = PerSecond(since)
        self.finished = PerSecond(since)
        self.failed = PerSecond(since)
        self.all = (self.events, self.received, self.finished, self.failed)

    def count(self, state: str, at: float) -> None:
        """A task has come into that state."""
        if state == RECEIVED:
            self.received.add(at)
        elif state in FINAL:
            self.finished.add(at)
            if state == FAILURE:
                self.failed.add(at)
