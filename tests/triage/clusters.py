"""Clusters built by hand: each helper folds in what a source would have told."""

from typing import Any

from celery_tui.model.cluster import Cluster
from celery_tui.model.events import Event
from celery_tui.model.observations import (
    EventBatch,
    QueueDepth,
    QueueDepths,
    Reply,
    RoundEnded,
)
from celery_tui.model.seam import Health, Link

ATTACHED = 1_000.0


def live_cluster(now: float = ATTACHED) -> Cluster:
    """A cluster whose links all stand since `now`."""
    cluster = Cluster(now)
    for source in ("events", "inspect", "queues"):
        cluster.apply(Health(source, Link.LIVE, now))
    return cluster


def heartbeat(cluster: Cluster, hostname: str, at: float, **fields: Any) -> None:
    event = Event("worker-heartbeat", at, hostname, freq=2.0, **{"pid": 4410, **fields})
    cluster.apply(EventBatch(at, (event,), {}))


def offline(cluster: Cluster, hostname: str, at: float) -> None:
    cluster.apply(EventBatch(at, (Event("worker-offline", at, hostname, pid=4410),), {}))


def task_event(cluster: Cluster, kind: str, task_id: str, hostname: str, at: float) -> None:
    received = Event("task-received", at, hostname, uuid=task_id, name="pay.charge", pid=4410)
    then = Event(kind, at, hostname, uuid=task_id, pid=4410)
    cluster.apply(EventBatch(at, (received, then), {}))


def listens(cluster: Cluster, hostname: str, at: float, *queues: str) -> None:
    payload = [{"name": name} for name in queues]
    cluster.apply(Reply("active_queues", hostname, payload, at, at))


def round_ended(cluster: Cluster, question: str, at: float, *answered: str) -> None:
    cluster.apply(RoundEnded(question, at, at + 1.0, frozenset(answered)))


def depths(cluster: Cluster, at: float, **queues: int) -> None:
    read = {name: QueueDepth(depth, {"0": depth}) for name, depth in queues.items()}
    cluster.apply(QueueDepths(at, read))


def fleet(cluster: Cluster, at: float, **queues: str) -> None:
    """Workers that are heard and listen to one queue each; all have answered."""
    for name, queue in queues.items():
        heartbeat(cluster, f"{name}@a", at)
        listens(cluster, f"{name}@a", at, queue)
    round_ended(cluster, "active_queues", at, *(f"{name}@a" for name in queues))
