"""The dashboard's sources on a RabbitMQ with real workers, and what a killed one leaves there."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator

import pytest

from celery_tui.model.task import SUCCESS
from celery_tui.settings import Settings
from tests.owner import Owner
from tests.rabbit import RabbitServer, VirtualHost
from tests.servers import Worker, client, wait_for

MONITOR = """
import sys, time
from celery_tui.monitor import Monitor
from celery_tui.settings import Settings

monitor = Monitor(Settings(broker=sys.argv[1]))
monitor.start()
while True:
    monitor.drain()
    monitor.tick(time.time())
    time.sleep(0.5)
"""


@pytest.fixture(scope="module")
def worker(rabbit: VirtualHost) -> Iterator[Worker]:
    with Worker(rabbit.url(), queues=("celery", "emails")) as one:
        yield one


def names(rabbit: VirtualHost, what: str) -> set[str]:
    return {one["name"] for one in rabbit.listed(what)}


def test_workers_tasks_and_queues_are_seen(rabbit: VirtualHost, worker: Worker) -> None:
    with Owner(Settings(broker=rabbit.url())) as owner, client(rabbit.url()) as app:
        owner.until(
            lambda cluster: all(
                cluster.health[name].state == "live" for name in ("events", "inspect", "queues")
            ),
            "events, answers and queues are live",
        )
        owner.until(lambda cluster: worker.hostname in cluster.workers, "the worker is seen")
        task = app.send_task("sample.add", (1, 2))
        owner.until(
            lambda cluster: (found := cluster.tasks.get(task.id)) and found.state == SUCCESS,
            "the task has ended",
        )
        owner.until(
            lambda cluster: all(
                (queue := cluster.queues.get(name)) and queue.depth == 0 and queue.consumers == 1
                for name in ("celery", "emails")
            ),
            "depth and consumers of both its queues are read",
        )
        assert cluster_unacked(owner) == {None}


def cluster_unacked(owner: Owner) -> set[int | None]:
    return {queue.unacked for queue in owner.read().queues.values()}


def test_the_event_queue_is_bounded_and_never_acknowledged(
    rabbit: VirtualHost, worker: Worker
) -> None:
    with Owner(Settings(broker=rabbit.url())) as owner:
        owner.until(lambda cluster: worker.hostname in cluster.workers, "the worker is seen")
        bounded = wait_for(  # gossip between workers has such queues, without a length
            lambda: [
                one
                for one in rabbit.listed("queues")
                if one["name"].startswith("celeryev.") and "x-max-length" in one["arguments"]
            ],
            "the event queue is listed",
        )
        (mine,) = bounded
        assert (mine["exclusive"], mine["auto_delete"], mine["durable"]) == (True, True, False)
        assert mine["arguments"] == {
            "x-expires": 60_000,
            "x-max-length": 100_000,
            "x-message-ttl": 5_000,
        }
        consumers = wait_for(
            lambda: [
                one for one in rabbit.listed("consumers") if one["queue"]["name"] == mine["name"]
            ],
            "its consumer is listed",
        )
        assert [one["ack_required"] for one in consumers] == [False]


def test_a_killed_dashboard_leaves_no_queue_and_no_exchange(
    rabbit: VirtualHost, worker: Worker
) -> None:
    queues, exchanges = names(rabbit, "queues"), names(rabbit, "exchanges")
    process = subprocess.Popen([sys.executable, "-c", MONITOR, rabbit.url()])
    try:
        wait_for(lambda: len(names(rabbit, "queues") - queues) >= 2, "its queues are there")
    finally:
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
    wait_for(lambda: names(rabbit, "queues") <= queues, "its queues are gone")
    assert names(rabbit, "exchanges") <= exchanges | {"celeryev"}


def test_the_dashboard_comes_back_with_the_broker(own_rabbit: RabbitServer) -> None:
    with (
        Worker(own_rabbit.url(), concurrency=1) as worker,
        Owner(Settings(broker=own_rabbit.url())) as owner,
    ):
        owner.until(lambda cluster: worker.hostname in cluster.workers, "the worker is seen")
        own_rabbit.kill()
        owner.until(
            lambda cluster: all(
                cluster.health[name].state == "lost" for name in ("events", "inspect", "queues")
            ),
            "the loss is told",
        )
        own_rabbit.start()
        owner.until(
            lambda cluster: all(
                cluster.health[name].state == "live" for name in ("events", "inspect", "queues")
            ),
            "all sources are back",
        )


@pytest.mark.fact("a consumer that died in a live worker", "RabbitMQ")
def test_a_dead_consumer_is_named_while_its_worker_is_fine(own_rabbit: RabbitServer) -> None:
    with (
        Worker(own_rabbit.url(), app="dead_consumer", queues=("work",)) as worker,
        Owner(Settings(broker=own_rabbit.url())) as owner,
        client(own_rabbit.url()) as app,
    ):
        owner.until(
            lambda cluster: (queue := cluster.queues.get("work")) and queue.consumers == 1,
            "its consumer is counted",
        )
        assert "dead-consumer" not in {found.rule for found in owner.monitor.findings}
        app.control.broadcast("lose_consumers", reply=True, limit=1, timeout=10)
        app.send_task("sample.add", (1, 2), queue="work")
        owner.until(
            lambda _: "dead-consumer" in {found.rule for found in owner.monitor.findings},
            "the dead consumer is named",
        )
        (found,) = (one for one in owner.monitor.findings if one.rule == "dead-consumer")
        assert (found.subject, found.next) == ("work", f"restart {worker.hostname}")
        assert app.control.ping(timeout=5, limit=1)
