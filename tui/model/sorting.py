"""Sorting in small steps: a million rows without one pause that anybody feels.

A sample of the values tells where to cut them into buckets of about a thousand; every row is put
into its bucket, and each bucket is sorted by itself. A value that many rows share is a cut, with
a bucket that needs no sorting.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Callable, Generator, Iterator, Mapping
from itertools import islice
from typing import Any

from .order import Order
from .task import Task

PIECE = 250
"""Rows whose values are read in one step, and placed a few times as fast."""
BUCKET = 1_000
SAMPLES = 4
"""Values looked at for each cut; with so many the largest bucket is some three times the mean."""


class Sorting:
    """One sort of the rows of ``pool``; ``step`` until it says False, then ``order`` is there.

    Unknown values (None, NaN) come last either way, equal ones in the order of the pool.
    """

    def __init__(
        self,
        pool: Order,
        tasks: Mapping[str, Task],
        value: Callable[[Task], Any],
        descending: bool,
    ) -> None:
        self.order = Sorted(pool)
        """Complete when ``step`` says so."""
        self.of, self._done = len(pool), 0
        self._tasks, self._value = tasks, value
        self._descending = descending
        self._values: list[Any] = []
        """The value of each row of the pool."""
        self._steps = self._work()

    @property
    def done(self) -> int:
        """Rows sorted so far, of ``of``; half of the work is to put them into buckets."""
        return self._done // 2

    def step(self) -> bool:
        """Do a little; False when it is complete."""
        return next(self._steps, False)

    def _work(self) -> Iterator[bool]:
        cuts = yield from self._cuts()
        buckets: list[array[int]] = [array("I") for _ in range(2 * len(cuts) + 2)]
        yield from self._distribute(cuts, buckets)
        *known, unknown = buckets
        ways = [(number, bucket) for number, bucket in enumerate(known) if bucket]
        for number, bucket in reversed(ways) if self._descending else ways:
            # An odd one holds the rows that are equal to a cut.
            yield from self._put(bucket if number % 2 else self._sorted(bucket))
        yield from self._put(unknown)

    def _cuts(self) -> Generator[bool, None, list[Any]]:
        """Values at which to cut, in order."""
        wanted = self.of // BUCKET
        sample: list[Any] = []
        for number in range(wanted * SAMPLES):
            value = self._known(self.order.pool.at(number * self.of // (wanted * SAMPLES)))
            if value is not None:
                sample.append(value)
            if number % PIECE == 0:
                yield True
        return sorted(set(sorted(sample)[SAMPLES // 2 :: SAMPLES]))

    def _distribute(self, cuts: list[Any], buckets: list[array[int]]) -> Iterator[bool]:
        """Put each row's place in the pool into the bucket of its value."""
        rows = enumerate(self.order.pool)
        while piece := list(islice(rows, PIECE)):
            for rank, row_id in piece:
                value = self._known(row_id)
                self._values.append(value)
                buckets[_bucket(value, cuts)].append(rank)
            self._done += len(piece)
            yield True

    def _known(self, row_id: str) -> Any:
        """The value of a row; None where it is unknown, has gone or cannot be compared."""
        task = self._tasks.get(row_id)
        value = self._value(task) if task is not None else None
        return value if value == value else None  # NaN is not equal to itself

    def _sorted(self, bucket: array[int]) -> array[int]:
        ranks = sorted(bucket, key=self._values.__getitem__, reverse=self._descending)
        return array("I", ranks)

    def _put(self, ranks: array[int]) -> Iterator[bool]:
        for start in range(0, len(ranks), 4 * PIECE):
            piece = ranks[start : start + 4 * PIECE]
            self.order.extend(piece)
            self._done += len(piece)
            yield True


def _bucket(value: Any, cuts: list[Any]) -> int:
    """Even: between two cuts; odd: equal to one; the last: unknown."""
    if value is None:
        return -1
    cut = bisect_left(cuts, value)
    return 2 * cut + (cut < len(cuts) and cuts[cut] == value)


class Sorted(Order):
    """The rows of another order in an order of their own: 8 bytes a row."""

    def __init__(self, pool: Order) -> None:
        self.pool = pool
        self._ranks = array("I")
        """Places in the pool, in our order."""
        self._places = array("I", bytes(4 * len(pool)))
        """The other way round."""

    def extend(self, ranks: array[int]) -> None:
        """Add the rows that come next, by their places in the pool."""
        place = len(self._ranks)
        self._ranks.extend(ranks)
        for rank in ranks:
            self._places[rank] = place
            place += 1

    def __len__(self) -> int:
        """Rows so far."""
        return len(self._ranks)

    def at(self, index: int) -> str:
        """The id in that place."""
        return self.pool.at(self._ranks[index])

    def __iter__(self) -> Iterator[str]:
        """All of them, in a fifth of the time that place by place would take."""
        return map(list(self.pool).__getitem__, self._ranks)

    def position(self, row_id: str) -> int | None:
        """Its place; None: it is not among them, or its task was forgotten."""
        rank = self.pool.position(row_id)
        return None if rank is None else self._places[rank]
