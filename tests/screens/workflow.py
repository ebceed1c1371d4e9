"""A workflow of which one part failed, so that others never ran."""

from __future__ import annotations

from typing import Any

from celery_tui.model.cluster import Cluster
from celery_tui.model.events import Event
from celery_tui.model.peeked import End, Peeked, WaitingMessage
from celery_tui.model.plans import planned
from tests.screens.sample import NOW, TRACEBACK, WORKERS, busy_cluster, events, task_id

START, CHARGE = 400, 401


def workflow() -> Cluster:
    """checkout.start sent three parts and a chord; the charge failed, and two wait for it."""
    cluster = busy_cluster()
    at = NOW - 6
    _ran(cluster, START, "checkout.start", at, None)
    follow = {"chain": [_signature("stock.release", 403), _signature("mail.receipt", 402)]}
    seen = WaitingMessage(1, 0, 900, task_id(CHARGE), plans=planned(task_id(CHARGE), follow))
    chord = planned(task_id(404), {"chord": _signature("invoices.merge", 407)})
    part = WaitingMessage(2, 0, 900, task_id(404), plans=chord)
    cluster.apply(Peeked(at, "pay", End.HEAD, 0, (seen, part), 2))
    _ran(cluster, CHARGE, "pay.charge", at + 1, START, failed=True)
    _ran(cluster, 404, "pdf.render_invoice", at + 1, START)
    _ran(cluster, 405, "pdf.render_invoice", at + 1, START)
    _ran(cluster, 408, "pdf.store", at + 2, 404)
    return cluster


def _signature(name: str, number: int) -> dict[str, Any]:
    return {"task": name, "options": {"task_id": task_id(number)}}


def _ran(
    cluster: Cluster, number: int, name: str, at: float, parent: int | None, failed: bool = False
) -> None:
    ids: dict[str, Any] = {"uuid": task_id(number), "root_id": task_id(START)}
    above: dict[str, Any] = {} if parent is None else {"parent_id": task_id(parent)}
    worker = WORKERS[0]
    told: dict[str, Any] = {"name": name, "args": f"({number},)", "kwargs": "{}"}
    events(cluster, Event("task-received", at, worker, **told, **ids, **above))
    events(cluster, Event("task-started", at + 0.1, worker, **ids))
    if failed:
        words = "DeclinedError('Payment 91823 declined')"
        last = Event("task-failed", at + 0.8, worker, exception=words, traceback=TRACEBACK, **ids)
    else:
        last = Event("task-succeeded", at + 0.6, worker, result="'ok'", runtime=0.5, **ids)
    events(cluster, last)
