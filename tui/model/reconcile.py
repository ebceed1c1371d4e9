"""Tasks that no event will end: those of workers that left, and messages that vanished. Pure.

Called once a second, and bounded: a fleet that dies with 100,000 tasks is judged in steps.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from heapq import heappop, heappush
from itertools import chain, islice
from typing import TYPE_CHECKING

import msgspec

from . import fates
from .fates import LOST, RESTARTED, Fate
from .observations import Reply, Unacknowledged
from .places import Places
from .task import EVENTS, INSPECT, RECEIVED, STARTED, UNKNOWN, Task
from .vanished import Vanished
from .worker import LOST as WORKER_LOST
from .worker import ONLINE, Parting, Worker

if TYPE_CHECKING:
    from .cluster import Cluster

GRACE_S = 3.0
"""Events of a process that left may still come, and the backend is asked meanwhile."""
JUDGED_A_TICK = 2_000
LOOKED_FOR = 2_000
"""Most messages looked for among the unacknowledged at once."""
LATE_S = 30.0
"""So long after a message was to come back it is looked for again."""
WITHOUT_HEARTBEAT_S = 15.0
"""A worker judged by ping alone may just be busy: one missed answer proves nothing."""


class Suspects(msgspec.Struct, gc=False):
    """Tasks of one process that left, to be judged once ``due``."""

    due: float
    parting: Parting
    ids: deque[str]


class Reconciler:
    """Follows workers that leave, and judges what they leave behind."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self.places = Places()
        self.vanished = Vanished(cluster)
        self.fates: dict[str, Fate] = {}
        """Task id -> what became of it, while nobody knows better."""
        self._refused: dict[str, None] = {}
        """Tasks whose worker says that they are revoked, and which wait for their ETA."""
        self._suspects: deque[Suspects] = deque()
        self._again: list[tuple[float, str]] = []
        """Heap of (when, id): messages that should be back by then."""
        self._sought: dict[str, None] = {}
        """Ids whose message is to be looked for in the broker."""

    # -- workers ------------------------------------------------------------------------------

    def left(self, worker: Worker, how: str, pid: int | None, at: float) -> Parting:
        """A process has left: remember what it ran and held, to be judged after a moment."""
        tasks = self._cluster.tasks
        there = [tasks[i] for i in self.places.on(worker.hostname)]
        if how == RESTARTED:  # of the new process something may have been heard already
            there = [task for task in there if task.pid != worker.pid]
        running = tuple(task.id for task in there if task.state == STARTED)
        held = tuple(task.id for task in there if task.state == RECEIVED)
        before = worker.parting
        if before is not None and before.pid == pid and not before.revoked and not there:
            return before  # lost, or stopped, and then replaced: all was judged
        parting = Parting(
            worker.hostname, pid, how, at, running, held, dict(worker.acknowledged)
        )  # fmt: skip
        worker.parting = parting
        self._suspects.append(Suspects(at + GRACE_S, parting, deque((*running, *held))))
        return parting

    def judges(self, worker: Worker) -> bool:
        """Whether tasks on it are being judged, or will be: its lists may be those of another."""
        if worker.processes.disputed and not worker.duplicate_name:
            return True
        return any(one.parting.hostname == worker.hostname for one in self._suspects)

    def returned(self, worker: Worker) -> None:
        """The same process is heard again: nothing was lost with it."""
        parting = worker.parting
        if parting is not None and parting.pid == worker.pid and not parting.revoked:
            parting.revoked = True
            worker.parting = None

    def tick(self, now: float) -> None:
        """Once a second: workers that are lost by now, and a few of the tasks they leave."""
        for worker in self._cluster.workers.values():
            self._watch(worker, now)
        self._judge(now)
        self.vanished.tick(now)
        for _ in range(JUDGED_A_TICK):
            if not self._again or self._again[0][0] > now:
                break
            _, task_id = heappop(self._again)
            if task_id in self.fates:
                self._sought[task_id] = None

    def _watch(self, worker: Worker, now: float) -> None:
        gone = worker.parting is not None and worker.parting.pid == worker.pid
        if worker.offline_at is not None and gone:
            return
        state = self._cluster.state_of(worker, now)
        if state == WORKER_LOST and not gone:
            if is_lost(worker, now):
                self._lose(worker, now)
        elif state == ONLINE and gone:
            self.returned(worker)
            self._cluster.note(
                now, "worker", "info", f"{worker.hostname} is back, the same process"
            )

    def _lose(self, worker: Worker, now: float) -> None:
        parting = self.left(worker, LOST, worker.pid, now)
        pid = "" if worker.pid is None else f" (pid {worker.pid})"
        why = "no heartbeat and no answer to a ping" if worker.heartbeat else "no answer to pings"
        words = f"{worker.hostname} lost{pid}: {why}; {_left_behind(parting)}"
        self._cluster.note(now, "worker", "crit" if parting.running else "warn", words)

    # -- tasks --------------------------------------------------------------------------------

    def changed(self, task: Task) -> None:
        """Somebody told something new of a task: what was worked out before is void."""
        self.places.put(task)
        self.vanished.forget(task.id)
        if self.fates or self._refused:
            self._refused.pop(task.id, None)
            self.fates.pop(task.id, None)
            self._sought.pop(task.id, None)

    def forgotten(self, task_id: str) -> None:
        """The task was evicted."""
        self.places.drop(task_id)
        self.vanished.forget(task_id)
        self._refused.pop(task_id, None)
        self.fates.pop(task_id, None)
        self._sought.pop(task_id, None)

    def urgent(self) -> Iterator[str]:
        """Ids to be looked up in the result backend before they are judged."""
        left = chain.from_iterable(islice(one.ids, JUDGED_A_TICK) for one in self._suspects)
        return chain(left, self.vanished.urgent())

    def knows(self, task: Task) -> bool:
        """Whether its verdict stands, whatever the backend says that is no end."""
        return task.id in self.fates or task.id in self._refused or task.id in self.vanished.gone

    def revoked(self, worker: Worker, reply: Reply) -> None:
        """A worker told which tasks it will refuse: some of them wait for their ETA there."""
        if not isinstance(reply.payload, list):
            return
        worker.revoked = len(reply.payload)
        known = {one for one in reply.payload if isinstance(one, str)}
        for task_id in worker.scheduled or ():
            task = self._cluster.tasks.get(task_id)
            here = task is not None and task.state == RECEIVED and task.worker == worker.hostname
            if task is not None and here and task_id in known:
                task.verdict = f"revoked, says {worker.hostname}; waits for its ETA to be dropped"
                task.source, task.as_of = INSPECT, reply.at
                self._refused[task_id] = None
                self._cluster.tell(task)

    def missing(self, task: Task) -> bool:
        """The backend has nothing of it; True if its verdict stands by that."""
        fate = self.fates.get(task.id)
        if fate is not None:
            fate.missing = True
        return self.vanished.told_missing(task.id) or fate is not None

    def settled(self, task_id: str) -> bool | None:
        """Whether the backend has said all it will of it; None: it is not one of ours."""
        fate = self.fates.get(task_id)
        return fate.missing if fate is not None else self.vanished.gone.get(task_id)

    def sought(self) -> tuple[str, ...]:
        """Ids of tasks whose message is to be looked for among the unacknowledged."""
        return tuple(islice(chain(self._sought, self.vanished.sought()), LOOKED_FOR))

    def found(self, told: Unacknowledged) -> None:
        """The unacknowledged messages were looked through."""
        for task_id, delivered_at in told.found.items():
            self.vanished.told_unacked(task_id, True)
            self._settle(task_id, True, delivered_at, told.at)
        for task_id in told.missing:
            self.vanished.told_unacked(task_id, False)
            self._settle(task_id, False, None, told.at)

    def _settle(self, task_id: str, unacked: bool, delivered_at: float | None, at: float) -> None:
        self._sought.pop(task_id, None)
        fate, task = self.fates.get(task_id), self._cluster.tasks.get(task_id)
        if fate is None or task is None:
            return
        fate.unacked, fate.delivered_at = unacked, delivered_at
        self._say(task, fate, at)
        if fate.back_at is not None and unacked:
            heappush(self._again, (max(at, fate.back_at) + LATE_S, task_id))

    def _judge(self, now: float) -> None:
        room = JUDGED_A_TICK
        while self._suspects and self._suspects[0].due <= now and room > 0:
            one = self._suspects[0]
            while one.ids and room > 0:
                room -= 1
                self._condemn(one.ids.popleft(), one.parting, now)
            if not one.ids:
                self._suspects.popleft()

    def _condemn(self, task_id: str, parting: Parting, now: float) -> None:
        task = self._cluster.tasks.get(task_id)
        if parting.revoked or task is None or not self._is_of(task, parting):
            return
        acknowledged, ran = parting.acknowledged.get(task_id), task.state == STARTED
        fate = Fate(parting, task.state, unacked=False if acknowledged and ran else None)
        at_once = self._cluster.visibility(parting.hostname).at_once
        if at_once and (not ran or acknowledged is False):
            fate.unacked, fate.went_back = False, True
        self._say(task, fate, now)
        if fate.unacked is None and not at_once:
            self._sought[task_id] = None

    def _is_of(self, task: Task, parting: Parting) -> bool:
        """Whether it is still where it was when that process left."""
        if task.state not in (STARTED, RECEIVED) or task.worker != parting.hostname:
            return False
        worker = self._cluster.workers.get(parting.hostname)
        if worker is None or worker.pid == parting.pid:
            return True
        if task.pid is not None and task.pid == worker.pid:
            return False
        listed = (worker.running, worker.reserved, worker.scheduled)
        return not any(task.id in ids for ids in listed if ids is not None)

    def _say(self, task: Task, fate: Fate, now: float) -> None:
        visibility = self._cluster.visibility(fate.parting.hostname)
        if fate.delivered_at is not None:
            fate.back_at = fate.delivered_at + visibility.seconds
        before = task.state
        task.state = fates.state_after(task, fate, UNKNOWN)
        task.verdict = fates.words(fate, visibility)
        task.source = INSPECT if fate.parting.how == LOST else EVENTS
        task.as_of = now
        if task.state != before:
            self._cluster.worked_out(task, before, now)
        else:  # nothing has happened: it waits as before
            self._cluster.tell(task)
        self.fates[task.id] = fate


def is_lost(worker: Worker, now: float) -> bool:
    """Whether it is long enough that nothing was heard of it to call it lost."""
    seen = worker.seen_at if worker.seen_at is not None else worker.first_seen
    return bool(worker.heartbeat) or now - seen > WITHOUT_HEARTBEAT_S


def _left_behind(parting: Parting) -> str:
    return f"{len(parting.running):,} ran on it, {len(parting.held):,} were held"


def lost_words(parting: Parting) -> str:
    """For the Log: what a process that was replaced has left; empty: nothing."""
    if not parting.running and not parting.held:
        return ""
    return f"; {_left_behind(parting)}"
