"""The tasks we keep, indexed by state, and which are forgotten first."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Iterator

from .task import FAILURE, PENDING, RECEIVED, RETRY, STARTED, UNKNOWN, Task

UNSETTLED_AFTER_S = 3.0
"""Age in seconds from which a task that is not final is looked up in the result backend."""


class KeptTasks:
    """Task records by id; what runs or waits is never evicted, failures have a ring."""

    def __init__(self, max_tasks: int, max_failures: int) -> None:
        self.max_tasks, self.max_failures = max_tasks, max_failures
        self.tasks: dict[str, Task] = {}
        self.counts: dict[str, int] = {}
        self.running: dict[str, None] = {}
        self.waiting: dict[str, None] = {}
        """Received or to be retried: on a worker, not started."""
        # Evicted from the front: a plain dict would step over all that left before, each time.
        self.pending: OrderedDict[str, None] = OrderedDict()
        self.unknown: OrderedDict[str, None] = OrderedDict()
        self.failures: OrderedDict[str, None] = OrderedDict()
        self._finished: OrderedDict[str, None] = OrderedDict()
        self.membership = 0
        """Rises whenever a task comes or goes; a view with an old number rebuilds its order."""
        self.evicted = 0

    def task(self, task_id: str, at: float) -> Task:
        """The record of a task id, made when it is new."""
        task = self.tasks.get(task_id)
        if task is None:
            task = self.tasks[task_id] = Task(task_id, first_seen=at)
            self.counts[PENDING] = self.counts.get(PENDING, 0) + 1
            self.pending[task_id] = None
            self.membership += 1
            self._evict()
        return task

    def index_of(self, state: str) -> dict[str, None]:
        if state == STARTED:
            return self.running
        if state in (RECEIVED, RETRY):
            return self.waiting
        if state == PENDING:
            return self.pending
        if state == UNKNOWN:
            return self.unknown
        return self.failures if state == FAILURE else self._finished

    def moved(self, task: Task, before: str) -> None:
        """Its state was ``before``: bring counts and indexes up to date."""
        self.counts[before] -= 1
        self.counts[task.state] = self.counts.get(task.state, 0) + 1
        self.index_of(before).pop(task.id, None)
        self.index_of(task.state)[task.id] = None

    def forgotten(self, task_id: str) -> None:
        """A task was evicted; whoever keeps more about it drops that too."""

    def _evict(self) -> None:
        """Forget the oldest finished beyond the bounds; what runs or waits is never evicted."""
        while len(self.failures) > self.max_failures:
            self._forget(self.failures)
        while len(self._finished) > self.max_tasks:
            self._forget(self._finished)
        while len(self.pending) > self.max_tasks:
            self._forget(self.pending)
        while len(self.unknown) > self.max_failures:
            self._forget(self.unknown)

    def _forget(self, index: OrderedDict[str, None]) -> None:
        task_id, _ = index.popitem(last=False)
        task = self.tasks.pop(task_id)
        self.counts[task.state] -= 1
        self.forgotten(task_id)
        self.membership += 1
        self.evicted += 1

    def newest(self) -> Iterator[str]:
        """Task ids, the newest seen first."""
        return reversed(self.tasks)

    def unsettled(self, now: float, limit: int) -> list[str]:
        """Ids not final for a few seconds, which the result backend may know more of."""
        found: list[str] = []
        for index in (self.unknown, self.running, self.waiting):
            for task_id in reversed(index):
                if now - self.tasks[task_id].changed_at >= UNSETTLED_AFTER_S:
                    found.append(task_id)
                    if len(found) >= limit:
                        return found
        return found

    def tasks_of(self, ids: Iterable[str]) -> list[Task]:
        """The records of those ids that are still kept."""
        return [self.tasks[task_id] for task_id in ids if task_id in self.tasks]
