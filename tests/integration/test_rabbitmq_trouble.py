"""A RabbitMQ that hangs, one that takes no messages, and one with very many queues."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest
from kombu.connection import Connection

from celery_tui.brokers import rabbitmq
from celery_tui.brokers.base import Quarantined
from celery_tui.brokers.rabbitmq import RabbitBroker
from celery_tui.links.kombu_link import opened
from celery_tui.links.site import Site
from celery_tui.model.cluster import Cluster
from celery_tui.model.seam import Act, ActionRequest, Link, Stage, Target
from celery_tui.settings import Settings
from tests.actions.acting import Operator
from tests.conftest import a_rabbit
from tests.owner import Owner
from tests.rabbit import RabbitServer
from tests.servers import Worker, client, wait_for

LINKS = ("events", "inspect", "queues")


@pytest.fixture(scope="module")
def server() -> Iterator[RabbitServer]:
    with a_rabbit(management=True) as one:
        yield one


@pytest.fixture(scope="module")
def worker(server: RabbitServer) -> Iterator[Worker]:
    with Worker(server.url(), concurrency=1) as one:
        yield one


def states(cluster: Cluster) -> set[Link]:
    return {cluster.health[name].state for name in LINKS if name in cluster.health}


def all_live(cluster: Cluster) -> bool:
    return all(name in cluster.health for name in LINKS) and states(cluster) == {Link.LIVE}


def rules(owner: Owner) -> set[str]:
    return {one.rule for one in owner.monitor.findings}


# -- it hangs ---------------------------------------------------------------------------------


@pytest.mark.fact("a broker that hangs", "RabbitMQ")
def test_a_broker_that_hangs_is_noticed_and_found_again(
    server: RabbitServer, worker: Worker
) -> None:
    with (
        Owner(Settings(broker=server.url())) as owner,
        Owner(Settings(broker=server.url())) as leaving,
    ):
        owner.until(all_live, "all links are live")
        owner.until(lambda cluster: worker.hostname in cluster.workers, "the worker is seen")
        leaving.until(all_live, "all links of the other are live")
        owner.until(
            lambda one: all(one.health[name].latency_ms is not None for name in LINKS),
            "all links are timed",
        )
        server.pause()
        try:
            owner.until(lambda one: states(one) == {Link.LOST}, "the hang is told by all links")
            owner.until(lambda _: rules(owner) == {"broker-lost"}, "the finding")
            errors = {owner.read().health[name].error or "" for name in LINKS}
            assert all("does not answer in time" in error for error in errors), errors
            began = time.monotonic()
            leaving.monitor.stop(10.0)
            print(f"[took] quitting while it hangs: {time.monotonic() - began:.3f} s")
            assert not any(
                source.is_alive()
                for source in threading.enumerate()
                if source in {one._thread for one in leaving.monitor.sources.values()}
            )
        finally:
            server.resume()
        owner.until(all_live, "all links are live again")
        owner.until(
            lambda one: one.state_of(one.workers[worker.hostname], time.time()) == "online",
            "the worker is heard again",
        )


# -- it takes no messages ---------------------------------------------------------------------


@pytest.fixture
def alarm(server: RabbitServer) -> Iterator[Any]:
    """Sets the alarm of memory; it is over at the end."""
    try:
        yield lambda: server.ctl("set_vm_memory_high_watermark", "0")
    finally:
        server.ctl("set_vm_memory_high_watermark", "0.6")


def calm(server: RabbitServer) -> None:
    server.ctl("set_vm_memory_high_watermark", "0.6")


def test_an_alarm_is_told_and_no_worker_is_called_lost(
    server: RabbitServer, worker: Worker, alarm: Any
) -> None:
    with Owner(Settings(broker=server.url())) as owner:
        owner.until(
            lambda cluster: (one := cluster.workers.get(worker.hostname)) and one.heartbeat,
            "the worker beats",
        )
        owner.until(all_live, "all links are live")
        alarm()
        owner.until(lambda _: "broker-blocked" in rules(owner), "the alarm is told")
        (found,) = owner.monitor.findings
        assert "takes no messages now: it is low on memory or disk" in found.text
        assert owner.read().health["queues"].state == Link.LIVE
        before = connections(server)
        owner.until(
            lambda one: one.state_of(one.workers[worker.hostname], time.time()) == "unknown",
            "the worker is not heard, and not called lost",
        )
        assert rules(owner) == {"broker-blocked"}
        assert connections(server) <= before, "each try would be held by the broker"
        request = ActionRequest("r1", Act.TERMINATE, (Target("task", "some-id"),), time.time())
        assert "blocked by an alarm" in owner.monitor.preview(request).blocked
        calm(server)
        owner.until(all_live, "all links are live again")
        owner.until(lambda _: not rules(owner), "nothing is wrong any more")


def connections(server: RabbitServer) -> int:
    return len(server.ctl("list_connections", "-q", "pid").splitlines())


def test_what_is_published_during_an_alarm_fails_in_bounded_time(
    server: RabbitServer, alarm: Any
) -> None:
    from celery_tui.errors import BrokerBlocked

    alarm()
    site = Site(server.url())
    site.connect().release()

    def told() -> BrokerBlocked | None:
        try:
            with opened(site) as connection:
                producer = connection.Producer()
                producer.publish({}, routing_key="nowhere")
                for _ in range(4):
                    connection.default_channel.basic_qos(0, 1, False)
                    time.sleep(0.05)
        except BrokerBlocked as error:
            return error
        return None

    error = wait_for(told, "who publishes is told")
    assert "takes no messages" in str(error)
    assert "rabbitmq-diagnostics alarms" in str(error)


def test_an_undo_and_a_purge_during_an_alarm_end_with_a_sentence_and_work_after_it(
    server: RabbitServer, worker: Worker, alarm: Any
) -> None:
    app = client(server.url())
    sent = {
        queue: [str(app.send_task("sample.add", (1, 2), queue=queue).id) for _ in range(count)]
        for queue, count in (("aside", 20), ("stays", 10))
    }
    app.close()
    with Operator(server.url()) as operator:
        purged = operator.outcome(operator.act(Act.PURGE, Target("queue", "aside")), Stage.SEEN)
        assert purged.undo is not None
        wanted = ((Act.UNDO, Target("queue", purged.undo)), (Act.PURGE, Target("queue", "stays")))
        alarm()
        began = time.monotonic()
        asked = [operator.act(act, target) for act, target in wanted]  # before anybody noticed
        for one in asked:
            failed = operator.outcome(one, Stage.FAILED, Stage.NOT_CONFIRMED)
            print(f"[took] {one.act} while it is blocked: {time.monotonic() - began:.3f} s")
            assert "takes no messages now: it is low on memory or disk" in failed.text
            assert "\n" not in failed.text
        calm(server)
        (held,) = held_by(server)
        assert (held.queue, held.moved, held.doubtful) == ("aside", 20, 0)
        operator.until(lambda: all_live(operator.cluster), "the broker is back")
        for act, target in wanted:
            operator.outcome(operator.act(act, target), Stage.SEEN)
        (held,) = held_by(server)
        assert (held.queue, held.moved, held.doubtful) == ("stays", 10, 0)
        operator.outcome(operator.act(Act.UNDO, Target("queue", held.name)), Stage.SEEN)
    assert held_by(server) == []
    for queue, ids in sent.items():
        assert sorted(taken(server, queue)) == sorted(ids)


def held_by(server: RabbitServer) -> list[Quarantined]:
    broker = RabbitBroker(Site(server.url()))
    with closing(broker):
        return broker.quarantines()


def taken(server: RabbitServer, queue: str) -> list[str]:
    """Ids of all messages in it, which are taken out."""
    with Connection(server.url()) as connection:
        channel: Any = connection.channel()
        found = iter(lambda: channel.basic_get(queue, no_ack=True), None)
        return [str(one.headers["id"]) for one in found]


# -- very many queues -------------------------------------------------------------------------


COUNT = 500


@pytest.fixture(scope="module")
def many(server: RabbitServer) -> Iterator[list[str]]:
    names = [f"many-{number:03}" for number in range(COUNT)]
    with Connection(server.url()) as connection:
        channel: Any = connection.channel()
        for name in names:
            channel.queue_declare(name, auto_delete=False)
        yield names
        for name in names:
            channel.queue_delete(name)


def test_hundreds_of_queues_are_read_in_turns_within_a_budget(
    server: RabbitServer, many: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rabbitmq, "READ_S", 1e9)  # machines differ: only the count bounds it here
    monkeypatch.setattr(rabbitmq, "MOST_ASKED", 100)
    broker = RabbitBroker(Site(server.url()))
    asked = count_declares(broker)
    broker.want(many, ["many-499"])
    assert broker.lists == 100
    began = time.time()
    for reading in range(1, 7):
        depths = broker.depths()
        assert len(asked) == 100 * reading
        assert asked.count("many-499") == reading, "what is on screen is asked for each time"
    print(f"[took] a declare of {len(asked)}: {(time.time() - began) / len(asked):.6f} s")
    assert depths.keys() >= set(many)
    others = [asked.count(name) for name in many[:-1]]
    assert {min(others), max(others)} == {1, 2}, "each as often as the others"
    oldest = min(depths[name].at or 0 for name in many)
    newest = max(depths[name].at or 0 for name in many)
    assert began <= oldest < newest
    broker.close()


def count_declares(broker: RabbitBroker) -> list[str]:
    asked: list[str] = []
    declare = broker._link.declare

    def counted(queue: str) -> Any:
        asked.append(queue)
        return declare(queue)

    broker._link.declare = counted  # type: ignore[method-assign]
    return asked


def test_a_reading_ends_when_its_time_is_over(
    server: RabbitServer, many: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rabbitmq, "READ_S", 0.0)
    broker = RabbitBroker(Site(server.url()))
    broker.want(many)
    for reading in range(1, 4):
        assert len(broker.depths()) == reading
    broker.close()


def test_the_api_tells_of_those_that_were_not_asked_for(
    server: RabbitServer, many: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rabbitmq, "READ_S", 0.0)
    monkeypatch.setattr("celery_tui.brokers.rabbitmq_api.ROUND_EVERY_S", 0.1)
    broker = RabbitBroker(Site(server.url()), (), server.management_url)
    wait_for(lambda: broker.discover() and broker.depths().keys() >= set(many), "all are told of")
    assert {broker.depths()[name].depth for name in many} == {0}
    broker.close()


def test_what_so_many_queues_cost_the_broker(server: RabbitServer, many: list[str]) -> None:
    with Owner(Settings(broker=server.url(), management_url=server.management_url)) as owner:
        owner.until(
            lambda cluster: all(
                name in cluster.queues and cluster.queues[name].read_at for name in many
            ),
            "all of them are read",
        )
        asked = count_declares(owner.monitor.sources["queues"].former)  # type: ignore[attr-defined]
        used, began = cpu_s(server), time.monotonic()
        owner.until(lambda _: time.monotonic() - began > 5, "five seconds")
        took = time.monotonic() - began
        ages = [time.time() - (owner.read().queues[name].read_at or 0) for name in many]
        print(f"[took] {COUNT} queues, declares a second / 1000: {len(asked) / took / 1000:.3f} s")
        print(f"[took] {COUNT} queues, CPU of the broker: {(cpu_s(server) - used) / took:.3f} s")
        print(f"[took] {COUNT} queues, age of the oldest reading: {max(ages):.3f} s")
        assert 0 < len(asked) <= rabbitmq.MOST_ASKED * (took + 2)


def cpu_s(server: RabbitServer) -> float:
    times = server.processes()[0].cpu_times()
    return float(times.user + times.system)
