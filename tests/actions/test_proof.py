"""What the model takes as proof of an act, and what it no longer listens to."""

from typing import Any

from celery_tui.model.cluster import Cluster
from celery_tui.model.events import Event
from celery_tui.model.observations import EventBatch
from celery_tui.model.seam import Act, ActionRequest, Outcome, Stage, Target

NOW = 1_000.0


def tell(cluster: Cluster, kind: str, uuid: str, **more: Any) -> None:
    event = Event(kind, NOW, hostname="w1@host", uuid=uuid, pid=1, **more)
    cluster.apply(EventBatch(NOW, (event,), {}))


def say(cluster: Cluster, act: Act, stage: Stage, request: str = "r1", **more: Any) -> None:
    target = Target("task", "a")
    cluster.apply(
        Outcome(ActionRequest(request, act, (target,), NOW), target, stage, "words", NOW, **more)
    )


def stages(cluster: Cluster) -> list[Stage]:
    return [outcome.stage for _, outcome in cluster.outcomes]


def test_an_acknowledgement_that_comes_after_the_event_does_not_lower_the_proof() -> None:
    cluster = Cluster(NOW)
    say(cluster, Act.TERMINATE, Stage.SENT)
    tell(cluster, "task-revoked", "a", terminated=True)
    say(cluster, Act.TERMINATE, Stage.ACKNOWLEDGED)
    say(cluster, Act.TERMINATE, Stage.NOT_CONFIRMED)
    assert stages(cluster) == [Stage.SENT, Stage.SEEN]
    assert cluster.asked["a"].outcome.stage == Stage.SEEN


def test_proof_of_the_contrary_still_counts() -> None:
    cluster = Cluster(NOW)
    say(cluster, Act.TERMINATE, Stage.SENT)
    tell(cluster, "task-revoked", "a", terminated=True)
    say(cluster, Act.TERMINATE, Stage.FAILED)
    say(cluster, Act.TERMINATE, Stage.SEEN)
    assert stages(cluster) == [Stage.SENT, Stage.SEEN, Stage.FAILED]


def test_a_second_act_on_the_same_task_is_told_anew() -> None:
    cluster = Cluster(NOW)
    say(cluster, Act.REVOKE, Stage.DONE_ELSEWHERE)
    say(cluster, Act.REVOKE, Stage.SENT, request="r2")
    assert stages(cluster) == [Stage.DONE_ELSEWHERE, Stage.SENT]


def test_a_retry_is_proven_by_the_new_task_and_not_by_the_old_one() -> None:
    cluster = Cluster(NOW)
    tell(cluster, "task-started", "a")
    say(cluster, Act.RETRY, Stage.SENT, new_id="b")
    tell(cluster, "task-failed", "a", exception="E()")
    assert stages(cluster) == [Stage.SENT]
    tell(cluster, "task-received", "b", name="n")
    assert stages(cluster) == [Stage.SENT, Stage.SEEN]
    tell(cluster, "task-started", "b")
    assert stages(cluster) == [Stage.SENT, Stage.SEEN]


def test_a_retry_whose_task_was_faster_than_its_outcome_is_proven() -> None:
    cluster = Cluster(NOW)
    tell(cluster, "task-received", "b", name="n")
    say(cluster, Act.RETRY, Stage.SENT, new_id="b")
    assert stages(cluster) == [Stage.SENT, Stage.SEEN]


def test_events_that_a_worker_says_it_sends_are_on() -> None:
    cluster = Cluster(NOW)
    worker = cluster.worker("w1@host", NOW)
    worker.events_enabled = False
    target = Target("worker", "w1@host")
    request = ActionRequest("r1", Act.EVENTS_ON, (target,), NOW)
    cluster.apply(Outcome(request, target, Stage.ACKNOWLEDGED, "enabled", NOW))
    assert worker.events_enabled
