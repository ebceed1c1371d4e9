"""Events as they really arrive: each rule of the state machine, by itself."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import pytest

from celery_tui.model.cluster import Cluster
from celery_tui.model.observations import Reply, RoundEnded
from celery_tui.model.seam import Health, Link
from celery_tui.model.worker import BLOCKED, LOST, ONLINE, SILENT, STOPPED, UNKNOWN

from .recording import hear, new_cluster

ID = "7c1e0d5f-0000-4000-8000-000000000001"


@pytest.fixture
def cluster() -> Cluster:
    return new_cluster(now=100.0)


def sent(cluster: Cluster, at: float, **rest: Any) -> None:
    fields = {"name": "pay.charge", "queue": "pay", "hostname": "gen1@web", "retries": 0, **rest}
    hear(cluster, "task-sent", at, uuid=ID, **fields)


def received(cluster: Cluster, at: float, retries: int = 0, **rest: Any) -> None:
    hear(cluster, "task-received", at, uuid=ID, name="pay.charge", retries=retries, **rest)


def started(cluster: Cluster, at: float, **rest: Any) -> None:
    hear(cluster, "task-started", at, uuid=ID, **rest)


def succeeded(cluster: Cluster, at: float, **rest: Any) -> None:
    hear(cluster, "task-succeeded", at, uuid=ID, **{"result": "'ok'", "runtime": 0.5, **rest})


def failed(cluster: Cluster, at: float, **rest: Any) -> None:
    fields = {"exception": "ValueError('x')", "traceback": "…\nValueError: x\n", **rest}
    hear(cluster, "task-failed", at, uuid=ID, **fields)


def retried(cluster: Cluster, at: float, **rest: Any) -> None:
    fields = {"exception": "OSError('503')", "traceback": "…\nOSError: 503\n", **rest}
    hear(cluster, "task-retried", at, uuid=ID, **fields)


def beat(cluster: Cluster, at: float, arrived: float | None = None, **rest: Any) -> None:
    fields = {"freq": 2.0, "active": 0, "processed": 0, "loadavg": [0.5, 0.4, 0.3], **rest}
    hear(cluster, "worker-heartbeat", at, arrived, **fields)


# -- tasks -----------------------------------------------------------------------------------


def test_a_late_sent_fills_blanks_and_never_lowers_a_state(cluster: Cluster) -> None:
    received(cluster, 101)
    started(cluster, 101.1)
    succeeded(cluster, 101.6)
    sent(cluster, 102)
    task = cluster.tasks[ID]
    assert (task.state, task.queue, task.client) == ("SUCCESS", "pay", "gen1@web")


def test_a_task_that_was_only_sent_is_pending(cluster: Cluster) -> None:
    sent(cluster, 101)
    assert cluster.tasks[ID].state == "PENDING"
    assert list(cluster.pending) == [ID]


def test_an_earlier_received_after_the_start_only_fills_its_time(cluster: Cluster) -> None:
    started(cluster, 101.2)
    received(cluster, 101.1)
    task = cluster.tasks[ID]
    assert (task.state, task.name, task.received_at) == ("STARTED", "pay.charge", 101.1)


def test_a_start_without_a_name_keeps_the_name_heard_before(cluster: Cluster) -> None:
    received(cluster, 101)
    started(cluster, 101.1)
    assert cluster.tasks[ID].name == "pay.charge"


def test_the_next_try_may_be_received_before_the_retry_is_told(cluster: Cluster) -> None:
    received(cluster, 101)
    started(cluster, 101.1)
    received(cluster, 101.30, retries=1, hostname="w2@a", pid=200)
    retried(cluster, 101.31)
    started(cluster, 103, hostname="w2@a", pid=200)
    failed(cluster, 103.1, hostname="w2@a", pid=200)
    task = cluster.tasks[ID]
    assert (task.state, task.retries, task.worker) == ("FAILURE", 1, "w2@a")
    assert [(a.retries, a.state, a.ended_at) for a in task.attempts] == [(0, "RETRY", 101.31)]
    assert task.runtime_s == pytest.approx(0.1)


def test_attempts_are_kept_by_retries_in_one_row(cluster: Cluster) -> None:
    for retries in range(3):
        received(cluster, 101 + retries, retries=retries)
        started(cluster, 101.1 + retries)
        retried(cluster, 101.2 + retries)
    received(cluster, 105, retries=3)
    started(cluster, 105.1)
    succeeded(cluster, 105.6)
    task = cluster.tasks[ID]
    assert len(cluster.tasks) == 1
    assert [attempt.retries for attempt in task.attempts] == [0, 1, 2]
    assert (task.state, task.retries, task.exception) == ("SUCCESS", 3, None)


def test_a_start_heard_before_the_arrival_of_its_try_is_that_try(cluster: Cluster) -> None:
    received(cluster, 101)
    started(cluster, 101.1)
    retried(cluster, 101.2)
    started(cluster, 102)
    succeeded(cluster, 102.5)
    received(cluster, 101.19, retries=1)
    task = cluster.tasks[ID]
    assert (task.state, task.retries, len(task.attempts)) == ("SUCCESS", 1, 1)


def test_a_task_is_never_its_own_parent(cluster: Cluster) -> None:
    sent(cluster, 101, retries=1, parent_id=ID, root_id=ID)
    assert cluster.tasks[ID].parent_id is None


def test_order_is_by_timestamp_and_then_by_rank(cluster: Cluster) -> None:
    """`clock` of clients is no Lamport clock; equal timestamps happen."""
    moments: list[Callable[[Cluster, float], None]] = [received, started, succeeded]
    for order in itertools.permutations(moments):
        fresh = new_cluster(100.0)
        for tell in order:
            tell(fresh, 101.0)
        assert fresh.tasks[ID].state == "SUCCESS", order


def test_durations_come_from_runtime_where_a_worker_told_it(cluster: Cluster) -> None:
    started(cluster, 101)
    succeeded(cluster, 109, runtime=0.3)  # delivered after an outage
    assert cluster.tasks[ID].runtime_s == 0.3


def test_a_wrapped_exception_is_read_from_the_tracebacks_last_line(cluster: Cluster) -> None:
    started(cluster, 101)
    text = "Traceback…\nbilliard.exceptions.WorkerLostError: signal 9 (SIGKILL)\n"
    failed(cluster, 102, exception="ExceptionWithTraceback()", traceback=text)
    exception = cluster.tasks[ID].exception
    assert exception == "billiard.exceptions.WorkerLostError: signal 9 (SIGKILL)"


def test_an_unregistered_task_fails_without_having_been_received(cluster: Cluster) -> None:
    sent(cluster, 101)
    failed(cluster, 101.1, exception="NotRegistered('pay.charge')")
    assert cluster.tasks[ID].state == "FAILURE"


def test_a_rejected_after_a_failed_is_the_same_end_in_either_order(cluster: Cluster) -> None:
    started(cluster, 101)
    failed(cluster, 101.50)
    hear(cluster, "task-rejected", 101.51, uuid=ID, requeue=False)
    other = new_cluster(100.0)
    started(other, 101)
    hear(other, "task-rejected", 101.51, uuid=ID, requeue=False)
    failed(other, 101.50)
    for one in (cluster.tasks[ID], other.tasks[ID]):
        assert (one.state, one.ended_at, one.exception) == ("FAILURE", 101.50, "ValueError('x')")


def test_a_requeued_task_starts_again_in_the_same_row(cluster: Cluster) -> None:
    received(cluster, 101)
    started(cluster, 101.1)
    hear(cluster, "task-rejected", 101.2, uuid=ID, requeue=True)
    received(cluster, 103)
    started(cluster, 103.1)
    task = cluster.tasks[ID]
    assert (task.state, task.started_at, len(task.attempts)) == ("STARTED", 103.1, 1)


def test_a_stray_success_after_a_kill_changes_nothing(cluster: Cluster) -> None:
    """gevent tells one after the task was really killed."""
    started(cluster, 101)
    hear(cluster, "task-revoked", 101.5, uuid=ID, terminated=True, signum=15, expired=False)
    succeeded(cluster, 101.6)
    task = cluster.tasks[ID]
    assert (task.state, task.terminated, task.signum) == ("REVOKED", True, "15")
    assert task.ended_at == 101.5


def test_an_expired_task_is_revoked_and_says_so(cluster: Cluster) -> None:
    received(cluster, 101)
    hear(cluster, "task-revoked", 102, uuid=ID, terminated=False, expired=True)
    assert (cluster.tasks[ID].state, cluster.tasks[ID].expired) == ("REVOKED", True)


def test_unknown_task_types_are_custom_states_whose_fields_are_kept(cluster: Cluster) -> None:
    started(cluster, 101)
    hear(cluster, "task-progress", 102, uuid=ID, hostname="gen9@web", done=3, of=[1, 2])
    task = cluster.tasks[ID]
    assert task.state == "STARTED"
    assert task.extra is not None
    assert (task.extra["done"], task.extra["of"]) == (3, [1, 2])
    assert "gen9@web" not in cluster.workers


def test_a_task_that_left_its_worker_without_an_end_becomes_unknown(cluster: Cluster) -> None:
    """No event comes for Ignore, a killed worker, or events lost in a gap."""
    started(cluster, 101)
    for at in (110.0, 115.0):
        cluster.apply(Reply("active", "w1@a", [], at - 0.1, at))
    task = cluster.tasks[ID]
    assert task.state == "UNKNOWN"
    assert task.verdict is not None
    assert "no source says how it ended" in task.verdict
    succeeded(cluster, 116)
    assert task.state == "SUCCESS"
    assert cluster.tasks[ID].verdict is None


def test_inspect_that_tells_of_a_start_first_makes_no_second_try(cluster: Cluster) -> None:
    received(cluster, 101)
    entry = {"id": ID, "name": "pay.charge", "args": [1], "kwargs": {}, "time_start": 101.52}
    cluster.apply(Reply("active", "w1@a", [entry], 101.5, 101.6))
    started(cluster, 101.54)
    succeeded(cluster, 102)
    task = cluster.tasks[ID]
    assert (task.state, task.attempts) == ("SUCCESS", ())
    assert task.exact is not None
    assert task.exact.args == [1]


# -- workers ---------------------------------------------------------------------------------


def test_a_goodbye_older_than_the_last_sign_of_life_is_ignored(cluster: Cluster) -> None:
    """After an outage a worker delivers its buffered worker-offline, half a minute old."""
    beat(cluster, 131)
    hear(cluster, "worker-offline", 101, arrived=131.5)
    assert cluster.state_of(cluster.workers["w1@a"], 132) == ONLINE


def test_an_online_with_the_same_pid_is_a_reconnect(cluster: Cluster) -> None:
    beat(cluster, 101)
    hear(cluster, "worker-offline", 102, freq=2.0)
    assert cluster.state_of(cluster.workers["w1@a"], 102) == STOPPED
    hear(cluster, "worker-online", 132, freq=2.0)
    worker = cluster.workers["w1@a"]
    assert (worker.pid, worker.other_pids) == (100, {})
    assert cluster.state_of(worker, 132) == ONLINE


def test_a_new_pid_is_a_restart_which_forgets_what_the_old_process_told(cluster: Cluster) -> None:
    beat(cluster, 101, processed=500)
    started(cluster, 102)
    hear(cluster, "worker-online", 150, pid=101, freq=2.0)
    worker = cluster.workers["w1@a"]
    assert worker.pid == 101
    assert (worker.processed, worker.events_enabled, worker.task_events) == (None, None, 0)
    assert not worker.duplicate_name
    assert any("restarted (pid 100 to 101)" in line.text for line in cluster.log)


def test_two_pids_that_alternate_are_one_name_given_twice(cluster: Cluster) -> None:
    for second in range(101, 111):
        beat(cluster, second, pid=100 + second % 2)
    assert cluster.workers["w1@a"].duplicate_name


def test_a_task_event_after_the_goodbye_does_not_revive_the_worker(cluster: Cluster) -> None:
    beat(cluster, 101)
    hear(cluster, "worker-offline", 102)
    succeeded(cluster, 102.1)
    assert cluster.state_of(cluster.workers["w1@a"], 103) == STOPPED


def test_a_heartbeat_without_numbers_keeps_the_last_known(cluster: Cluster) -> None:
    """The one that answers a heartbeat broadcast lacks active, processed and loadavg."""
    beat(cluster, 101, active=3, processed=7)
    hear(cluster, "worker-heartbeat", 102, freq=2.0)
    worker = cluster.workers["w1@a"]
    assert (worker.active, worker.processed, worker.loadavg) == (3, 7, (0.5, 0.4, 0.3))


def test_a_worker_goes_silent_then_lost_and_comes_back(cluster: Cluster) -> None:
    beat(cluster, 101)
    worker = cluster.workers["w1@a"]
    assert cluster.state_of(worker, 106.9) == ONLINE
    assert cluster.state_of(worker, 107.5) == SILENT
    cluster.apply(RoundEnded("ping", 108.0, 109.5, frozenset()))
    assert cluster.state_of(worker, 109.6) == LOST
    beat(cluster, 111)
    assert cluster.state_of(worker, 111.1) == ONLINE


def test_a_silent_worker_that_answers_a_ping_is_blocked(cluster: Cluster) -> None:
    beat(cluster, 101)
    cluster.apply(Reply("ping", "w1@a", {"ok": "pong"}, 108.0, 108.1))
    assert cluster.state_of(cluster.workers["w1@a"], 109) == BLOCKED


def test_a_silent_worker_that_the_ping_reached_is_blocked(cluster: Cluster) -> None:
    beat(cluster, 101)
    worker = cluster.workers["w1@a"]
    cluster.apply(RoundEnded("ping", 108.0, 109.5, frozenset(), receivers=1))
    assert cluster.state_of(worker, 110) == BLOCKED
    cluster.apply(RoundEnded("ping", 118.0, 119.5, frozenset(), receivers=0))
    assert cluster.state_of(worker, 120) == LOST


def test_who_was_blocked_stays_so_when_another_dies(cluster: Cluster) -> None:
    beat(cluster, 101)
    cluster.apply(RoundEnded("ping", 108.0, 109.5, frozenset(), receivers=1))
    beat(cluster, 110, hostname="w2@a")
    cluster.apply(RoundEnded("ping", 118.0, 119.5, frozenset(), receivers=1))
    states = [cluster.state_of(cluster.workers[name], 120) for name in ("w1@a", "w2@a")]
    assert states == [BLOCKED, LOST]


def test_nobody_is_lost_while_the_broker_is(cluster: Cluster) -> None:
    beat(cluster, 101)
    cluster.apply(Health("events", Link.LOST, 102.0, "gone"))
    assert cluster.state_of(cluster.workers["w1@a"], 140) == UNKNOWN


def test_a_worker_without_heartbeats_is_judged_by_ping_alone(cluster: Cluster) -> None:
    cluster.apply(Reply("ping", "w9@a", {"ok": "pong"}, 110.0, 110.1))
    worker = cluster.workers["w9@a"]
    assert worker.heartbeat is False
    assert cluster.state_of(worker, 160) == ONLINE
    cluster.apply(RoundEnded("ping", 170.0, 171.5, frozenset()))
    assert cluster.state_of(worker, 172) == LOST


def test_processed_rising_without_a_task_event_means_events_are_off(cluster: Cluster) -> None:
    beat(cluster, 101, processed=7)
    assert cluster.workers["w1@a"].events_enabled is None
    beat(cluster, 103, processed=9)
    assert cluster.workers["w1@a"].events_enabled is False
    started(cluster, 104)
    assert cluster.workers["w1@a"].events_enabled is True
