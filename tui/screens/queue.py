"""A queue: what waits in it and how long, who takes it, and its messages from either end."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult

from ..columns.base import View
from ..columns.messages import MessageRows
from ..columns.names import literal
from ..columns.trends import queue_chart
from ..commands import catalog
from ..commands.base import Command
from ..model.peeked import End, Peeked
from ..model.queue import Queue
from ..model.seam import Act
from ..widgets.chart_pane import ChartPane
from ..widgets.lines import BLANK, Line, Lines
from ..widgets.table import VirtualTable
from .base import BaseScreen
from .queue_page import facts, gone_lines, histogram, in_a_line, reading

PAGE = 50
SAMPLE = 500
AGAIN_S = 5.0
"""The first messages of the queue are read again so often while they are on screen."""
ROOMY = 32
"""From this height on bars show what is in it; below it is one line."""
LOW, LOW_FACTS = 16, 2
"""Below this height there are so many lines above the messages."""
CHART_FROM, CHART_LINES = 44, 9
"""From this height on there is room for its backlog."""


class QueueScreen(BaseScreen):
    """One queue: facts above, its messages, what they are and how it grew below."""

    CSS_PATH = "queue.tcss"
    commands: ClassVar[tuple[Command, ...]] = (
        *catalog.MOVES,
        catalog.NEXT_PAGE,
        catalog.PREVIOUS_PAGE,
        catalog.OTHER_END,
        catalog.YANK,
        *catalog.EVERYWHERE,
        catalog.PURGE,
        catalog.UNDO,
    )

    def __init__(self, name: str) -> None:
        super().__init__()
        self.queue_name = name
        self.end, self.behind = End.HEAD, 0
        self._asked_at = 0.0

    def crumbs(self) -> tuple[str, ...]:
        """Queues › name."""
        return ("2 Queues", literal(self.queue_name, 200))

    def body(self) -> ComposeResult:
        """Facts, messages, what is in it, its backlog."""
        yield Lines(id="facts")
        yield VirtualTable(MessageRows(self.queue_name), id="main")
        yield Lines(id="names")
        yield ChartPane(id="chart")

    @property
    def main(self) -> VirtualTable:
        """Its messages."""
        return self.query_one("#main", VirtualTable)

    def on_mount(self) -> None:
        """Look into it at once."""
        super().on_mount()
        self._look(SAMPLE)

    def paint(self, view: View) -> None:
        """All parts."""
        self.host.queues_on_screen([self.queue_name])
        queue = view.cluster.queues.get(self.queue_name)
        page = view.cluster.peeks.pages.get(self.queue_name)
        self.query_one("#facts", Lines).show(self._above(queue, page, view))
        self._paint_names(view)
        self._paint_chart(queue, view)
        self.main.tick(view)
        # Whoever has moved the cursor reads: what he reads stays where it is.
        first = self.end is End.HEAD and not self.behind and not self.main.touched
        alone = page is None or not page.marks
        if first and alone and not view.stale and view.now - self._asked_at >= AGAIN_S:
            self._look()

    def _above(self, queue: Queue | None, page: Peeked | None, view: View) -> list[Line]:
        width, gap = self.app.size.width, [BLANK] if self.app.size.height >= 24 else []
        if queue is None:
            return [*gap, *self._gone(view), BLANK]
        lines = facts(queue, view, width)
        if self.app.size.height < LOW:
            return [
                *lines[:LOW_FACTS],
                *reading(page if page and page.error else None, view, width),
            ]
        sample = view.cluster.peeks.samples.get(self.queue_name)
        names = [] if self.app.size.height >= ROOMY else in_a_line(sample, width)
        return [*gap, *lines, *names, *gap, *reading(page, view, width)]

    def _gone(self, view: View) -> list[Line]:
        cluster = view.cluster
        return gone_lines(self.queue_name, view.now - cluster.attached_at, cluster.is_amqp)

    def _paint_names(self, view: View) -> None:
        names = self.query_one("#names", Lines)
        sample = view.cluster.peeks.samples.get(self.queue_name)
        lines = histogram(sample, view, self.app.size.width)
        names.display = bool(lines) and self.app.size.height >= ROOMY
        if names.display:
            names.show([BLANK, *lines])

    def _paint_chart(self, queue: Queue | None, view: View) -> None:
        pane = self.query_one(ChartPane)
        pane.display = queue is not None and self.app.size.height >= CHART_FROM
        if queue is None or not pane.display:
            return
        findings = self.host.findings
        told = tuple(finding.key for finding in findings)
        chart = view.once((queue.name, told), lambda: queue_chart(view, queue, findings))
        pane.draw(chart, view, self.app.size.width, CHART_LINES)

    def _look(self, sample: int = 0, asked: int = 0) -> None:
        """Read the page that is to be shown, and the names of a sample."""
        self._asked_at = self.host.view().now
        self.host.look_into(self.queue_name, self.end, self.behind, PAGE, sample, asked)

    # -- commands -----------------------------------------------------------------------------

    def why(self) -> tuple[str, str]:
        """Of the message that the cursor was moved to, if its task is known, else of the queue."""
        known = self.main.cursor_id in self.host.cluster.tasks
        kind, name = self.why_row("task", "queue", self.queue_name)
        return (kind, name) if known else ("why-queue", self.queue_name)

    def target_kind(self) -> str:
        """This queue."""
        return "queue"

    def acting_on_tasks(self) -> list[str]:
        """Messages are looked at; their tasks have pages."""
        return []

    def do_open(self) -> None:
        """The page of the message's task, with what the message tells."""
        row = self.main.cursor_id
        message = self.main.rows.record(row, self.host.view()) if row is not None else None
        if message is None:
            return
        if not message.id:
            self.host.toast("it is no task message: there is nothing to open", "warn")
            return
        self.host.found_waiting(self.queue_name, message)
        self.host.open("task", message.id)

    def do_next_page(self) -> None:
        """Messages further from this end."""
        page = self._page()
        if page is not None and page.total and self.behind + len(page.messages) < page.total:
            self._turn_to(self.behind + max(1, len(page.messages)))

    def do_previous_page(self) -> None:
        """Messages nearer to this end."""
        if self.behind:
            self._turn_to(max(0, self.behind - PAGE))

    def do_other_end(self) -> None:
        """The newest messages, or the oldest again."""
        self.end = End.TAIL if self.end is End.HEAD else End.HEAD
        self._turn_to(0)

    def _turn_to(self, offset: int) -> None:
        self.behind = offset
        self.main.edge(False)
        self.main.touched = False
        self._look(asked=self._agreed())

    def _agreed(self) -> int:
        """Who was shown messages of it, being told what that does, may turn pages."""
        page = self.host.cluster.peeks.pages.get(self.queue_name)
        return 1 if page is not None and page.marks and not page.error else 0

    def _page(self) -> Peeked | None:
        page = self.host.cluster.peeks.pages.get(self.queue_name)
        here = page is not None and (page.end, page.offset) == (self.end, self.behind)
        return page if here else None

    def do_refresh(self) -> None:
        """Read the messages again, names too."""
        page = self._page()
        self._look(SAMPLE, (page.asks if page is not None else 0) or self._agreed())
        super().do_refresh()

    def do_yank(self) -> None:
        """Copy the task id of the message under the cursor, else the queue's name."""
        row = self.main.cursor_id
        message = self.main.rows.record(row, self.host.view()) if row is not None else None
        text = message.id if message is not None and message.id else self.queue_name
        self.host.copy(text, literal(text, 40))

    def do_purge(self) -> None:
        """Purge this queue."""
        self.ask(Act.PURGE, [self.queue_target(self.queue_name)])

    def do_undo(self) -> None:
        """Restore this quarantine, else the last purge."""
        queue = self.host.cluster.queues.get(self.queue_name)
        held = queue is not None and queue.quarantine
        self.ask(Act.UNDO, [self.queue_target(self.queue_name)] if held else [])
