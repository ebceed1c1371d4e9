"""Which source told a fact of a task, in words, and when it did. Pure."""

from __future__ import annotations

from ..model.peeked import MESSAGE
from ..model.task import (
    BACKEND,
    EVENTS,
    FAILURE,
    INSPECT,
    PENDING,
    RECEIVED,
    REJECTED,
    RETRY,
    REVOKED,
    STARTED,
    SUCCESS,
    Task,
)
from .base import Cell, View
from .why import Origin, by_inspect, text, told

EVENT_OF = {
    PENDING: "task-sent",
    RECEIVED: "task-received",
    STARTED: "task-started",
    RETRY: "task-retried",
    REJECTED: "task-rejected",
    REVOKED: "task-revoked",
    FAILURE: "task-failed",
    SUCCESS: "task-succeeded",
}


def teller(task: Task, source: str, view: View, event: str = "") -> str:
    """A source in words: ``event task-started``, ``inspect active of w1``."""
    if source == EVENTS:
        return f"event {event or EVENT_OF.get(task.state, 'of the task')}"
    if source == INSPECT:
        return by_inspect(_listed(task, view)[0], task.worker, view)
    if source == MESSAGE:
        return f"message in {text(task.queue, 60)}" if task.queue else "message in its queue"
    return source


def heard_at(task: Task, source: str, view: View) -> float | None:
    """Epoch seconds at which a source told what does not change; None: that is not kept."""
    if source == EVENTS:
        received = next((one.received_at for one in task.attempts if one.received_at), None)
        return task.received_at or received or task.sent_at or task.as_of or None
    if source == INSPECT:
        at = _listed(task, view)[1]
        return at if at is not None else _spoke_last(task, INSPECT)
    if source == MESSAGE:
        page = view.cluster.peeks.pages.get(task.queue or "")
        if page is not None and any(message.id == task.id for message in page.messages):
            return page.at
    stored_at = task.ended_at if source == BACKEND else None
    return _spoke_last(task, source) or stored_at


def _spoke_last(task: Task, source: str) -> float | None:
    judged = task.verdict is not None and source in (EVENTS, INSPECT)  # by us, at another time
    return task.as_of or None if task.source == source and not judged else None


def _listed(task: Task, view: View) -> tuple[str, float | None]:
    """The question whose answer lists it now, and when that was given."""
    worker = view.cluster.workers.get(task.worker)
    if worker is not None:
        for question, ids, at in (
            ("active", worker.running, worker.running_at),
            ("reserved", worker.reserved, worker.reserved_at),
            ("scheduled", worker.scheduled, worker.scheduled_at),
        ):
            if ids is not None and task.id in ids:
                return question, at
    return ("active" if task.started_at is not None else "reserved"), None


def _describes(task: Task) -> bool:
    """Whether an event was heard that tells what it is: the others name only id and worker."""
    return (
        task.sent_at is not None
        or task.received_at is not None
        or any(one.received_at is not None for one in task.attempts)
    )


def describing(task: Task) -> str:
    """The newest event heard that tells what it is."""
    if task.received_at is not None or any(one.received_at for one in task.attempts):
        return EVENT_OF[RECEIVED]
    return EVENT_OF[PENDING] if task.sent_at is not None else "of the task"


def first(task: Task, *could: str) -> str:
    """Of the sources that could tell, the one that spoke first: its word stands."""
    spoke = [source for source in task.sources if source in could]
    if EVENTS in spoke and len(spoke) > 1 and not _describes(task):
        spoke.remove(EVENTS)
    return spoke[0] if spoke else task.source


def told_by(task: Task, what: str, value: Cell | str, view: View, *could: str) -> Origin:
    source = first(task, *could)
    words = teller(task, source, view, describing(task))
    return told(what, value, words, heard_at(task, source, view))
