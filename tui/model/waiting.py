"""How long messages wait in a list that says no times: arrivals and departures, poll by poll.

A message carries no time of its own. What a poll can tell is how many messages wait and how many
came since the poll before. Arrivals A are summed, departures are D = A - depth, and a list is
first in, first out: its oldest message is arrival number D + 1, and the polls between which A
passed that number bracket when it came.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections import deque
from collections.abc import Iterable

import msgspec

WINDOW_S = 10.0
"""Rates are means over so long, or over the last poll where polls are further apart."""
SHORTEST_S = 0.5
"""No rate is told of a shorter time."""
MOST_POINTS = 96
FINE_POINTS = 16
"""The newest points are never thinned."""

Bracket = tuple[float | None, float | None]
"""(at least, at most) so many seconds; None is not known."""
NOTHING_KNOWN: Bracket = (None, None)


class Flow(msgspec.Struct, frozen=True, gc=False):
    """Messages a second; ``sure`` False: some may have come and gone between two polls."""

    in_per_s: float
    out_per_s: float
    sure: bool


class Waiting(msgspec.Struct, frozen=True, gc=False):
    """What sampling tells of one queue, at one moment."""

    at: float
    """Epoch seconds."""
    oldest_s: Bracket = NOTHING_KNOWN
    """Age of its oldest message at that moment; an empty queue has none."""
    flow: Flow | None = None


class Curve:
    """The arrivals in one list; times are monotonic seconds, alike for all calls.

    ``empty_at``: when it was last seen empty before the first ``fold``, if it was.
    """

    __slots__ = ("_arrived", "_depth", "_first", "_last", "_recent", "at")

    def __init__(self, empty_at: float | None = None) -> None:
        self._arrived: array[int] = array("q")
        """A at each poll at which it had grown, ascending."""
        self._first: array[float] = array("d")
        self._last: array[float] = array("d")
        """The first and the last poll at which A was that; brackets are made of both."""
        self._depth = 0
        self._recent: deque[tuple[float, int, int, bool]] = deque()
        """(poll, arrived, departed since the one before, whether that is all there was)."""
        self.at: float | None = None
        if empty_at is not None:
            self._begin(empty_at, 0)

    def fold(self, at: float, depth: int, arrived: int | None) -> None:
        """A poll found ``depth`` messages, ``arrived`` of them new since the poll before.

        None: how many are new is not known, and the watch begins anew.
        """
        if arrived is None or self.at is None or at < self.at:
            self._begin(at, depth)
        elif not depth:
            self._note(at, arrived, self._depth + arrived, False)
            self._begin(at, 0, keep_flow=True)
        elif not self._depth or arrived >= depth + self._depth:
            self.turned_over(at, depth)
        else:
            self._grow(at, depth, arrived)

    def turned_over(self, at: float, depth: int) -> None:
        """All that waits came after the poll before; what else came and went is not known."""
        before = self.at
        if before is None:
            self._begin(at, depth)
            return
        self._note(at, depth, self._depth, False)
        self._begin(before, 0, keep_flow=True)
        self._add(at, depth)
        self.at, self._depth = at, depth

    def _grow(self, at: float, depth: int, arrived: int) -> None:
        departed = self._depth + arrived - depth
        total = self._arrived[-1] + arrived
        self._note(at, arrived, max(0, departed), departed >= 0)
        if departed < 0:
            total += self._put_back(-departed)
        self._add(at, total)
        self.at, self._depth = at, depth
        self._forget_departed()

    def _put_back(self, count: int) -> int:
        """So many messages returned to the old end, in front of what waited.

        They are older than all that waits, how much is not known; the rest counts as before.
        """
        gone = bisect_left(self._arrived, self._arrived[-1] - self._depth + 1)
        del self._arrived[:gone], self._first[:gone], self._last[:gone]
        for index in range(len(self._arrived)):
            self._arrived[index] += count
        return count

    def _begin(self, at: float, depth: int, keep_flow: bool = False) -> None:
        self._arrived, self._first, self._last = array("q"), array("d"), array("d")
        self._add(at, depth)
        self.at, self._depth = at, depth
        if not keep_flow:
            self._recent.clear()
            self._recent.append((at, 0, 0, True))

    def _add(self, at: float, total: int) -> None:
        if self._arrived and total == self._arrived[-1]:
            self._last[-1] = at
            return
        self._arrived.append(total)
        self._first.append(at)
        self._last.append(at)
        if len(self._arrived) > MOST_POINTS:
            self._thin()

    def _thin(self) -> None:
        """The point goes that widens brackets the least: they stay true, and alike in width."""
        first, last = self._first, self._last
        index = min(range(1, len(first) - FINE_POINTS), key=lambda i: first[i + 1] - last[i - 1])
        for kept in (self._arrived, first, last):
            del kept[index]

    def _forget_departed(self) -> None:
        """Of the points that the oldest message has passed only the last is needed."""
        departed = self._arrived[-1] - self._depth
        past = bisect_left(self._arrived, departed + 1) - 1
        if past > 0:
            for kept in (self._arrived, self._first, self._last):
                del kept[:past]

    # -- rates --------------------------------------------------------------------------------

    def _note(self, at: float, arrived: int, departed: int, sure: bool) -> None:
        recent = self._recent
        recent.append((at, arrived, departed, sure))
        while len(recent) > 2 and recent[1][0] <= at - WINDOW_S:
            recent.popleft()

    def flow(self) -> Flow | None:
        """Means over the window; None while it is too short."""
        polls = list(self._recent)
        span_s = polls[-1][0] - polls[0][0] if polls else 0.0
        if span_s < SHORTEST_S:
            return None
        arrived = sum(poll[1] for poll in polls[1:])
        departed = sum(poll[2] for poll in polls[1:])
        return Flow(arrived / span_s, departed / span_s, all(poll[3] for poll in polls[1:]))

    # -- age ----------------------------------------------------------------------------------

    def oldest_s(self, now: float) -> Bracket:
        """Age of the oldest message; nothing is known of an empty list."""
        if not self._depth:
            return NOTHING_KNOWN
        index = bisect_left(self._arrived, self._arrived[-1] - self._depth + 1)
        at_most = now - self._last[index - 1] if index else None
        return now - self._first[index], at_most

    @property
    def depth(self) -> int:
        """Messages at the last poll."""
        return self._depth


def together(curves: Iterable[Curve | None], now: float, at: float) -> Waiting:
    """What the lists of one queue tell together; None is one that waits and was not sampled."""
    brackets: list[Bracket] = []
    flows: list[Flow | None] = []
    for curve in curves:
        if curve is None or curve.depth:
            brackets.append(NOTHING_KNOWN if curve is None else curve.oldest_s(now))
        flows.append(None if curve is None else curve.flow())
    known = [flow for flow in flows if flow is not None]
    flow = None
    if known and len(known) == len(flows):
        sure = all(one.sure for one in known)
        flow = Flow(sum(f.in_per_s for f in known), sum(f.out_per_s for f in known), sure)
    return Waiting(at, _oldest(brackets), flow)


def _oldest(brackets: list[Bracket]) -> Bracket:
    """The oldest of several: at least what one of them is, at most what all are."""
    lows = [low for low, _ in brackets if low is not None]
    highs = [high for _, high in brackets]
    known = [high for high in highs if high is not None]
    return max(lows, default=None), max(known) if known and len(known) == len(highs) else None
