"""Filter and order of the task table, against the plain way to make them."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import pytest

from celery_tui.model import matching
from celery_tui.model.cluster import Cluster
from celery_tui.model.kept_tasks import NEWS_KEPT
from celery_tui.model.query import Query
from celery_tui.model.task import Task

from .recording import hear, new_cluster

NAMES = ("pay.charge", "mail.send", "crm.sync")


def nothing(task: Task) -> None:
    """The value of tasks that are not sorted."""


def shown(
    query: Query, cluster: Cluster, value: Callable[[Task], Any] = nothing, now: float = 0.0
) -> list[str]:
    """What it shows when nothing is left to do."""
    while query.step(cluster, value, now):
        pass
    return list(query.ids(cluster))


def plainly(cluster: Cluster, needle: str) -> list[str]:
    """What matches, the newest first, looked at one by one."""
    found = [i for i, task in cluster.tasks.items() if matching.matches(task, needle, 0.0)]
    return found[::-1]


def traffic(cluster: Cluster, chance: random.Random, number: int, first: int = 0) -> None:
    """Tasks that come, move and end, in any order."""
    for n in range(first, first + number):
        hear(cluster, "task-received", n, uuid=f"u{n}", name=chance.choice(NAMES))
        older = f"u{chance.randint(max(0, n - 300), n)}"
        kind = chance.choice(("started", "succeeded", "failed", "retried"))
        hear(cluster, f"task-{kind}", n + 0.5, uuid=older, exception=f"Error({n % 7})")


def test_the_word_eta_finds_what_waits_for_its_time_until_it_has_come() -> None:
    cluster = new_cluster(0.0)
    hear(cluster, "task-received", 10, uuid="u1", name="pay.charge", eta="1970-01-01T00:01:00")
    hear(cluster, "task-received", 10, uuid="u2", name="pay.charge")
    query = Query()
    query.text = "ETA"
    assert shown(query, cluster, now=30.0) == ["u1"]
    assert shown(query, cluster, now=61.0) == []


def test_newest_first_is_the_models_own_order() -> None:
    cluster = new_cluster(0.0)
    query = Query()
    hear(cluster, "task-received", 1, uuid="u1")
    assert query.ids(cluster) is cluster.newest()
    assert query.ids(cluster) is query.ids(cluster)
    hear(cluster, "task-received", 2, uuid="u2")
    assert list(query.ids(cluster)) == ["u2", "u1"]
    assert not query.step(cluster, nothing, 3.0)


@pytest.mark.parametrize("seed", range(4))
def test_a_filter_keeps_up_with_what_comes_changes_and_goes(seed: int) -> None:
    chance = random.Random(seed)
    cluster = Cluster(0.0, max_tasks=400, max_failures=50)
    query = Query()
    query.text = " FAILure"
    for turn in range(30):
        traffic(cluster, chance, 100, turn * 100)
        if turn % 3 == 0:  # it may be interrupted anywhere
            query.step(cluster, nothing, 0.0)
        else:
            assert shown(query, cluster) == plainly(cluster, "failure")
    assert cluster.evicted


def test_a_filter_that_missed_news_looks_at_all_tasks_anew() -> None:
    cluster = Cluster(0.0, max_tasks=500, max_failures=50)
    query = Query()
    query.text = "mail"
    chance = random.Random(5)
    traffic(cluster, chance, 300)
    shown(query, cluster)
    traffic(cluster, chance, NEWS_KEPT // 2, 300)
    assert shown(query, cluster) == plainly(cluster, "mail")


def test_later_steps_look_only_at_what_changed(monkeypatch: pytest.MonkeyPatch) -> None:
    cluster = new_cluster(0.0)
    query = Query()
    traffic(cluster, random.Random(1), 3_000)
    query.text = "pay"
    shown(query, cluster)
    asked: list[str] = []
    plain = matching.matches

    def noted(task: Task, needle: str, now: float) -> bool:
        asked.append(task.id)
        return plain(task, needle, now)

    monkeypatch.setattr(matching, "matches", noted)
    hear(cluster, "task-received", 9_999, uuid="late", name="pay.late")
    assert shown(query, cluster)[0] == "late"
    assert asked == ["late"]


@pytest.mark.parametrize("descending", [True, False])
@pytest.mark.parametrize("number", [0, 1, 7, 999, 1_000, 7_500])
@pytest.mark.parametrize(
    "value",
    [
        lambda task: task.name,
        lambda task: task.exception,
        lambda task: task.received_at,
        lambda task: float("nan") if task.name == "crm.sync" else hash(task.id) % 97,
        lambda task: None,
    ],
    ids=["few values", "some unknown", "all different", "not a number", "none known"],
)
def test_a_sort_is_the_plain_one_of_newest_first(
    value: Callable[[Task], Any], number: int, descending: bool
) -> None:
    cluster = new_cluster(0.0)
    traffic(cluster, random.Random(2), number)
    query = Query()
    query.sort = ("x", descending)
    tasks = [cluster.tasks[i] for i in cluster.newest()]
    keyed = [(value(task), task.id) for task in tasks]
    known = [pair for pair in keyed if pair[0] is not None and pair[0] == pair[0]]
    unknown = [i for v, i in keyed if v is None or v != v]
    expected = [i for _, i in sorted(known, key=lambda pair: pair[0], reverse=descending)]
    assert shown(query, cluster, value) == expected + unknown
    ids = query.ids(cluster)
    assert all(ids.index(i) == place for place, i in enumerate(ids))


def test_a_sort_of_what_a_filter_found() -> None:
    cluster = new_cluster(0.0)
    traffic(cluster, random.Random(3), 2_500)
    query = Query()
    query.text, query.sort = "mail", ("id", False)
    assert shown(query, cluster, lambda task: task.id) == sorted(plainly(cluster, "mail"))


def test_the_order_of_before_is_shown_until_the_new_one_is_there() -> None:
    cluster = new_cluster(0.0)
    traffic(cluster, random.Random(4), 3_000)
    query = Query()
    before = query.ids(cluster)
    query.text = "mail"
    assert query.step(cluster, nothing, 0.0)
    assert query.ids(cluster) is before
    assert query.unfinished
    assert query.progress is not None
    assert (query.progress.verb, query.progress.of) == ("filtering", len(before))
    query.text = "pay"  # somebody types on
    assert shown(query, cluster) == plainly(cluster, "pay")
    assert not query.unfinished
    assert query.progress is None


def test_a_sort_can_be_given_up() -> None:
    cluster = new_cluster(0.0)
    traffic(cluster, random.Random(4), 3_000)
    query = Query()
    before = query.ids(cluster)
    query.sort = ("id", True)
    while query.step(cluster, lambda task: task.id, 0.0):
        if query.progress is not None and query.progress.done:
            break
    assert query.cancel_sort()
    assert query.sort is None
    assert query.ids(cluster) is before
    assert not query.cancel_sort()


def test_a_sorted_order_is_made_anew_as_often_as_can_be_afforded() -> None:
    cluster = new_cluster(0.0)
    traffic(cluster, random.Random(4), 2_000)
    query = Query()
    query.sort = ("id", False)
    now = 100.0
    while query.step(cluster, lambda task: task.id, now):
        now += 0.05
    took_s = now - 100.0
    first = query.ids(cluster)
    assert query.sorted_at == 100.0
    assert not query.step(cluster, lambda task: task.id, 100.0 + 10 * took_s - 0.1)
    assert query.step(cluster, lambda task: task.id, 100.0 + 10 * took_s + 0.1)
    assert query.ids(cluster) is first


def test_a_sort_that_was_interrupted_for_long_is_soon_made_anew() -> None:
    cluster = new_cluster(0.0)
    traffic(cluster, random.Random(4), 2_000)
    query = Query()
    query.sort = ("id", False)
    query.step(cluster, lambda task: task.id, 100.0)
    while query.step(cluster, lambda task: task.id, 9_000.0):
        pass
    assert query.sorted_at == 100.0
    assert query.step(cluster, lambda task: task.id, 9_000.0)
