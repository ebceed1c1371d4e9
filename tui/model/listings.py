"""What workers list as running, reserved or scheduled, and what they list no more."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from . import fleet, inspected
from .observations import Reply, RoundEnded
from .task import RECEIVED, STARTED, Task
from .worker import Worker

if TYPE_CHECKING:
    from .cluster import Cluster

ABSENT_ROUNDS = 2
"""A task missing from so many ``active`` replies of its worker has left it."""
QUESTIONS = ("active", "reserved", "scheduled")


class Listings:
    """Folds answers to ``QUESTIONS`` into the tasks of one cluster."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._absent: dict[str, int] = {}
        """Task that its worker listed before -> answers in which it was not."""
        self._held: dict[str, dict[str, None]] = {}
        """Worker -> tasks it listed as reserved and that were not heard to go on."""

    def forget(self, task_id: str) -> None:
        """It has ended, or was evicted."""
        self._absent.pop(task_id, None)

    def take(self, worker: Worker, reply: Reply, complete: bool) -> None:
        """Fold one answer in; ``complete``: no twin of the worker is still to answer."""
        state = STARTED if reply.question == "active" else RECEIVED
        cluster = self._cluster
        for entry in fleet.requests(reply.question, reply.payload):
            task = cluster.task(entry["id"], reply.at)
            before = task.state
            if reply.question == "scheduled" and isinstance(entry.get("eta"), str):
                task.eta = entry["eta"]
            if inspected.fold(task, entry, worker.hostname, reply.at, state):
                cluster.worked_out(task, before, reply.at)
            self._unheard(worker, task, entry)
            self._absent.pop(task.id, None)
        if not complete or cluster.reconciler.judges(worker):
            return
        if reply.question == "active":
            self._missing(worker, reply)
        elif reply.question == "reserved":
            self._no_longer_held(worker, reply)

    def _unheard(self, worker: Worker, task: Task, entry: dict[str, Any]) -> None:
        """A task began while we listened and no task event of its worker came: events are off."""
        started = inspected.moment(entry.get("time_start"))
        if worker.task_events or started is None:
            return
        live = self._cluster.live_since("events")
        if live is not None and started > max(live, worker.online_at or 0.0) + 1.0:
            worker.events_enabled = False

    def _missing(self, worker: Worker, reply: Reply) -> None:
        listed = set(worker.running or ())
        tasks = self._cluster.tasks
        for task_id in list(self._cluster.reconciler.places.on(worker.hostname)):
            task = tasks[task_id]
            if task.state != STARTED or task_id in listed:
                continue
            if task.started_at is not None and task.started_at > reply.asked_at - 1.0:
                continue
            self._miss(task, reply.at)

    def _no_longer_held(self, worker: Worker, reply: Reply) -> None:
        """What a worker held, and lists no more, has gone on even if no event said so.

        Only what was listed before is judged: a task that waits for its ETA or in a bucket of
        its rate limit is on the worker and in no list of reserved tasks.
        """
        listed = set(worker.reserved or ())
        held = self._held.setdefault(worker.hostname, {})
        for task_id in [one for one in held if one not in listed]:
            task = self._cluster.tasks.get(task_id)
            still = task is not None and task.state == RECEIVED and task.worker == worker.hostname
            if task is None or not still or self._miss(task, reply.at):
                del held[task_id]
        held.update(dict.fromkeys(listed))

    def _miss(self, task: Task, at: float) -> bool:
        """It is not listed, once more; True if that was often enough."""
        self._absent[task.id] = self._absent.get(task.id, 0) + 1
        if self._absent[task.id] < ABSENT_ROUNDS:
            return False
        before = task.state
        inspected.left_its_worker(task, at)
        self._cluster.worked_out(task, before, at)
        return True


def pinged(workers: dict[str, Worker], ended: RoundEnded) -> None:
    """A round of pings has ended: who did not answer, and whether the broker delivered it."""
    silent = [
        worker
        for worker in workers.values()
        if worker.hostname not in ended.answered and worker.first_seen < ended.asked_at
    ]
    if ended.standing is not None:
        for worker in silent:
            worker.ping_missed_at = ended.asked_at
            there = worker.hostname in ended.standing
            worker.ping_held_at = ended.asked_at if there else None
        return
    # Redis tells how many got the ping. Who got it and does not answer is there and blocked.
    held = max(0, (ended.receivers or 0) - len(ended.answered))
    # Which of several is a guess: who was blocked before, else who was heard last.
    silent.sort(key=lambda w: (w.offline_at is None, w.ping_held_at is not None, w.seen_at or 0.0))
    for worker in reversed(silent):
        worker.ping_missed_at = ended.asked_at
        worker.ping_held_at = ended.asked_at if held > 0 else None
        held -= 1
