"""What the charts say: how it moves, since when it is a trouble, and what came before."""

from __future__ import annotations

import pytest

from celery_tui.columns.base import View
from celery_tui.columns.charts import Chart
from celery_tui.columns.names import tail
from celery_tui.columns.trends import (
    backlog_chart,
    failing_since,
    failures_chart,
    queue_chart,
    slope_words,
)
from celery_tui.model.cluster import Cluster
from celery_tui.model.history import STEP_S, History
from celery_tui.model.seam import Health, Link
from celery_tui.triage import evaluate
from tests.screens.sample import NOW, live
from tests.screens.story import FAILING_AT, GONE_AT, calm_story, told_story


def view(cluster: Cluster) -> View:
    return View(NOW, cluster, host_suffix="@demo")


def filled(*values: float) -> History:
    history = History("d")
    for step, value in enumerate(values, 1):
        history.put(value, step * STEP_S)
    return history


def words(chart: Chart) -> list[str]:
    """Of the causes; the last one is always that we attached."""
    assert chart.causes[-1].words == "attached"
    return [cause.words for cause in chart.causes[:-1]]


# -- how it moves -------------------------------------------------------------------------------


@pytest.mark.parametrize(("values", "shown"), [
    (range(0, 5_760, 320), "+3,840/min"), (range(9_000, 0, -500), "-6,000/min"),
    ([62.0] * 20, "steady, 62 now"), ([0.0] * 20, "steady, 0 now"), ([5.0] * 10, ""), ([], ""),
])  # fmt: skip
def test_a_slope_is_told_when_it_is_known_and_more_than_noise(
    values: list[float], shown: str
) -> None:
    assert slope_words(filled(*values)) == shown


def test_a_queue_nobody_consumes_never_drains_and_one_that_falls_says_when() -> None:
    cluster = told_story()
    findings = evaluate(cluster, NOW)
    assert queue_chart(view(cluster), cluster.queues["emails"], findings).trend.endswith(
        "/min, drains never"
    )
    falling = cluster.queues["pay"]
    falling.history, falling.depth = filled(*range(9_000, 0, -500)), 500
    assert queue_chart(view(cluster), falling, ()).trend == "-6,000/min, drains in 5.0s"


# -- since when, and why --------------------------------------------------------------------------


def test_the_backlog_is_hot_since_the_only_consumer_went() -> None:
    cluster = told_story()
    chart = backlog_chart(view(cluster), evaluate(cluster, NOW))
    assert chart.trouble_since == GONE_AT
    assert words(chart) == ["mail-worker gone"]
    assert chart.samples[-1][1] > 80_000


def test_failures_are_hot_since_they_are_many_and_named_after_what_most_died_of() -> None:
    chart = failures_chart(view(told_story()))
    assert chart.trouble_since is not None
    assert abs(chart.trouble_since - FAILING_AT) <= 2 * STEP_S
    assert words(chart)[0] == "DeclinedError"


def test_a_calm_cluster_has_no_trouble_and_no_causes() -> None:
    cluster = calm_story()
    for chart in (backlog_chart(view(cluster), ()), failures_chart(view(cluster))):
        assert chart.trouble_since is None
        assert not words(chart)


def test_a_trouble_that_paused_for_long_begins_with_its_return() -> None:
    ends = filled(*[10.0] * 60)
    assert failing_since(filled(*[5.0] * 10, *[0.0] * 50), ends) is None
    assert failing_since(filled(*[5.0] * 10, *[0.0] * 40, *[5.0] * 10), ends) == 50 * STEP_S
    assert failing_since(filled(*[0.0] * 30, *[5.0, 0.0, 0.0] * 10), ends) == 30 * STEP_S
    assert failing_since(filled(*[0.0] * 59, 10.0), ends) == 59 * STEP_S


def test_workers_that_go_or_come_together_are_one_cause() -> None:
    cluster = Cluster(NOW - 900)
    live(cluster, NOW - 899)
    for second, name in enumerate(("pay-1", "pay-2", "pay-3")):
        cluster.note(NOW - 300 + second, "worker", "warn", f"{name}@demo went offline")
    cluster.note(NOW - 200, "worker", "info", "pay-4@demo came online")
    cluster.note(NOW - 895, "worker", "info", "pay-0@demo came online")
    assert words(failures_chart(view(cluster))) == ["3 workers gone", "pay-4 online"]


def test_a_lost_link_is_a_cause_and_that_of_the_results_is_not() -> None:
    cluster = Cluster(NOW - 900)
    live(cluster, NOW - 899)
    for source in ("results", "queues", "events"):
        cluster.apply(Health(source, Link.LOST, NOW - 60))
    assert words(failures_chart(view(cluster))) == ["link lost"]


def test_a_worker_that_does_not_listen_to_a_queue_is_no_cause_of_its_backlog() -> None:
    cluster = told_story()
    chart = queue_chart(view(cluster), cluster.queues["default"], ())
    assert "mail-worker gone" not in words(chart)
    assert "mail-worker gone" in words(backlog_chart(view(cluster), ()))


@pytest.mark.parametrize(("name", "others", "shown"), [
    ("celery@pay-7d9f-9wq7m", ["celery@pay-7d9f-k81xz"], "9wq7m"),
    ("media-render-gpu-01", ["media-render-gpu-02"], "gpu-01"),
    ("pay-worker", ["mail-worker"], "pay-worker"), ("w1@a", ["w2@a"], "w1@a"),
])  # fmt: skip
def test_running_text_names_a_worker_by_its_shortest_tail_of_its_own(
    name: str, others: list[str], shown: str
) -> None:
    assert tail(name, [name, *others]) == shown
