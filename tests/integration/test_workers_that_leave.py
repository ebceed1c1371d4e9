"""Real workers that are killed, stopped, frozen, restarted: what becomes of their tasks."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from celery import Celery

from celery_tui.columns.base import View
from celery_tui.columns.workers import note
from celery_tui.model.task import PENDING, RECEIVED, STARTED, SUCCESS, UNKNOWN
from celery_tui.model.vanished import GONE
from celery_tui.model.worker import BLOCKED, LOST, ONLINE, STOPPED
from celery_tui.report.document import document
from tests.actions.acting import Operator, ledger
from tests.servers import RedisServer, Worker, client

LONG_S = 600.0
VISIBILITY_S = 20


class Ground:
    """A Redis of our own, and a client."""

    def __init__(self, server: RedisServer, app: Celery) -> None:
        self.broker, self.backend = server.url(0), server.url(1)
        self.app = app

    def worker(self, conf: dict[str, Any] | None = None, **options: Any) -> Worker:
        env = {"CT_CONF": json.dumps(conf or {})}
        return Worker(self.broker, self.backend, env=env, **options)

    def slow(self, seconds: float = LONG_S, **how: Any) -> str:
        return str(self.app.send_task("sample.slow", (seconds,), **how).id)

    def operator(self) -> Operator:
        return Operator(self.broker, self.backend)


@pytest.fixture
def ground(own_redis: RedisServer) -> Iterator[Ground]:
    app = client(own_redis.url(0), own_redis.url(1), task_send_sent_event=True)
    yield Ground(own_redis, app)
    app.close()


def state(operator: Operator, task_id: str) -> str:
    task = operator.cluster.tasks.get(task_id)
    return task.state if task is not None else ""


def states(operator: Operator, ids: list[str], *wanted: str) -> bool:
    return [state(operator, task_id) for task_id in ids] == list(wanted)


def verdict(operator: Operator, task_id: str) -> str:
    task = operator.cluster.tasks.get(task_id)
    return (task.verdict if task is not None else "") or ""


def worker_is(operator: Operator, worker: Worker, wanted: str) -> bool:
    known = operator.cluster.workers.get(worker.hostname)
    return known is not None and operator.cluster.state_of(known, operator.cluster.now) == wanted


def test_tasks_of_a_killed_worker_are_gone_and_what_it_held_comes_back(ground: Ground) -> None:
    with ground.worker() as worker, ground.operator() as operator:
        ids = [ground.slow() for _ in range(4)]
        operator.until(
            lambda: states(operator, ids, STARTED, STARTED, RECEIVED, RECEIVED), "2 run, 2 held"
        )
        name = worker.hostname
        operator.until(
            lambda: len(operator.cluster.workers[name].running or ()) == 2, "inspect lists them"
        )
        operator.until(lambda: operator.cluster.workers[name].conf_at, "its configuration")
        worker.kill()
        operator.until(lambda: worker_is(operator, worker, LOST), "it is lost")
        operator.until(lambda: state(operator, ids[0]) == UNKNOWN, "its task is lost")
        gone = f"lost with {name} (pid {worker_pid(operator, name)}); its message was acknowledged"
        assert verdict(operator, ids[0]).startswith(gone)
        operator.until(lambda: "comes back (visib" in verdict(operator, ids[2]), "held comes back")
        assert operator.cluster.tasks[ids[2]].state == RECEIVED
        assert verdict(operator, ids[2]).endswith("(visibility timeout 1 h)")
        assert operator.cluster.counts[STARTED] == 0
        found = operator.until(
            lambda: next((f for f in operator.monitor.findings if "59 min" in f.detail), None),
            "the finding says when",
        )
        assert found is not None
        assert found.rule == "worker-lost"
        assert "2 tasks ran on it: sample.slow" in found.text
        assert all(task_id[:8] in found.text for task_id in ids[:2])
        assert found.text.endswith("2 acknowledged early and are gone")
        assert "2 held come back in 59 min" in found.detail
        told = document(operator.monitor)
        assert told["tasks"]["active"] == []
        left = {task["id"]: task for task in told["tasks"]["left_behind"]}
        assert left.keys() == set(ids)
        assert left[ids[2]]["back_at"] > operator.cluster.now + 3_000
        assert sorted(told["workers"][0]["left"]["running"]) == sorted(ids[:2])


def worker_pid(operator: Operator, name: str) -> int | None:
    return operator.cluster.workers[name].pid


def test_late_acknowledged_tasks_come_back_and_run_elsewhere(ground: Ground) -> None:
    conf = {
        "task_acks_late": True,
        "worker_prefetch_multiplier": 1,
        "broker_transport_options": {"visibility_timeout": VISIBILITY_S},
    }
    with ground.worker(conf) as worker, ground.operator() as operator:
        ids = [ground.slow(8) for _ in range(2)]
        operator.until(lambda: states(operator, ids, STARTED, STARTED), "both run")
        worker.kill()
        operator.until(lambda: "comes back (visib" in verdict(operator, ids[0]), "it comes back")
        assert verdict(operator, ids[0]).endswith(f"(visibility timeout {VISIBILITY_S} s)")
        fate = operator.cluster.reconciler.fates[ids[0]]
        assert fate.back_at == pytest.approx((fate.delivered_at or 0) + VISIBILITY_S)
        with ground.worker(conf, name="w2") as second:
            # A worker looks for what was not acknowledged when it starts, and then rarely.
            operator.until(
                lambda: operator.monitor.clock() > (fate.back_at or 0) + 1, "the timeout is over"
            )
            with ground.worker(conf, name="w3", ledger=second.ledger):
                operator.until(
                    lambda: states(operator, ids, SUCCESS, SUCCESS), "they ran again", 240
                )
                lines = ledger(second.ledger)
                assert all(f"end {task_id}" in lines for task_id in ids)
        assert verdict(operator, ids[0]) == ""
        assert operator.cluster.tasks[ids[0]].worker in ("w2@test", "w3@test")
        assert not [task_id for task_id in ids if task_id in operator.cluster.reconciler.fates]


def test_a_frozen_worker_keeps_its_tasks(ground: Ground) -> None:
    with ground.worker() as worker, ground.operator() as operator:
        ids = [ground.slow(30) for _ in range(3)]
        operator.until(lambda: states(operator, ids, STARTED, STARTED, RECEIVED), "it works")
        worker.pause()
        try:
            operator.until(lambda: worker_is(operator, worker, BLOCKED), "it is blocked")
            until = operator.monitor.clock() + 8
            operator.until(lambda: operator.monitor.clock() > until, "a while")
            assert states(operator, ids, STARTED, STARTED, RECEIVED)
        finally:
            worker.resume()
        operator.until(lambda: worker_is(operator, worker, ONLINE), "it is back")
        operator.until(lambda: states(operator, ids[:2], SUCCESS, SUCCESS), "they end", 120)
        assert operator.cluster.workers[worker.hostname].restarted_from is None


def test_a_warm_stop_puts_back_what_was_held(ground: Ground) -> None:
    with ground.worker() as worker, ground.operator() as operator:
        ids = [ground.slow(6) for _ in range(4)]
        operator.until(
            lambda: states(operator, ids, STARTED, STARTED, RECEIVED, RECEIVED), "it works"
        )
        worker.stop()
        operator.until(lambda: worker_is(operator, worker, STOPPED), "it said goodbye")
        operator.until(
            lambda: states(operator, ids, SUCCESS, SUCCESS, PENDING, PENDING), "2 ran, 2 wait"
        )
        words = "which stopped; its message went back to its queue"
        assert verdict(operator, ids[2]).endswith(words)
        operator.until(lambda: operator.cluster.queues["celery"].depth == 2, "they are there")
        with ground.worker() as again:
            operator.until(lambda: states(operator, ids[2:], SUCCESS, SUCCESS), "and run then")
            assert [verdict(operator, task_id) for task_id in ids] == [""] * 4
            known = operator.cluster.workers[worker.hostname]
            assert known.restarted_from is not None
            view = View(operator.monitor.clock(), operator.cluster)
            assert f"(pid {known.restarted_from} to {again.pid})" in note(known, view)


def test_a_quick_restart_after_a_kill_loses_what_ran(ground: Ground) -> None:
    with ground.worker() as worker, ground.operator() as operator:
        ids = [ground.slow() for _ in range(2)]
        operator.until(lambda: states(operator, ids, STARTED, STARTED), "both run")
        operator.until(lambda: operator.cluster.workers[worker.hostname].heartbeat, "its heartbeat")
        old = worker.pid
        worker.kill()
        worker.start()
        operator.until(
            lambda: operator.cluster.workers[worker.hostname].restarted_from == old, "a restart"
        )
        operator.until(lambda: states(operator, ids, UNKNOWN, UNKNOWN), "its tasks are lost")
        assert f"(pid {old})" in verdict(operator, ids[0])
        assert not operator.cluster.workers[worker.hostname].duplicate_name
        assert operator.cluster.workers[worker.hostname].pid == worker.pid


def test_two_workers_of_one_name_are_one_row_with_the_numbers_of_both(ground: Ground) -> None:
    with (
        ground.worker(queues=("one",)) as first,
        ground.worker(queues=("two",), concurrency=3) as second,
        ground.operator() as operator,
    ):
        assert first.hostname == second.hostname
        ids = [ground.slow(queue=queue) for queue in ("one", "two", "two")]
        operator.until(lambda: states(operator, ids, STARTED, STARTED, STARTED), "three run")
        worker = operator.cluster.workers[first.hostname]
        operator.until(lambda: worker.duplicate_name, "the name is given twice")
        operator.until(lambda: len(worker.running or ()) == 3, "both have told")
        operator.until(lambda: worker.active == 3, "both have beaten")
        seen, said = set(), len(operator.cluster.log)

        def watched() -> bool:
            seen.add((worker.busy, worker.pid, len(worker.running or ())))
            return operator.monitor.clock() > until

        until = operator.monitor.clock() + 12
        operator.until(watched, "a while")
        assert len(seen) == 1, seen
        assert states(operator, ids, STARTED, STARTED, STARTED)
        view = View(operator.monitor.clock(), operator.cluster)
        assert note(worker, view).startswith("2 processes share this name: pids")
        later = list(operator.cluster.log)[said:]
        assert not any("restarted" in line.text for line in later)


def test_a_worker_without_heartbeats_is_lost_when_its_pings_stay_unanswered(
    ground: Ground,
) -> None:
    options = ("--without-heartbeat", "--without-mingle", "--without-gossip")
    with ground.worker(options=options) as worker, ground.operator() as operator:
        ids = [ground.slow() for _ in range(2)]
        operator.until(lambda: states(operator, ids, STARTED, STARTED), "both run")
        operator.until(
            lambda: operator.cluster.workers[worker.hostname].heartbeat is False, "no heartbeats"
        )
        worker.kill()
        operator.until(lambda: states(operator, ids, UNKNOWN, UNKNOWN), "its tasks are lost", 120)
        assert any(one.rule == "worker-lost" for one in operator.monitor.findings)


def test_a_queue_that_was_purged_elsewhere_leaves_no_task_pending(ground: Ground) -> None:
    with ground.worker() as worker, ground.operator() as operator:
        running = [ground.slow() for _ in range(2)]
        held = [ground.slow() for _ in range(8)]
        operator.until(lambda: states(operator, running, STARTED, STARTED), "both slots are busy")
        operator.until(lambda: states(operator, held, *[RECEIVED] * 8), "it holds 8 more")
        later = [ground.slow() for _ in range(20)]
        operator.until(lambda: states(operator, later, *[PENDING] * 20), "20 more wait")
        with ground.app.connection_for_write() as connection:
            assert connection.default_channel.queue_purge("celery") == 20
        operator.until(lambda: states(operator, later, *[UNKNOWN] * 20), "they are gone", 120)
        assert {verdict(operator, task_id) for task_id in later} == {GONE}
        assert states(operator, held, *[RECEIVED] * 8)
        assert operator.cluster.counts[PENDING] == 0
        told = {task["id"]: task for task in document(operator.monitor)["tasks"]["unknown"]}
        assert told[later[0]]["source"] == "broker"
        assert told[later[0]]["verdict"] == GONE
        worker.kill()


def test_a_revoked_task_that_waits_for_its_eta_says_so(ground: Ground) -> None:
    with ground.worker(), ground.operator() as operator:
        task_id = ground.slow(countdown=3_000)
        operator.until(lambda: state(operator, task_id) == RECEIVED, "it waits for its ETA")
        ground.app.control.revoke(task_id, reply=True, timeout=5, limit=1)
        operator.until(lambda: "waits for its ETA" in verdict(operator, task_id), "it says so", 150)
        assert state(operator, task_id) == RECEIVED
        until = operator.monitor.clock() + 5
        operator.until(lambda: operator.monitor.clock() > until, "the backend has spoken, too")
        assert "waits for its ETA" in verdict(operator, task_id)
        assert operator.cluster.tasks[task_id].source == "inspect"
