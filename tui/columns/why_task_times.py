"""When a task was sent, received, started and ended, and by whose clock. Pure."""

from __future__ import annotations

from ..model.peeked import MESSAGE
from ..model.task import (
    BACKEND,
    EVENTS,
    FINAL,
    INSPECT,
    PENDING,
    RECEIVED,
    RETRY,
    REVOKED,
    STARTED,
    SUCCESS,
    Task,
)
from .base import View
from .numbers import clock, duration, known
from .tasks import run_cell
from .why import WORKED_OUT, Origin, by_inspect, text, told, unknown
from .why_task_told import teller, told_by

NOT_HEARD = "no event of it was heard: it was before we attached, or task events were off"


def facts(task: Task, view: View) -> list[Origin]:
    """Its moments in their order, with what lies between them."""
    found = [_sent(task, view)]
    if task.received_at is not None:
        found.append(_moment("received", task.received_at, "event task-received", view))
    elif task.state != PENDING:
        found.append(unknown("received", NOT_HEARD))
    if task.sent_at is not None and task.received_at is not None and not task.attempts:
        waited = task.received_at - task.sent_at
        note = "received less sent, each by its own clock"
        cell = known(waited, duration(waited), view)
        found.append(told("waited", cell, WORKED_OUT, task.received_at, note))
    found += _run(task, view)
    for what, value in (("eta", task.eta), ("expires", task.expires)):
        if value:
            found.append(told_by(task, what, text(value, 40), view, EVENTS, MESSAGE, INSPECT))
    return found


def _moment(what: str, at: float, source: str, view: View, note: str = "") -> Origin:
    return told(what, clock(at, view, parts=True), source, at, note)


def _sent(task: Task, view: View) -> Origin:
    if task.sent_at is not None:
        return _moment("sent", task.sent_at, "event task-sent", view)
    return unknown("sent", "task-sent tells it, and none of it was heard")


def _run(task: Task, view: View) -> list[Origin]:
    """Its start, its end and how long it took."""
    never = task.state in (PENDING, RECEIVED) or task.state == REVOKED
    if task.started_at is None:
        found = [] if never else [unknown("started", NOT_HEARD)]
    else:
        found = [_started(task, view)]
    if task.ended_at is not None:
        found.append(_ended(task, view))
    if task.started_at is not None or task.runtime_s is not None:
        found.append(_runtime(task, view))
    return found


def _started(task: Task, view: View) -> Origin:
    assert task.started_at is not None  # noqa: S101  narrows for the type checker only
    source, note = "event task-started", ""
    if EVENTS not in task.sources or (task.source == INSPECT and not task.verdict):
        source = by_inspect("active", task.worker, view)
        note = "time_start, by the worker's clock"
    elif INSPECT in task.sources:
        note = "or time_start of inspect active, where that was told first"
    return _moment("started", task.started_at, source, view, note)


def _ended(task: Task, view: View) -> Origin:
    assert task.ended_at is not None  # noqa: S101  narrows for the type checker only
    source, note = teller(task, EVENTS, view), ""
    if task.source == BACKEND:
        source, note = BACKEND, "date_done, by the worker's clock"
    elif task.state not in FINAL and task.state != RETRY:
        source = "event"
    return _moment("ended", task.ended_at, source, view, note)


def _runtime(task: Task, view: View) -> Origin:
    cell = run_cell(task, view)
    if task.state == STARTED:
        return told("runs for", cell, WORKED_OUT, task.as_of, "now less its start")
    if task.runtime_s is not None and task.state == SUCCESS and task.source == EVENTS:
        return told("ran", cell, "event task-succeeded", task.ended_at, "measured by its worker")
    if task.runtime_so_far(view.now) is not None:
        return told("ran", cell, WORKED_OUT, task.ended_at or task.as_of, "its end less its start")
    return unknown("ran", "its end was not heard")
