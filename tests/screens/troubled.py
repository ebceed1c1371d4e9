"""A cluster whose links have had their troubles, and one that shows only a part of itself."""

from __future__ import annotations

from celery_tui.model.cluster import Cluster
from celery_tui.model.observations import EventBatch
from celery_tui.model.seam import Health, Link
from tests.screens.sample import NOW, WORKERS, busy_cluster

CLOSED = "The broker redis://:***@10.0.3.7/0 closed the connection"


def troubled() -> Cluster:
    """Twice cut off, with losses, and the result backend is away at the moment."""
    cluster = busy_cluster()
    for lost, back in ((NOW - 700, NOW - 698.6), (NOW - 200, NOW - 161)):
        cluster.apply(Health("events", Link.LIVE, NOW - 800, at=lost - 0.7))
        cluster.apply(Health("events", Link.LOST, lost, CLOSED, "", tries=1, at=lost))
        cluster.apply(Health("events", Link.LIVE, back, at=back))
    cluster.apply(Health("events", Link.LIVE, NOW - 161, latency_ms=0.42, at=NOW - 0.3))
    cluster.apply(Health("inspect", Link.LIVE, NOW - 800, latency_ms=12.6, at=NOW - 0.8))
    cluster.apply(Health("queues", Link.LIVE, NOW - 800, latency_ms=0.6, at=NOW - 800))
    cluster.apply(Health("results", Link.LIVE, NOW - 800, at=NOW - 40))
    cluster.apply(
        Health(
            "results",
            Link.LOST,
            NOW - 31,
            "The result backend redis://10.0.3.8/1 refused the connection",
            "Check host and port, and that the result backend runs.",
            retry_at=NOW + 3.4,
            tries=4,
            at=NOW - 1,
        )
    )
    for name, lost in zip(WORKERS, (0, 1204, 0, 17), strict=False):
        loss = cluster.workers[name].loss
        loss.heard, loss.lost = 31_000, lost
    cluster.apply(EventBatch(NOW - 0.2, (), {"pickle, not JSON": 3}))
    return cluster


def permitted_in_part() -> Cluster:
    """What a user sees that may read some keys and hear workers, and no more."""
    cluster = busy_cluster()
    cluster.apply(
        Health(
            "inspect",
            Link.OFF,
            NOW - 90,
            "asking workers is not permitted: names from events only (this user has no "
            "permissions to run the 'multi' command)",
            "Ask for the permission it names; r tries again.",
            at=NOW - 90,
            refused=True,
        )
    )
    cluster.apply(
        Health("queues", Link.LIVE, NOW - 90, "5 keys may not be read", at=NOW, refused=True)
    )
    return cluster


def permitted_nothing() -> Cluster:
    """What a user sees that may only connect."""
    cluster = Cluster(NOW - 90)
    for name, words in (
        ("events", "hearing workers is not permitted"),
        ("inspect", "asking workers is not permitted: names from events only"),
        ("queues", "reading queues is not permitted"),
    ):
        error = f"{words} (this user has no permissions to run the 'scan' command)"
        hint = "Ask for the permission it names; r tries again."
        cluster.apply(Health(name, Link.OFF, NOW - 89, error, hint, at=NOW - 89, refused=True))
    cluster.apply(Health("results", Link.LIVE, NOW - 89, at=NOW))
    return cluster
