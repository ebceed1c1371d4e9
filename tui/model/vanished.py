"""Tasks that were sent and are nowhere: not in their queue, on no worker, in no backend. Pure.

A message that somebody else purged leaves no event. So tasks that are pending although their
queue is empty are looked for: in the lists of all workers, among the unacknowledged, in the
result backend. What none of them knows is gone. At most ``LOOKED_AT`` tasks a tick are looked at.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import TYPE_CHECKING

import msgspec

from .listings import QUESTIONS
from .queue import Queue
from .seam import Act, Outcome, Stage
from .task import BROKER, PENDING, UNKNOWN, Task
from .worker import BLOCKED, LOST, SILENT

if TYPE_CHECKING:
    from .cluster import Cluster

LOOKED_AT = 2_000
"""Pending tasks whose queue is looked at in one tick."""
LOOKED_FOR = 2_000
"""Most tasks searched for at the same time."""
EMPTY_S = 4.0
"""A queue is so long empty before anybody is missed."""
FRESH_S = 5.0
"""Older readings of a queue prove nothing."""
GONE = "gone from its queue: purged, or taken by a worker whose events are off"


class Search(msgspec.Struct, gc=False):
    """What was asked about a missing task; None: not told yet."""

    at: float
    unacked: bool | None = None
    stored: bool | None = None


class Vanished:
    """Goes over the pending tasks again and again, a little at each tick."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._walk: Iterator[str] = iter(())
        self._searches: dict[str, Search] = {}
        self.gone: dict[str, bool] = {}
        """Tasks that are nowhere -> whether the backend was asked since and has nothing."""
        self._purged: dict[str, tuple[float, str]] = {}
        """Queue -> when we purged it, and the quarantine that its messages are in."""

    def forget(self, task_id: str) -> None:
        """Somebody told something of it, or it was evicted."""
        if self._searches or self.gone:
            self._searches.pop(task_id, None)
            self.gone.pop(task_id, None)

    def sought(self) -> Iterator[str]:
        """Ids of tasks whose messages are looked for among the unacknowledged."""
        return (task_id for task_id, one in self._searches.items() if one.unacked is None)

    def urgent(self) -> Iterator[str]:
        """Ids to be looked up in the result backend."""
        return (task_id for task_id, one in self._searches.items() if one.stored is None)

    def told_unacked(self, task_id: str, unacked: bool) -> None:
        """Whether its message is with some worker."""
        search = self._searches.get(task_id)
        if search is not None:
            search.unacked = unacked

    def told_missing(self, task_id: str) -> bool:
        """The backend has nothing of it; True if it is one of those that are nowhere."""
        search = self._searches.get(task_id)
        if search is not None:
            search.stored = False
        if task_id in self.gone:
            self.gone[task_id] = True
        return task_id in self.gone

    def acted(self, outcome: Outcome) -> None:
        """We purged a queue, or brought its messages back."""
        if outcome.stage != Stage.SEEN or not outcome.undo:
            return
        if outcome.request.act == Act.PURGE:
            self._purged[outcome.target.id] = (outcome.at, outcome.undo)
        elif outcome.request.act == Act.UNDO:
            self._bring_back(outcome.undo, outcome.at)

    def _bring_back(self, quarantine: str, at: float) -> None:
        tasks = self._cluster.tasks
        words = _purged_words(quarantine)
        for task in [tasks[i] for i in self.gone if i in tasks and tasks[i].verdict == words]:
            self._say(task, PENDING, None, at)

    # -- once a second ------------------------------------------------------------------------

    def tick(self, now: float) -> None:
        """Look at some pending tasks, and judge those that were searched for."""
        empty = self._empty_queues(now)
        for task_id in list(self._searches):
            self._judge(task_id, empty, now)
        if not empty or len(self._searches) >= LOOKED_FOR:
            return
        page = list(islice(self._walk, LOOKED_AT))
        if not page:
            self._walk = iter(tuple(self._cluster.pending))
        for task_id in page:
            task = self._cluster.tasks.get(task_id)
            if task is not None and self._is_missed(task, empty):
                # RabbitMQ does not list what is unacknowledged: workers alone tell what they hold.
                unacked = False if self._cluster.is_amqp else None
                self._searches.setdefault(task_id, Search(now, unacked))

    def _empty_queues(self, now: float) -> dict[str, float]:
        """Queue -> what was sent to it before is neither in it nor listed by a worker."""
        asked = self._asked_at()
        found: dict[str, float] = {}
        if asked is None:
            return found
        for queue in self._cluster.queues.values():
            if self._is_empty(queue, now) and not self._hides(queue, now):
                since = queue.empty_since or now
                if asked > since:
                    # Sent until then, and read as empty after that.
                    found[queue.name] = min(asked, now - EMPTY_S)
        return found

    def _asked_at(self) -> float | None:
        """When all workers were last asked for all lists; None: they were not yet."""
        rounds = self._cluster.rounds
        if any(question not in rounds for question in QUESTIONS):
            return None
        return min(rounds[question].asked_at for question in QUESTIONS)

    def _is_empty(self, queue: Queue, now: float) -> bool:
        if queue.quarantine or queue.depth != 0 or queue.empty_since is None:
            return False
        fresh = queue.read_at is not None and now - queue.read_at <= FRESH_S
        return fresh and now - queue.empty_since >= EMPTY_S

    def _hides(self, queue: Queue, now: float) -> bool:
        """Whether a worker may have taken its messages and cannot say so now, or did not."""
        cluster = self._cluster
        names = cluster.listeners.of(queue.name) or ()
        states = {name: cluster.state_of(cluster.workers[name], now) for name in names}
        if cluster.is_amqp:
            living = (name for name, state in states.items() if state != LOST)
            return not all(map(self._told_all, living))
        return any(state in (BLOCKED, SILENT) for state in states.values())

    def _told_all(self, hostname: str) -> bool:
        """Whether it answered when everybody was asked for all lists."""
        rounds = self._cluster.rounds
        alone = not self._cluster.workers[hostname].duplicate_name  # of twins one answers
        return alone and all(hostname in rounds[one].answered for one in QUESTIONS)

    def _is_missed(self, task: Task, empty: dict[str, float]) -> bool:
        if task.state != PENDING or task.queue is None or task.queue not in empty:
            return False
        return task.first_seen < empty[task.queue] and task.as_of < empty[task.queue]

    def _judge(self, task_id: str, empty: dict[str, float], now: float) -> None:
        task, search = self._cluster.tasks.get(task_id), self._searches[task_id]
        if task is None or not self._is_missed(task, empty):
            del self._searches[task_id]
            return
        readable = self._cluster.live_since("results") is not None
        if search.unacked is None or (search.stored is None and readable):
            return
        if search.unacked:
            del self._searches[task_id]  # a worker has it, and lists it nowhere: it is in limbo
            return
        purged = self._purged.get(task.queue or "")
        ours = purged is not None and task.first_seen <= purged[0]
        words = _purged_words(purged[1]) if purged is not None and ours else GONE
        self._say(task, UNKNOWN, words, now)
        self.gone[task_id] = not readable or search.stored is False

    def _say(self, task: Task, state: str, verdict: str | None, at: float) -> None:
        before = task.state
        task.state, task.verdict, task.source, task.as_of = state, verdict, BROKER, at
        self._cluster.worked_out(task, before, at)


def _purged_words(quarantine: str) -> str:
    return f"purged here: its message is in the quarantine {quarantine}, Z brings it back"
