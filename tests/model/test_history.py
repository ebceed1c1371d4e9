"""What charts are drawn from: 20 minutes, a gap where nobody knew, a few bytes a sample."""

from __future__ import annotations

import sys

from celery_tui.model.history import SAMPLES, SPAN_S, STEP_S, History
from celery_tui.model.seam import Health, Link
from tests.triage.clusters import ATTACHED, depths, fleet, heartbeat, live_cluster, task_event


def filled(*values: float | None) -> History:
    history = History()
    for step, value in enumerate(values, 1):
        history.put(value, step * STEP_S)
    return history


def test_only_the_first_reading_of_a_step_counts() -> None:
    history = History()
    for at, value in ((10.0, 1), (11.0, 2), (14.9, 3), (15.0, 4)):
        history.put(value, at)
    assert history.last(9) == [1, 4]


def test_unknown_is_a_gap_and_so_is_a_time_without_samples() -> None:
    history = filled(7, None, 0)
    history.put(5, 6 * STEP_S)
    assert history.last(9) == [7, None, 0, None, None, 5]
    assert history.known(9) == [7, 0, 5]
    assert history.samples() == [(1, 7), (3, 0), (6, 5)]


def test_it_keeps_twenty_minutes_and_a_kilobyte_whatever_comes() -> None:
    history = History()
    for step in range(1, 3 * SAMPLES):
        history.put(10**12, step * STEP_S)
    assert len(history.last(10**6)) == SAMPLES == SPAN_S // STEP_S
    assert sys.getsizeof(history._samples) < 1_400
    history.put(1, 10**9)
    assert history.known(SAMPLES) == [1]


def test_a_clock_that_is_set_back_starts_anew() -> None:
    history = filled(1, 2, 3)
    history.put(9, 0.0)
    assert history.samples() == [(0, 9)]


def test_a_slope_is_told_once_it_is_known() -> None:
    assert filled(*range(0, 1_700, 100)).slope() is None
    assert filled(*range(0, 1_800, 100)).slope() == 1_200
    assert filled(*[4] * 30).slope() == 0
    assert filled(*range(0, 500, 100), None, *range(600, 1_800, 100)).slope() is None


def test_the_backlog_is_not_known_while_the_broker_is_lost() -> None:
    cluster = live_cluster()
    depths(cluster, ATTACHED, emails=40, pay=2)
    cluster.remember(ATTACHED + 5)
    cluster.apply(Health("queues", Link.LOST, ATTACHED + 8))
    cluster.remember(ATTACHED + 10)
    cluster.apply(Health("queues", Link.LIVE, ATTACHED + 12))
    depths(cluster, ATTACHED + 13, emails=50, pay=2)
    cluster.remember(ATTACHED + 15)
    assert cluster.past.backlog.last(9) == [42, None, 52]
    assert cluster.queues["emails"].history.last(9) == [40, None, 50]


def test_no_queue_read_is_not_an_empty_backlog() -> None:
    cluster = live_cluster()
    cluster.remember(ATTACHED + 5)
    assert cluster.past.backlog.last(9) == [None]


def test_failures_are_unknown_until_somebody_sends_task_events() -> None:
    cluster = live_cluster()
    fleet(cluster, ATTACHED, w1="pay")
    for second in range(12):
        cluster.remember(ATTACHED + second)
    assert cluster.past.failures.last(9) == [None] * 3
    task_event(cluster, "task-failed", "a", "w1@a", ATTACHED + 13)
    for second in range(13, 26):
        cluster.remember(ATTACHED + second)
    assert cluster.past.failures.last(2) == [0, 0]
    task_event(cluster, "task-failed", "b", "w1@a", ATTACHED + 26)
    task_event(cluster, "task-succeeded", "c", "w1@a", ATTACHED + 27)
    for second in range(26, 31):
        cluster.remember(ATTACHED + second)
    assert (cluster.past.failures.last(1), cluster.past.ends.last(1)) == ([0.2], [0.4])


def test_a_time_in_which_we_slept_is_a_gap() -> None:
    cluster = live_cluster()
    fleet(cluster, ATTACHED, w1="pay")
    task_event(cluster, "task-succeeded", "a", "w1@a", ATTACHED)
    cluster.remember(ATTACHED)
    cluster.remember(ATTACHED + 5)
    heartbeat(cluster, "w1@a", ATTACHED + 500)
    cluster.remember(ATTACHED + 500)
    cluster.remember(ATTACHED + 505)
    assert cluster.past.failures.known(SAMPLES) == [0, 0]
