"""Why: where each fact of one task, queue, worker or finding comes from, and how old it is."""

from __future__ import annotations

from typing import ClassVar

from ..columns import why_finding, why_queue, why_task, why_worker
from ..columns.base import View
from ..columns.names import literal, node, short_id
from ..columns.why import Part
from ..commands import catalog
from ..commands.base import Command
from ..model.seam import Finding
from ..widgets.lines import BLANK, Line
from .page import PageScreen
from .why_lines import why_lines

WHY = "why-"
"""Kinds of page that the host opens: ``why-task``, ``why-queue`` …"""
HOLDING = {"task": "4 Tasks", "queue": "2 Queues", "worker": "3 Workers", "finding": "1 Home"}
GONE = {
    "task": "this task was dropped: only the newest finished tasks are kept",
    "queue": "this queue is no more: no list, no binding and no worker has it",
    "worker": "this worker is not known any more",
    "finding": "this finding does not stand any more",
}


class WhyScreen(PageScreen):
    """One page of origins; ``i`` goes on to the sources themselves."""

    commands: ClassVar[tuple[Command, ...]] = (
        *catalog.SCROLLS,
        catalog.YANK,
        catalog.TO_SOURCES,
        *catalog.NOT_WHY,
    )

    def __init__(self, kind: str, name: str) -> None:
        super().__init__()
        self.kind, self.subject = kind, name
        self._finding: Finding | None = None

    def crumbs(self) -> tuple[str, ...]:
        """Tasks › id › Why."""
        return (HOLDING[self.kind], self._named(), "Why")

    def _named(self) -> str:
        if self.kind == "task":
            return short_id(self.subject)
        if self.kind == "worker":
            return node(self.subject)
        if self.kind == "finding" and self._finding is not None:
            return literal(f"{self._finding.rule} {self._finding.subject}", 80)
        return literal(self.subject, 80)

    def lines(self, view: View, width: int) -> list[Line]:
        """The facts; a sentence if what they are of has gone meanwhile."""
        parts = self._parts(view)
        if not parts:
            return [Line(((GONE[self.kind], "dim"),))]
        roomy = self.app.size.height >= 32
        return [*self._title(), *([BLANK] if roomy else []), *why_lines(parts, view, width, roomy)]

    def _title(self) -> list[Line]:
        subject = self.subject
        if self.kind == "finding" and self._finding is not None:
            subject = self._finding.subject
        return [Line(((f"{self.kind} ", "dim"), (literal(subject, 300), "bright")))]

    def _parts(self, view: View) -> list[Part]:
        cluster = view.cluster
        if self.kind == "finding":
            return self._of_finding(view)
        if self.kind == "queue":
            queue = cluster.queues.get(self.subject)
            self.host.queues_on_screen([self.subject])
            return why_queue.parts(queue, view) if queue is not None else []
        if self.kind == "worker":
            worker = cluster.workers.get(self.subject)
            return why_worker.parts(worker, view) if worker is not None else []
        task = cluster.tasks.get(self.subject)
        self.host.on_screen([self.subject])
        return why_task.parts(task, view) if task is not None else []

    def _of_finding(self, view: View) -> list[Part]:
        """As it was last told, also once it is over."""
        standing = (one for one in self.host.findings if one.key == self.subject)
        found = next(standing, None)
        self._finding = found or self._finding
        if self._finding is None:
            return []
        return why_finding.parts(self._finding, found is not None, view)

    def do_why(self) -> None:
        """On to the sources themselves."""
        self.host.open("sources", "")

    def do_yank(self) -> None:
        """Copy what the page is about."""
        self.host.copy(self.subject, literal(self.subject, 40))
