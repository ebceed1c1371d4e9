"""How a stored result moves a task from state to state. Pure."""

from __future__ import annotations

import sys

from .observations import ResultMeta
from .task import (
    BACKEND,
    FAILURE,
    FINAL,
    PENDING,
    RANK,
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


def fold(task: Task, meta: ResultMeta, at: float) -> bool:
    """Fold a stored result in; True when the state changed.

    A stored REVOKED is not proof (the worker writes it when the command arrives and the task
    may still run): it never sets the state of a task that was not heard to end.
    """
    task.heard_from(BACKEND)
    _describe_stored(task, meta)
    if task.state in FINAL or meta.state == PENDING:
        return False
    if meta.state == REVOKED:
        task.verdict = "revoked says the result backend; not proven, it may still run"
        if task.state == UNKNOWN:
            task.state, task.source, task.as_of = REVOKED, BACKEND, at
            return True
        return False
    if meta.state not in VERDICTS or RANK[meta.state] < RANK[task.state]:
        return False
    if meta.state == task.state and task.state != UNKNOWN:
        return False
    task.state, task.source, task.as_of, task.verdict = (
        meta.state,
        BACKEND,
        at,
        VERDICTS[meta.state],
    )
    task.order = Precedence(task.retries, task.order.at, RANK[meta.state])
    if meta.state in FINAL:
        task.ended_at = meta.date_done or at
        task.result, task.exception, task.traceback = meta.result, meta.exception, meta.traceback
    return True


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
    task.queue = task.queue or meta.queue
    task.worker = task.worker or (meta.worker or "")
    task.group_id = task.group_id or meta.group_id
    task.traceback = task.traceback or (meta.traceback if task.state == FAILURE else None)
    if task.result is None and task.state == SUCCESS:
        task.result = meta.result
