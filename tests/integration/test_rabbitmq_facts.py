"""What is known of a RabbitMQ and its workers: by AMQP alone, and by its management API as well."""

from __future__ import annotations

import time
import urllib.parse
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import pytest
from kombu.connection import Connection

from celery_tui.columns import waits
from celery_tui.columns.base import View
from celery_tui.columns.numbers import UNKNOWN
from celery_tui.columns.queues import priorities_cell
from celery_tui.model.cluster import Cluster
from celery_tui.model.queue import Queue
from celery_tui.model.seam import Link
from celery_tui.settings import Settings
from tests.faults.places import own_ports
from tests.integration.losing import deaf_for_a_while
from tests.owner import Owner
from tests.rabbit import VirtualHost
from tests.servers import Worker, client, wait_for
from tests.sources.fleet import Crew


@pytest.fixture(scope="module")
def crew(rabbit: VirtualHost) -> Iterator[Crew]:
    """One worker, and a client that tells of what it sends: so its queues have names."""
    app = client(rabbit.url(), task_send_sent_event=True, task_queue_max_priority=5)
    beats = ("--heartbeat-interval", "1")
    conf = {"CT_CONF": '{"task_queue_max_priority": 5}'}
    with closing(app), Worker(rabbit.url(), options=beats, env=conf) as worker:
        yield Crew(worker, app)


class Both:
    """Two dashboards of one cluster: one is given AMQP alone, one the management API as well."""

    def __init__(self, blind: Owner, told: Owner) -> None:
        self.blind, self.told = blind, told

    def until(self, what: Callable[[Cluster, Cluster], Any], words: str) -> None:
        """Wait for a fact about both."""
        self.blind.until(lambda cluster: what(cluster, self.told.read()), words)

    def queues(self, name: str) -> tuple[Queue, Queue]:
        return self.blind.read().queues[name], self.told.read().queues[name]

    def reads(self, name: str, blind: int, told: int) -> None:
        """Wait until each has read such a depth."""
        self.until(
            lambda one, other: (
                (name in one.queues and one.queues[name].depth == blind)
                and (name in other.queues and other.queues[name].depth == told)
            ),
            f"{name} is read by both",
        )


def all_live(cluster: Cluster) -> bool:
    names = ("events", "inspect", "queues")
    return all((one := cluster.health.get(name)) and one.state == Link.LIVE for name in names)


@pytest.fixture
def both(rabbit: VirtualHost, crew: Crew, monkeypatch: pytest.MonkeyPatch) -> Iterator[Both]:
    monkeypatch.setattr("celery_tui.brokers.rabbitmq_api.ROUND_EVERY_S", 0.5)
    with (
        Owner(Settings(broker=rabbit.url())) as blind,
        Owner(Settings(broker=rabbit.url(), management_url=rabbit.management_url)) as told,
    ):
        one = Both(blind, told)
        one.until(lambda *clusters: all(map(all_live, clusters)), "both are live")
        one.until(
            lambda *clusters: all(
                (seen := cluster.workers.get(crew.worker.hostname)) and seen.queues
                for cluster in clusters
            ),
            "both know the worker and its queues",
        )
        yield one


def view(owner: Owner) -> View:
    return View(time.time(), owner.read())


# -- events missed ----------------------------------------------------------------------------


def listeners(rabbit: VirtualHost) -> set[str]:
    """Names of our connections to which events go; the API knows them after some seconds."""
    mine = own_ports()
    return {
        one["channel_details"]["connection_name"]
        for one in rabbit.listed("consumers")
        if one["queue"]["name"].startswith("celeryev.")
        and one["channel_details"].get("peer_port") in mine
    }


@pytest.mark.fact("events missed", "RabbitMQ")
def test_events_lost_are_counted_by_what_workers_say(
    rabbit: VirtualHost, crew: Crew, started: set[str]
) -> None:
    deaf_for_a_while(
        crew,
        started,
        lambda: listeners(rabbit),
        lambda name: rabbit.manage("DELETE", f"connections/{urllib.parse.quote(name, safe='')}"),
    )


# -- queues -----------------------------------------------------------------------------------


@pytest.mark.fact("depth by priority", "RabbitMQ + management")
def test_messages_of_each_priority_are_counted_by_the_api_alone(both: Both, crew: Crew) -> None:
    for priority in (1, 1, 4):
        crew.app.send_task("sample.add", (1, 2), queue="ranked", priority=priority)
    both.reads("ranked", 3, 3)
    both.told.until(
        lambda cluster: cluster.queues["ranked"].by_priority == {"1": 2, "4": 1},
        "each priority is counted",
    )
    blind, told = both.queues("ranked")
    assert (blind.depth, blind.by_priority) == (3, {})
    assert priorities_cell(told, view(both.told))[0] == "1:2 4:1"
    assert priorities_cell(blind, view(both.blind))[0] == UNKNOWN[0]


@pytest.mark.fact("limbo", "RabbitMQ + management")
def test_what_somebody_took_and_no_worker_lists_is_counted_by_the_api_alone(
    both: Both, crew: Crew, rabbit: VirtualHost
) -> None:
    for _ in range(4):
        crew.app.send_task("sample.add", (1, 2), queue="taken")
    both.reads("taken", 4, 4)
    with Connection(rabbit.url()) as connection:
        channel: Any = connection.channel()
        for _ in range(3):
            assert channel.basic_get("taken") is not None
        both.reads("taken", 1, 1)
        both.told.until(lambda cluster: cluster.queues["taken"].unacked == 3, "unacknowledged")
        both.told.until(lambda cluster: cluster.queues["taken"].limbo == 3, "in limbo")
        blind, told = both.queues("taken")
        assert (blind.unacked, blind.limbo, both.blind.read().depths.unacked) == (None, None, None)
        assert waits.limbo_cell(told, view(both.told))[0] == "3"
        assert waits.limbo_cell(blind, view(both.blind))[0] == UNKNOWN[0]
    both.told.until(lambda cluster: cluster.queues["taken"].limbo == 0, "it all went back")
    both.reads("taken", 4, 4)


@pytest.mark.fact("in, out, drain", "RabbitMQ + management")
def test_what_comes_and_goes_is_told_by_the_api_alone(both: Both, crew: Crew) -> None:
    crew.send(80, 0.2, task="sample.slow")
    both.told.until(
        lambda cluster: (
            (flow := waits.flow_of(cluster.queues["celery"], View(time.time(), cluster)))
            and flow.sure
            and flow.out_per_s > 0
            and isinstance(waits.drain_of(cluster.queues["celery"], view(both.told)), float)
        ),
        "rates, and when it will be empty",
    )
    blind, told = both.queues("celery")
    for cell in (waits.in_cell, waits.out_cell, waits.drain_cell):
        assert cell(told, view(both.told)) != UNKNOWN
        assert cell(blind, view(both.blind)) == UNKNOWN
    assert blind.depth
    both.reads("celery", 0, 0)


# -- workers ----------------------------------------------------------------------------------


def lists(cluster: Cluster, hostname: str) -> tuple[set[str], set[str], set[str]]:
    worker = cluster.workers[hostname]
    told = (worker.running, worker.reserved, worker.scheduled)
    one, two, three = (set(ids or ()) for ids in told)
    return one, two, three


@pytest.mark.fact("what runs, is reserved, is scheduled", "RabbitMQ", "RabbitMQ + management")
def test_what_a_worker_has_is_told_by_itself(both: Both, crew: Crew, tmp_path: Path) -> None:
    with ExitStack() as stack:
        gate = tmp_path / "gate"
        gate.touch()
        stack.callback(gate.unlink)
        running = set(crew.send(2, 1, 2, str(gate), task="sample.stepping"))
        name = crew.worker.hostname
        both.until(
            lambda *clusters: all(lists(one, name)[0] == running for one in clusters),
            "what runs",
        )
        reserved = set(crew.send(2))
        eta = {str(crew.app.send_task("sample.add", (1, 2), countdown=3_600).id)}
        stack.callback(crew.app.control.revoke, list(eta))
        wanted = (running, reserved, eta)
        both.until(
            lambda *clusters: all(lists(one, name) == wanted for one in clusters),
            "what runs, is reserved and is scheduled",
        )
        both.told.until(lambda cluster: cluster.queues["celery"].unacked == 3, "unacknowledged")
        both.told.until(lambda cluster: cluster.queues["celery"].limbo == 0, "all of it is listed")
        blind, _ = both.queues("celery")
        assert (blind.depth, blind.unacked, blind.limbo) == (0, None, None)
    wait_for(lambda: not lists(both.blind.read(), name)[1], "the rest runs")
