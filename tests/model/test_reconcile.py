"""Tasks of a worker that left: judged with their source, and right again when they run again."""

from __future__ import annotations

from typing import Any

from celery_tui.columns.base import View
from celery_tui.columns.tasks import becomes_cell, state_cell, why_cell
from celery_tui.model.cluster import Cluster
from celery_tui.model.observations import (
    Reply,
    ResultMeta,
    Results,
    RoundEnded,
    Unacknowledged,
)
from celery_tui.model.reconcile import GRACE_S, JUDGED_A_TICK
from celery_tui.model.seam import Health, Link
from celery_tui.model.task import BACKEND, EVENTS, INSPECT
from celery_tui.model.worker import BLOCKED, LOST, ONLINE

from .recording import hear, new_cluster

W1 = "w1@a"


def watching(at: float = 100.0) -> Cluster:
    cluster = new_cluster(at)
    cluster.apply(Health("inspect", Link.LIVE, at))
    return cluster


def beat(cluster: Cluster, at: float, hostname: str = W1, pid: int = 100, **rest: Any) -> None:
    fields = {"freq": 2.0, "active": 0, "processed": 0, **rest}
    hear(cluster, "worker-heartbeat", at, hostname=hostname, pid=pid, **fields)


def receive(cluster: Cluster, task_id: str, at: float, **rest: Any) -> None:
    hear(cluster, "task-received", at, uuid=task_id, name="pay.charge", retries=0, **rest)


def start(cluster: Cluster, task_id: str, at: float, **rest: Any) -> None:
    receive(cluster, task_id, at, **rest)
    hear(cluster, "task-started", at + 0.01, uuid=task_id, **rest)


def listed(cluster: Cluster, question: str, at: float, *ids: str, **rest: Any) -> None:
    payload = [{"id": task_id, "name": "pay.charge", **rest} for task_id in ids]
    cluster.apply(Reply(question, W1, payload, at - 0.1, at))


def lose(cluster: Cluster, at: float) -> None:
    """Nobody has heard of w1 for a while, and its ping was not answered."""
    cluster.apply(RoundEnded("ping", at - 1.5, at, frozenset(), receivers=0))
    cluster.tick(at)
    cluster.tick(at + GRACE_S)


def test_what_ran_on_a_lost_worker_is_lost_with_it() -> None:
    cluster = watching()
    beat(cluster, 101)
    start(cluster, "t1", 102)
    lose(cluster, 110)
    task = cluster.tasks["t1"]
    assert cluster.state_of(cluster.workers[W1], 113) == LOST
    assert (task.state, task.source, task.as_of) == ("UNKNOWN", INSPECT, 113)
    assert task.verdict == ("lost with w1@a (pid 100); its message comes back only with acks_late")
    assert cluster.counts["STARTED"] == 0
    assert list(cluster.running) == []
    assert state_cell(task, View(113.0, cluster))[0] == "? lost?"
    (line,) = [line for line in cluster.log if " lost" in line.text]
    assert (line.kind, line.level) == ("worker", "crit")
    assert line.text == (
        "w1@a lost (pid 100): no heartbeat and no answer to a ping; 1 ran on it, 0 were held"
    )


def test_the_backend_is_asked_before_it_is_judged() -> None:
    cluster = watching()
    beat(cluster, 101)
    start(cluster, "t1", 102)
    cluster.apply(RoundEnded("ping", 108.5, 110, frozenset(), receivers=0))
    cluster.tick(110)
    assert cluster.unsettled(110, 10)[0] == "t1"
    cluster.apply(Results(111, (ResultMeta("t1", "SUCCESS", result="7", date_done=103.0),)))
    cluster.tick(110 + GRACE_S)
    task = cluster.tasks["t1"]
    assert (task.state, task.source) == ("SUCCESS", BACKEND)
    assert task.verdict == "succeeded (result backend, no event)"


def test_a_message_that_was_acknowledged_does_not_come_back() -> None:
    cluster = watching()
    beat(cluster, 101)
    start(cluster, "t1", 102)
    listed(cluster, "active", 103, "t1", acknowledged=True)
    lose(cluster, 110)
    assert cluster.tasks["t1"].verdict == (
        "lost with w1@a (pid 100); its message was acknowledged and does not come back"
    )
    assert cluster.reconciler.sought() == ()
    assert becomes_cell(cluster.tasks["t1"], View(113.0, cluster))[0] == "gone"
    assert cluster.transitions.kept[-1].detail == cluster.tasks["t1"].verdict


def test_an_unacknowledged_message_comes_back_and_it_is_told_when() -> None:
    cluster = watching()
    beat(cluster, 101)
    start(cluster, "t1", 102)
    listed(cluster, "active", 103, "t1", acknowledged=False)
    lose(cluster, 110)
    assert cluster.reconciler.sought() == ("t1",)
    cluster.apply(Unacknowledged(114, {"t1": 102.0}))
    task = cluster.tasks["t1"]
    assert task.verdict == (
        "lost with w1@a (pid 100); its message is unacknowledged and comes back "
        "(visibility timeout ~1 h)"
    )
    text, _ = why_cell(task, View(1_902.0, cluster))
    assert text.endswith("(visibility timeout ~1 h), at 01:01:42, in 30m00s")
    assert becomes_cell(task, View(1_902.0, cluster))[0] == "back in 30m00s"
    assert becomes_cell(task, View(9_999.0, cluster))[0] == "back any moment"
    assert cluster.reconciler.sought() == ()


def test_the_backend_does_not_talk_over_the_verdict() -> None:
    cluster = watching()
    beat(cluster, 101)
    start(cluster, "t1", 102)
    lose(cluster, 110)
    verdict = cluster.tasks["t1"].verdict
    cluster.apply(Results(114, (ResultMeta("t1", "STARTED"),)))
    cluster.apply(Results(115, (), ("t1",)))
    assert cluster.tasks["t1"].verdict == verdict
    assert "t1" not in cluster.unsettled(120, 10)


def test_what_a_lost_worker_held_waits_for_its_message() -> None:
    cluster = watching()
    beat(cluster, 101)
    receive(cluster, "t1", 102)
    receive(cluster, "t2", 102)
    lose(cluster, 110)
    assert cluster.reconciler.sought() == ("t1", "t2")
    assert [one.state for one in cluster.transitions.kept] == ["RECEIVED", "RECEIVED"]
    assert becomes_cell(cluster.tasks["t1"], View(113.0, cluster))[0] == "will be back"
    cluster.apply(Unacknowledged(114, {"t1": 102.0}, ("t2",)))
    one, two = (cluster.tasks[i] for i in ("t1", "t2"))
    assert one.state == "RECEIVED"
    assert one.verdict == (
        "held by w1@a (pid 100), which is lost; its message is unacknowledged and comes back "
        "(visibility timeout ~1 h)"
    )
    assert two.state == "PENDING"
    assert two.verdict is not None
    assert two.verdict.endswith("which is lost; its message went back to its queue")


def test_a_message_that_should_be_back_is_looked_for_again() -> None:
    cluster = watching()
    beat(cluster, 101)
    receive(cluster, "t1", 102)
    lose(cluster, 110)
    cluster.apply(Unacknowledged(114, {"t1": 102.0}))
    cluster.tick(102 + 3_600 + 29)
    assert cluster.reconciler.sought() == ()
    cluster.tick(102 + 3_600 + 31)
    assert cluster.reconciler.sought() == ("t1",)


def test_a_task_that_comes_back_elsewhere_is_all_right_again() -> None:
    cluster = watching()
    beat(cluster, 101)
    start(cluster, "t1", 102)
    lose(cluster, 110)
    beat(cluster, 120, "w2@a", 200)
    start(cluster, "t1", 121, hostname="w2@a", pid=200)
    task = cluster.tasks["t1"]
    assert (task.state, task.worker, task.verdict) == ("STARTED", "w2@a", None)
    assert cluster.reconciler.fates == {}
    hear(cluster, "task-succeeded", 122, uuid="t1", hostname="w2@a", pid=200, runtime=1.0)
    assert (task.state, [a.worker for a in task.attempts]) == ("SUCCESS", [W1])


def test_a_worker_that_is_heard_again_takes_its_tasks_back() -> None:
    cluster = watching()
    beat(cluster, 101)
    start(cluster, "t1", 102)
    lose(cluster, 110)
    beat(cluster, 130)
    cluster.tick(130)
    assert cluster.workers[W1].parting is None
    listed(cluster, "active", 131, "t1")
    assert (cluster.tasks["t1"].state, cluster.tasks["t1"].verdict) == ("STARTED", None)
    assert cluster.log[-1].text == "w1@a is back, the same process"


def test_one_that_is_back_within_the_grace_lost_nothing() -> None:
    cluster = watching()
    beat(cluster, 101)
    start(cluster, "t1", 102)
    cluster.apply(RoundEnded("ping", 108.5, 110, frozenset(), receivers=0))
    cluster.tick(110)
    beat(cluster, 111)
    cluster.tick(111)
    cluster.tick(110 + GRACE_S)
    assert cluster.tasks["t1"].state == "STARTED"


def test_tasks_of_a_blocked_worker_still_run() -> None:
    cluster = watching()
    beat(cluster, 101)
    start(cluster, "t1", 102)
    cluster.apply(RoundEnded("ping", 108.5, 110, frozenset(), receivers=1))
    for now in (110, 120, 200):
        cluster.tick(now)
    assert cluster.state_of(cluster.workers[W1], 110) == BLOCKED
    assert cluster.tasks["t1"].state == "STARTED"


def test_tasks_of_a_process_that_was_replaced_are_lost_with_it() -> None:
    cluster = watching()
    beat(cluster, 101)
    start(cluster, "t1", 102)
    receive(cluster, "t2", 102)
    beat(cluster, 103, pid=101)
    assert cluster.workers[W1].pid == 100  # one of two, or its successor: nobody knows yet
    start(cluster, "t3", 104, pid=101)
    beat(cluster, 107, pid=101)
    worker = cluster.workers[W1]
    assert (worker.pid, worker.restarted_from, worker.duplicate_name) == (101, 100, False)
    cluster.tick(107 + GRACE_S)
    assert cluster.state_of(worker, 110) == ONLINE
    one, two, three = (cluster.tasks[i] for i in ("t1", "t2", "t3"))
    assert (one.state, one.source) == ("UNKNOWN", EVENTS)
    assert one.verdict is not None
    assert one.verdict.startswith("lost with w1@a (pid 100), which was restarted; ")
    assert two.verdict is not None
    assert two.verdict.startswith("held by w1@a (pid 100) until that was restarted; ")
    assert (three.state, three.verdict) == ("STARTED", None)
    assert any(
        line.text == "w1@a restarted (pid 100 to 101); 1 ran on it, 1 were held"
        for line in cluster.log
    )


def test_answers_of_the_new_process_do_not_judge_tasks_of_the_old() -> None:
    cluster = watching()
    beat(cluster, 101)
    start(cluster, "t1", 102)
    beat(cluster, 104, pid=101)
    for at in (104.5, 105.0, 105.5):
        listed(cluster, "active", at)
    beat(cluster, 107, pid=101)
    for at in (107.5, 108.0):
        listed(cluster, "active", at)
    cluster.tick(107 + GRACE_S)
    verdict = cluster.tasks["t1"].verdict
    assert verdict is not None
    assert verdict.startswith("lost with w1@a (pid 100), which was restarted")


def test_a_task_that_the_new_process_lists_is_not_lost() -> None:
    cluster = watching()
    beat(cluster, 101)
    start(cluster, "t1", 102)
    beat(cluster, 120, pid=101)
    listed(cluster, "active", 121, "t1")
    cluster.tick(120 + GRACE_S)
    assert cluster.tasks["t1"].state == "STARTED"


def test_what_a_stopped_worker_held_is_in_its_queue_again() -> None:
    cluster = watching()
    beat(cluster, 101)
    receive(cluster, "t1", 102)
    start(cluster, "t2", 102)
    hear(cluster, "worker-offline", 103)
    hear(cluster, "task-succeeded", 103.1, uuid="t2", runtime=1.0)
    cluster.tick(103 + GRACE_S)
    task = cluster.tasks["t1"]
    assert (task.state, list(cluster.pending)) == ("PENDING", ["t1"])
    assert task.verdict == (
        "held by w1@a (pid 100), which stopped; its message went back to its queue"
    )
    assert cluster.tasks["t2"].state == "SUCCESS"
    receive(cluster, "t1", 107, hostname="w2@a", pid=200)
    again = cluster.tasks["t1"]
    assert (again.state, again.worker, again.verdict) == ("RECEIVED", "w2@a", None)


def test_a_reconnect_loses_nothing() -> None:
    """After an outage a worker delivers its goodbye and says hello again: the same process."""
    cluster = watching()
    beat(cluster, 101)
    start(cluster, "t1", 102)
    hear(cluster, "worker-offline", 103, arrived=131)
    hear(cluster, "worker-online", 131, freq=2.0)
    cluster.tick(131 + GRACE_S)
    worker = cluster.workers[W1]
    assert (worker.reconnected_at, worker.restarted_from, worker.parting) == (131, None, None)
    assert cluster.tasks["t1"].state == "STARTED"
    assert cluster.log[-1].text == "w1@a reconnected (same process 100), nothing is lost with it"


def test_a_large_loss_is_judged_in_steps() -> None:
    cluster = watching()
    beat(cluster, 101)
    for number in range(JUDGED_A_TICK + 10):
        start(cluster, f"t{number}", 102)
    lose(cluster, 110)
    assert len(cluster.running) == 10
    cluster.tick(115)
    assert len(cluster.running) == 0


def test_the_visibility_timeout_is_the_workers_own() -> None:
    cluster = watching()
    beat(cluster, 101)
    start(cluster, "t1", 102)
    conf = {"broker_transport_options": {"visibility_timeout": 90}, "task_acks_late": True}
    cluster.apply(Reply("conf", W1, conf, 103, 103))
    lose(cluster, 110)
    cluster.apply(Unacknowledged(114, {"t1": 102.0}))
    verdict = cluster.tasks["t1"].verdict
    assert verdict is not None
    assert verdict.endswith("(visibility timeout 90 s)")
    assert cluster.reconciler.fates["t1"].back_at == 192
    assert cluster.workers[W1].acks_late is True


def test_a_worker_whose_configuration_says_nothing_has_the_default() -> None:
    cluster = watching()
    beat(cluster, 101)
    assert not cluster.visibility(W1).told
    cluster.apply(Reply("conf", W1, {"broker_transport_options": {"x": [1]}}, 103, 103))
    assert (cluster.visibility(W1).seconds, cluster.visibility(W1).told) == (3_600, True)


def test_a_revoked_task_that_waits_for_its_eta_says_so() -> None:
    cluster = watching()
    beat(cluster, 101)
    receive(cluster, "t1", 102, eta="2026-11-20T12:00:00+00:00")
    entry = {"eta": "2026-11-20T12:00:00+00:00", "request": {"id": "t1", "name": "pay.charge"}}
    cluster.apply(Reply("scheduled", W1, [entry], 103, 103))
    cluster.apply(Reply("revoked", W1, ["t1", "other", 7], 104, 104))
    task = cluster.tasks["t1"]
    says = "revoked, says w1@a; waits for its ETA to be dropped"
    assert (task.state, task.verdict, task.source, task.as_of) == ("RECEIVED", says, INSPECT, 104)
    cluster.apply(Results(105, (ResultMeta("t1", "REVOKED", date_done=104.0),)))
    assert (task.state, task.verdict) == ("RECEIVED", says)
    hear(cluster, "task-revoked", 110, uuid="t1", terminated=False, expired=False)
    assert (task.state, task.verdict) == ("REVOKED", None)


# -- one name, two processes -----------------------------------------------------------------


def test_the_numbers_of_two_processes_of_one_name_are_those_of_both() -> None:
    cluster = watching()
    for second in range(101, 121):
        number = second % 2
        beat(cluster, second, pid=100 + number, active=1 + number, processed=10 * number)
    worker = cluster.workers[W1]
    assert worker.duplicate_name
    assert (worker.active, worker.processed) == (3, 10)
    assert cluster.state_of(worker, 121) == ONLINE
    beat(cluster, 121, pid=101, active=2, processed=10)
    assert (worker.active, worker.processed, worker.pid) == (3, 10, 101)
    news = [line.text for line in cluster.log]
    assert sum("is the name of 2 processes: pids 101, 100" in text for text in news) == 1
    assert not any("restarted" in text for text in news)


def test_lists_of_two_processes_of_one_name_are_read_together() -> None:
    cluster = watching()
    for at in (110.0, 115.0, 120.0, 125.0):
        for task_id in ("a", "b"):
            payload = [{"id": task_id, "name": "pay.charge"}]
            cluster.apply(Reply("active", W1, payload, at, at + 0.1))
    worker = cluster.workers[W1]
    assert worker.duplicate_name
    assert worker.running == ("a", "b")
    assert [cluster.tasks[i].state for i in ("a", "b")] == ["STARTED", "STARTED"]


def test_when_one_of_two_goes_silent_the_other_has_the_name() -> None:
    cluster = watching()
    for second in range(101, 111):
        beat(cluster, second, pid=100 + second % 2, active=1)
    for second in range(111, 131):
        beat(cluster, second, pid=100, active=1)
    worker = cluster.workers[W1]
    assert (worker.pid, worker.duplicate_name, worker.active) == (100, False, 1)
    assert any("pid 100 alone: 101 went silent" in line.text for line in cluster.log)


# -- held ------------------------------------------------------------------------------------


def test_what_it_holds_is_not_known_before_it_has_told_of_both_kinds() -> None:
    cluster = watching()
    beat(cluster, 101)
    worker = cluster.workers[W1]
    listed(cluster, "reserved", 102, "t1")
    assert worker.held is None
    cluster.apply(Reply("scheduled", W1, [{"eta": None, "request": {"id": "t2"}}], 102.1, 102.2))
    held = cluster.workers[W1]
    assert (held.held, held.held_at) == (2, 102)
    hear(cluster, "worker-online", 120, freq=2.0)  # reconnected: it has dropped them
    assert worker.held is None
