"""Whose family a task is of, by the ids that its events, message or result name. Pure."""

from __future__ import annotations

from ..model.peeked import MESSAGE
from ..model.task import BACKEND, EVENTS, Task
from .base import View
from .why import Origin, text, unknown
from .why_task_told import told_by


def facts(task: Task, view: View) -> list[Origin]:
    """Root, parent and group, by their ids."""
    found: list[Origin] = []
    if task.root_id:
        own = task.root_id == task.id
        value = "itself" if own else text(task.root_id, 80)
        found.append(told_by(task, "root", value, view, EVENTS, MESSAGE))
    elif task.sources:
        found.append(unknown("root", "task-received and task-sent tell it, or its message"))
    if task.parent_id:
        value = text(task.parent_id, 80)
        found.append(told_by(task, "parent", value, view, EVENTS, MESSAGE, BACKEND))
    if task.group_id:
        found.append(told_by(task, "group", text(task.group_id, 80), view, MESSAGE, BACKEND))
    return found
