"""A lost worker is named with what ran on it, and with what becomes of that."""

from __future__ import annotations

import pytest

from celery_tui.model.cluster import Cluster
from celery_tui.model.observations import Reply, RoundEnded, Unacknowledged
from celery_tui.model.seam import Level
from celery_tui.triage import evaluate
from tests.triage.clusters import ATTACHED, fleet, heartbeat, live_cluster, task_event

NOW = ATTACHED + 60


@pytest.fixture
def cluster() -> Cluster:
    """w1 ran `late` and `early` when it was last heard."""
    cluster = live_cluster()
    fleet(cluster, NOW, w1="celery")
    for task_id in ("late", "early"):
        task_event(cluster, "task-started", task_id, "w1@a", NOW)
    listed = [
        {"id": "late", "name": "pay.charge", "acknowledged": False},
        {"id": "early", "name": "pay.charge", "acknowledged": True},
    ]
    cluster.apply(Reply("active", "w1@a", listed, NOW, NOW))
    return cluster


def lose(cluster: Cluster, receivers: int = 0) -> None:
    cluster.apply(RoundEnded("ping", NOW + 8, NOW + 9.5, frozenset(), receivers))
    for now in (NOW + 10, NOW + 14):
        cluster.tick(now)


def test_it_says_which_tasks_come_back_and_which_are_gone(cluster: Cluster) -> None:
    lose(cluster)
    cluster.apply(Unacknowledged(NOW + 15, {"late": NOW}))
    (found,) = evaluate(cluster, NOW + 20)
    assert found.severity == Level.CRIT
    assert found.text == (
        "silent for 20 s and no answer to a ping, pid 4410; "
        "2 tasks ran on it: pay.charge late, pay.charge early; "
        "1 acknowledged early and is gone, 1 comes back in 59 min"
    )
    assert found.detail == ""


def test_what_runs_again_elsewhere_is_no_longer_named(cluster: Cluster) -> None:
    lose(cluster)
    heartbeat(cluster, "w2@a", NOW + 16, pid=7)
    task_event(cluster, "task-started", "late", "w2@a", NOW + 16)
    (found,) = evaluate(cluster, NOW + 20)
    assert "1 task ran on it: pay.charge early" in found.text


def test_a_blocked_worker_is_named_with_what_it_runs(cluster: Cluster) -> None:
    lose(cluster, receivers=1)
    (found,) = evaluate(cluster, NOW + 20)
    assert (found.rule, found.severity) == ("worker-blocked", Level.WARN)
    assert found.text.endswith("; it runs 2 tasks: pay.charge late, pay.charge early")


def test_a_worker_that_is_back_is_no_finding(cluster: Cluster) -> None:
    lose(cluster)
    heartbeat(cluster, "w1@a", NOW + 30)
    cluster.tick(NOW + 30)
    assert evaluate(cluster, NOW + 31) == ()
