"""The one Cluster: its bounds, its indexes, and what it tells those who read it."""

from __future__ import annotations

from celery_tui.model.cluster import Cluster
from celery_tui.model.observations import QueueDepth, QueueDepths, Reply, ResultMeta, Results
from celery_tui.model.seam import Act, ActionRequest, Health, Link, Outcome, Stage, Target

from .recording import hear, new_cluster


def run_tasks(cluster: Cluster, count: int, end: str, at: float = 10.0) -> None:
    for number in range(count):
        hear(cluster, "task-started", at, uuid=f"{end}-{number}")
        hear(cluster, end, at + 0.1, uuid=f"{end}-{number}", exception="E()")


def test_the_oldest_finished_are_forgotten_first_and_running_ones_never() -> None:
    cluster = Cluster(0.0, max_tasks=10, max_failures=5)
    for number in range(30):
        hear(cluster, "task-started", 5, uuid=f"long-{number}")
    run_tasks(cluster, 50, "task-succeeded")
    run_tasks(cluster, 50, "task-failed")
    hear(cluster, "task-received", 11, uuid="last")
    assert len(cluster.running) == 30
    assert cluster.counts["SUCCESS"] == 10
    assert next(i for i in cluster.tasks if i.startswith("task-succeeded")) == "task-succeeded-40"
    assert cluster.counts["FAILURE"] == len(cluster.failures) == 5
    assert cluster.evicted == 85
    assert sum(cluster.counts.values()) == len(cluster.tasks)


def test_a_burst_of_successes_never_pushes_failures_out() -> None:
    cluster = Cluster(0.0, max_tasks=10, max_failures=5)
    run_tasks(cluster, 5, "task-failed")
    run_tasks(cluster, 100, "task-succeeded", at=20.0)
    assert len(cluster.failures) == 5


def test_unsettled_are_those_not_final_for_some_seconds() -> None:
    cluster = new_cluster(0.0)
    hear(cluster, "task-started", 10, uuid="old")
    hear(cluster, "task-started", 19, uuid="young")
    run_tasks(cluster, 1, "task-succeeded")
    assert cluster.unsettled(20.0, 100) == ["old"]


def test_a_stored_revoke_is_no_proof_while_the_task_runs() -> None:
    cluster = new_cluster(0.0)
    hear(cluster, "task-started", 10, uuid="u1")
    cluster.apply(Results(12.0, (ResultMeta("u1", "REVOKED"),)))
    task = cluster.tasks["u1"]
    assert task.state == "STARTED"
    assert task.verdict is not None


def test_the_backend_settles_a_task_whose_end_nobody_told() -> None:
    cluster = new_cluster(0.0)
    hear(cluster, "task-started", 10, uuid="u1")
    meta = ResultMeta("u1", "SUCCESS", result="'ok'", date_done=11.0)
    cluster.apply(Results(15.0, (meta,)))
    task = cluster.tasks["u1"]
    assert (task.state, task.result, task.ended_at) == ("SUCCESS", "'ok'", 11.0)
    assert task.verdict == "succeeded (result backend, no event)"


def test_a_queue_that_no_worker_lists_is_unconsumed_since_we_know() -> None:
    cluster = new_cluster(0.0)
    reading = {"emails": QueueDepth(5, {"0": 5}), "celery": QueueDepth(0, {})}
    cluster.apply(QueueDepths(10.0, reading))
    assert cluster.listeners.of("emails") is None
    cluster.apply(Reply("active_queues", "w1@a", [{"name": "celery"}], 11.0, 11.1))
    assert cluster.listeners.of("emails") == []
    assert cluster.queues["emails"].unconsumed_since == 11.1
    assert cluster.queues["celery"].unconsumed_since is None


def stage_of(cluster: Cluster, task_id: str) -> Stage:
    return cluster.asked[task_id].outcome.stage


def test_a_terminate_is_seen_only_when_the_cluster_says_so() -> None:
    cluster = new_cluster(0.0)
    hear(cluster, "task-started", 10, uuid="u1")
    target = Target("task", "u1")
    request = ActionRequest("r1", Act.TERMINATE, (target,), 11.0)
    cluster.apply(Outcome(request, target, Stage.ACKNOWLEDGED, "1 of 1", 11.1, 1, 1))
    assert stage_of(cluster, "u1") == Stage.ACKNOWLEDGED
    hear(cluster, "task-revoked", 11.2, uuid="u1", terminated=True, signum=15)
    assert stage_of(cluster, "u1") == Stage.SEEN


def test_an_end_that_is_told_twice_is_listed_once() -> None:
    cluster = new_cluster(0.0)
    hear(cluster, "task-started", 9, uuid="u1")
    hear(cluster, "task-failed", 10, uuid="u1", exception="TimeLimitExceeded(3)")
    hear(cluster, "task-failed", 10.1, uuid="u1", exception="TimeLimitExceeded(3)")
    assert [change.state for change in cluster.transitions.kept] == ["STARTED", "FAILURE"]


def test_a_lost_link_is_written_into_the_log_once() -> None:
    cluster = new_cluster(0.0)
    for tries in range(1, 4):
        cluster.apply(Health("events", Link.LOST, 10.0, "refused", tries=tries))
    assert [line.text for line in cluster.log] == ["events link lost: refused"]
    assert cluster.live_since("events") is None


def reserved(cluster: Cluster, at: float, *ids: str) -> None:
    entries = [{"id": i, "name": "pay.charge", "args": [], "kwargs": {}} for i in ids]
    cluster.apply(Reply("reserved", "w1@a", entries, at, at))


def test_a_held_task_that_its_worker_lists_no_more_is_not_received_for_ever() -> None:
    cluster = new_cluster(0.0)
    reserved(cluster, 10.0, "u1", "u2")
    reserved(cluster, 15.0, "u2")
    assert cluster.tasks["u1"].state == "RECEIVED"  # it may be on its way to a slot
    reserved(cluster, 20.0, "u2")
    assert (cluster.tasks["u1"].state, cluster.tasks["u2"].state) == ("UNKNOWN", "RECEIVED")
    assert cluster.tasks["u1"].verdict is not None
    assert "u1" not in cluster.waiting
    assert cluster.counts["RECEIVED"] == 1


def test_a_received_task_that_was_never_listed_as_reserved_is_left_alone() -> None:
    cluster = new_cluster(0.0)
    hear(cluster, "task-received", 9, uuid="limited")  # waits in the bucket of its rate limit
    for at in (10.0, 15.0, 20.0, 25.0):
        reserved(cluster, at)
    assert cluster.tasks["limited"].state == "RECEIVED"


def test_tasks_share_what_is_the_same_of_many() -> None:
    cluster = new_cluster(0.0)
    for task_id in ("".join(("long id of ", name)) for name in ("one", "two")):
        root_id, key, exchange = ("".join(list(text)) for text in (task_id, "a key", "an exchange"))
        hear(
            cluster,
            "task-sent",
            1,
            uuid=task_id,
            root_id=root_id,
            routing_key=key,
            exchange=exchange,
        )
    one, two = cluster.tasks.values()
    assert one.root_id is one.id
    assert one.sources is two.sources
    assert one.routing_key is two.routing_key
    assert one.exchange is two.exchange
