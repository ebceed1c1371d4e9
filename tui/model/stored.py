"""How a stored result moves a task from state to state. Pure."""

from __future__ import annotations

import re
import sys

from .observations import ResultMeta
from .task import (
    BACKEND,
    FAILURE,
    FINAL,
    INSPECT,
    MISSING,
    PENDING,
    RANK,
    RECEIVED,
    REJECTED,
    RETRY,
    REVOKED,
    STARTED,
    SUCCESS,
    UNKNOWN,
    Exact,
    Precedence,
    Task,
)

VERDICTS = {
    SUCCESS: "succeeded (result backend, no event)",
    FAILURE: "failed (result backend, no event)",
    RETRY: "waits for its retry (result backend, no event)",
    REJECTED: "rejected (result backend, no event)",
    STARTED: "started (result backend, no event)",
}
EXPIRED = "expired (result backend, no event)"
TERMINATED = "terminated (result backend, no event)"
NEVER_RAN = "never ran: a part of its chord failed (result backend)"
NOT_PROVEN = "revoked says the result backend; not proven, it may still run"
OF_FORMER_RUN = "the result backend holds only the result of a former run"
STILL_STARTED = "started, says the result backend: lost with its worker, or its end is not stored"

REASONS = {"TaskRevokedError('expired')": EXPIRED, "TaskRevokedError('terminated')": TERMINATED}
"""A worker that refuses an expired task, or has killed one, writes so: that is proof."""
KEPT = frozenset({SUCCESS, FAILURE, REVOKED, RETRY})
"""States of tasks that are shown though nobody but the backend told of them."""
FAILED_PART = re.compile(r"^ChordError\(.Dependency (\S{1,300}) raised ")
"""How Celery fails the body of a chord in the backend, without ever sending it."""
SAME_CLOCK_S, OTHER_CLOCK_S = 1.0, 10.0
"""How much earlier than its start an end may seem to be, by clocks that differ."""


def fold(task: Task, meta: ResultMeta, at: float) -> bool:
    """Fold a stored result in; True when the state changed.

    A stored REVOKED is not proof (the worker writes it when the command arrives and the task
    may still run): it never sets the state of a task that was not heard to end. RETRY and
    STARTED carry no time and may be those of a former try: they only tell what nobody else does.
    """
    task.heard_from(BACKEND)
    if of_former_run(task, meta):
        if task.state == UNKNOWN:
            task.verdict = OF_FORMER_RUN
        return False
    _describe_stored(task, meta)
    if task.proven:
        return False
    task.progress = meta.progress
    if meta.state == REVOKED:
        return _revoked(task, meta, at)
    # A task that tells of itself in words of its own has been started.
    under_way = STARTED if meta.progress is not None else meta.state
    if under_way in (RETRY, STARTED):
        return _under_way(task, meta, under_way, at)
    if meta.state not in VERDICTS or (task.state in FINAL and meta.state == task.state):
        return False
    _ended(task, meta, at, NEVER_RAN if failed_part(meta) else VERDICTS[meta.state])
    return True


def failed_part(meta: ResultMeta) -> str | None:
    """Of the body of a chord that never ran: the id of the part that failed."""
    found = FAILED_PART.match(meta.exception or "") if meta.state == FAILURE else None
    return found[1] if found is not None else None


def remember(task: Task, meta: ResultMeta, at: float) -> None:
    """Fill a new record of a task that only the backend knows; its state is one of ``KEPT``."""
    task.heard_from(BACKEND)
    _describe_stored(task, meta)
    task.retries = max(0, meta.retries or 0)
    task.pid = meta.pid
    if meta.date_done is None:
        task.first_seen = 0.0  # it is older than our knowing of it, by nobody knows how much
    words = NEVER_RAN if failed_part(meta) else VERDICTS.get(meta.state, NOT_PROVEN)
    _ended(task, meta, at, REASONS.get(meta.exception or "", words))


def missing(task: Task, at: float) -> bool:
    """Nothing was stored when it was looked up at ``at``; True if that tells something."""
    if task.state != UNKNOWN or at < task.as_of or task.verdict == MISSING:
        return False
    task.verdict = MISSING
    return True


def of_former_run(task: Task, meta: ResultMeta) -> bool:
    """Whether the result is older than what is known of the task: an id can be sent again."""
    if meta.date_done is None:
        return False
    begun = task.started_at or task.received_at
    if begun is not None:
        return meta.date_done < begun - SAME_CLOCK_S
    listed = task.as_of if task.source == INSPECT and task.state in (RECEIVED, STARTED) else None
    newest = listed or task.sent_at
    return newest is not None and meta.date_done < newest - OTHER_CLOCK_S


def _revoked(task: Task, meta: ResultMeta, at: float) -> bool:
    reason = REASONS.get(meta.exception or "")
    if reason is None and task.state != UNKNOWN:
        task.verdict = NOT_PROVEN
        return False
    _ended(task, meta, at, reason or NOT_PROVEN)
    return True


def _under_way(task: Task, meta: ResultMeta, state: str, at: float) -> bool:
    if task.state == UNKNOWN and state == STARTED:
        task.verdict = STILL_STARTED
        return False
    elsewhere = meta.worker and task.worker and meta.worker != task.worker
    started = state == STARTED and task.state == RECEIVED and not elsewhere
    if not (started or task.state in (PENDING, UNKNOWN)):
        return False
    task.state, task.source, task.as_of = state, BACKEND, at
    task.verdict = VERDICTS[state]
    task.order = Precedence(task.retries, task.order.at, RANK[state])
    return True


def _ended(task: Task, meta: ResultMeta, at: float, verdict: str) -> None:
    task.state, task.source, task.as_of, task.verdict = meta.state, BACKEND, at, verdict
    task.order = Precedence(task.retries, task.order.at, RANK[meta.state])
    task.expired, task.terminated = verdict == EXPIRED, verdict == TERMINATED
    if meta.state in FINAL:
        task.ended_at = meta.date_done or at
    task.result, task.exception, task.traceback = meta.result, meta.exception, meta.traceback


def _describe_stored(task: Task, meta: ResultMeta) -> None:
    if meta.name and not task.name:
        task.name = sys.intern(meta.name)
    if task.exact is None and meta.args is not None and meta.kwargs is not None:
        task.exact = Exact(meta.args, meta.kwargs, BACKEND)
        if not task.args:
            task.args, task.kwargs, task.args_source = (
                repr(tuple(meta.args)),
                repr(meta.kwargs),
                BACKEND,
            )
    if not task.args and meta.args_text:
        task.args, task.kwargs, task.args_source = meta.args_text, meta.kwargs_text, BACKEND
    task.queue = task.queue or meta.queue
    task.worker = task.worker or (meta.worker or "")
    task.group_id = task.group_id or meta.group_id
    if meta.parent_id != task.id:  # as on a retry
        task.parent_id = task.parent_id or meta.parent_id
    task.traceback = task.traceback or (meta.traceback if task.state == FAILURE else None)
    if task.result is None and task.state == SUCCESS:
        task.result = meta.result
