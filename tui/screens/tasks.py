"""Tasks: every task kept, newest first; filter, sort, freeze, and the acts on tasks."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult

from ..columns.base import View
from ..columns.facts import fitting, in_a_row
from ..columns.task_rows import TaskRows
from ..columns.tasks import counts_facts, search_fact
from ..commands import catalog
from ..commands.base import Command
from ..widgets.lines import BLANK, Line, Lines
from .table_screen import LOOKS, TableScreen
from .task_page import brief_lines

BESIDE = 150
"""Width from which the selected task has a pane of its own."""
PANE = 58


class TasksScreen(TableScreen):
    """The live table of tasks."""

    root = "tasks"
    CSS_PATH = "tasks.tcss"
    commands: ClassVar[tuple[Command, ...]] = (*LOOKS, *catalog.TASK_ACTS, catalog.EVENTS_ON)

    def rows(self) -> TaskRows:
        """All tasks."""
        return TaskRows()

    def above(self, view: View) -> list[Line]:
        """Counts by state."""
        cluster = view.cluster
        told = [
            *counts_facts(cluster.counts, cluster.evicted),
            *search_fact(cluster.results_search),
        ]
        facts = fitting(told, self.app.size.width - 3)
        counts = Line(in_a_row(facts))
        return [BLANK, counts] if self.app.size.height >= 32 else [counts]

    def body(self) -> ComposeResult:
        """The table, and from 150 columns on what the selected task is about beside it."""
        yield from super().body()
        yield Lines(id="detail")

    def total(self, view: View) -> int:
        """Tasks kept."""
        return len(view.cluster.tasks)

    def paint(self, view: View) -> None:
        """As every table; results of what is shown are wanted."""
        super().paint(view)
        self.host.on_screen(self.main.shown_ids())
        self._detail(view)

    def _detail(self, view: View) -> None:
        pane = self.query_one("#detail", Lines)
        task = view.cluster.tasks.get(self.main.cursor_id or "")
        pane.display = self.app.size.width >= BESIDE and task is not None
        self.set_class(pane.display, "beside")
        if pane.display and task is not None:
            top = self.main.region.y - self.query_one("#body").region.y
            pane.styles.offset = (self.app.size.width - PANE, top)
            pane.show(brief_lines(task, view, PANE + 1))

    def target_kind(self) -> str:
        """Tasks."""
        return "task"

    def why(self) -> tuple[str, str]:
        """The task's origins."""
        return self.why_row("task")

    def do_open(self) -> None:
        """The task's page."""
        if self.main.cursor_id is not None:
            self.host.open("task", self.main.cursor_id)
