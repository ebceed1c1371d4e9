"""The tasks we keep, indexed by state, and which are forgotten first."""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Iterable, Iterator
from itertools import chain, islice

import msgspec

from .arrivals import Arrivals
from .fifo import Fifo
from .order import Order
from .task import FAILURE, MISSING, PENDING, RECEIVED, RETRY, STARTED, UNKNOWN, Task

UNSETTLED_AFTER_S = 3.0
"""Age in seconds from which a task that is not final is looked up in the result backend."""
LOOKED_AT = 5_000
"""Most tasks of one state of which it is asked, at once, whether they are unsettled."""
NEWS_KEPT = 16_384
"""A reader of ``news`` that is further behind looks at all tasks anew."""


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
        self._finished = Fifo()
        self.arrivals = Arrivals(self.tasks)
        """All of them in the order in which they were first seen."""
        self.news: deque[Task] = deque(maxlen=NEWS_KEPT)
        """Tasks that came, changed or were forgotten, the latest last."""
        self.news_count = 0
        """How many were ever put into ``news``."""
        self.evicted = 0
        self._serial = 0
        self._older = 0

    def task(self, task_id: str, at: float) -> Task:
        """The record of a task id, made when it is new."""
        task = self.tasks.get(task_id)
        if task is None:
            self._serial += 1
            task = self.tasks[task_id] = Task(task_id, serial=self._serial, first_seen=at)
            self.arrivals.add(task)
            self.counts[PENDING] = self.counts.get(PENDING, 0) + 1
            self.pending[task_id] = None
            self._evict()
        elif task.serial < 0:
            task = self._alive(task)
        self.news.append(task)
        self.news_count += 1
        return task

    def older(self, task_id: str, at: float) -> Task:
        """The record, made, of a task that is older than all others: it stands below them.

        Call ``moved(…, oldest=True)`` when its state is known.
        """
        self._older -= 1
        task = self.tasks[task_id] = Task(task_id, serial=self._older, first_seen=at)
        self.arrivals.add(task)
        self.counts[PENDING] = self.counts.get(PENDING, 0) + 1
        self.pending[task_id] = None
        self.tell(task)
        return task

    def _alive(self, old: Task) -> Task:
        """It moves again: now it has a place among those that we saw move."""
        self.arrivals.discard(old)
        self._serial += 1
        task = self.tasks[old.id] = msgspec.structs.replace(old, serial=self._serial)
        self.arrivals.add(task)
        self.tell(old)
        return task

    def tell(self, task: Task) -> None:
        """Something of it changes now; who reads ``news`` later finds it changed."""
        self.news.append(task)
        self.news_count += 1

    def index_of(self, state: str) -> dict[str, None] | None:
        """Ids in that state; None of the finished ones, which have a queue of their own."""
        if state == STARTED:
            return self.running
        if state in (RECEIVED, RETRY):
            return self.waiting
        if state == PENDING:
            return self.pending
        if state == UNKNOWN:
            return self.unknown
        return self.failures if state == FAILURE else None

    def moved(self, task: Task, before: str, oldest: bool = False) -> None:
        """Its state was ``before``: bring counts and indexes up to date.

        The ``oldest`` of its state is the first to be forgotten.
        """
        self.counts[before] -= 1
        self.counts[task.state] = self.counts.get(task.state, 0) + 1
        left, joined = self.index_of(before), self.index_of(task.state)
        if left is not None:
            left.pop(task.id, None)
        elif joined is not None:
            self._finished.leave(task.id)
        if joined is not None:
            joined[task.id] = None
            if oldest and isinstance(joined, OrderedDict):
                joined.move_to_end(task.id, last=False)
        elif left is not None and oldest:
            self._finished.add_first(task.id)
        elif left is not None:
            self._finished.add(task.id)
        if oldest:
            self._evict()

    def forgotten(self, task: Task) -> None:
        """A task was evicted; whoever keeps more about it drops that too."""

    def _evict(self) -> None:
        """Forget the oldest finished beyond the bounds; what runs or waits is never evicted."""
        while len(self.failures) > self.max_failures:
            self._forget(self.failures.popitem(last=False)[0])
        while len(self._finished) > self.max_tasks:
            self._forget(self._finished.popleft())
        while len(self.pending) > self.max_tasks:
            self._forget(self.pending.popitem(last=False)[0])
        while len(self.unknown) > self.max_failures:
            self._forget(self.unknown.popitem(last=False)[0])

    def _forget(self, task_id: str) -> None:
        task = self.tasks.pop(task_id)
        self.arrivals.discard(task)
        self.counts[task.state] -= 1
        self.forgotten(task)
        self.evicted += 1
        self.tell(task)

    def newest(self) -> Order:
        """Task ids as they stand now, the newest seen first; nothing is copied."""
        return self.arrivals.snapshot()

    def unsettled(self, now: float, limit: int) -> list[str]:
        """Ids not final for a few seconds, which the result backend may know more of."""
        indexes = (self.unknown, self.running, self.waiting)
        found = dict.fromkeys(islice(self.urgent(), limit))
        for task_id in chain(*(self._unsettled(index, now) for index in indexes)):
            if len(found) >= limit:
                break
            found[task_id] = None
        return list(found)

    def urgent(self) -> Iterator[str]:
        """Ids that are to be looked up first; whoever knows of some says so."""
        return iter(())

    def settled(self, task: Task) -> bool:
        """Whether the backend has said all it will of a task that is not final."""
        return task.verdict == MISSING

    def _unsettled(self, index: dict[str, None], now: float) -> Iterator[str]:
        for task_id in islice(reversed(index), LOOKED_AT):
            task = self.tasks[task_id]
            if now - task.changed_at >= UNSETTLED_AFTER_S and not self.settled(task):
                yield task_id

    def tasks_of(self, ids: Iterable[str]) -> list[Task]:
        """The records of those ids that are still kept."""
        return [self.tasks[task_id] for task_id in ids if task_id in self.tasks]
