"""Clusters of many tasks, and the Tasks screen on them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from textual.pilot import Pilot

from celery_tui.model.cluster import Cluster
from celery_tui.model.events import Event
from celery_tui.screens.tasks import TasksScreen
from tests.screens.sample import NOW, events, live, online, task_id

SIZE = (120, 30)


def cluster_of(number: int, most: int = 100_000) -> Cluster:
    """Tasks that have all ended, every third a mail."""
    cluster = Cluster(NOW - 300, max_tasks=most)
    live(cluster)
    online(cluster)
    for n in range(number):
        name = "mail.send" if n % 3 == 0 else "pay.charge"
        event = Event("task-received", NOW - 100, "pay-worker@demo", uuid=task_id(n), name=name)
        ended = Event(
            "task-succeeded", NOW - 99, "pay-worker@demo", uuid=task_id(n), runtime=n % 50
        )
        events(cluster, event, ended)
    return cluster


async def tasks_screen(pilot: Pilot[int]) -> TasksScreen:
    """The Tasks screen, painted."""
    await pilot.pause()
    await pilot.press("4")
    await pilot.pause()
    assert isinstance(pilot.app.screen, TasksScreen)
    return pilot.app.screen


async def until(fact: Callable[[], bool]) -> None:
    """Wait for it, generously."""
    async with asyncio.timeout(60):
        while not fact():  # noqa: ASYNC110  there is no event for it
            await asyncio.sleep(0.01)
