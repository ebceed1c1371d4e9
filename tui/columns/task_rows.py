"""Which tasks a table shows and in which order: newest, running, failed, by filter, by column."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice
from typing import Any

from ..model.query import Query
from ..model.task import Task
from ..model.worker import Worker
from .base import Cell, Column, View
from .names import literal
from .numbers import clock, count
from .rows import Head, PlainRows
from .tasks import COLUMNS, FAILURES, RUNNING, WORKER_TASKS

TOLD_FROM = 100_000
"""Rows above which it is told how far a filter or a sort is."""
OLD_AFTER_S = 3.0
"""Age in seconds from which an order says of when it is."""


class TaskRows(PlainRows):
    """The Tasks screen: all tasks kept, newest first unless sorted, filtered by substring."""

    columns: Sequence[Column[Any]] = COLUMNS

    def __init__(self) -> None:
        self.query = Query()

    @property
    def filter(self) -> str:
        """Substring of id, name, state, args, worker, queue or exception."""
        return self.query.text

    @filter.setter
    def filter(self, text: str) -> None:
        self.query.text = text

    @property
    def sort(self) -> tuple[str, bool] | None:
        """(Column id, whether the largest comes first); None: newest first."""
        return self.query.sort

    @sort.setter
    def sort(self, sort: tuple[str, bool] | None) -> None:
        self.query.sort = sort

    def head(self, view: View) -> Head:
        """Own heads."""
        return Head()

    def ids(self, view: View) -> Sequence[str]:
        """Ids in the order that ``work`` has come to."""
        return self.query.ids(view.cluster)

    def work(self, view: View) -> bool:
        """Filter and sort a little further."""
        sort = self.query.sort
        column = next((c for c in self.columns if sort is not None and c.id == sort[0]), None)
        value = column.value if column is not None else _no_value
        return self.query.step(view.cluster, lambda task: value(task, view), view.now)

    @property
    def unfinished(self) -> bool:
        """Whether a filter or a sort that was asked for is not yet what is shown."""
        return self.query.unfinished

    def cancel(self) -> bool:
        """Stay with the order shown, where another one is being made."""
        return self.query.cancel_sort()

    def order_note(self, view: View) -> str:
        """How far a long work is; how old an order is that looks as if it were of now."""
        progress, sorted_at = self.query.progress, self.query.sorted_at
        if progress is not None and progress.of > TOLD_FROM:
            return f"{progress.verb} {progress.done:,} of {progress.of:,}"
        if sorted_at is not None and view.now - sorted_at > OLD_AFTER_S:
            return f"order of {clock(sorted_at, view)}"
        return ""

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
        search = view.cluster.results_search
        if search is not None and not search.done and search.of:
            words = f"{search.keys:,} of ~{search.of:,} result keys looked through"
            return ((f"no task seen yet; {words}", "dim"),)
        return (("no task seen yet: tasks appear as they move, or as workers list them", "dim"),)


ON_HOME = 200
"""Most rows of a list that is not a screen of its own."""
LONGEST_AMONG = 1_000


class RunningRows(PlainRows):
    """Running tasks, the longest first."""

    columns: Sequence[Column[Any]] = RUNNING

    def head(self, view: View) -> Head:
        """How many run."""
        return Head("Running", count(len(view.cluster.running)), "longest first", covers=2)

    def ids(self, view: View) -> Sequence[str]:
        """Ids by start."""
        cluster = view.cluster
        # They were put in as they started: the longest are among the first.
        tasks = cluster.tasks_of(islice(cluster.running, LONGEST_AMONG))
        tasks.sort(key=lambda task: task.started_at or task.first_seen)
        return self.settled([task.id for task in tasks[:ON_HOME]])

    def record(self, row_id: str, view: View) -> Task | None:
        """The task of that id."""
        return view.cluster.tasks.get(row_id)

    def empty(self, view: View) -> tuple[Cell, ...]:
        """Nothing runs, as far as anybody told."""
        told = any(worker.running is not None for worker in view.cluster.workers.values())
        asked = view.cluster.rounds.get("active")
        if told:
            return (("no task was running" if view.stale else "no task is running", "dim"),)
        link = view.cluster.health.get("inspect")
        if link is not None and link.refusal:
            return (("no worker can be asked", "dim"),)
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
        return self.settled(list(islice(reversed(failures), ON_HOME)))

    def record(self, row_id: str, view: View) -> Task | None:
        """The task of that id."""
        return view.cluster.tasks.get(row_id)

    def empty(self, view: View) -> tuple[Cell, ...]:
        """None heard; without events none can be."""
        workers = view.cluster.workers.values()
        if all_off(view):
            return (
                ("? task events are off: failures cannot be seen here, ", "warn"),
                ("E", "acc bold"),
                (" switches them on", "warn"),
            )
        if not any(worker.events_enabled for worker in workers):
            return (("none seen; whether task events are on shows once a task moves", "dim"),)
        return (("✓ none heard since we attached", "dim"),)


def all_off(view: View) -> bool:
    """Whether every worker is known to send no task events."""
    workers = view.cluster.workers.values()
    return bool(workers) and all(worker.events_enabled is False for worker in workers)


def _no_value(task: Task, view: View) -> None:
    """Of tasks that are not sorted."""


def _left_behind(worker: Worker, view: View) -> list[str]:
    """What its last process ran and held when it left, while nobody knows better."""
    parting, fates = worker.parting, view.cluster.reconciler.fates
    if parting is None:
        return []
    return [task_id for task_id in (*parting.running, *parting.held) if task_id in fates]


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
        there = cluster.tasks_of(cluster.reconciler.places.on(self.hostname))
        running = [task for task in there if task.id in cluster.running]
        running.sort(key=lambda task: task.started_at or task.first_seen)
        held = [
            t.id
            for t in cluster.tasks_of((*(worker.reserved or ()), *(worker.scheduled or ())))
            if t.state in ("RECEIVED", "RETRY")
        ]
        left = [task.id for task in cluster.tasks_of(_left_behind(worker, view))]
        ids = list(dict.fromkeys((*(task.id for task in running), *left, *held)))
        return self.settled(ids)

    def record(self, row_id: str, view: View) -> Task | None:
        """The task of that id."""
        return view.cluster.tasks.get(row_id)

    def empty(self, view: View) -> tuple[Cell, ...]:
        """It is idle, or did not tell."""
        worker = view.cluster.workers.get(self.hostname)
        told = worker is not None and worker.running is not None
        return (("idle: it runs and holds no task" if told else "asking it…", "dim"),)
