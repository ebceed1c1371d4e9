"""The whole of watching without a screen, against a real Redis and a real worker."""

from __future__ import annotations

import json
import logging
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from celery_tui.errors import AppError, BrokerError
from celery_tui.model.seam import (
    Act,
    ActionRequest,
    Link,
    LogLine,
    Stage,
    Target,
)
from celery_tui.model.worker import LOST, ONLINE, STOPPED
from celery_tui.monitor import SOURCES, Monitor, undescribed
from celery_tui.settings import Settings
from celery_tui.sources import base
from celery_tui.sources.inbox import Inbox
from celery_tui.sources.logs import ToInbox
from tests.owner import Owner, is_live
from tests.servers import PATIENCE_S, Worker, wait_for
from tests.sources.fleet import Fleet, running_fleet

NEVER_S = 100_000.0


@pytest.fixture(scope="module")
def fleet() -> Iterator[Fleet]:
    with running_fleet(name="m1") as one:
        yield one


def watching(fleet: Fleet, **more: Any) -> Owner:
    return Owner(Settings(broker=fleet.url, result_backend=fleet.server.url(1), **more))


def test_workers_queues_tasks_and_results_reach_the_cluster(fleet: Fleet) -> None:
    with watching(fleet) as owner:
        owner.until(lambda c: c.workers, "first worker")
        owner.until(is_live, "all four links are live")
        owner.until(lambda c: "celery" in c.queues, "the queue")
        (task_id,) = fleet.send(1)
        owner.until(lambda c: task_id in c.tasks and c.tasks[task_id].final, "an executed task")
        owner.monitor.watch([task_id])
        owner.until(
            lambda c: "result backend" in c.tasks[task_id].sources, "its stored result, on screen"
        )
        worker = owner.monitor.cluster.workers[fleet.worker.hostname]
        assert not undescribed(worker)
        assert owner.monitor.shed == {}
        assert owner.monitor.broker_url == fleet.url


def test_the_first_tick_before_anything_came_judges_nobody(fleet: Fleet) -> None:
    monitor = Monitor(Settings(broker=fleet.url))
    monitor.tick(time.time())
    assert monitor.drain()
    assert monitor.findings == ()


def test_a_broker_that_goes_and_comes_is_lost_then_live_and_tasks_flow() -> None:
    with running_fleet(name="outage") as own, watching(own) as owner:
        owner.until(is_live, "all four links are live")
        owner.until(lambda c: own.worker.hostname in c.workers, "the worker")
        own.server.kill()
        owner.until(
            lambda c: all(c.health[name].state == Link.LOST for name in SOURCES), "all links lost"
        )
        owner.until(
            lambda c: any(f.rule == "broker-lost" for f in owner.monitor.findings), "the finding"
        )
        owner.until(
            lambda c: all(c.health[name].tries > 2 for name in SOURCES), "all tried in vain"
        )
        own.server.start()
        back_at = time.time()
        owner.monitor.retry_now()
        owner.until(is_live, "all links live again")
        worker = owner.monitor.cluster.workers[own.worker.hostname]
        owner.until(lambda c: (worker.heard_at or 0) > back_at, "a heartbeat after the outage")
        ids = own.send(10)
        owner.until(
            lambda c: all(i in c.tasks and c.tasks[i].final for i in ids), "tasks flow again"
        )
        owner.until(
            lambda c: c.state_of(worker, time.time()) == ONLINE, "the worker is online again"
        )


def test_a_new_worker_is_described_without_waiting_for_the_next_round(fleet: Fleet) -> None:
    with watching(fleet) as owner:
        owner.until(is_live, "all four links are live")
        owner.until(lambda c: c.workers, "first worker")
        with Worker(fleet.url, name="newcomer", concurrency=1, queues=("mail",)):
            owner.until(lambda c: "newcomer@test" in c.workers, "the newcomer")
            owner.until(
                lambda c: c.workers["newcomer@test"].queues == ("mail",), "its queues are known"
            )
            owner.until(lambda c: c.workers["newcomer@test"].pool, "its pool is known")
        owner.until(
            lambda c: c.state_of(c.workers["newcomer@test"], time.time()) == STOPPED,
            "its goodbye",
        )


def test_a_killed_worker_is_lost_after_its_ping_went_unanswered(fleet: Fleet) -> None:
    victim = Worker(fleet.url, name="victim", concurrency=1).start()
    with watching(fleet) as owner:
        owner.until(lambda c: "victim@test" in c.workers, "the victim")
        owner.until(lambda c: c.workers["victim@test"].heartbeat, "its heartbeat")
        victim.kill()
        owner.until(
            lambda c: c.state_of(c.workers["victim@test"], time.time()) == LOST,
            "a killed worker is lost",
        )
        cluster = owner.monitor.cluster
        assert cluster.state_of(cluster.workers[fleet.worker.hostname], time.time()) == ONLINE
        owner.until(
            lambda c: any(f.rule == "worker-lost" for f in owner.monitor.findings),
            "the finding worker-lost",
        )
    victim.stop()


def test_nothing_is_left_in_redis_after_a_stop(fleet: Fleet) -> None:
    before = fleet.ttls()
    with watching(fleet) as owner:
        owner.until(is_live, "all four links are live")
        name = fleet.worker.hostname
        owner.until(
            lambda c: name in c.workers and not undescribed(c.workers[name]), "all was asked"
        )
    assert fleet.ttls().keys() <= before.keys()


WATCH = """
import sys, time
from celery_tui.monitor import Monitor
from celery_tui.settings import Settings
monitor = Monitor(Settings(broker=sys.argv[1], result_backend=sys.argv[2]))
monitor.start()
while True:
    monitor.drain()
    monitor.tick(time.time())
    time.sleep(0.05)
    if monitor.cluster.workers:
        print("watching", flush=True)
"""


def test_what_a_killed_monitor_leaves_in_redis_expires_by_itself(fleet: Fleet) -> None:
    before = fleet.ttls()
    process = subprocess.Popen(
        [sys.executable, "-c", WATCH, fleet.url, fleet.server.url(1)], stdout=subprocess.PIPE
    )
    assert process.stdout is not None
    process.stdout.readline()
    process.kill()
    process.wait()
    process.stdout.close()
    left = {key: ttl for key, ttl in fleet.ttls().items() if key not in before}
    print(f"left at once, with seconds to live: {left}")
    assert all(ttl >= 0 for ttl in left.values())
    wait_for(lambda: fleet.ttls().keys() <= before.keys(), "all is gone after SIGKILL")


def test_stopping_wakes_who_waits_for_a_broker_that_is_away(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(base, "FIRST_RETRY_S", NEVER_S)
    monkeypatch.setattr(base, "LONGEST_RETRY_S", NEVER_S)
    with Owner(Settings(broker="redis://127.0.0.1:1/0")) as owner:
        owner.until(
            lambda c: "events" in c.health and c.health["events"].state == Link.LOST, "the loss"
        )
        began = time.monotonic()
        owner.monitor.stop(PATIENCE_S)
        print(f"[took] the end of all sources: {time.monotonic() - began:.3f} s")
        threads = [source._thread for source in owner.monitor.sources.values()]
    assert not any(thread is not None and thread.is_alive() for thread in threads)


# -- apps ------------------------------------------------------------------------------------


def test_an_app_is_loaded_in_a_thread_and_tells_where_to_look(
    fleet: Fleet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "their_project.py").write_text(
        "from celery import Celery\n"
        f"app = Celery('p', broker={fleet.url!r}, backend={fleet.server.url(1)!r},\n"
        "             set_as_current=False)\n"
    )
    monkeypatch.chdir(tmp_path)
    with Owner(Settings(app="their_project")) as owner:
        owner.until(is_live, "all links are live through -A")
        owner.until(lambda c: fleet.worker.hostname in c.workers, "the worker, through -A")
        assert owner.monitor.broker_url == fleet.url
        assert owner.monitor.backend_url == fleet.server.url(1)


def test_an_app_that_fails_is_told_by_every_link(tmp_path: Path) -> None:
    with Owner(Settings(app="no_such_project_anywhere")) as owner:
        owner.until(
            lambda c: len(c.health) == 4 and all(h.error for h in c.health.values()), "the reason"
        )
        error = owner.monitor.cluster.health["queues"].error
        assert error is not None
        assert "no_such_project_anywhere" in error


def test_an_app_that_fails_can_be_told_before_anything_starts() -> None:
    with pytest.raises(AppError, match="no_such_project_anywhere"):
        Monitor(Settings(app="no_such_project_anywhere")).check_app()


def test_a_broker_that_is_not_there_can_be_told_before_anything_starts(fleet: Fleet) -> None:
    with pytest.raises(BrokerError, match="refused the connection"):
        Monitor(Settings(broker="redis://:s3cret@127.0.0.1:1/0")).check_broker()
    Monitor(Settings(broker=fleet.url)).check_broker()


def test_without_a_broker_there_is_nothing_to_start() -> None:
    with pytest.raises(BrokerError, match="No broker is named"):
        Monitor(Settings()).start()


# -- acts ------------------------------------------------------------------------------------


def revoke(task_id: str) -> ActionRequest:
    target = Target("task", task_id, "sample.add")
    return ActionRequest(f"r-{task_id}", Act.REVOKE, (target,), time.time())


def test_a_revoke_is_previewed_prepared_performed_and_seen(fleet: Fleet) -> None:
    with watching(fleet) as owner:
        owner.until(is_live, "all four links are live")
        result = fleet.app.send_task("sample.add", (1, 2), countdown=600)
        owner.until(lambda c: result.id in c.tasks, "the task that waits for its ETA")
        request = revoke(result.id)
        assert not owner.monitor.preview(request).blocked
        owner.monitor.prepare(request)
        owner.until(
            lambda c: request.id in c.previews and c.previews[request.id].ready, "a ready preview"
        )
        assert not owner.monitor.cluster.previews[request.id].blocked
        owner.monitor.perform(request)
        owner.until(lambda c: result.id in c.asked, "the first outcome")
        owner.until(
            lambda c: c.asked[result.id].outcome.stage in (Stage.ACKNOWLEDGED, Stage.SEEN),
            "the workers have answered",
        )


def test_read_only_sends_nothing(fleet: Fleet) -> None:
    with watching(fleet, read_only=True) as owner:
        owner.until(is_live, "all four links are live, read-only")
        request = revoke("u1")
        assert "Read-only" in owner.monitor.preview(request).blocked
        owner.monitor.prepare(request)
        owner.until(lambda c: request.id in c.previews, "a blocked preview")
        owner.monitor.perform(request)
        owner.until(lambda c: c.outcomes, "the refusal")
    (_, outcome) = owner.monitor.cluster.outcomes[-1]
    assert (outcome.stage, "Read-only" in outcome.text) == (Stage.FAILED, True)


# -- logging ---------------------------------------------------------------------------------


def test_libraries_log_into_the_inbox_and_not_on_stderr(
    capfd: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    file = tmp_path / "tui.log"
    broker = "redis://:hunter2@127.0.0.1:1/0"
    monitor = Monitor(Settings(broker=broker, log_file=file))
    handlers = list(logging.getLogger().handlers)
    monitor.start()
    logging.getLogger("kombu.connection").warning("cannot reach %s\nat all", broker)
    logging.getLogger("amqp").error("password is %s", "hunter2")
    monitor.stop()
    assert logging.getLogger().handlers == handlers
    monitor.drain(1.0)
    lines = [line for line in monitor.cluster.log if line.kind in ("kombu.connection", "amqp")]
    assert [(line.kind, line.level, line.text) for line in lines] == [
        ("kombu.connection", "warn", "cannot reach redis://:***@127.0.0.1:1/0 at all"),
        ("amqp", "crit", "password is ***"),
    ]
    assert "hunter2" not in file.read_text()
    assert "cannot reach" in file.read_text()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert capfd.readouterr().err == ""


def test_a_broken_format_of_somebody_else_ends_no_thread() -> None:
    inbox = Inbox()
    record = logging.LogRecord("redis", logging.WARNING, "f.py", 1, "broken %d", ("x",), None)
    ToInbox(inbox).handle(record)
    line = inbox.take()
    assert isinstance(line, LogLine)
    assert line.text == "broken %d"


def test_draining_stops_at_its_limit_and_says_whether_more_waits() -> None:
    monitor = Monitor(Settings(broker="redis://127.0.0.1:1/0"))
    for number in range(200_000):
        monitor.inbox.put(LogLine(float(number), "test", "info", "x"))
    began = time.perf_counter()
    assert monitor.drain(0.004) is False
    print(f"[took] a slice of 4 ms: {time.perf_counter() - began:.3f} s")
    assert monitor.drain(60.0) is True


def test_importing_the_monitor_imports_no_broker_library() -> None:
    program = (
        "import sys, json, celery_tui.monitor\n"
        "heavy = {'celery', 'kombu', 'redis', 'textual'}\n"
        "print(json.dumps(sorted(heavy & set(sys.modules))))"
    )
    found = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)
    assert json.loads(found.stdout) == []
