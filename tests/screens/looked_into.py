"""Clusters in which somebody has looked into a queue."""

from __future__ import annotations

from typing import Any

from celery_tui.model.cluster import Cluster
from celery_tui.model.observations import QueueDepth, QueueDepths, Reply
from celery_tui.model.peeked import MESSAGE, End, Peeked, Sampled, WaitingMessage
from celery_tui.model.task import Exact
from tests.screens.sample import NOW, WORKERS, answer, busy_cluster, task_id

DEPTH = 88_110
NAMES = {
    "mail.receipt": 455, "mail.digest": 38, "marketing.newsletters.tasks.send_monthly": 5,
    "mail.bounce": 1, "": 1,
}  # fmt: skip


def message(place: int, number: int, name: str = "mail.receipt", **more: object) -> WaitingMessage:
    """One that waits."""
    kwargs = {"order": 88_000 + number, "email": "ann@shop.example", "api_key": "k-123"}
    told: dict[str, Any] = {
        "id": task_id(number), "name": name, "args": "()", "kwargs": repr(kwargs), "retries": 0,
        "exact": Exact([], kwargs, MESSAGE), "priority": 0, "serializer": "json",
        "origin": "gen99@web-4", "root_id": task_id(number),
    }  # fmt: skip
    step, size_bytes = 0, 812
    return WaitingMessage(place, step, size_bytes, **(told | more))


def page(total: int = DEPTH, end: End = End.HEAD) -> Peeked:
    """Fifty messages, some of them odd."""
    found = [message(place, 500 + place) for place in range(1, 51)]
    found[2] = message(3, 503, "marketing.newsletters.tasks.send_monthly", retries=2)
    found[4] = message(5, 505, eta="2026-11-20T12:40:00+00:00", priority=6)
    hidden: dict[str, Any] = {"exact": None, "kwargs": "{'order': 88006}", "args": "('<hidden>',)"}
    note = "pickle runs code when it is loaded, so it is not"
    found[6] = message(7, 507, serializer="pickle", compression="gzip", note=note, **hidden)
    note = "no task message: user list, token=abcdef, \x1b[31m[/red]"
    found[7] = WaitingMessage(8, 0, 61_234, note=note)
    if end is End.TAIL:
        found = [message(total - place, 900 + place) for place in range(50)]
    return Peeked(NOW - 3, "emails", end, 0, tuple(found), total)


def looked_into() -> Cluster:
    """A queue that nobody consumes, and what waits in it."""
    cluster = busy_cluster()
    steps = {"0": DEPTH - 98, "6": 98}
    cluster.apply(QueueDepths(NOW, {"emails": QueueDepth(DEPTH, steps)}, sampled=True))
    cluster.apply(page())
    cluster.apply(Sampled(NOW - 3, "emails", NAMES, sum(NAMES.values()), DEPTH))
    return cluster


def tail_shown() -> Cluster:
    """Its newest messages."""
    cluster = looked_into()
    cluster.apply(page(end=End.TAIL))
    return cluster


def consumed() -> Cluster:
    """A queue that three workers consume, and that is empty."""
    cluster = busy_cluster()
    for name in WORKERS:
        answer(cluster, "active_queues", name, [{"name": "crm"}, {"name": "pdf"}], NOW)
        for question in ("active", "reserved", "scheduled"):
            cluster.apply(Reply(question, name, [], NOW - 1, NOW - 1))
    read = {"pdf": QueueDepth(0, {"0": 0})}
    for second in range(4):
        cluster.apply(QueueDepths(NOW - 3 + second, read, unacked=2, unacked_by_queue={"pdf": 2}))
    cluster.apply(Peeked(NOW, "pdf", End.HEAD, 0, total=0))
    cluster.apply(Sampled(NOW, "pdf", {}, 0, 0))
    return cluster


def not_readable() -> Cluster:
    """The broker refuses to be looked into."""
    cluster = busy_cluster()
    error = (
        "The broker redis://10.0.3.7:6379/0 does not permit this user: no permission on 'emails'"
    )
    hint = "Ask for the permission it names."
    cluster.apply(Peeked(NOW, "emails", End.HEAD, 0, error=error, hint=hint))
    return cluster
