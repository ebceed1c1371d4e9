"""Terminate, against real workers: the process dies, its neighbours live, and threads refuse."""

import psutil
import pytest
from msgspec.structs import replace

from celery_tui.actions.terminate import SIGNALS
from celery_tui.model.seam import Act, Stage
from tests.actions.acting import Operator, ledger, request
from tests.integration.conftest import RunningCluster, slow
from tests.servers import Worker


@pytest.mark.parametrize("signal", [name for name in SIGNALS if name != "USR1"])
def test_a_terminated_task_dies_and_its_neighbour_lives(
    cluster: RunningCluster, operator: Operator, signal: str
) -> None:
    neighbour, victim = slow(cluster, 4.0), slow(cluster, 60.0)
    operator.sees(neighbour, "STARTED")
    operator.sees(victim, "STARTED")
    preview = operator.look(request(Act.TERMINATE, operator.task(victim), signal=signal))
    assert preview.blocked == ""
    (check,) = preview.checks
    assert check.ok
    assert check.text.startswith("still running on w1@test")
    asked = operator.act(Act.TERMINATE, operator.task(victim), signal=signal)
    seen = operator.outcome(asked, Stage.SEEN)
    assert seen.text == "seen revoked, by event"
    killed = seen.target.pid
    assert killed not in (None, cluster.worker.pid)
    operator.until(lambda: not psutil.pid_exists(killed or 0), f"process is gone after {signal}")
    operator.sees(neighbour, "SUCCESS")
    assert f"end {victim}" not in ledger(cluster.ledger)
    assert f"end {neighbour}" in ledger(cluster.ledger)


def test_a_process_that_does_not_die_is_told_although_celery_says_revoked(
    cluster: RunningCluster, operator: Operator
) -> None:
    victim = slow(cluster, 60.0)
    target = operator.sees(victim, "STARTED")
    (check,) = operator.look(request(Act.TERMINATE, target)).checks
    process = psutil.Process(int(check.text.rpartition(" ")[2]))
    process.suspend()  # as deep in C code as a task can be: no signal handler runs
    try:
        asked = operator.act(Act.TERMINATE, target)
        assert operator.outcome(asked, Stage.SEEN)
        failed = operator.outcome(asked, Stage.FAILED)
        assert failed.text == f"process {process.pid} has not died of SIGTERM: the task may run on"
    finally:
        process.resume()
    operator.until(lambda: not process.is_running(), "the process is gone once it may run")


def test_an_ignored_signal_is_refused(cluster: RunningCluster, operator: Operator) -> None:
    task = slow(cluster, 0.5)
    asked = operator.act(Act.TERMINATE, operator.sees(task, "STARTED"), signal="INT")
    assert operator.outcome(asked, Stage.FAILED).text.startswith("SIGINT does not end a task")
    operator.sees(task, "SUCCESS")


def test_usr1_raises_the_soft_time_limit_in_the_task(
    cluster: RunningCluster, operator: Operator
) -> None:
    victim = slow(cluster, 60.0)
    target = operator.sees(victim, "STARTED")
    asked = operator.act(Act.TERMINATE, target, signal="USR1")
    assert operator.outcome(asked, Stage.SEEN)
    operator.sees(victim, "FAILURE")
    assert "SoftTimeLimitExceeded" in (operator.cluster.tasks[victim].exception or "")
    assert f"end {victim}" not in ledger(cluster.ledger)


def test_a_task_that_ended_before_the_signal_is_skipped(
    cluster: RunningCluster, operator: Operator
) -> None:
    task = slow(cluster, 0.5)
    pinned = operator.sees(task, "STARTED")
    operator.sees(task, "SUCCESS")
    asked = operator.act(Act.TERMINATE, pinned)
    skipped = operator.outcome(asked, Stage.DONE_ELSEWHERE)
    assert skipped.text == "not sent: it does not run any more"


def test_another_process_than_the_pinned_one_is_not_hit(
    cluster: RunningCluster, operator: Operator
) -> None:
    task = slow(cluster, 3.0)
    pinned = replace(operator.sees(task, "STARTED"), pid=1)
    asked = operator.act(Act.TERMINATE, pinned)
    skipped = operator.outcome(asked, Stage.DONE_ELSEWHERE)
    assert "it runs in another process now" in skipped.text
    operator.sees(task, "SUCCESS")


def test_a_threads_pool_is_refused_before_anything_is_sent(
    cluster: RunningCluster, operator: Operator
) -> None:
    with Worker(
        cluster.broker, cluster.backend, queues=("threads",), pool="threads", name="t1"
    ) as worker:
        task = slow(cluster, 6.0, queue="threads")
        target = operator.sees(task, "STARTED")
        operator.until(
            lambda: operator.cluster.workers["t1@test"].pool == "threads", "its pool is known"
        )
        preview = operator.look(request(Act.TERMINATE, target))
        assert "t1@test has a threads pool: a thread cannot be killed" in preview.blocked
        asked = operator.act(Act.TERMINATE, target)
        failed = operator.outcome(asked, Stage.FAILED)
        assert "not sent: t1@test has a threads pool" in failed.text
        operator.sees(task, "SUCCESS")
        assert f"end {task}" in ledger(worker.ledger)
