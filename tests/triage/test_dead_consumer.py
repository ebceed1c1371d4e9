"""A consumer that is dead while its worker is fine: the broker's count and the worker's word."""

import pytest

from celery_tui.model.cluster import Cluster
from celery_tui.model.observations import QueueDepth, QueueDepths
from celery_tui.model.seam import Level
from celery_tui.triage import evaluate
from tests.triage.clusters import fleet, heartbeat, live_cluster, round_ended

NOW = 1_100.0


def counted(cluster: Cluster, at: float, depth: int, consumers: int | None) -> None:
    cluster.apply(QueueDepths(at, {"emails": QueueDepth(depth, {}, consumers)}))


@pytest.fixture
def cluster() -> Cluster:
    one = live_cluster()
    fleet(one, NOW, w1="emails")
    return one


def asked_again(cluster: Cluster, at: float) -> None:
    heartbeat(cluster, "w1@a", at)
    round_ended(cluster, "active_queues", at, "w1@a")


def test_the_worker_says_it_listens_and_the_broker_counts_nobody(cluster: Cluster) -> None:
    counted(cluster, NOW + 1, 12, 0)
    asked_again(cluster, NOW + 4)
    counted(cluster, NOW + 7, 15, 0)
    (found,) = evaluate(cluster, NOW + 7)
    assert (found.rule, found.severity, found.subject) == ("dead-consumer", Level.CRIT, "emails")
    assert found.text == ("w1@a says to consume it, the broker counts no consumer: 15 messages")
    assert (found.since, found.next) == (NOW + 1, "restart w1@a")


@pytest.mark.parametrize(("depth", "consumers"), [(0, 0), (15, 1), (15, None)])
def test_nothing_is_said_where_nothing_waits_or_somebody_is_counted(
    cluster: Cluster, depth: int, consumers: int | None
) -> None:
    counted(cluster, NOW + 1, depth, consumers)
    asked_again(cluster, NOW + 4)
    counted(cluster, NOW + 7, depth, consumers)
    assert evaluate(cluster, NOW + 7) == ()


def test_the_worker_must_have_said_so_after_the_broker_counted(cluster: Cluster) -> None:
    counted(cluster, NOW + 1, 12, 0)
    heartbeat(cluster, "w1@a", NOW + 7)
    assert evaluate(cluster, NOW + 8) == ()


def test_a_consumer_that_is_back_clears_it(cluster: Cluster) -> None:
    counted(cluster, NOW + 1, 12, 0)
    asked_again(cluster, NOW + 4)
    counted(cluster, NOW + 7, 12, 1)
    assert evaluate(cluster, NOW + 8) == ()
    counted(cluster, NOW + 9, 12, 0)
    assert evaluate(cluster, NOW + 10) == ()
