"""Which tasks are on which worker: an index that costs O(1) a change."""

from __future__ import annotations

from collections.abc import Collection

from .task import RECEIVED, STARTED, Task

ON_WORKER = (STARTED, RECEIVED)
NONE: dict[str, None] = {}


class Places:
    """Ids of started and received tasks by node name."""

    def __init__(self) -> None:
        self._where: dict[str, str] = {}
        self._on: dict[str, dict[str, None]] = {}

    def put(self, task: Task) -> None:
        """It has changed: it is on its worker now, or on none."""
        hostname = task.worker if task.state in ON_WORKER else ""
        before = self._where.get(task.id, "")
        if hostname == before:
            return
        if before:
            self.drop(task.id)
        if hostname:
            self._where[task.id] = hostname
            self._on.setdefault(hostname, {})[task.id] = None

    def drop(self, task_id: str) -> None:
        """It is on no worker."""
        before = self._where.pop(task_id, None)
        if before is not None:
            there = self._on[before]
            del there[task_id]
            if not there:
                del self._on[before]

    def on(self, hostname: str) -> Collection[str]:
        """Ids of the tasks on a worker, those first that came first."""
        return self._on.get(hostname, NONE).keys()
