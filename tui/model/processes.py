"""Which processes speak under one node name: a restart, a reconnect, or two at once. Pure."""

from __future__ import annotations

import msgspec

from .events import Event

KEPT = 8
SUCCEEDED_AFTER_INTERVALS, SLACK_S = 2, 1.0
"""A process that was silent for so many heartbeats, while another spoke, was replaced by it."""
TWIN_INTERVALS = 4
"""One that was heard within so many still lives."""


class Process(msgspec.Struct, gc=False):
    """What heartbeats of one process id said; times are epoch seconds of our clock."""

    first: float
    last: float
    active: int | None = None
    processed: int | None = None


class Processes(msgspec.Struct, gc=False):
    """The processes heard under one node name, and which of them it stands for now."""

    pid: int | None = None
    known: dict[int, Process] = msgspec.field(default_factory=dict)
    slots: dict[int, int] = msgspec.field(default_factory=dict)
    """Pid -> slots, as each told."""

    def heard(self, pid: int, at: float, freq: float, gone: bool) -> int | None:
        """A process spoke; the pid that it has replaced, if it has. ``gone``: that said goodbye."""
        one = self.known.get(pid)
        if one is None:
            one = self.known[pid] = Process(at, at)
            while len(self.known) > KEPT:
                oldest = min(self.known, key=lambda known: self.known[known].last)
                del self.known[oldest]
        one.last = at
        former = self.pid
        if former is None or former == pid:
            self.pid = pid
            return None
        before = self.known.get(former)
        if gone or before is None or at - before.last > _silent_s(freq):
            self.pid = pid
            return former
        return None

    def told(self, event: Event) -> None:
        """Remember the numbers of a heartbeat: of twins each has its own."""
        one = self.known.get(event.pid) if event.pid is not None else None
        if one is not None:
            one.active = event.active if event.active is not None else one.active
            one.processed = event.processed if event.processed is not None else one.processed

    def living(self, at: float, freq: float) -> list[int]:
        """Ids of the processes that speak at the same time, the first heard first."""
        now = self.known.get(self.pid) if self.pid is not None else None
        if now is None:
            return []
        fresh = [
            (one.first, pid)
            for pid, one in self.known.items()
            if one is now or (_at_once(one, now) and at - one.last <= TWIN_INTERVALS * freq)
        ]
        return [pid for _, pid in sorted(fresh)]

    @property
    def disputed(self) -> bool:
        """Another process spoke last: its successor, or a twin, which shows soon."""
        now = self.known.get(self.pid) if self.pid is not None else None
        return now is not None and any(one.last > now.last for one in self.known.values())

    def others(self) -> dict[int, float]:
        """Other pids of this name -> when last heard."""
        return {pid: one.last for pid, one in self.known.items() if pid != self.pid}


def _at_once(one: Process, other: Process) -> bool:
    return one.last > other.first and other.last > one.first


def _silent_s(freq: float) -> float:
    return SUCCEEDED_AFTER_INTERVALS * freq + SLACK_S
