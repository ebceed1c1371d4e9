"""Task ids in the order in which the tasks were first seen, with places in O(log n) and no copies.

Tasks come at one end and leave anywhere (what has finished goes first), so the order is kept in
blocks of about a thousand. A snapshot of it shares the blocks, and whoever changes one afterwards
copies that one first: a table may hold, freeze and page through a million ids while tasks come
and go.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Mapping, Sequence
from itertools import accumulate

from .order import Order
from .task import Task

BLOCK = 1_000
"""Tasks in a full block: near the square root of the largest number of them."""


class Block:
    """A run of ids and, beside them, the serials by which they are found; never left empty."""

    __slots__ = ("ids", "serials")

    def __init__(self, ids: list[str], serials: array[int]) -> None:
        self.ids = ids
        self.serials = serials

    def cut(self, start: int) -> Block:
        """A new block of what stands from ``start`` on."""
        return Block(self.ids[start:], self.serials[start:])

    def insert(self, offset: int, task: Task) -> None:
        """Put a task before the one that stands at ``offset``."""
        self.ids.insert(offset, task.id)
        self.serials.insert(offset, task.serial)

    def remove(self, start: int, stop: int) -> None:
        """Take out a range."""
        del self.ids[start:stop], self.serials[start:stop]

    def extend(self, newer: Block) -> None:
        """Add the block that comes after it."""
        self.ids.extend(newer.ids)
        self.serials.extend(newer.serials)


class Arrivals:
    """A set of tasks in order of ``Task.serial``."""

    def __init__(self, tasks: Mapping[str, Task]) -> None:
        """``tasks`` tells the serial of an id."""
        self._tasks = tasks
        self._blocks: list[Block] = []
        self._own: set[Block] = set()
        """Blocks that no snapshot shares."""
        self._snapshot: NewestFirst | None = None

    def add(self, task: Task) -> None:
        """Put a task in its place, which is the end unless newer ones are here. Twice is once."""
        if not self._blocks or task.serial > self._blocks[-1].serials[-1]:
            self._append(task)
            return
        number, offset, here = find(self._blocks, task.serial)
        if here:
            return
        self._writable(number).insert(offset, task)
        if len(self._blocks[number].ids) >= 2 * BLOCK:
            self._split(number)

    def discard(self, task: Task) -> None:
        """Take a task out, if it is here."""
        number, offset, here = find(self._blocks, task.serial)
        if not here:
            return
        block = self._writable(number)
        block.remove(offset, offset + 1)
        before = self._blocks[number - 1] if number else None
        if not block.ids:
            self._drop(number)
        elif before is not None and len(before.ids) + len(block.ids) <= BLOCK // 2:
            self._writable(number - 1).extend(block)
            self._drop(number)

    def snapshot(self) -> NewestFirst:
        """The order as it stands; the same object as long as nothing comes or goes."""
        if self._snapshot is None:
            self._snapshot = NewestFirst(tuple(self._blocks), self._tasks)
            self._own.clear()
        return self._snapshot

    def _append(self, task: Task) -> None:
        if self._blocks and len(self._blocks[-1].ids) < BLOCK:
            block = self._writable(len(self._blocks) - 1)
            block.ids.append(task.id)
            block.serials.append(task.serial)
        else:
            self._insert(len(self._blocks), Block([task.id], array("q", [task.serial])))

    def _split(self, number: int) -> None:
        block = self._writable(number)
        self._insert(number + 1, block.cut(BLOCK))
        block.remove(BLOCK, len(block.ids))

    def _insert(self, number: int, block: Block) -> None:
        self._snapshot = None
        self._blocks.insert(number, block)
        self._own.add(block)

    def _drop(self, number: int) -> None:
        self._own.discard(self._blocks.pop(number))

    def _writable(self, number: int) -> Block:
        """The block, copied if a snapshot shares it."""
        self._snapshot = None
        block = self._blocks[number]
        if block not in self._own:
            block = self._blocks[number] = block.cut(0)
            self._own.add(block)
        return block


class NewestFirst(Order):
    """A snapshot of ``Arrivals``, the newest at index 0."""

    def __init__(self, blocks: Sequence[Block], tasks: Mapping[str, Task]) -> None:
        self._blocks = blocks
        self._tasks = tasks
        self._ends = tuple(accumulate(len(block.ids) for block in blocks))
        """How many there are up to the end of each block, the oldest first."""

    def __len__(self) -> int:
        """How many."""
        return self._ends[-1] if self._ends else 0

    def at(self, index: int) -> str:
        """The ``index``-th newest."""
        from_oldest = len(self) - 1 - index
        number = bisect_right(self._ends, from_oldest)
        return self._blocks[number].ids[from_oldest - self._ends[number]]

    def position(self, row_id: str) -> int | None:
        """How many are newer."""
        task = self._tasks.get(row_id)
        if task is None:
            return None
        number, offset, here = find(self._blocks, task.serial)
        if not here:
            return None
        return len(self) - 1 - (self._ends[number] - len(self._blocks[number].ids) + offset)

    def __iter__(self) -> Iterator[str]:
        """The newest first."""
        for block in reversed(self._blocks):
            yield from reversed(block.ids)

    def __reversed__(self) -> Iterator[str]:
        """The oldest first."""
        for block in self._blocks:
            yield from block.ids


def find(blocks: Sequence[Block], serial: int) -> tuple[int, int, bool]:
    """The block a serial belongs into, its place there, and whether it stands there."""
    if not blocks:
        return 0, 0, False
    if len(blocks) == 1 or serial < blocks[1].serials[0]:  # where most tasks leave
        number = 0
    else:
        number = bisect_right(blocks, serial, key=_first) - 1
    serials = blocks[number].serials
    offset = bisect_left(serials, serial)
    return number, offset, offset < len(serials) and serials[offset] == serial


def _first(block: Block) -> int:
    return block.serials[0]
