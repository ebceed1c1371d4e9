"""A cluster of which twenty minutes are known: a consumer leaves, then a type begins to fail."""

from __future__ import annotations

from collections.abc import Iterator

from celery_tui.model.cluster import Cluster
from celery_tui.model.events import Event
from celery_tui.model.observations import QueueDepth, QueueDepths, RoundEnded
from tests.screens.sample import NOW, TRACEBACK, WORKERS, answer, events, live, online, task_id

GONE = "mail-worker@demo"
GONE_AT = NOW - 760
FAILING_AT = NOW - 263
FIRST = NOW - 1_500


def told_story(now: float = NOW) -> Cluster:
    """All of it up to ``now``."""
    cluster = Cluster(FIRST)
    live(cluster, FIRST + 1)
    online(cluster, FIRST + 2)
    events(cluster, Event("worker-online", FIRST + 2, GONE, pid=77, freq=2.0))
    answer(cluster, "active_queues", GONE, [{"name": "emails"}], FIRST + 3)
    for second in range(int(FIRST) + 5, int(now) + 1):
        if second == GONE_AT:
            events(cluster, Event("worker-offline", float(second), GONE, pid=77))
        for event in _second(second):
            events(cluster, event)
        if second % 5 == 0:
            cluster.apply(QueueDepths(float(second), _depths(second), (), 6, {"default": 4}))
        cluster.remember(float(second))
    online(cluster, now)
    for question in ("ping", "active_queues"):
        cluster.apply(RoundEnded(question, now - 2, now - 1, frozenset(WORKERS)))
    return cluster


def calm_story(now: float = NOW) -> Cluster:
    """Twenty minutes in which queues fill and empty and nothing fails."""
    cluster = Cluster(FIRST)
    live(cluster, FIRST + 1)
    online(cluster, FIRST + 2)
    for second in range(int(FIRST) + 5, int(now) + 1):
        for event in _task(second - int(FIRST), second, "pay.charge", failed=False):
            events(cluster, event)
        if second % 5 == 0:
            wave = abs(second % 1_000 - 500) // 6 + second * 7 % 13
            cluster.apply(QueueDepths(float(second), _waiting(default=wave, pay=second % 4), (), 6))
        cluster.remember(float(second))
    online(cluster, now)
    return cluster


def _depths(second: int) -> dict[str, QueueDepth]:
    left = second * 7 % 23 + max(0, second - int(GONE_AT)) * 116
    return _waiting(emails=left, default=30 + second % 7, pay=second % 3, pdf=0)


def _waiting(**depths: int) -> dict[str, QueueDepth]:
    return {name: QueueDepth(depth, {"0": depth}) for name, depth in depths.items()}


def _second(second: int) -> Iterator[Event]:
    failing = second >= FAILING_AT and second % 3 != 0
    yield from _task(second - int(FIRST), second, "pay.charge", failing)
    if second % 97 == 0:
        yield from _task(second - int(FIRST) + 10_000, second, "crm.push", failed=True)


def _task(number: int, at: float, name: str, failed: bool) -> Iterator[Event]:
    worker, uuid = WORKERS[0], task_id(number)
    yield Event("task-received", at, worker, uuid=uuid, name=name, args="()", kwargs="{}")
    yield Event("task-started", at + 0.1, worker, uuid=uuid)
    if failed:
        words = "DeclinedError('Payment 91823 declined')"
        end = Event(
            "task-failed", at + 0.4, worker, uuid=uuid, exception=words, traceback=TRACEBACK
        )
    else:
        end = Event("task-succeeded", at + 0.4, worker, uuid=uuid, result="'ok'", runtime=0.3)
    yield end
