"""What a task carries: its arguments, its result or exception, and who told them. Pure."""

from __future__ import annotations

from ..model.redact import redact_text
from ..model.task import (
    BACKEND,
    EVENTS,
    FAILURE,
    PENDING,
    RECEIVED,
    RETRY,
    STARTED,
    SUCCESS,
    Task,
)
from .base import View, cut_tail
from .names import cut_exception
from .tasks import args_text
from .why import Origin, text, told, unknown
from .why_task_told import describing, heard_at, teller

SHOWN = 120
"""Characters of args, result and exception: the task's page shows all of them."""


def facts(task: Task, view: View) -> list[Origin]:
    """Arguments, and how it ended or the try before."""
    found = [_args(task, view)]
    end = _end_by(task, view)
    if task.result is not None:
        cut = "a repr, cut by its worker where it is long" if task.source == EVENTS else ""
        found.append(told("result", _plain(task.result, view), *end, cut))
    elif task.state == SUCCESS:
        need = "not stored (ignore_result, or expired), and not in the event"
        found.append(unknown("result", need))
    if task.exception:
        found.append(told("exception", _plain(task.exception, view), *end))
    elif task.state in (FAILURE, RETRY):
        found.append(unknown("exception", "neither an event nor the result backend told it"))
    if task.traceback:
        lines = len(task.traceback.splitlines())
        found.append(told("traceback", f"{lines:,} lines", *end))
    return found


def _end_by(task: Task, view: View) -> tuple[str, float | None]:
    """Who told how it ended, or the try before."""
    if task.state in (PENDING, RECEIVED, STARTED) and task.attempts:
        return "event task-retried, the try before", task.attempts[-1].ended_at
    if task.source in (EVENTS, BACKEND) and not (task.source == EVENTS and task.verdict):
        return teller(task, task.source, view), task.as_of
    source = EVENTS if EVENTS in task.sources else BACKEND
    return teller(task, source, view), task.ended_at


def _plain(words: str, view: View) -> str:
    return cut_exception(text(redact_text(words[:600])), SHOWN, view.cut)


def _args(task: Task, view: View) -> Origin:
    shown = cut_tail(args_text(task), SHOWN, view.cut) or "none"
    if task.exact is not None:
        source = task.exact.source
        words = teller(task, source, view)
        return told("args", shown, words, heard_at(task, source, view), "exact: they can be sent")
    if task.args is None and task.kwargs is None:
        return unknown("args", "no event, list of a worker, message or result told them")
    source = task.args_source or task.source
    words, at = teller(task, source, view, describing(task)), heard_at(task, source, view)
    return told("args", shown, words, at, "as text, cut by their sender where they are long")
