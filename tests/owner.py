"""Whoever owns a monitor gives it its clock: the app does, and here a test."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from celery_tui.model.cluster import Cluster
from celery_tui.model.seam import Link
from celery_tui.monitor import SOURCES, Monitor
from celery_tui.settings import Settings
from tests.servers import PATIENCE_S, wait_for


class Owner:
    """Gives a monitor its clock, as the app does."""

    def __init__(self, settings: Settings, **more: Any) -> None:
        self.monitor = Monitor(settings, **more)
        self._next_tick = 0.0
        self.born = time.time()

    def __enter__(self) -> Owner:
        self.monitor.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.monitor.stop(10.0)

    def read(self) -> Cluster:
        """The Cluster, as it stands now."""
        while not self.monitor.drain():
            pass
        now = time.time()
        if now >= self._next_tick:
            self.monitor.tick(now)
            self._next_tick = now + 1.0
        return self.monitor.cluster

    def until(self, what: Callable[[Cluster], Any], words: str, timeout: float = PATIENCE_S) -> Any:
        """Wait for a fact about the Cluster."""
        return wait_for(lambda: what(self.read()), words, timeout)


def is_live(cluster: Cluster) -> bool:
    return all(
        name in cluster.health and cluster.health[name].state == Link.LIVE for name in SOURCES
    )
