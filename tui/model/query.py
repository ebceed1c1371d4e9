"""What a task table shows: (filter, sort) -> an order of row ids, made in small steps. Pure.

Newest first without a filter is the model's own order and costs nothing. Everything else is worked
out by ``step``, a fraction of a millisecond each, while the order of before stays on screen.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from .cluster import Cluster
from .matching import Matching
from .sorting import Sorting
from .task import Task

SORT_EVERY_S = 1.0
"""A sorted order is made anew at most so often."""
REST = 10
"""It rests so many times as long as it took, if that is longer,"""
REST_AT_MOST_S = 60.0
"""but no longer than this."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far the work is that somebody waits for: ``sorting``, rows done, of how many."""

    verb: str
    done: int
    of: int


class Query:
    """The rows of one table. Set ``text`` and ``sort``, call ``step`` until it says False."""

    def __init__(self) -> None:
        self._sort: tuple[str, bool] | None = None
        self._text = ""
        self._needle = ""
        self._matching: Matching | None = None
        self._sorting: Sorting | None = None
        self._ids: Sequence[str] = ()
        self._shown: tuple[str, tuple[str, bool] | None] = ("", None)
        """What ``_ids`` is the answer to: needle and sort."""
        self._began_at = self._sorted_at = self._took_s = 0.0

    @property
    def text(self) -> str:
        """Rows must hold it somewhere, without regard to case."""
        return self._text

    @text.setter
    def text(self, text: str) -> None:
        needle = text.casefold().strip()
        if needle != self._needle:
            self._matching = self._sorting = None
        self._text, self._needle = text, needle

    @property
    def sort(self) -> tuple[str, bool] | None:
        """(Column id, whether the largest comes first); None: newest first."""
        return self._sort

    @sort.setter
    def sort(self, sort: tuple[str, bool] | None) -> None:
        if sort != self._sort:
            self._sorting = None
        self._sort = sort

    @property
    def unfinished(self) -> bool:
        """Whether what is shown is not yet what was asked for."""
        return self._shown != (self._needle, self._sort)

    @property
    def progress(self) -> Progress | None:
        """Of what was asked for and is not yet shown."""
        if not self.unfinished:
            return None
        if self._matching is not None and not self._matching.complete:
            return Progress("filtering", self._matching.looked_at, self._matching.of)
        if self._sorting is not None:
            return Progress("sorting", self._sorting.done, self._sorting.of)
        return None

    @property
    def sorted_at(self) -> float | None:
        """Epoch seconds as of which the rows shown were put in order; None: as of now."""
        return self._sorted_at if self._shown[1] is not None else None

    def ids(self, cluster: Cluster) -> Sequence[str]:
        """Ids in order; the same object as long as it stands."""
        if not self._needle and self._sort is None:
            self._show(cluster.newest())
        return self._ids

    def cancel_sort(self) -> bool:
        """Give up a sort that is not yet shown; False if there is none."""
        if self._sort == self._shown[1]:
            return False
        self.sort = self._shown[1]
        return True

    def step(self, cluster: Cluster, value: Callable[[Task], Any], now: float) -> bool:
        """Do a little of what is left to do; False if nothing is, for now (epoch seconds).

        ``value`` is what the tasks are to be sorted by.
        """
        if self._match(cluster, now):
            return True
        if self._sort is not None:
            return self._put_in_order(cluster, value, now)
        if self._matching is not None:
            self._show(self._matching.found())
        return False

    def _match(self, cluster: Cluster, now: float) -> bool:
        if not self._needle:
            return False
        if self._matching is None:
            self._matching = Matching(cluster, self._needle)
        return self._matching.step(now)

    def _put_in_order(self, cluster: Cluster, value: Callable[[Task], Any], now: float) -> bool:
        if self._sorting is None:
            if not self._due(now):
                return False
            self._began_at = now
            pool = self._matching.found() if self._matching is not None else cluster.newest()
            assert self._sort is not None  # noqa: S101  narrows for the type checker only
            self._sorting = Sorting(pool, cluster.tasks, value, self._sort[1])
        if self._sorting.step():
            return True
        self._sorted_at, self._took_s = self._began_at, now - self._began_at
        self._show(self._sorting.order)
        self._sorting = None
        return False

    def _due(self, now: float) -> bool:
        rest_s = min(REST_AT_MOST_S, max(SORT_EVERY_S, REST * self._took_s))
        return self.unfinished or not 0 <= now - self._sorted_at < rest_s

    def _show(self, ids: Sequence[str]) -> None:
        self._ids, self._shown = ids, (self._needle, self._sort)
