"""How an inspect reply moves a task from state to state. Pure."""

from __future__ import annotations

import sys
from typing import Any

from .events import LATEST
from .fleet import number
from .task import INSPECT, RANK, RETRY, REVOKED, STARTED, UNKNOWN, Exact, Precedence, Task


def fold(task: Task, entry: dict[str, Any], hostname: str, at: float, state: str) -> bool:
    """Fold one entry of ``inspect active`` (state STARTED) or reserved/scheduled (RECEIVED) in.

    ``entry`` is Celery's request dict: id, name, args, kwargs, delivery_info, time_start
    (epoch seconds), worker_pid. True when the state changed.
    """
    task.heard_from(INSPECT)
    _describe_request(task, entry)
    if task.proven:
        return False
    started = moment(entry.get("time_start"))
    if state == STARTED and task.started_at is None:
        task.started_at = started
    if RANK[state] <= RANK[task.state] and task.state not in (
        UNKNOWN,
        RETRY,
        REVOKED,  # of which there is no proof, and here it is
    ):
        return False
    if task.state == RETRY and not (state == STARTED or _waits_longer(task, entry)):
        return False
    changed = task.state != state
    ended = task.state == REVOKED
    task.state, task.worker, task.source, task.as_of, task.verdict = (
        state,
        sys.intern(hostname),
        INSPECT,
        at,
        None,
    )
    if isinstance(entry.get("worker_pid"), int) and number(entry["worker_pid"]) is not None:
        task.pid = entry["worker_pid"]
    task.order = Precedence(task.retries, task.order.at, RANK[state])
    if ended or (changed and state == STARTED):
        task.ended_at = None
    return changed


def moment(value: Any) -> float | None:
    """Epoch seconds in a reply; None for what is no time."""
    at = number(value)
    return at if at is not None and 0 <= at < LATEST else None


def _waits_longer(task: Task, entry: dict[str, Any]) -> bool:
    retries = entry.get("retries")
    return isinstance(retries, int) and retries > task.retries


def _describe_request(task: Task, entry: dict[str, Any]) -> None:
    if isinstance(entry.get("name"), str) and not task.name:
        task.name = sys.intern(entry["name"])
    args, kwargs = entry.get("args"), entry.get("kwargs")
    if isinstance(args, list) and isinstance(kwargs, dict) and task.exact is None:
        task.exact = Exact(args, kwargs, INSPECT)
        task.args, task.kwargs, task.args_source = repr(tuple(args)), repr(kwargs), INSPECT
    route = entry.get("delivery_info")
    if isinstance(route, dict):
        if task.routing_key is None and isinstance(route.get("routing_key"), str):
            task.routing_key = route["routing_key"]
        if task.exchange is None and isinstance(route.get("exchange"), str):
            task.exchange = route["exchange"]


def left_its_worker(task: Task, at: float) -> None:
    """No inspect lists it any more and nobody said how it ended."""
    task.verdict = f"no longer on {task.worker or 'its worker'}; no source says how it ended"
    task.state, task.source, task.as_of = UNKNOWN, INSPECT, at
