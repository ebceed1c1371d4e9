"""A task's life as bars: each try, each wait, and nothing made up between."""

from __future__ import annotations

import random
from typing import Any

import pytest

from celery_tui.columns.base import View
from celery_tui.columns.timeline import BACKOFF, MOMENT, WAIT, WORK, bar, phases, timeline, total_s
from celery_tui.model.cluster import Cluster
from celery_tui.model.events import Event
from celery_tui.model.observations import EventBatch
from celery_tui.model.task import Task

T = 1_795_176_000.0
ID = "5d20aa17-04aa-4c11-9d1e-3b7a2f60e0d5"


def happened(kind: str, at: float, **fields: Any) -> Event:
    """One event of the task, so many seconds after it was sent."""
    return Event(f"task-{kind}", T + at, fields.pop("by", "w1@a"), uuid=ID, **fields)


RETRIED = (
    happened("sent", 0, by="gen1@web", name="pay.charge", queue="pay", retries=0),
    happened("received", 6, name="pay.charge", retries=0),
    happened("started", 6.5),
    happened("retried", 9.5, exception="DeclinedError('no')"),
    happened("received", 9.6, name="pay.charge", retries=1),
    happened("started", 19.5),
    happened("retried", 22.5, exception="Timeout: host"),
    happened("received", 22.6, name="pay.charge", retries=2),
    happened("started", 42.5),
    happened("failed", 45.5, exception="DeclinedError('no')", traceback="x"),
)


def folded(*events: Event) -> Task:
    """The task after these events."""
    cluster = Cluster(T - 10)
    for event in events:
        cluster.apply(EventBatch(event.timestamp, (event,), {}))
    return cluster.tasks[ID]


def told(task: Task, now: float = 60) -> list[tuple[str, float, float, str]]:
    """(label, begin, end, kind) in seconds after it was sent."""
    rows = phases(task, T + now)
    return [(r.label, round(r.begin - T, 1), round(r.end - T, 1), r.kind) for r in rows]


def test_a_task_that_was_retried_shows_every_try_and_every_backoff() -> None:
    assert told(folded(*RETRIED)) == [
        ("sent", 0, 0, MOMENT), ("waited", 0, 6, WAIT), ("received", 6, 6, MOMENT),
        ("held", 6, 6.5, WAIT), ("try 1", 6.5, 9.5, WORK), ("backoff", 9.5, 19.5, BACKOFF),
        ("try 2", 19.5, 22.5, WORK), ("backoff", 22.5, 42.5, BACKOFF),
        ("try 3", 42.5, 45.5, WORK), ("failure", 45.5, 45.5, MOMENT),
    ]  # fmt: skip


@pytest.mark.parametrize("at", range(1, len(RETRIED) - 1))
def test_an_event_that_overtakes_another_changes_nothing(at: int) -> None:
    mixed = [*RETRIED[:at], RETRIED[at + 1], RETRIED[at], *RETRIED[at + 2 :]]
    assert told(folded(*mixed)) == told(folded(*RETRIED))


@pytest.mark.parametrize("seed", range(40))
def test_events_in_no_order_at_all_still_draw_a_life_that_runs_forwards(seed: int) -> None:
    mixed = random.Random(seed).sample(RETRIED, len(RETRIED))
    rows = told(folded(*mixed))
    assert rows
    assert all(begin <= end for _, begin, end, _ in rows)
    assert timeline(folded(*mixed), View(T + 60, Cluster(T)), 100)


def test_a_running_task_grows_with_the_clock_and_has_no_ending() -> None:
    task = folded(*RETRIED[:3])
    assert told(task, 16.5)[-1] == ("run", 6.5, 16.5, WORK)
    assert phases(task, T + 16.5)[-1].cause == "running"


def test_what_nobody_told_is_not_drawn() -> None:
    assert told(folded(happened("succeeded", 5, result="1"))) == [("success", 5, 5, MOMENT)]
    assert told(folded(RETRIED[1])) == [("received", 6, 6, MOMENT)]
    assert told(Task(ID)) == []
    assert total_s([]) == 0


def test_a_revoked_task_says_how_it_ended() -> None:
    for fields, words in (
        ({"terminated": True, "signum": "SIGTERM"}, "terminated by signal SIGTERM"),
        ({"terminated": True}, "terminated"),
        ({"expired": True}, "expired"),
        ({"terminated": True, "signum": "\x1b[2J"}, "terminated by signal ^[[2J"),
    ):
        task = folded(*RETRIED[1:3], happened("revoked", 8, **fields))
        assert phases(task, T + 60)[-1].cause == words


@pytest.mark.parametrize("width", [40, 60, 77, 89, 90, 117, 157])
def test_rows_of_a_timeline_fit_their_width_and_the_small_form_drops_clock_and_moments(
    width: int,
) -> None:
    task = folded(*RETRIED)
    rows = timeline(task, View(T + 60, Cluster(T)), width)
    texts = ["".join(text for text, _ in row) for row in rows]
    assert ("12:00:00.00" in texts[0]) == (width >= 90)
    assert any(text.startswith("sent") for text in texts) == (width >= 90)
    assert len(rows) == (10 if width >= 90 else 8)
    if width >= 60:
        assert max(map(len, texts)) <= width
    assert all(text[0] != " " for text in texts)


def test_a_bar_is_at_least_one_cell_and_stays_on_its_axis() -> None:
    for row in phases(folded(*RETRIED), T + 60):
        for width in (1, 10, 50):
            lead, glyphs = bar(row, T, 45.5, width)
            assert 0 <= lead < width
            assert len(glyphs) >= 1
            assert lead + len(glyphs) <= width
