"""Family: the whole tree of the workflow that a task is part of."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult

from ..columns.base import View
from ..columns.family import FamilyRows, asked_for
from ..columns.names import short_id
from ..commands import catalog
from ..commands.base import Command
from ..widgets.lines import BLANK, Lines
from ..widgets.table import VirtualTable
from .base import BaseScreen


class FamilyScreen(BaseScreen):
    """A tree; Enter opens the task under the cursor."""

    CSS_PATH = "family.tcss"
    commands: ClassVar[tuple[Command, ...]] = (
        *catalog.MOVES,
        catalog.YANK,
        *catalog.EVERYWHERE,
        *catalog.TASK_ACTS,
    )

    def __init__(self, task_id: str) -> None:
        super().__init__()
        self.task_id = task_id
        self.rows = FamilyRows(task_id)
        self._placed = False

    def crumbs(self) -> tuple[str, ...]:
        """Tasks › id › Family."""
        return ("4 Tasks", short_id(self.task_id), "Family")

    def body(self) -> ComposeResult:
        """A line of air, where there is room, and the tree."""
        yield Lines(id="air")
        yield VirtualTable(self.rows, id="main")

    def paint(self, view: View) -> None:
        """The tree; results of what it shows are wanted, also of what nobody saw."""
        self.query_one("#air", Lines).show([BLANK] if self.app.size.height >= 24 else [])
        tree = self.query_one("#main", VirtualTable)
        tree.tick(view)
        if not self._placed:
            self._placed = tree.go_to(self.task_id)
        self.host.on_screen(asked_for(self.rows.kin(tree.shown_ids())))

    def target_kind(self) -> str:
        """Tasks, if somebody saw the one under the cursor."""
        return "task" if self._seen() else ""

    def acting_on_tasks(self) -> list[str]:
        """The task under the cursor."""
        seen = self._seen()
        return [seen] if seen else []

    def why(self) -> tuple[str, str]:
        """Of the task under the cursor, if somebody has seen it."""
        return self.why_row("task") if self._seen() else super().why()

    def do_open(self) -> None:
        """The task's page."""
        seen = self._seen()
        if seen:
            self.host.open("task", seen)
        else:
            self.host.toast("nobody has seen it yet: there is nothing to open", "warn")

    def _seen(self) -> str:
        here = self.table.cursor_id if self.table is not None else None
        return here if here is not None and here in self.host.cluster.tasks else ""
