"""Queues: depth, consumers and what happened to them; purge and undo."""

from __future__ import annotations

from typing import ClassVar

from ..columns.base import View
from ..columns.queues import COLUMNS, QueueRows
from ..commands import catalog
from ..commands.base import Command
from ..model.seam import Act, Target
from .table_screen import LOOKS, TableScreen


class QueuesScreen(TableScreen):
    """All queues, the unconsumed first."""

    root = "queues"
    commands: ClassVar[tuple[Command, ...]] = (*LOOKS, catalog.PURGE, catalog.UNDO)

    def rows(self) -> QueueRows:
        """All queues."""
        return QueueRows(COLUMNS)

    def total(self, view: View) -> int:
        """Queues known."""
        return len(view.cluster.queues)

    def target_kind(self) -> str:
        """Queues."""
        return "queue"

    def acting_on_tasks(self) -> list[str]:
        """No tasks here."""
        return []

    def do_purge(self) -> None:
        """Purge the queue under the cursor."""
        if self.main.cursor_id is not None:
            self.ask(Act.PURGE, [Target("queue", self.main.cursor_id)])

    def do_undo(self) -> None:
        """Restore the quarantine under the cursor, else the last purge."""
        queue = self.host.cluster.queues.get(self.main.cursor_id or "")
        targets = [Target("queue", queue.name)] if queue is not None and queue.quarantine else []
        self.ask(Act.UNDO, targets)
