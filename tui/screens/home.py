"""Home: what is wrong, then queues, workers, running tasks, failures and what moves."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult

from ..columns import queues, workers
from ..columns.base import View
from ..columns.findings import AttentionRows
from ..columns.live import LiveRows, LogRows
from ..columns.queues import QueueRows
from ..columns.task_rows import FailureRows, RunningRows
from ..columns.workers import WorkerRows
from ..commands import catalog
from ..commands.base import Command
from ..model.seam import Act
from ..widgets.chart_pane import ChartPane
from ..widgets.lines import Lines
from ..widgets.table import VirtualTable
from .base import BaseScreen
from .home_charts import HomeCharts
from .home_layout import ROOMY, Place, Wanted, chart_room, places
from .notices import notices

TASK_TABLES = ("running", "failures")
LEAST = {
    "attention": 1,
    "queues": 2,
    "failures": 1,
    "workers": 2,
    "running": 1,
    "live": 2,
    "changes": 1,
}
"""Rows a section is worth showing with."""
SHRINK_AFTER_S = 5.0
MOST = {
    "attention": 8,
    "queues": 30,
    "workers": 40,
    "running": 40,
    "failures": 12,
    "live": 200,
    "changes": 12,
}


class HomeScreen(BaseScreen):
    """The attention list and the first rows of everything else."""

    CSS_PATH = "home.tcss"
    AUTO_FOCUS = "#queues"
    root = "home"
    commands: ClassVar[tuple[Command, ...]] = (
        *catalog.MOVES,
        *catalog.PANES,
        catalog.MARK,
        catalog.CLEAR_MARKS,
        catalog.FREEZE,
        catalog.YANK,
        *catalog.EVERYWHERE,
        *catalog.TASK_ACTS,
        catalog.PURGE,
        catalog.UNDO,
        catalog.EVENTS_ON,
    )

    def body(self) -> ComposeResult:
        """Notices, the sections and the charts that ``home_layout`` places."""
        self._tables = {
            "attention": VirtualTable(AttentionRows(lambda: self.host.findings), id="attention"),
            "queues": VirtualTable(QueueRows(queues.HOME), id="queues"),
            "workers": VirtualTable(WorkerRows(workers.HOME, titled=True), id="workers"),
            "running": VirtualTable(RunningRows(), id="running"),
            "failures": VirtualTable(FailureRows(), id="failures"),
            "live": VirtualTable(LiveRows(), id="live"),
            "changes": VirtualTable(LogRows(titled="Changes"), id="changes"),
        }
        self._attended = False
        self._held: dict[str, tuple[int, float]] = {}
        self._charts = HomeCharts()
        yield Lines(id="notices")
        yield from self._tables.values()
        yield from self._charts.panes.values()

    def paint(self, view: View) -> None:
        """Notices, places of the sections, then the sections."""
        host = self.host
        lines = notices(view, host.findings, host.starting, host.broker_url)
        shown = self.query_one("#notices", Lines)
        shown.display = bool(lines)
        shown.show(lines)
        self._lay_out(view, len(lines))
        self._attend()
        for table in self._tables.values():
            if table.display:
                table.tick(view)
        self._charts.draw(view, host.findings)
        host.on_screen([i for name in TASK_TABLES for i in self._tables[name].shown_ids()])
        host.queues_on_screen(self._tables["queues"].shown_ids())

    def _lay_out(self, view: View, notices: int) -> None:
        width, height = self.app.size
        gap = 1 if height >= ROOMY else 0
        body = height - (2 if height < 20 else 3) - 1 - gap
        top = notices + gap if notices else 0
        wanted = {name: w for name in self._tables if (w := self._wanted(name, view))}
        room = chart_room(wanted, width, body, top, gap)
        charts = self._charts.settled(room, view, self.app.size)
        placed = places(wanted, width, body, top, gap, charts)
        self.query_one("#body").styles.padding = (gap, 0, 0, 0)
        for name, part in (self._tables | self._charts.panes).items():
            _put(part, placed.get(name))

    def _attend(self) -> None:
        """The first finding takes the focus, unless somebody has begun to look elsewhere."""
        attention = self._tables["attention"]
        if attention.display and not self._attended:
            self._attended = True
            if not any(table.touched for table in self._tables.values()):
                self.call_after_refresh(attention.focus)

    def _steady(self, name: str, rows: int, now: float) -> int:
        """A section grows at once and shrinks after some seconds: nothing below it jumps."""
        held, until = self._held.get(name, (0, 0.0))
        if rows >= held or now >= until:
            self._held[name] = (rows, now + SHRINK_AFTER_S)
            return rows
        return held

    def _wanted(self, name: str, view: View) -> Wanted | None:
        rows = len(self._tables[name].rows.ids(view))
        if name == "attention":
            second = 1 if self.app.size.height >= 36 and self._tables[name].has_focus else 0
            return Wanted(name, rows + second, min(rows, 2), MOST[name]) if rows else None
        rows = self._steady(name, max(1, rows), view.now)
        return Wanted(name, rows, min(rows, LEAST[name]), MOST[name])

    def target_kind(self) -> str:
        """By the section with the focus; a finding may be about a queue."""
        table = self.table
        if table is None or table.cursor_id is None:
            return ""
        if table.id == "attention":
            finding = table.rows.record(table.cursor_id, self.host.view())
            return finding.evidence.partition(":")[0] if finding is not None else ""
        return {"queues": "queue", "workers": "worker", "changes": ""}.get(table.id or "", "task")

    # -- commands -----------------------------------------------------------------------------

    def why(self) -> tuple[str, str]:
        """Of the row under the cursor; a change in the log has the sources."""
        table = self.table
        if table is None or table.cursor_id is None or table.id == "changes":
            return super().why()
        if table.id == "live":
            change = table.rows.record(table.cursor_id, self.host.view())
            return ("why-task", change.id) if change is not None else super().why()
        kinds = {"attention": "finding", "queues": "queue", "workers": "worker"}
        return self.why_row(kinds.get(table.id or "", "task"))

    def do_open(self) -> None:
        """Open the evidence, or the page of what is under the cursor."""
        table = self.table
        if table is None or table.cursor_id is None:
            return
        if table.id == "attention":
            finding = table.rows.record(table.cursor_id, self.host.view())
            if finding is not None:
                kind, _, name = finding.evidence.partition(":")
                self.host.open(kind, name)
        elif table.id in TASK_TABLES:
            self.host.open("task", table.cursor_id)
        elif table.id == "live":
            change = table.rows.record(table.cursor_id, self.host.view())
            if change is not None:
                self.host.open("task", change.id)
        elif table.id == "queues":
            self.host.open("queue", table.cursor_id)
        elif table.id == "workers":
            self.host.open("worker", table.cursor_id)
        else:
            self.host.go("log")

    def do_freeze(self) -> None:
        """Freeze or thaw every section."""
        frozen = not any(table.frozen for table in self._tables.values())
        for table in self._tables.values():
            table.freeze(frozen)
        self._charts.frozen = frozen

    def acting_on_tasks(self) -> list[str]:
        """Tasks of the list with the focus; elsewhere there are none."""
        table = self.table
        if table is None or table.cursor_id is None:
            return []
        if table.id in TASK_TABLES:
            return table.selected()
        change = (
            table.rows.record(table.cursor_id, self.host.view()) if table.id == "live" else None
        )
        return [change.id] if change is not None else []

    def do_purge(self) -> None:
        """Purge the queue under the cursor (or the one a finding is about)."""
        table = self.table
        names: list[str] = []
        if table is not None and table.cursor_id is not None:
            if table.id == "queues":
                names = [table.cursor_id]
            elif table.id == "attention":
                finding = table.rows.record(table.cursor_id, self.host.view())
                kind, _, name = finding.evidence.partition(":") if finding else ("", "", "")
                names = [name] if kind == "queue" else []
        self.ask(Act.PURGE, [self.queue_target(name) for name in names])


def _put(part: VirtualTable | ChartPane, place: Place | None) -> None:
    """Move and size a section; nothing is laid out anew while its place stands."""
    part.display = place is not None
    if place is None or part.place == place:
        return
    part.place = place
    part.styles.offset = (place.x, place.y)
    part.styles.width, part.styles.height = place.width, place.height
