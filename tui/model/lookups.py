"""What the result backend tells of tasks that it was asked for, and of some nobody asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import stored
from .observations import ResultMeta, Results
from .task import PENDING, Task

if TYPE_CHECKING:
    from .cluster import Cluster


class Lookups:
    """Folds stored results into the tasks and families of one cluster."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster

    def take(self, results: Results) -> None:
        """Fold one answer in: what is stored, and of which tasks nothing is."""
        for meta in results.metas:
            task = self._cluster.tasks.get(meta.id)
            if task is None:
                self._from_before(meta, results.at)
                continue
            self._result(task, meta, results.at)
            self._family(task, meta)
        for task_id in results.missing:
            self._missing(task_id, results.at)

    def _result(self, task: Task, meta: ResultMeta, at: float) -> None:
        before, verdict = task.state, task.verdict
        if stored.fold(task, meta, at):
            self._cluster.worked_out(task, before, at)
        elif self._cluster.reconciler.knows(task):  # the backend cannot know more of it
            task.verdict = verdict

    def _from_before(self, meta: ResultMeta, at: float) -> None:
        """A task that only the backend tells of: kept, and not counted as if it were news."""
        if meta.state in stored.KEPT:
            task = self._cluster.older(meta.id, at)
            stored.remember(task, meta, at)
            self._family(task, meta)
            self._cluster.moved(task, PENDING, oldest=True)

    def _missing(self, task_id: str, at: float) -> None:
        task = self._cluster.tasks.get(task_id)
        if task is None or self._cluster.reconciler.missing(task):
            return
        if stored.missing(task, at):
            self._cluster.tell(task)

    def _family(self, task: Task, meta: ResultMeta) -> None:
        families = self._cluster.families
        families.adopt(task, meta.children, self._cluster.tasks)
        families.note(task)
        families.sent(task.id, meta.children)
        part = stored.failed_part(meta)
        if part is not None:
            families.sent(part, (task.id,))
