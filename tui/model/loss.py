"""Events that nobody heard: proven by heartbeats worker by worker, and by links that broke. Pure.

A heartbeat's ``processed`` counts the tasks that its worker has begun, and each of them sent one
``task-started``. What is missing between two heartbeats was lost on its way. This is a hint:
judged only between heartbeats of one process between which a start was heard, because a worker
whose events are off counts as well; and by the worker's own clock, which may jump.
"""

from __future__ import annotations

import msgspec

GAPS_KEPT = 100
NEAR_S = 0.02
CREDIT = 8
"""Starts may overtake the heartbeat that counts them: so many are remembered for the next."""


class Beat(msgspec.Struct, frozen=True, gc=False):
    """What a heartbeat says, and when by the worker's clock and by ours."""

    processed: int
    stamped: float
    arrived: float


class Lost(msgspec.Struct, frozen=True, gc=False):
    """So many starts more are missing, from a stretch of time that ended at ``until``."""

    starts: int
    seconds: float
    """By the worker's clock: ours may have stood still."""
    until: float
    """By our clock."""


class Loss(msgspec.Struct, gc=False):
    """The books of one worker: tasks begun by its own count, and starts that were heard.

    Events may wait in the worker when the heartbeat that counts them goes out. So a stretch is
    judged when the next heartbeat ends, and what is missing must still miss one later.
    """

    heard: int = 0
    """Starts heard in stretches that were judged."""
    lost: int | None = None
    """Starts that are surely missing since we attached; None: no stretch was judged yet."""
    pid: int | None = None
    base: Beat | None = None
    last: Beat | None = None
    early: int = 0
    """Starts stamped between base and last."""
    late: int = 0
    """Starts stamped after last."""
    threads: bool = False
    """Its tasks run in threads: one may count a task, and send the event after a heartbeat."""
    near: int = 0
    """Starts stamped so soon after last that it may have counted them."""
    owed: int = 0
    """Starts that miss now; some may still come."""
    owed_before: int = 0
    """Those of them that were surely sent, when it was judged before."""
    deaf: bool = False
    """Tasks began and no start was heard: its events are off, or all of them were lost."""
    since: float = 0.0
    until: Beat | None = None
    """Between which the missing ones were that are not told yet, since by the worker's clock."""

    def start(self, stamped: float) -> None:
        """A ``task-started`` came, or was left out by ourselves."""
        if self.last is None:
            return
        if stamped > self.last.stamped:
            self.late += 1
            self.near += self.threads and stamped <= self.last.stamped + NEAR_S
        elif self.base is not None and stamped > self.base.stamped:
            self.early += 1
        elif self.owed > (self.lost or 0):
            self.owed -= 1

    def beat(self, pid: int | None, beat: Beat) -> Lost | None:
        """A heartbeat came; what it proves to be lost beyond what was told before."""
        last = self.last
        if last is None or pid != self.pid or beat.processed < last.processed:
            self.begin(pid, beat)
            return None
        if beat.stamped <= last.stamped:
            return None
        proven = self._judge(self.base, last) if self.base is not None else None
        self.base, self.last, self.early, self.late, self.near = last, beat, self.late, 0, 0
        return proven

    def begin(self, pid: int | None, beat: Beat | None) -> None:
        """Another process, or the same after it lost its own broker: nothing before compares."""
        self.pid, self.base, self.last = pid, None, beat
        self.early = self.late = self.near = 0
        self._forgive()

    def _judge(self, base: Beat, last: Beat) -> Lost | None:
        begun = last.processed - base.processed
        if not self.early:
            if begun:
                self.deaf = True
                self._forgive()
            return self._told()
        if self.deaf:  # events were switched on within this stretch
            self.deaf = False
            return None
        self.lost = self.lost or 0
        self.heard += self.early
        missing = begun - self.early
        if missing > 0:
            self.since = self.since or base.stamped
            self.until = last
        self.owed = max(self.owed + missing, self.lost - CREDIT)
        return self._told()

    def _told(self) -> Lost | None:
        sent = self.owed - self.near
        sure, self.owed_before = min(self.owed_before, sent), sent
        if self.lost is None or sure <= self.lost:
            if self.owed <= (self.lost or 0):
                self.since = 0.0
            return None
        more, self.lost = sure - self.lost, sure
        end = self.until
        found = Lost(more, end.stamped - self.since, end.arrived) if end is not None else None
        self.since = 0.0
        return found

    def _forgive(self) -> None:
        self.owed = self.owed_before = self.lost or 0
        self.since = 0.0


class Gap(msgspec.Struct, gc=False):
    """A time in which a link did not stand; ``until`` None: it still does not."""

    since: float
    reason: str
    until: float | None = None

    def touches(self, begin: float, end: float) -> bool:
        """Whether some of it lies between the two."""
        return self.since <= end and (self.until is None or self.until >= begin)


def coverage(books: list[Loss]) -> float | None:
    """The part of all starts that was heard, over all workers; None: nothing was judged yet."""
    judged = [one for one in books if one.lost is not None]
    heard, lost = sum(one.heard for one in judged), sum(one.lost or 0 for one in judged)
    return heard / (heard + lost) if heard + lost else None
