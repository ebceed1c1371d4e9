"""What RabbitMQ's management API adds, and that its absence takes nothing away."""

from collections.abc import Iterator
from typing import Any

import pytest
from kombu.connection import Connection

from celery_tui.brokers.rabbitmq import RabbitBroker
from celery_tui.brokers.rabbitmq_api import Counted, Management, flow_between
from celery_tui.errors import SettingsError
from celery_tui.links.management import parts_of
from celery_tui.links.site import Site
from celery_tui.model.peeked import End
from celery_tui.model.waiting import Flow
from tests.rabbit import VirtualHost
from tests.servers import client, free_port, wait_for


@pytest.fixture
def fast(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rounds follow each other soon."""
    monkeypatch.setattr("celery_tui.brokers.rabbitmq_api.ROUND_EVERY_S", 0.1)


@pytest.fixture
def broker(rabbit: VirtualHost, fast: None) -> Iterator[RabbitBroker]:
    one = RabbitBroker(Site(rabbit.url()), (), rabbit.management_url)
    yield one
    one.close()


@pytest.mark.fact("queues that nobody names", "RabbitMQ + management")
@pytest.mark.fact("unacked", "RabbitMQ + management")
def test_queues_that_nobody_names_are_found_and_unacked_is_told(
    rabbit: VirtualHost, broker: RabbitBroker
) -> None:
    with client(rabbit.url()) as app, Connection(rabbit.url()) as connection:
        for number in range(3):
            app.send_task("proj.work", (number,), queue="nobody-names-it")
        channel = connection.channel()
        wait_for(
            lambda: channel.queue_declare("nobody-names-it", passive=True).message_count == 3,
            "the messages are there",
        )
        channel.basic_get("nobody-names-it")

        def told() -> Any:
            while not broker.discover():
                pass
            depths = broker.depths()
            return "nobody-names-it" in depths and broker.unacked() and depths

        depths = wait_for(told, "the API tells of it")
        assert depths["nobody-names-it"].depth == 2
        assert broker.unacked() == 1
        assert (broker.unacked_by_queue() or {})["nobody-names-it"] == 1

        def rates() -> Any:
            app.send_task("proj.work", (0,), queue="nobody-names-it")
            waiting = broker.discover() and broker.depths()["nobody-names-it"].waiting
            return waiting and waiting.flow and waiting.flow.in_per_s > 0 and waiting.flow

        flow = wait_for(rates, "rates")
        assert flow.sure
        assert flow.in_per_s > flow.out_per_s
    assert broker.limit == ""


def test_rates_are_differences_of_counts_over_some_seconds() -> None:
    first = Counted(100.0, 50, 40)
    assert flow_between(first, Counted(110.0, 70, 45)) == Flow(2.0, 0.5, sure=True)
    assert flow_between(first, Counted(101.0, 70, 45)) is None, "too short to say"
    assert flow_between(first, Counted(110.0, 50, 38)) == Flow(0.0, 0.0, sure=True)


def test_priorities_and_kinds_are_told(rabbit: VirtualHost, fast: None) -> None:
    with Connection(rabbit.url()) as connection:
        channel = connection.channel()
        options = {"classic": {"x-max-priority": 9}, "quorum": {"x-queue-type": "quorum"}}
        for name, arguments in options.items():
            channel.queue_declare(name, durable=True, auto_delete=False, arguments=arguments)
    api = Management(rabbit.management_url, rabbit.vhost, ("", ""))
    wait_for(
        lambda: api.step() and {"classic", "quorum"} <= api.queues.keys(), "both queues are listed"
    )
    assert (api.kind("classic"), api.kind("quorum"), api.kind("?")) == ("classic", "quorum", "")


def test_many_queues_are_read_in_pages(
    rabbit: VirtualHost, fast: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("celery_tui.brokers.rabbitmq_api.PAGE_QUEUES", 2)
    with Connection(rabbit.url()) as connection:
        for number in range(5):
            connection.channel().queue_declare(f"many-{number}", auto_delete=False)
    api = Management(rabbit.management_url, rabbit.vhost, ("", ""))
    wanted = {f"many-{number}" for number in range(5)}
    wait_for(lambda: api.step() and wanted <= api.queues.keys(), "all are listed")


@pytest.mark.parametrize("what", ["nobody", "login", "vhost"])
@pytest.mark.fact("a broker that hangs", "RabbitMQ + management")
def test_an_api_that_says_no_takes_nothing_away(rabbit: VirtualHost, what: str) -> None:
    url = {
        "nobody": f"http://ann:hunter2@127.0.0.1:{free_port()}",
        "login": rabbit.management_url.replace("guest:guest", "ann:hunter2"),
        "vhost": rabbit.management_url + "/elsewhere",
    }[what]
    broker = RabbitBroker(Site(rabbit.url()), ("celery",), url)
    assert broker.discover()
    assert "the management API" in broker.limit
    assert "hunter2" not in broker.limit
    assert broker.unacked() is None
    broker.depths()
    broker.close()


@pytest.mark.parametrize("url", ["file:///etc/passwd", "host:15672", "http://[::1", "http://"])
def test_only_http_addresses_are_taken(url: str) -> None:
    with pytest.raises(SettingsError, match="management URL"):
        parts_of(url)


def test_login_and_path_are_read() -> None:
    assert parts_of("https://a:p%40s@h:1/rabbit/api/") == ("https://h:1/rabbit", "a", "p@s")
    assert parts_of("http://[::1]:15672") == ("http://[::1]:15672", "", "")


@pytest.mark.fact("messages in a queue", "RabbitMQ + management")
def test_the_delivery_limit_of_a_quorum_queue_is_said_before_it_is_looked_into(
    rabbit: VirtualHost, broker: RabbitBroker
) -> None:
    with Connection(rabbit.url()) as connection:
        arguments = {"x-queue-type": "quorum", "x-delivery-limit": 3}
        connection.channel().queue_declare(
            "limited", durable=True, auto_delete=False, arguments=arguments
        )
    wait_for(
        lambda: broker.discover() and broker.depths().get("limited") is not None, "it is listed"
    )
    said = broker.peek("limited", End.HEAD, 0, 9).error
    assert "put back 3 times, its delivery limit," in said


def test_queues_of_celerys_own_plumbing_are_not_listed(
    rabbit: VirtualHost, broker: RabbitBroker
) -> None:
    """Of replies, events and RPC results; one of tasks may be called like that if it stays."""
    uid = "3b241101-e2bb-4255-8caf-4136c566a962"
    own = (f"{uid}", f"celeryev.{uid}", f"{uid}.reply.celery.pidbox", "w1@h.celery.pidbox")
    with Connection(rabbit.url()) as connection:
        channel = connection.channel()
        for name in own:
            channel.queue_declare(name, auto_delete=True)
        channel.queue_declare(f"stays.{uid}", auto_delete=False)
        wait_for(
            lambda: broker.discover() and f"stays.{uid}" in broker.depths(),
            "the queue of tasks is listed",
        )
        assert not set(own) & broker.depths().keys()
