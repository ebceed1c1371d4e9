"""Tasks: every task kept, newest first; filter, sort, freeze, and the acts on tasks."""

from __future__ import annotations

from typing import ClassVar

from ..columns.base import View
from ..columns.task_rows import TaskRows
from ..columns.tasks import counts_line
from ..commands import catalog
from ..commands.base import Command
from ..widgets.lines import BLANK, Line
from .table_screen import LOOKS, TableScreen


class TasksScreen(TableScreen):
    """The live table of tasks."""

    root = "tasks"
    commands: ClassVar[tuple[Command, ...]] = (*LOOKS, *catalog.TASK_ACTS, catalog.EVENTS_ON)

    def rows(self) -> TaskRows:
        """All tasks."""
        return TaskRows()

    def above(self, view: View) -> list[Line]:
        """Counts by state."""
        counts = Line(tuple(counts_line(view.cluster.counts)))
        return [BLANK, counts] if self.app.size.height >= 32 else [counts]

    def total(self, view: View) -> int:
        """Tasks kept."""
        return len(view.cluster.tasks)

    def paint(self, view: View) -> None:
        """As every table; results of what is shown are wanted."""
        super().paint(view)
        self.host.on_screen(self.main.shown_ids())

    def target_kind(self) -> str:
        """Tasks."""
        return "task"

    def do_open(self) -> None:
        """The task's page."""
        if self.main.cursor_id is not None:
            self.host.open("task", self.main.cursor_id)
