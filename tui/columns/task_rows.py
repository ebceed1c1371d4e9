"""Which tasks a table shows and in which order: newest, running, failed, by filter, by column."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..model.query import Query
from ..model.task import Task
from .base import Cell, Column, View
from .names import literal
from .numbers import count
from .rows import Head, PlainRows
from .tasks import COLUMNS, FAILURES, RUNNING, WORKER_TASKS


class TaskRows(PlainRows):
    """The Tasks screen: all tasks kept, newest first unless sorted, filtered by substring."""

    columns: Sequence[Column[Any]] = COLUMNS

    def __init__(self) -> None:
        self.sort: tuple[str, bool] | None = None
        self.query = Query()

    @property
    def filter(self) -> str:
        """Substring of id, name, state, args, worker, queue or exception."""
        return self.query.text

    @filter.setter
    def filter(self, text: str) -> None:
        self.query.set_text(text)

    def head(self, view: View) -> Head:
        """Own heads."""
        return Head()

    def ids(self, view: View) -> Sequence[str]:
        """Ids in order; a column's order is made anew at most once a second."""
        if self.sort is None:
            return self.query.newest(view.cluster)
        column = next(c for c in self.columns if c.id == self.sort[0])
        return self.query.sorted_by(
            view.cluster, self.sort, lambda task: column.value(task, view), view.now
        )

    def record(self, row_id: str, view: View) -> Task | None:
        """The task of that id."""
        return view.cluster.tasks.get(row_id)

    def row_style(self, record: Task, view: View) -> str:
        """What needs nobody is dim."""
        return "dim" if record.state in ("RECEIVED", "REVOKED", "PENDING") else ""

    def empty(self, view: View) -> tuple[Cell, ...]:
        """Nothing yet, or nothing matches."""
        if self.query.text:
            kept = count(len(view.cluster.tasks))
            return (
                (f"no task of {kept} matches {literal(self.query.text, 60)}   Esc clears", "dim"),
            )
        return (("no task seen yet: tasks appear as they move, or as workers list them", "dim"),)


class RunningRows(PlainRows):
    """Running tasks, the longest first."""

    columns: Sequence[Column[Any]] = RUNNING

    def head(self, view: View) -> Head:
        """How many run."""
        return Head("Running", count(len(view.cluster.running)), "longest first", covers=2)

    def ids(self, view: View) -> Sequence[str]:
        """Ids by start."""
        cluster = view.cluster
        tasks = cluster.tasks_of(cluster.running)
        tasks.sort(key=lambda task: task.started_at or task.first_seen)
        ids = [task.id for task in tasks[:200]]
        return self.settled(ids)

    def record(self, row_id: str, view: View) -> Task | None:
        """The task of that id."""
        return view.cluster.tasks.get(row_id)

    def empty(self, view: View) -> tuple[Cell, ...]:
        """Nothing runs, as far as anybody told."""
        told = any(worker.running is not None for worker in view.cluster.workers.values())
        asked = view.cluster.rounds.get("active")
        if told:
            return (("no task was running" if view.stale else "no task is running", "dim"),)
        silent = asked is not None and not asked.answered
        return (("no worker has told" if silent else "asking the workers…", "dim"),)


class FailureRows(PlainRows):
    """Failed tasks, the newest first."""

    columns: Sequence[Column[Any]] = FAILURES

    def head(self, view: View) -> Head:
        """How many are kept."""
        return Head("Failures", count(len(view.cluster.failures)), "newest first", covers=2)

    def ids(self, view: View) -> Sequence[str]:
        """Ids of the newest failures."""
        failures = view.cluster.failures
        ids = [task_id for _, task_id in zip(range(200), reversed(failures), strict=False)]
        return self.settled(ids)

    def record(self, row_id: str, view: View) -> Task | None:
        """The task of that id."""
        return view.cluster.tasks.get(row_id)

    def empty(self, view: View) -> tuple[Cell, ...]:
        """None heard; without events none can be."""
        workers = view.cluster.workers.values()
        blind = [worker for worker in workers if worker.events_enabled is False]
        if blind and len(blind) == len(workers):
            return (
                ("? task events are off: failures cannot be seen here, ", "warn"),
                ("E", "acc bold"),
                (" switches them on", "warn"),
            )
        if not any(worker.events_enabled for worker in workers):
            return (("none seen; whether task events are on shows once a task moves", "dim"),)
        return (("✓ none heard since we attached", "dim"),)


class WorkerTaskRows(PlainRows):
    """What one worker runs and holds: running first, then reserved, then waiting for an ETA."""

    columns: Sequence[Column[Any]] = WORKER_TASKS

    def __init__(self, hostname: str) -> None:
        self.hostname = hostname

    def head(self, view: View) -> Head:
        """How many of each."""
        worker = view.cluster.workers.get(self.hostname)
        held = worker.held if worker is not None else None
        note = f"{held} held" if held else ""
        return Head("On it", count(len(self._ids)), note, covers=2)

    def ids(self, view: View) -> Sequence[str]:
        """Running (by events and inspect), then what it has reserved."""
        cluster = view.cluster
        worker = cluster.workers.get(self.hostname)
        if worker is None:
            return self._ids
        running = [t.id for t in cluster.tasks_of(cluster.running) if t.worker == self.hostname]
        held = [
            t.id
            for t in cluster.tasks_of((*(worker.reserved or ()), *(worker.scheduled or ())))
            if t.state in ("RECEIVED", "RETRY")
        ]
        ids = list(dict.fromkeys((*running, *held)))
        return self.settled(ids)

    def record(self, row_id: str, view: View) -> Task | None:
        """The task of that id."""
        return view.cluster.tasks.get(row_id)

    def empty(self, view: View) -> tuple[Cell, ...]:
        """It is idle, or did not tell."""
        worker = view.cluster.workers.get(self.hostname)
        told = worker is not None and worker.running is not None
        return (("idle: it runs and holds no task" if told else "asking it…", "dim"),)
