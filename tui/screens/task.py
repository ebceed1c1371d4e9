"""A task: its timeline with attempts, args, result, traceback, and which source told what."""

from __future__ import annotations

from typing import ClassVar

from ..columns.base import View
from ..columns.family import asked_for, short_family
from ..columns.names import literal, short_id
from ..commands import catalog
from ..commands.base import Command
from ..widgets.lines import Line
from .page import PageScreen
from .task_page import task_lines


class TaskScreen(PageScreen):
    """One task, whatever is known of it."""

    commands: ClassVar[tuple[Command, ...]] = (
        *PageScreen.commands,
        catalog.WRAP,
        catalog.FAMILY,
        *catalog.TASK_ACTS,
    )

    def __init__(self, task_id: str) -> None:
        super().__init__()
        self.task_id = task_id
        self.wrap = False

    def crumbs(self) -> tuple[str, ...]:
        """Tasks › name › id."""
        task = self.host.cluster.tasks.get(self.task_id)
        name = literal(task.name, 60) if task is not None and task.name else "?"
        return ("4 Tasks", name, short_id(self.task_id))

    def lines(self, view: View, width: int) -> list[Line]:
        """The page; a sentence if the task was dropped meanwhile."""
        task = view.cluster.tasks.get(self.task_id)
        kin = short_family(view, task)[0] if task is not None else []
        self.host.on_screen([self.task_id, *asked_for(kin)])
        if task is None:
            kept = f"{view.cluster.max_tasks:,}"
            words = f"this task was dropped: only the newest {kept} finished tasks are kept"
            return [Line(((words, "dim"),))]
        return task_lines(task, view, width, self.wrap)

    def target_kind(self) -> str:
        """This task."""
        return "task"

    def acting_on_tasks(self) -> list[str]:
        """This task."""
        return [self.task_id]

    def why(self) -> tuple[str, str]:
        """Its origins."""
        return "why-task", self.task_id

    def do_family(self) -> None:
        """The tree of its workflow."""
        self.host.open("family", self.task_id)

    def do_yank(self) -> None:
        """Copy the id."""
        self.host.copy(self.task_id, "the task id")

    def do_wrap(self) -> None:
        """Wrap long lines, or cut them."""
        self.wrap = not self.wrap
