"""Whether a task holds a text; and the tasks that do, kept up to date by what changes."""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from itertools import islice

from .arrivals import Arrivals, NewestFirst
from .kept_tasks import KeptTasks
from .task import RECEIVED, Task
from .times import parse_iso

SHOWN_UNTIL_ETA = "eta"
"""The word that stands for a task's state until its time has come."""
PIECE = 250
"""Tasks looked at in one step: a quarter of a millisecond."""


def matches(task: Task, needle: str, now: float) -> bool:
    """Whether a task's id, name, state, args, worker, queue or exception holds the needle."""
    if not needle:
        return True
    if needle in SHOWN_UNTIL_ETA and (eta_of(task) or 0.0) > now:
        return True
    named = (task.name, task.id, task.state, task.worker, task.queue)
    for text in (*named, task.args, task.kwargs, task.exception):  # any() takes twice as long
        if text and needle in text.casefold():
            return True
    return False


def eta_of(task: Task) -> float | None:
    """Epoch seconds before which a received task does not run; None: it may run."""
    return parse_iso(task.eta) if task.eta and task.state == RECEIVED else None


class Matching:
    """The tasks that hold a needle. ``step`` until it says False, and again when time has passed.

    The first steps look at all tasks; later ones only at those that came, changed or went.
    """

    def __init__(self, kept: KeptTasks, needle: str) -> None:
        self.needle = needle
        self._kept = kept
        self._begin()

    def _begin(self) -> None:
        self._found = Arrivals(self._kept.tasks)
        self._timed: list[tuple[float, str]] = []
        """(epoch seconds at which it ceases to be shown as one that waits, task id), a heap."""
        self._heard = self._kept.news_count
        all_tasks = self._kept.newest()
        self.of, self.looked_at = len(all_tasks), 0
        """Tasks to look at, and how many of them were."""
        self._rest: Iterator[str] | None = reversed(all_tasks)

    @property
    def complete(self) -> bool:
        """Whether every task was looked at, some perhaps before they last changed."""
        return self._rest is None

    def found(self) -> NewestFirst:
        """What matches, the newest first."""
        return self._found.snapshot()

    def step(self, now: float) -> bool:
        """Look at a few more tasks; False if there are none. ``now`` is epoch seconds."""
        news = self._news() + self._whose_time_has_come(now)
        for task in news:
            self._judge(task, now)
        return self._look(now) or bool(news)

    def _news(self) -> list[Task]:
        """The next tasks that changed; all tasks are looked at anew if some were missed."""
        behind = self._kept.news_count - self._heard
        if behind > len(self._kept.news):
            self._begin()
            return []
        next_ones = islice(reversed(self._kept.news), max(0, behind - PIECE), behind)
        self._heard += min(behind, PIECE)
        return list({task.serial: task for task in next_ones}.values())

    def _look(self, now: float) -> bool:
        if self._rest is None:
            return False
        tasks = self._kept.tasks
        ids = list(islice(self._rest, PIECE))
        for task_id in ids:
            task = tasks.get(task_id)
            if task is not None:
                self._judge(task, now)
        self.looked_at += len(ids)
        if len(ids) < PIECE:
            self._rest = None
        return True

    def _whose_time_has_come(self, now: float) -> list[Task]:
        ids = []
        while self._timed and self._timed[0][0] <= now:
            ids.append(heapq.heappop(self._timed)[1])
        return self._kept.tasks_of(ids)

    def _judge(self, task: Task, now: float) -> None:
        kept = self._kept.tasks.get(task.id) is task
        if kept and matches(task, self.needle, now):
            self._found.add(task)
            if self.needle in SHOWN_UNTIL_ETA and (eta := eta_of(task)) is not None:
                heapq.heappush(self._timed, (eta, task.id))
        else:
            self._found.discard(task)
