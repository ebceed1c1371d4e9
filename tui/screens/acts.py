"""Acts: targets are pinned when the key is pressed, and a dialog asks before anything is sent."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ..model.queue import DOUBTFUL
from ..model.seam import Act, Target
from ..model.task import Task
from .parts import Part


class Acts(Part):
    """Commands that change the cluster; each opens the confirm dialog."""

    def ask(self, act: Act, targets: Sequence[Target]) -> None:
        """Open the confirm dialog for an act on targets that are pinned now."""
        if self.host.view().stale:
            self.host.toast("acts are off until the broker answers", "warn")
        elif not targets and act is not Act.UNDO:
            none = "no worker here has its task events off"
            self.host.toast(none if act is Act.EVENTS_ON else f"nothing here to {act}", "warn")
        else:
            self.host.ask(self.host.request(act, targets))

    def task_targets(self, ids: Iterable[str]) -> list[Target]:
        """Targets of tasks, with what is known of them now."""
        return [
            Target(
                "task",
                task.id,
                task.name,
                task.worker or task.queue or "",
                self._child(task),
                task.state,
            )
            for task in self.host.cluster.tasks_of(ids)
        ]

    def queue_target(self, name: str) -> Target:
        """One queue; of a quarantine in which all is doubtful that is said."""
        queue = self.host.cluster.queues.get(name)
        doubtful = queue is not None and queue.only_doubtful
        return Target("queue", name, state=DOUBTFUL if doubtful else "")

    def _child(self, task: Task) -> int | None:
        """The process that runs it, if inspect has told: events name the worker's main process."""
        worker = self.host.cluster.workers.get(task.worker)
        return None if worker is not None and task.pid in worker.main_pids else task.pid

    def acting_on_tasks(self) -> list[str]:
        """Ids that a task act is aimed at; screens without tasks have none."""
        return self.table.selected() if self.table is not None else []

    def do_revoke(self) -> None:
        """Revoke the selected tasks."""
        self.ask(Act.REVOKE, self.task_targets(self.acting_on_tasks()))

    def do_terminate(self) -> None:
        """Terminate the selected running tasks."""
        self.ask(Act.TERMINATE, self.task_targets(self.acting_on_tasks()))

    def do_retry(self) -> None:
        """Send the selected tasks again."""
        self.ask(Act.RETRY, self.task_targets(self.acting_on_tasks()))

    def do_undo(self) -> None:
        """Undo the last purge."""
        self.ask(Act.UNDO, [])

    def do_events_on(self) -> None:
        """Switch task events on where they are off."""
        workers = self.host.cluster.workers.values()
        off = [w for w in workers if w.events_enabled is not True and w.offline_at is None]
        self.ask(Act.EVENTS_ON, [Target("worker", worker.hostname) for worker in off])
