"""Tasks whose message is nowhere are not pending for ever, and nobody is missed too soon."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import pytest

from celery_tui.model.cluster import Cluster
from celery_tui.model.observations import (
    QueueDepth,
    QueueDepths,
    Reply,
    ResultMeta,
    Results,
    RoundEnded,
    Unacknowledged,
)
from celery_tui.model.seam import Act, ActionRequest, Health, Link, Outcome, Stage, Target
from celery_tui.model.task import BROKER
from celery_tui.model.vanished import GONE, LOOKED_AT

from .recording import hear, new_cluster


@pytest.fixture
def cluster() -> Cluster:
    cluster = new_cluster(100.0)
    for source in ("inspect", "queues", "results"):
        cluster.apply(Health(source, Link.LIVE, 100.0))
    return cluster


def send(cluster: Cluster, task_id: str, at: float, queue: str = "q") -> None:
    hear(cluster, "task-sent", at, uuid=task_id, name="n", queue=queue, hostname="gen1@web")


def second(cluster: Cluster, now: float, depth: int = 0, **told: Collection[str]) -> None:
    """What a second brings: a reading, answers of all, and of what is looked for."""
    cluster.apply(QueueDepths(now, {"q": QueueDepth(depth, {"0": depth})}))
    for question in ("active", "reserved", "scheduled"):
        cluster.apply(RoundEnded(question, now - 0.1, now, frozenset()))
    if sought := cluster.reconciler.sought():
        held = told.get("unacked", ())
        found = {i: now for i in sought if i in held}
        missing = tuple(i for i in sought if i not in held)
        cluster.apply(Unacknowledged(now, dict(found), missing))
    if ids := cluster.unsettled(now, 500):
        cluster.apply(Results(now, (), tuple(i for i in ids if i not in told.get("stored", ()))))
    cluster.tick(now)


def seconds(cluster: Cluster, begin: int, end: int, **told: Any) -> None:
    for now in range(begin, end):
        second(cluster, float(now), **told)


def test_a_task_whose_message_is_nowhere_is_gone(cluster: Cluster) -> None:
    second(cluster, 101, depth=1)
    send(cluster, "t1", 101)
    seconds(cluster, 102, 125)
    task = cluster.tasks["t1"]
    assert (task.state, task.verdict, task.source) == ("UNKNOWN", GONE, BROKER)
    assert list(cluster.pending) == []
    cluster.apply(Results(130, (), ("t1",)))
    assert task.verdict == GONE
    assert "t1" not in cluster.unsettled(140, 10)


def test_what_is_sent_again_or_received_after_all_is_no_longer_gone(cluster: Cluster) -> None:
    send(cluster, "t1", 101)
    seconds(cluster, 102, 125)
    hear(cluster, "task-received", 126, uuid="t1", name="n", retries=0)
    task = cluster.tasks["t1"]
    assert (task.state, task.verdict, cluster.reconciler.vanished.gone) == ("RECEIVED", None, {})


def test_while_its_queue_has_messages_nobody_is_missed(cluster: Cluster) -> None:
    send(cluster, "t1", 101)
    seconds(cluster, 102, 150, depth=3)
    assert cluster.tasks["t1"].state == "PENDING"
    assert cluster.reconciler.sought() == ()


def test_a_message_that_is_unacknowledged_is_with_a_worker(cluster: Cluster) -> None:
    send(cluster, "t1", 101)
    seconds(cluster, 102, 150, unacked={"t1"})
    assert cluster.tasks["t1"].state == "PENDING"


def test_a_task_that_ended_unheard_is_told_by_the_backend(cluster: Cluster) -> None:
    send(cluster, "t1", 101)
    seconds(cluster, 102, 110, stored={"t1"})
    assert "t1" in cluster.unsettled(110, 10)
    cluster.apply(Results(110.5, (ResultMeta("t1", "SUCCESS", date_done=102.0),)))
    seconds(cluster, 111, 120)
    assert cluster.tasks["t1"].verdict == "succeeded (result backend, no event)"


def test_a_task_that_a_worker_lists_is_not_gone(cluster: Cluster) -> None:
    send(cluster, "t1", 101)
    seconds(cluster, 102, 104)
    entry = {"id": "t1", "name": "n"}
    cluster.apply(Reply("reserved", "w1@a", [entry], 104, 104))
    seconds(cluster, 105, 125)
    assert cluster.tasks["t1"].state == "RECEIVED"


def test_nobody_is_missed_before_all_workers_were_asked(cluster: Cluster) -> None:
    send(cluster, "t1", 101)
    for now in range(102, 140):
        cluster.apply(QueueDepths(now, {"q": QueueDepth(0, {"0": 0})}))
        cluster.tick(now)
    assert cluster.reconciler.sought() == ()


def test_nobody_is_missed_while_a_consumer_does_not_answer(cluster: Cluster) -> None:
    hear(cluster, "worker-heartbeat", 101, freq=2.0)
    cluster.apply(Reply("active_queues", "w1@a", [{"name": "q"}], 101, 101))
    send(cluster, "t1", 101)
    seconds(cluster, 108, 130)  # silent by now
    assert cluster.tasks["t1"].state == "PENDING"


def test_readings_of_before_prove_nothing(cluster: Cluster) -> None:
    send(cluster, "t1", 101)
    seconds(cluster, 102, 104)
    for now in range(110, 140):  # the broker is away
        cluster.tick(now)
    assert cluster.tasks["t1"].state == "PENDING"


def outcome(act: Act, at: float) -> Outcome:
    target = Target("queue", "q")
    request = ActionRequest("r1", act, (target,), at)
    return Outcome(request, target, Stage.SEEN, "1 message", at, undo="the:quarantine")


def test_what_we_purged_says_so_and_waits_again_after_undo(cluster: Cluster) -> None:
    send(cluster, "t1", 101)
    cluster.apply(outcome(Act.PURGE, 102))
    send(cluster, "t2", 103)
    seconds(cluster, 104, 125)
    one, two = (cluster.tasks[i] for i in ("t1", "t2"))
    assert one.verdict == (
        "purged here: its message is in the quarantine the:quarantine, Z brings it back"
    )
    assert two.verdict == GONE
    cluster.apply(outcome(Act.UNDO, 126))
    assert cluster.tasks["t1"].state == "PENDING"
    assert cluster.tasks["t1"].verdict is None
    assert two.verdict == GONE


def test_many_pending_tasks_are_looked_at_in_steps(cluster: Cluster) -> None:
    for number in range(LOOKED_AT + 500):
        send(cluster, f"full{number}", 101, queue="full")
    send(cluster, "t1", 101)
    cluster.apply(QueueDepths(101.0, {"full": QueueDepth(9_999, {"0": 9_999})}))
    seconds(cluster, 102, 130)
    assert cluster.tasks["t1"].state == "UNKNOWN"
    assert len(cluster.pending) == LOOKED_AT + 500
