"""Queues: depth, consumers, what happened to them and the backlog of one; purge and undo."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult

from ..columns.base import View
from ..columns.queues import COLUMNS, QueueRows
from ..columns.trends import queue_chart
from ..commands import catalog
from ..commands.base import Command
from ..model.seam import Act
from ..widgets.chart_pane import ChartPane
from .home_layout import ROOMY, chart_lines
from .table_screen import LOOKS, LOW, TableScreen


class QueuesScreen(TableScreen):
    """All queues, the unconsumed first."""

    root = "queues"
    commands: ClassVar[tuple[Command, ...]] = (*LOOKS, catalog.PURGE, catalog.UNDO)

    def rows(self) -> QueueRows:
        """All queues."""
        return QueueRows(COLUMNS)

    def body(self) -> ComposeResult:
        """The table, and below it the backlog of the selected queue."""
        self._room: tuple[int, int, int] | None = None
        yield from super().body()
        yield ChartPane(id="chart")

    def paint(self, view: View) -> None:
        """The table, then the chart in the rows that are left."""
        lines = self._make_room(view)
        super().paint(view)
        self.host.queues_on_screen(self.main.shown_ids())
        pane = self.query_one(ChartPane)
        queue = view.cluster.queues.get(self.main.cursor_id or "")
        if queue is None or not pane.display or self.main.frozen:
            return
        findings = self.host.findings
        told = tuple(finding.key for finding in findings)
        chart = view.once((queue.name, told), lambda: queue_chart(view, queue, findings))
        pane.draw(chart, view, self.app.size.width, lines)

    def _make_room(self, view: View) -> int:
        """Lines of the chart. All queues keep their rows, also those filtered out: no jumps."""
        height = self.app.size.height
        gap = 1 if height >= ROOMY else 0
        around = (3 if height >= LOW else 2) + (height >= LOW) + 1
        rows = self.total(view)
        lines = chart_lines(height - around - (rows + 1) - gap) if rows else 0
        pane, room = self.query_one(ChartPane), (rows, lines, gap)
        if room == self._room:
            return lines
        self._room = room
        pane.display = bool(lines)
        pane.styles.height, pane.styles.margin = lines, (gap, 0, 0, 0)
        self.main.styles.height = rows + 1 if lines else "1fr"
        return lines

    def total(self, view: View) -> int:
        """Queues known."""
        return len(view.cluster.queues)

    def target_kind(self) -> str:
        """Queues."""
        return "queue"

    def acting_on_tasks(self) -> list[str]:
        """No tasks here."""
        return []

    def why(self) -> tuple[str, str]:
        """The queue's origins."""
        return self.why_row("queue")

    def do_open(self) -> None:
        """The queue's page."""
        if self.main.cursor_id is not None:
            self.host.open("queue", self.main.cursor_id)

    def do_purge(self) -> None:
        """Purge the queue under the cursor."""
        if self.main.cursor_id is not None:
            self.ask(Act.PURGE, [self.queue_target(self.main.cursor_id)])

    def do_undo(self) -> None:
        """Restore the quarantine under the cursor, else the last purge."""
        queue = self.host.cluster.queues.get(self.main.cursor_id or "")
        held = queue is not None and queue.quarantine
        self.ask(Act.UNDO, [self.queue_target(queue.name)] if queue is not None and held else [])
