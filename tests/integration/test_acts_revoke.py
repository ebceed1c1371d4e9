"""Revoke, against real workers: what was revoked never runs, and nothing else is claimed."""

from celery_tui.model.seam import Act, Stage, Target
from tests.actions.acting import Operator, ledger, request
from tests.integration.conftest import RunningCluster, slow
from tests.servers import Worker


def test_a_revoked_task_that_waits_for_a_slot_does_not_run(
    cluster: RunningCluster, operator: Operator
) -> None:
    blockers = [slow(cluster, 3.0) for _ in range(2)]
    for blocker in blockers:
        operator.sees(blocker, "STARTED")
    victim = slow(cluster, 0.1)
    target = operator.sees(victim, "RECEIVED")
    asked = operator.act(Act.REVOKE, target)
    answered = operator.outcome(asked, Stage.ACKNOWLEDGED)
    assert answered.text.startswith("1 of 1 worker answered")
    assert (answered.answered, answered.of) == (1, 1)
    seen = operator.outcome(asked, Stage.SEEN)
    assert "seen revoked, by event" in seen.text
    for blocker in blockers:
        operator.sees(blocker, "SUCCESS")
    after = slow(cluster, 0.0)
    operator.sees(after, "SUCCESS")
    assert f"start {victim}" not in ledger(cluster.ledger)


def test_a_revoked_task_with_an_eta_waits_for_it_and_does_not_run(
    cluster: RunningCluster, operator: Operator
) -> None:
    victim = slow(cluster, 0.1, countdown=6.0)
    target = operator.sees(victim, "RECEIVED")
    asked = operator.act(Act.REVOKE, target)
    waits = operator.outcome(asked, Stage.ACKNOWLEDGED, words="ETA")
    assert "w1@test for its ETA and is dropped then" in waits.text
    assert operator.outcome(asked, Stage.SEEN)
    assert f"start {victim}" not in ledger(cluster.ledger)


def test_revoking_what_runs_lets_it_run_and_says_so(
    cluster: RunningCluster, operator: Operator
) -> None:
    task = slow(cluster, 4.0)
    target = operator.sees(task, "STARTED")
    asked = operator.act(Act.REVOKE, target)
    told = operator.outcome(asked, Stage.ACKNOWLEDGED, words="goes on")
    assert "it runs on w1@test" in told.text
    failed = operator.outcome(asked, Stage.FAILED)
    assert "ran to success" in failed.text
    assert f"end {task}" in ledger(cluster.ledger)


def test_an_ended_task_is_left_out(cluster: RunningCluster, operator: Operator) -> None:
    task = slow(cluster, 0.0)
    target = operator.sees(task, "SUCCESS")
    asked = operator.act(Act.REVOKE, target)
    skipped = operator.outcome(asked, Stage.DONE_ELSEWHERE)
    assert skipped.text == "it has ended already: SUCCESS"
    assert [o.stage for o in operator.outcomes(asked)] == [Stage.DONE_ELSEWHERE]


def test_an_unknown_id_is_not_revoked_and_leaves_no_result_behind(
    cluster: RunningCluster, operator: Operator
) -> None:
    asked = operator.act(Act.REVOKE, Target("task", "no-such-task"))
    skipped = operator.outcome(asked, Stage.DONE_ELSEWHERE)
    assert "no such task is known" in skipped.text
    assert cluster.app.backend.get("celery-task-meta-no-such-task") is None


def test_a_threads_pool_that_runs_it_anyway_is_not_called_revoked(
    cluster: RunningCluster, operator: Operator
) -> None:
    with Worker(
        cluster.broker,
        cluster.backend,
        queues=("threads",),
        pool="threads",
        concurrency=1,
        name="t1",
    ) as worker:
        operator.until(
            lambda: (
                "t1@test" in operator.cluster.workers
                and operator.cluster.workers["t1@test"].pool == "threads"
            ),
            "its pool is known",
        )
        slow(cluster, 13.0, queue="threads")
        victim = slow(cluster, 0.1, queue="threads")
        target = operator.sees(victim, "RECEIVED")
        asked = operator.act(Act.REVOKE, target)
        told = operator.outcome(asked, Stage.NOT_CONFIRMED)
        assert told.text == "t1@test has handed it to its pool: it may run anyway"
        failed = operator.outcome(asked, Stage.FAILED)
        assert failed.text == "it ran to success all the same, by event"
        assert f"end {victim}" in ledger(worker.ledger)


def test_the_dialog_says_where_the_task_is_now(cluster: RunningCluster, operator: Operator) -> None:
    task = slow(cluster, 2.0)
    preview = operator.look(request(Act.REVOKE, operator.sees(task, "STARTED")))
    assert preview.ready
    assert [check.text for check in preview.checks] == ["active on w1@test"]
    assert any("terminate (T) stops it" in warning for warning in preview.warnings)
    operator.sees(task, "SUCCESS")
