"""The order of arrival, against a plain list."""

from __future__ import annotations

import random

import pytest

from celery_tui.model.arrivals import BLOCK, Arrivals
from celery_tui.model.fifo import SLACK, Fifo
from celery_tui.model.task import Task


class Kept:
    """An order of arrival and the list it must be equal to, the oldest first."""

    def __init__(self, number: int = 0) -> None:
        self.tasks: dict[str, Task] = {}
        self.order = Arrivals(self.tasks)
        self.plain: list[Task] = []
        for serial in range(number):
            self.add(serial)

    def add(self, serial: int) -> None:
        """A task that was seen as the ``serial``-th."""
        task = Task(f"id-{serial}", serial=serial)
        self.tasks[task.id] = task
        self.order.add(task)
        if task not in self.plain:
            self.plain = sorted([*self.plain, task], key=lambda one: one.serial)

    def drop(self, task: Task) -> None:
        """It is forgotten."""
        del self.tasks[task.id]
        self.plain.remove(task)
        self.order.discard(task)

    @property
    def ids(self) -> list[str]:
        """The newest first."""
        return [task.id for task in reversed(self.plain)]


def check(kept: Kept) -> None:
    """Every way to read it."""
    ids, order = kept.ids, kept.order.snapshot()
    assert list(order) == ids
    assert list(reversed(order)) == ids[::-1]
    assert len(order) == len(ids)
    assert order[:] == ids
    assert [order.index(i) for i in ids] == list(range(len(ids)))
    assert order[3:9] == ids[3:9]
    assert order[-2:] == ids[-2:]


@pytest.mark.parametrize("seed", range(3))
def test_it_is_a_list_whatever_comes_and_goes(seed: int) -> None:
    chance = random.Random(seed)
    kept = Kept()
    for turn in range(12):
        for _ in range(400):
            serial = chance.choice((len(kept.plain) + turn * 400, chance.randint(0, 5_000)))
            if f"id-{serial}" not in kept.tasks:
                kept.add(serial)
        for task in chance.sample(kept.plain, len(kept.plain) * turn // 16):
            kept.drop(task)
        check(kept)
    for task in list(kept.plain):
        kept.drop(task)
    check(kept)


def test_a_snapshot_does_not_change() -> None:
    kept = Kept(3 * BLOCK + 5)
    before, ids = kept.order.snapshot(), kept.ids
    for task in kept.plain[: 2 * BLOCK : 2]:
        kept.drop(task)
    for serial in range(9_000, 9_000 + BLOCK):
        kept.add(serial)
    assert before[:] == ids
    check(kept)


def test_nothing_new_is_the_same_snapshot() -> None:
    kept = Kept(10)
    one = kept.order.snapshot()
    assert kept.order.snapshot() is one
    kept.add(3)  # it is there already
    assert kept.order.snapshot() is one
    kept.drop(kept.plain[4])
    assert kept.order.snapshot() is not one


def test_what_was_forgotten_or_never_there_has_no_place() -> None:
    kept = Kept(10)
    order = kept.order.snapshot()
    kept.drop(kept.plain[4])
    for absent in ("id-4", "nobody"):
        assert absent not in order
        with pytest.raises(ValueError, match=absent):
            order.index(absent)
    for outside in (10, -11):
        with pytest.raises(IndexError):
            order[outside]


def test_blocks_from_which_most_have_gone_are_joined() -> None:
    kept = Kept(20 * BLOCK)
    for task in [task for task in kept.plain if task.serial % BLOCK]:
        del kept.tasks[task.id]
        kept.order.discard(task)
    assert len(kept.order.snapshot()) == 20
    assert len(kept.order._blocks) <= 2


def test_who_leaves_a_queue_and_joins_it_again_is_its_last() -> None:
    fifo = Fifo()
    for task_id in "abc":
        fifo.add(task_id)
    for _ in range(3 * SLACK):
        fifo.leave("a")
        fifo.add("a")
    fifo.leave("c")
    assert len(fifo) == 2
    assert len(fifo._ids) < 2 * SLACK
    assert [fifo.popleft(), fifo.popleft()] == ["b", "a"]
    with pytest.raises(IndexError):
        fifo.popleft()
