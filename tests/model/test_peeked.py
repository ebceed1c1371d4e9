"""Messages that were looked at are kept for the last few queues, and open as tasks."""

import pytest

from celery_tui.model.cluster import Cluster
from celery_tui.model.events import Event
from celery_tui.model.observations import EventBatch
from celery_tui.model.peeked import (
    MESSAGE,
    QUEUES_KEPT,
    End,
    Opened,
    Peeked,
    Sampled,
    WaitingMessage,
)
from celery_tui.model.task import PENDING, STARTED, Exact

NOW = 2_000.0
WAITING = WaitingMessage(
    1, 0, 700, id="t1", name="mail.receipt", args="(1,)", kwargs="{'a': 2}",
    exact=Exact([1], {"a": 2}, MESSAGE), eta="2026-11-20T12:10:00+00:00", retries=2,
    root_id="t0", origin="gen7@web",
)  # fmt: skip


def test_the_newest_page_and_sample_of_a_few_queues_are_kept() -> None:
    cluster = Cluster(NOW)
    for number in range(QUEUES_KEPT + 3):
        cluster.apply(Peeked(NOW, f"q{number}", End.HEAD, 0, (WAITING,), 1))
        cluster.apply(Sampled(NOW, f"q{number}", {"x": 1}, 1, 1))
    assert len(cluster.peeks.pages) == len(cluster.peeks.samples) == QUEUES_KEPT
    assert "q0" not in cluster.peeks.pages
    cluster.apply(Peeked(NOW, "q9", End.TAIL, 0, error="lost"))
    assert cluster.peeks.pages["q9"].error == "lost"
    assert "q9" in cluster.peeks.samples
    assert not cluster.tasks, "looking makes no tasks"


def test_a_message_opens_as_a_task_that_waits() -> None:
    cluster = Cluster(NOW)
    cluster.apply(Opened(NOW, "emails", WAITING))
    task = cluster.tasks["t1"]
    assert (task.state, task.name, task.queue, task.retries) == (
        PENDING, "mail.receipt", "emails", 2,
    )  # fmt: skip
    assert task.exact == Exact([1], {"a": 2}, MESSAGE)
    assert (task.args, task.args_source) == ("(1,)", MESSAGE)
    assert (task.sources, task.client, task.root_id) == ((MESSAGE,), "gen7@web", "t0")
    assert not cluster.transitions.kept, "nothing has happened to it"


@pytest.mark.parametrize("exact", [True, False])
def test_a_message_moves_no_task_and_makes_its_args_exact(exact: bool) -> None:
    cluster = Cluster(NOW)
    happened = (
        Event("task-received", NOW, "w1@a", uuid="t1", name="mail.receipt", args="('cut..."),
        Event("task-started", NOW, "w1@a", uuid="t1"),
    )  # fmt: skip
    cluster.apply(EventBatch(NOW, happened, {}))
    message = WAITING if exact else WaitingMessage(1, 0, 7, id="t1", name="x", args="(0,)")
    cluster.apply(Opened(NOW, "emails", message))
    task = cluster.tasks["t1"]
    assert (task.state, task.queue, task.name) == (STARTED, "emails", "mail.receipt")
    assert task.args == ("(1,)" if exact else "('cut...")
