"""What moves by itself moves once a second; what changed is shown at once."""

from __future__ import annotations

from celery_tui.columns.base import Second, View
from celery_tui.columns.numbers import duration
from celery_tui.model.cluster import Cluster

T = 1_795_176_600.0


def test_the_screen_has_whole_seconds() -> None:
    second = Second()
    assert [second.at(T + part).now for part in (0.0, 0.25, 0.999, 1.0, 1.25)] == [
        T, T, T, T + 1, T + 1,
    ]  # fmt: skip


def test_what_is_worked_out_is_kept_for_its_second() -> None:
    second, made = Second(), iter(range(9))
    shown = [second.at(T + tick / 4).once("busy", lambda: next(made)) for tick in range(9)]
    assert shown == [0, 0, 0, 0, 1, 1, 1, 1, 2]


def test_a_lost_broker_is_shown_at_once() -> None:
    cluster, second, made = Cluster(T), Second().at(T), iter(range(9))
    live = View(T, cluster, second=second)
    lost = View(T, cluster, stale=True, second=second)
    assert [v.once("busy", lambda: next(made)) for v in (live, live, lost, live)] == [0, 0, 1, 0]


def test_what_came_within_the_present_second_is_less_than_a_second_old() -> None:
    assert [duration(T - at) for at in (T - 1.3, T - 0.3, T, T + 0.7)] == [
        "1.3s", "0.3s", "0.0s", "<1s",
    ]  # fmt: skip
