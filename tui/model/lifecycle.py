"""How one task event moves a task from state to state. Pure."""

from __future__ import annotations

import sys

from .events import Event
from .task import (
    EVENTS,
    FAILURE,
    FINAL,
    RANK,
    RECEIVED,
    REJECTED,
    RETRY,
    REVOKED,
    STARTED,
    SUCCESS,
    Attempt,
    Precedence,
    Task,
)

STATE_OF = {
    "task-received": RECEIVED,
    "task-started": STARTED,
    "task-retried": RETRY,
    "task-rejected": REJECTED,
    "task-revoked": REVOKED,
    "task-failed": FAILURE,
    "task-succeeded": SUCCESS,
    "task-cancelled": RETRY,
}
SAME_START_S = 1.0
"""``time_start`` of inspect and the timestamp of ``task-started`` differ by less."""
WRAPPED = "ExceptionWithTraceback"
"""Celery reports Reject and killed children under this name; the traceback's end tells more."""


def follow(task: Task, event: Event) -> bool:
    """Fold one task event in; True when the state (or the attempt) changed.

    Rules: events come out of order, so (retries, timestamp, rank) decides and late news only
    fills blanks; ``task-sent`` never sets a state (its sender's clock is another one); an end
    that belongs to a former attempt is written there.
    """
    task.heard_from(EVENTS)
    if event.type == "task-sent":
        _sent(task, event)
        return False
    state = STATE_OF.get(event.type)
    if state is None:
        return _custom(task, event)
    if state == RECEIVED:
        return _received(task, event)
    return _moved(task, event, state)


def _describe(task: Task, event: Event) -> None:
    if event.name and not task.name:
        task.name = sys.intern(event.name)
    if event.args is not None and task.args_source in ("", EVENTS):
        task.args, task.kwargs, task.args_source = event.args, event.kwargs, EVENTS
    if event.root_id and not task.root_id:
        # Most tasks are their own root: the same text need not be kept twice.
        task.root_id = task.id if event.root_id == task.id else event.root_id
    if event.parent_id and event.parent_id != task.id and not task.parent_id:
        task.parent_id = event.parent_id
    if event.eta is not None:
        task.eta = event.eta
    if event.expires is not None:
        task.expires = str(event.expires)


def _sent(task: Task, event: Event) -> None:
    _describe(task, event)
    task.queue = sys.intern(event.queue) if event.queue else task.queue
    task.exchange = sys.intern(event.exchange) if event.exchange is not None else task.exchange
    task.routing_key = sys.intern(event.routing_key) if event.routing_key else task.routing_key
    task.client = sys.intern(event.hostname)
    if not event.retries or task.sent_at is None:
        task.sent_at = event.timestamp
    task.as_of = task.as_of or event.timestamp


def _received(task: Task, event: Event) -> bool:
    retries = event.retries or 0
    order = Precedence(retries, event.timestamp, RANK[RECEIVED])
    _describe(task, event)
    if order < task.order:
        _received_late(task, event, retries)
        return False
    if retries > task.retries and _began_already(task, event):
        # Its start was heard before its arrival: they are the same try.
        task.retries, task.received_at = retries, event.timestamp
        task.order = Precedence(retries, task.order.at, task.order.rank)
        return False
    if _was_tried(task, retries):
        _close_attempt(task)
    task.retries = retries
    task.received_at = event.timestamp
    task.eta = event.eta
    _where(task, event)
    _set(task, RECEIVED, order, event.timestamp)
    return True


def _began_already(task: Task, event: Event) -> bool:
    """A retried try ends after the next one was received; any other later news is of that next."""
    return event.timestamp < task.order.at and task.state not in (RECEIVED, RETRY)


def _was_tried(task: Task, retries: int) -> bool:
    if task.started_at is not None or task.state in FINAL or task.state == RETRY:
        return True
    return retries > task.retries and task.received_at is not None


def _received_late(task: Task, event: Event, retries: int) -> None:
    if retries == task.retries:
        if task.received_at is None:
            task.received_at = event.timestamp
        return
    for past in task.attempts:
        if past.retries == retries and past.received_at is None:
            past.received_at = event.timestamp


def _moved(task: Task, event: Event, state: str) -> bool:
    if _belongs_to_former_attempt(task, event, state) or _contradicts(task, state):
        return False
    order = Precedence(task.retries, event.timestamp, RANK[state])
    if order < task.order and not _told_twice(task, event, state):
        _fill_times(task, event, state)
        return False
    if state == STARTED and _starts_again(task, event):
        retries = task.retries + 1 if task.state == RETRY else task.retries
        _close_attempt(task)
        task.retries = retries
        order = Precedence(retries, event.timestamp, RANK[state])
    _where(task, event)
    _fill_times(task, event, state)
    if state == STARTED:
        task.ended_at = task.runtime_s = None
    elif state in (RETRY, FAILURE):
        _failure(task, event)
    elif state == SUCCESS:
        task.result = event.result
        task.exception = task.traceback = None
    elif state == REVOKED:
        task.terminated = bool(event.terminated)
        task.expired = bool(event.expired)
        task.signum = None if event.signum is None else str(event.signum)
    _set(task, state, max(order, task.order), event.timestamp)
    return True


def _starts_again(task: Task, event: Event) -> bool:
    """A second start is a new try, unless inspect had told us of this very start."""
    if task.started_at is None:
        return False
    if task.state == STARTED and task.source != EVENTS:
        return abs(event.timestamp - task.started_at) > SAME_START_S
    return event.timestamp > task.started_at


def _told_twice(task: Task, event: Event, state: str) -> bool:
    """``rejected`` follows ``failed`` by a moment: heard the other way round, it failed still."""
    if state != FAILURE or task.state != REJECTED:
        return False
    if task.started_at is not None and event.timestamp < task.started_at:
        return False
    task.ended_at = task.runtime_s = None
    return True


def _contradicts(task: Task, state: str) -> bool:
    # gevent sends a stray task-succeeded after a real kill; the task did not finish.
    # A `rejected` that follows `failed` is the same end told twice.
    return (task.state == REVOKED and task.terminated and state == SUCCESS) or (
        task.state == FAILURE and state == REJECTED
    )


def _fill_times(task: Task, event: Event, state: str) -> None:
    if state == STARTED:
        if task.started_at is None:
            task.started_at = event.timestamp
    elif task.ended_at is None or event.timestamp > task.ended_at:
        task.ended_at = event.timestamp
    if event.runtime is not None:
        task.runtime_s = event.runtime
    elif task.runtime_s is None and RETRY not in (state, task.state):
        _work_out_runtime(task)


def _work_out_runtime(task: Task) -> None:
    if task.started_at is not None and task.ended_at is not None:
        task.runtime_s = max(0.0, task.ended_at - task.started_at)


def _failure(task: Task, event: Event) -> None:
    task.exception = plain_exception(event.exception, event.traceback)
    task.traceback = event.traceback


def plain_exception(exception: str | None, traceback: str | None) -> str | None:
    """The exception's repr; where Celery wrapped it, the traceback's last line instead."""
    if exception and not exception.startswith(WRAPPED):
        return exception
    lines = [line for line in (traceback or "").strip().splitlines() if line.strip()]
    if lines and not lines[-1].startswith(WRAPPED):
        return lines[-1].strip()
    return exception


def _where(task: Task, event: Event) -> None:
    task.worker = sys.intern(event.hostname)
    task.pid = event.pid if event.pid is not None else task.pid


def _set(task: Task, state: str, order: Precedence, as_of: float) -> None:
    task.state, task.order, task.as_of = state, order, as_of
    task.source, task.verdict = EVENTS, None


def _close_attempt(task: Task) -> None:
    """Move the current attempt into the past; the task's own fields start anew."""
    state = task.state
    past = Attempt(
        task.retries,
        task.worker,
        task.pid,
        task.received_at,
        task.started_at,
        task.ended_at,
        state,
        task.exception,
    )
    task.attempts = (*task.attempts[-49:], past)
    task.started_at = task.ended_at = task.runtime_s = task.received_at = None


def _belongs_to_former_attempt(task: Task, event: Event, state: str) -> bool:
    """Write a start or an end into the past try that it is of; False: it is of the present one."""
    if state == REVOKED and not event.terminated:
        return False
    for past in reversed(task.attempts):
        if past.worker != event.hostname or past.ended_at is not None:
            continue
        if state == STARTED:
            if past.started_at is None and _precedes(event, task.received_at, task.started_at):
                past.started_at = event.timestamp
                return True
        elif _may_end(past, task, state) and _precedes(event, task.started_at):
            past.ended_at, past.state = event.timestamp, state
            past.exception = plain_exception(event.exception, event.traceback)
            return True
    return False


def _precedes(event: Event, *moments: float | None) -> bool:
    return all(moment is None or event.timestamp < moment for moment in moments)


def _may_end(past: Attempt, task: Task, state: str) -> bool:
    """A try that had a successor with more retries can only have ended by that retry."""
    return state == RETRY or (past.retries == task.retries and past.started_at is not None)


def _custom(task: Task, event: Event) -> bool:
    _describe(task, event)
    task.extra = event.extra
    if event.hostname and not task.worker:
        task.worker = sys.intern(event.hostname)
    return False
