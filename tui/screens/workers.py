"""Workers: who lives, what they do, which queues they serve; events on."""

from __future__ import annotations

from typing import ClassVar

from ..columns.base import View
from ..columns.workers import COLUMNS, WorkerRows
from ..commands import catalog
from ..commands.base import Command
from ..model.seam import Act, Target
from .table_screen import LOOKS, TableScreen


class WorkersScreen(TableScreen):
    """All workers, trouble first."""

    root = "workers"
    commands: ClassVar[tuple[Command, ...]] = (*LOOKS, catalog.EVENTS_ON)

    def rows(self) -> WorkerRows:
        """All workers."""
        return WorkerRows(COLUMNS, titled=False)

    def total(self, view: View) -> int:
        """Workers known."""
        return len(view.cluster.workers)

    def why(self) -> tuple[str, str]:
        """The worker's origins."""
        return self.why_row("worker")

    def do_open(self) -> None:
        """The worker's page."""
        if self.main.cursor_id is not None:
            self.host.open("worker", self.main.cursor_id)

    def do_events_on(self) -> None:
        """Events on for the marked workers, else wherever they are off."""
        if self.main.marks:
            self.ask(Act.EVENTS_ON, [Target("worker", name) for name in self.main.marks])
        else:
            super().do_events_on()
