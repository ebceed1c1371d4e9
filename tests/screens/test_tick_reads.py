"""What a tick reads of many tasks: what is shown, and never all of them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from celery_tui.model.cluster import Cluster
from celery_tui.model.events import Event
from celery_tui.model.task import RECEIVED, SUCCESS
from tests.screens.big import SIZE, cluster_of, tasks_screen, until
from tests.screens.sample import NOW, app_on, events, task_id


class Counting(dict[str, Any]):
    """A dict that counts how many of its items are read."""

    read = 0

    def _reads(self, one: Any) -> Any:
        self.read += 1
        return one

    def __getitem__(self, key: str) -> Any:
        return self._reads(super().__getitem__(key))

    def get(self, key: str, default: Any = None) -> Any:
        return self._reads(super().get(key, default))

    def __iter__(self) -> Iterator[str]:
        return map(self._reads, super().__iter__())

    def __reversed__(self) -> Iterator[str]:
        return map(self._reads, super().__reversed__())

    def values(self) -> Any:
        return map(self._reads, super().values())

    def items(self) -> Any:
        return map(self._reads, super().items())


def many(number: int) -> Cluster:
    """So many tasks, as many waiting as ended; every read of one of them is counted."""
    cluster = cluster_of(0, most=number)
    cluster.tasks = Counting()
    cluster.waiting = Counting()
    cluster.arrivals = type(cluster.arrivals)(cluster.tasks)
    for n in range(number):
        task = cluster.task(task_id(n), NOW - 50)
        task.name, task.state = f"mail.{n % 9}", SUCCESS if n % 2 else RECEIVED
        task.runtime_s = float(n % 1_000)
        cluster.moved(task, "PENDING")
    return cluster


def reads(cluster: Cluster) -> int:
    """Items read so far."""
    counting: tuple[Any, ...] = (cluster.tasks, cluster.waiting)
    return sum(one.read for one in counting)


async def test_a_tick_reads_no_more_of_200_000_tasks_than_of_what_is_shown() -> None:
    cluster = many(200_000)
    app = app_on(cluster)
    async with app.run_test(size=SIZE) as pilot:
        screen = await tasks_screen(pilot)
        counted: dict[str, int] = {}

        def tick(name: str) -> None:
            for n in range(20):
                late = Event("task-succeeded", NOW, "w", uuid=f"{name}{n}", name="mail.9")
                events(cluster, late)
            before = reads(cluster)
            app.screen.tick()  # type: ignore[attr-defined]
            app._tick()
            assert len(cluster.unsettled(NOW, 100)) == 100
            counted[name] = reads(cluster) - before

        tick("newest")
        screen.main.edge(True)
        tick("at the far end")
        screen.sortable.filter = "mail.9"
        await until(lambda: not screen.main.rows.unfinished and not screen._carrying_on)
        tick("filtered")
        screen._sorted(("run", True))
        await until(lambda: not screen.main.rows.unfinished and not screen._carrying_on)
        tick("sorted")
        screen.do_freeze()
        tick("frozen")
        for root in ("home", "queues", "workers", "log"):
            app.go(root)
            await pilot.pause()
            tick(root)
        assert {name: number for name, number in counted.items() if number > 1_000} == {}
