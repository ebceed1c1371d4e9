"""What a queue's row says of those who should take its messages."""

from __future__ import annotations

import pytest

from celery_tui.columns.base import Second, View
from celery_tui.columns.queues import (
    COLUMNS,
    QueueRows,
    _change,
    consumers_cell,
    glyph_cell,
    trend_cell,
    use_cell,
)
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


def test_a_new_queue_is_shown_at_once_and_the_order_moves_once_a_second() -> None:
    cluster = live_cluster()
    fleet(cluster, NOW, w1="celery", w2="mail")
    depths(cluster, NOW, celery=4, mail=2)
    rows, second = QueueRows(COLUMNS), Second()

    def shown(now: float) -> list[str]:
        return list(rows.ids(View(NOW, cluster, second=second.at(now))))

    assert shown(NOW) == ["celery", "mail"]
    cluster.workers["w2@a"].queues = ()
    cluster.listeners.told()
    assert shown(NOW + 0.5) == ["celery", "mail"]
    assert shown(NOW + 1) == ["mail", "celery"]
    depths(cluster, NOW + 1, a=0)
    assert "a" in shown(NOW + 1.25)
    rows.filter = "cel"
    assert shown(NOW + 1.5) == ["celery"]


@pytest.mark.parametrize(("change", "shown"), [
    (0, "0"), (7, "+7"), (-88_110, "-88,110"), (123_456, "+123k"), (-12_345_678, "-12M"),
])  # fmt: skip
def test_a_change_a_minute_is_never_cut(change: int, shown: str) -> None:
    assert _change(change) == shown
    assert len(shown) <= 7


def test_the_change_of_a_young_queue_is_an_estimate() -> None:
    cluster = live_cluster()
    for step in range(24):
        depths(cluster, ATTACHED + step * 5, celery=step * 10)
        cluster.remember(ATTACHED + step * 5)
        queue = cluster.queues["celery"]
        words = trend_cell(queue, View(NOW, cluster))[0]
        assert words == ("?" if step < 3 else "~+120" if step < 17 else "+120")


@pytest.mark.parametrize(
    ("is_amqp", "has_management", "note"),
    [(False, False, ""), (True, False, "named only"), (True, True, "")],
)
def test_where_the_broker_lists_no_queues_the_title_says_that_there_may_be_more(
    is_amqp: bool, has_management: bool, note: str
) -> None:
    cluster = live_cluster()
    cluster.is_amqp, cluster.has_management = is_amqp, has_management
    assert QueueRows(COLUMNS).head(View(ATTACHED, cluster)).note == note
