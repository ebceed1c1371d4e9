"""What a queue's row says of those who should take its messages."""

from __future__ import annotations

from celery_tui.columns.base import View
from celery_tui.columns.queues import consumers_cell, glyph_cell, use_cell
from celery_tui.model.cluster import Cluster
from tests.triage.clusters import ATTACHED, depths, fleet, heartbeat, live_cluster, round_ended

NOW = ATTACHED + 60


def row(cluster: Cluster, now: float) -> tuple[str, str, str]:
    view, queue = View(now, cluster), cluster.queues["celery"]
    return glyph_cell(queue, view)[0], consumers_cell(queue, view)[0], use_cell(queue, view)[0]


def test_a_queue_whose_only_consumer_is_lost_is_not_green() -> None:
    cluster = live_cluster()
    fleet(cluster, NOW, w1="celery")
    depths(cluster, NOW, celery=4)
    assert row(cluster, NOW)[:2] == ("✓", "w1@a")
    round_ended(cluster, "ping", NOW + 10)
    assert row(cluster, NOW + 20) == ("✗", "1 lost", "?")
    depths(cluster, NOW + 20, celery=0)
    assert row(cluster, NOW + 20) == ("⋅", "1 lost", "?")


def test_one_consumer_that_lives_is_enough() -> None:
    cluster = live_cluster()
    fleet(cluster, NOW, w1="celery", w2="celery")
    depths(cluster, NOW, celery=4)
    round_ended(cluster, "ping", NOW + 10, "w1@a")
    heartbeat(cluster, "w1@a", NOW + 19)
    assert row(cluster, NOW + 20)[:2] == ("✓", "2 workers")
