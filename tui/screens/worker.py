"""A worker: what it runs and holds, its queues, pool, and registered tasks."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult

from ..columns import workers as words
from ..columns.base import View
from ..columns.names import literal
from ..columns.numbers import duration
from ..columns.task_rows import WorkerTaskRows
from ..commands import catalog
from ..commands.base import Command
from ..model.seam import Act, Target
from ..model.worker import Worker
from ..widgets.lines import BLANK, Line, Lines
from ..widgets.table import VirtualTable
from .base import BaseScreen
from .page import labelled


class WorkerScreen(BaseScreen):
    """One node: facts above, the tasks it runs and holds below."""

    CSS_PATH = "worker.tcss"
    commands: ClassVar[tuple[Command, ...]] = (
        *catalog.MOVES,
        *catalog.MARKS,
        catalog.YANK,
        *catalog.EVERYWHERE,
        *catalog.TASK_ACTS,
        catalog.EVENTS_ON,
    )

    def __init__(self, hostname: str) -> None:
        super().__init__()
        self.hostname = hostname

    def crumbs(self) -> tuple[str, ...]:
        """Workers › node name."""
        return ("3 Workers", literal(self.hostname, 200))

    def body(self) -> ComposeResult:
        """Facts, then its tasks."""
        yield Lines(id="facts")
        yield VirtualTable(WorkerTaskRows(self.hostname), id="main")

    def paint(self, view: View) -> None:
        """Facts and tasks."""
        worker = view.cluster.workers.get(self.hostname)
        table = self.query_one("#main", VirtualTable)
        self.query_one("#facts", Lines).show(
            facts(worker, view, self.app.size.width) if worker else [BLANK]
        )
        table.tick(view)
        self.host.on_screen(table.shown_ids())

    def target_kind(self) -> str:
        """The tasks on it."""
        return "task"

    def why(self) -> tuple[str, str]:
        """Of the task that the cursor was moved to, else of the worker."""
        return self.why_row("task", "worker", self.hostname)

    def do_open(self) -> None:
        """The task's page."""
        if self.table is not None and self.table.cursor_id is not None:
            self.host.open("task", self.table.cursor_id)

    def do_events_on(self) -> None:
        """Events on for this worker."""
        self.ask(Act.EVENTS_ON, [Target("worker", self.hostname)])


def facts(worker: Worker, view: View, width: int) -> list[Line]:
    """What is known of the node, and what is not."""
    note = words.note(worker, view)
    state = words.state_cell(worker, view)
    first = Line(
        (state, ("  ", ""), (literal(worker.hostname, 200), "bright"), (f"  {note}", "dim"))
    )
    unknown = ("?", "dim")
    who = labelled(
        width,
        ("pid", str(worker.pid) if worker.pid is not None else unknown),
        ("pool", words.pool_cell(worker, view)),
        ("busy", words.busy_cell(worker, view)),
        ("held", words.held_cell(worker, view)),
        ("prefetch", str(worker.prefetch) if worker.prefetch is not None else unknown),
        ("autoscale", words.autoscale_cell(worker, view)),
        ("events", words.events_cell(worker, view)),
    )
    how = labelled(
        width,
        ("up", words.uptime_cell(worker, view)),
        ("rss", words.rss_cell(worker, view)),
        ("load", words.load_cell(worker, view)),
        ("done", words.processed_cell(worker, view)),
        ("lost", words.lost_cell(worker, view)),
        ("seen", words.seen_cell(worker, view)),
        ("software", literal(worker.software, 60) if worker.software else unknown),
    )
    known = ", ".join(worker.registered[:40]) if worker.registered is not None else "?"
    queues = labelled(
        width, ("queues", words.queues_cell(worker, view)), *words.conf_cells(worker, view)
    )
    registered = labelled(
        width, (f"registered {len(worker.registered or ()) or ''}".strip(), literal(known, 600))
    )
    lacking = bool(view.cluster.registered.lacks(worker.hostname))
    lacks = labelled(width, ("lacks", words.lacks_cell(worker, view))) if lacking else []
    left = _left(worker, view, width)
    return [BLANK, first, *who, *how, *queues, *registered, *lacks, *left, BLANK]


def _left(worker: Worker, view: View, width: int) -> list[Line]:
    """What its last process ran and held when it left; what became of it stands below."""
    parting = worker.parting
    if parting is None or not (parting.running or parting.held):
        return []
    pid = "" if parting.pid is None else f"pid {parting.pid}, "
    ran = ", ".join(literal(task_id, 8) for task_id in parting.running[:8]) or "nothing known"
    more = len(parting.running) - 8
    ran += f" and {more} more" if more > 0 else ""
    when = f"{pid}{duration(view.now - parting.at)} ago"
    label = {"lost": "running when lost"}.get(parting.how, f"running when {parting.how}")
    held = str(len(parting.held))
    return labelled(width, (label, ran), ("held", held), ("that was", (when, "dim")))
