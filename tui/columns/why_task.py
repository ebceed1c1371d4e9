"""Where each fact of a task comes from, by the sources that spoke of it: a room for each part.

``why_task_told`` knows the sources, their words and times; the others ask it. Pure.
"""

from __future__ import annotations

from ..model.task import Task
from . import why_task_carries, why_task_family, why_task_place, why_task_state, why_task_times
from .base import View
from .why import Part


def parts(task: Task, view: View) -> list[Part]:
    """What is known of a task, and what is not: state, place, times, what it carries, kin."""
    found = [
        Part("State", tuple(why_task_state.facts(task, view))),
        Part("Where", tuple(why_task_place.facts(task, view))),
        Part("When", tuple(why_task_times.facts(task, view))),
        Part("What", tuple(why_task_carries.facts(task, view))),
        Part("Family", tuple(why_task_family.facts(task, view))),
    ]
    return [part for part in found if part.origins]
