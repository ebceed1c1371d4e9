"""Filter and order of the task table: (text, sort) -> row ids. Pure; remembers its last answer."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from .cluster import Cluster
from .task import RECEIVED, Task
from .times import parse_iso

SORT_EVERY_S = 1.0
"""A sorted or filtered order is made anew at most so often."""


class Query:
    """What a task table shows; the same list object as long as its order stands."""

    def __init__(self) -> None:
        self.text = ""
        self._needle = ""
        self._ids: Sequence[str] = ()
        self._stamp: tuple[Any, ...] = ()
        self._made_at = 0.0

    def set_text(self, text: str) -> None:
        """Filter by this substring, without regard to case."""
        self.text, self._needle = text, text.casefold().strip()
        self._stamp = ()

    def newest(self, cluster: Cluster) -> Sequence[str]:
        """Ids newest first; with a filter only those that match."""
        if not self._needle:
            stamp: tuple[Any, ...] = ("newest", cluster.membership)
            if stamp != self._stamp:
                self._ids, self._stamp = list(cluster.newest()), stamp
            return self._ids
        if self._fresh(("filtered", self._needle), cluster.now):
            return self._ids
        tasks = cluster.tasks
        now, needle = cluster.now, self._needle
        self._keep([i for i in cluster.newest() if matches(tasks[i], needle, now)])
        return self._ids

    def sorted_by(
        self, cluster: Cluster, sort: tuple[str, bool], value: Callable[[Task], Any], now: float
    ) -> Sequence[str]:
        """Ids by a column's value; unknown values last."""
        if self._fresh(("sorted", sort, self._needle), now):
            return self._ids
        tasks = [task for task in cluster.tasks.values() if matches(task, self._needle, now)]
        keyed = [(value(task), task.id) for task in tasks]
        known = [(v, i) for v, i in keyed if v is not None]
        known.sort(key=lambda pair: pair[0], reverse=sort[1])
        self._keep([i for _, i in known] + [i for v, i in keyed if v is None])
        return self._ids

    def _fresh(self, stamp: tuple[Any, ...], now: float) -> bool:
        if stamp == self._stamp and now - self._made_at < SORT_EVERY_S:
            return True
        self._stamp, self._made_at = stamp, now
        return False

    def _keep(self, ids: list[str]) -> None:
        if ids != self._ids:
            self._ids = ids


def matches(task: Task, needle: str, now: float) -> bool:
    """Whether a task's id, name, state, args, worker, queue or exception holds the needle."""
    if not needle:
        return True
    if task.eta and task.state == RECEIVED and needle in "eta":
        eta = parse_iso(task.eta)  # the word that its row shows until then
        if eta is not None and eta > now:
            return True
    named = (task.name, task.id, task.state, task.worker, task.queue)
    texts = (*named, task.args, task.kwargs, task.exception)
    return any(text is not None and needle in text.casefold() for text in texts)
