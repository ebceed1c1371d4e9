"""A RabbitMQ is read by asking for queues that others name; what is refused is told."""

import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from amqp.basic_message import Message
from kombu.connection import Connection

from celery_tui import brokers
from celery_tui.brokers.rabbitmq import RabbitBroker
from celery_tui.errors import BrokerError
from celery_tui.links.amqp_link import AmqpLink
from celery_tui.links.site import Site
from celery_tui.model.peeked import End
from celery_tui.settings import Settings
from tests.rabbit import Address, RabbitServer, VirtualHost
from tests.rabbit_queues import ready
from tests.servers import client, wait_for


@pytest.fixture
def queue() -> str:
    """The name of a queue that nobody else uses."""
    return f"q-{uuid.uuid4()}"


@pytest.fixture
def broker(rabbit: VirtualHost) -> Iterator[RabbitBroker]:
    one = RabbitBroker(Site(rabbit.url()))
    yield one
    one.close()


def send(rabbit: Address, queue: str, count: int) -> None:
    with client(rabbit.url()) as app:
        for number in range(count):
            app.send_task("proj.work", (number,), queue=queue)
    with Connection(rabbit.url()) as connection:
        channel = connection.channel()
        wait_for(
            lambda: channel.queue_declare(queue, passive=True).message_count == count,
            "the messages are there",
        )


@pytest.mark.fact("depth", "RabbitMQ")
@pytest.mark.fact("consumers", "RabbitMQ")
def test_depth_and_consumers_of_a_queue_that_others_name(
    rabbit: VirtualHost, broker: RabbitBroker, queue: str
) -> None:
    send(rabbit, queue, 3)
    broker.want([queue])
    assert broker.discover()
    assert broker.depths()[queue].depth == 3
    assert broker.depths()[queue].consumers == 0
    with Connection(rabbit.url()) as connection:
        channel = connection.channel()
        channel.basic_qos(0, 1, False)
        channel.basic_consume(queue, callback=lambda message: None)
        assert broker.depths()[queue].consumers == 1


def test_a_queue_that_is_not_there_is_not_told_and_costs_only_its_channel(
    rabbit: VirtualHost, broker: RabbitBroker, queue: str
) -> None:
    send(rabbit, queue, 1)
    broker.want([queue, f"{queue}-missing"])
    assert broker.depths().keys() == {queue}
    with Connection(rabbit.url()) as connection:
        connection.channel().queue_delete(queue)
    assert broker.depths() == {}
    assert broker.unacked() is None


def test_another_connections_own_queue_is_left_out(
    rabbit: VirtualHost, broker: RabbitBroker, queue: str
) -> None:
    with Connection(rabbit.url()) as connection:
        connection.channel().queue_declare(queue, exclusive=True)
        broker.want([queue])
        assert broker.depths() == {}


def test_virtual_hosts_are_apart(rabbit: VirtualHost, queue: str) -> None:
    with pytest.raises(BrokerError, match="virtual host") as told:
        RabbitBroker(Site(rabbit.url("nowhere", password="guest")))
    assert "guest:guest" not in str(told.value)


def test_a_wrong_password_is_named_and_not_shown(rabbit: VirtualHost) -> None:
    with pytest.raises(BrokerError, match="refused the user name or password") as told:
        RabbitBroker(Site(rabbit.url(password="hunter2")))
    assert "hunter2" not in str(told.value)


@pytest.mark.parametrize("kind", ["classic", "quorum"])
@pytest.mark.parametrize("options", [{}, {"x-max-length": 9, "x-dead-letter-exchange": "d"}])
def test_the_kind_of_a_queue_is_told_without_declaring_it(
    rabbit: VirtualHost, queue: str, kind: str, options: dict[str, Any]
) -> None:
    with Connection(rabbit.url()) as connection:
        arguments = {"x-queue-type": kind, **options}
        connection.channel().queue_declare(
            queue, durable=True, auto_delete=False, arguments=arguments
        )
    link = AmqpLink(Site(rabbit.url()))
    assert link.kind(queue) == kind
    assert link.kind(f"{queue}-missing") == ""
    assert link.declare(f"{queue}-missing") == 404
    link.close()


def test_a_queue_without_a_declared_kind_is_classic(rabbit: VirtualHost, queue: str) -> None:
    with Connection(rabbit.url()) as connection:
        connection.channel().queue_declare(queue, durable=True, auto_delete=False)
        connection.channel().queue_declare(f"{queue}-t", durable=False, auto_delete=False)
        connection.channel().queue_declare(
            f"{queue}-p", durable=True, auto_delete=False, arguments={"x-max-priority": 10}
        )
    link = AmqpLink(Site(rabbit.url()))
    assert {link.kind(name) for name in (queue, f"{queue}-t", f"{queue}-p")} == {"classic"}
    link.close()


@pytest.mark.parametrize("kind", ["classic", "quorum"])
@pytest.mark.fact("messages in a queue", "RabbitMQ")
def test_a_queue_is_looked_into_only_for_who_was_told_what_that_does(
    rabbit: VirtualHost, broker: RabbitBroker, queue: str, kind: str
) -> None:
    with Connection(rabbit.url()) as connection:
        channel = connection.channel()
        arguments = {"x-queue-type": kind}
        channel.queue_declare(queue, durable=True, auto_delete=False, arguments=arguments)
        for number in range(5):
            headers = {"id": f"t{number}", "task": "proj.work", "eta": None}
            message = Message(
                f"[[{number}], {{}}, {{}}]",
                application_headers=headers,
                content_type="application/json",
                content_encoding="utf-8",
            )
            channel.basic_publish(message, routing_key=queue)
        wait_for(lambda: ready(channel, queue) == 5, "the messages are there")
        for asked in range(1 if kind == "classic" else 2):
            page = broker.peek(queue, End.HEAD, 0, 3, asked=asked)
            assert (page.messages, page.asks) == ((), asked + 1)
            assert ("counts it" in page.error) == (kind == "quorum")
        assert "marked as redelivered" in broker.peek(queue, End.HEAD, 0, 3).error
        page = broker.peek(queue, End.HEAD, 1, 3, asked=page.asks)
        assert not any(one.redelivered for one in page.messages)  # nobody had looked before
        assert [(one.place, one.id, one.args) for one in page.messages] == [
            (2, "t1", "(1,)"),
            (3, "t2", "(2,)"),
            (4, "t3", "(3,)"),
        ]
        assert (page.total, page.marks, page.error) == (5, True, "")
        wait_for(lambda: ready(channel, queue) == 5, "all are back")
        tail = broker.peek(queue, End.TAIL, 0, 2, asked=2)
        assert [one.place for one in tail.messages] == [5, 4]
        assert kind == "quorum" or [one.id for one in tail.messages] == ["t4", "t3"]
        wait_for(lambda: ready(channel, queue) == 5, "all are back again")
        ids = [
            channel.basic_get(queue, no_ack=True).properties["application_headers"]["id"]
            for _ in range(5)
        ]
        assert sorted(ids) == ["t0", "t1", "t2", "t3", "t4"]
        assert kind == "quorum" or ids == sorted(ids)


def test_far_messages_are_not_taken_out_to_be_shown(
    rabbit: VirtualHost, broker: RabbitBroker, queue: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("celery_tui.brokers.rabbitmq_peek.MOST_TAKEN", 3)
    send(rabbit, queue, 5)
    assert "Only the 3 oldest of 5" in broker.peek(queue, End.TAIL, 0, 2, asked=2).error
    assert "Only the 3 oldest of 5" in broker.peek(queue, End.HEAD, 2, 2, asked=2).error
    assert len(broker.peek(queue, End.HEAD, 0, 3, asked=2).messages) == 3


@pytest.mark.fact("task names by sample", "RabbitMQ", "RabbitMQ + management")
def test_names_are_not_sampled_and_messages_not_searched(
    rabbit: VirtualHost, broker: RabbitBroker, queue: str
) -> None:
    send(rabbit, queue, 2)
    with pytest.raises(BrokerError, match="marked as redelivered"):
        broker.sample_names(queue, 10)
    assert broker.find_message([queue], "some-id") is None


def test_settings_open_it_and_name_the_default_queue(rabbit: VirtualHost) -> None:
    broker = brokers.open_broker(Settings(broker=rabbit.url()))
    assert isinstance(broker, RabbitBroker)
    assert broker.ping() > 0
    assert broker.lists == 1
    broker.close()


def test_a_broker_that_went_away_is_an_error_and_its_queues_are_looked_for_again(
    own_rabbit: RabbitServer, queue: str
) -> None:
    send(own_rabbit, queue, 1)
    broker = RabbitBroker(Site(own_rabbit.url()))
    broker.want([queue])
    broker.depths()
    own_rabbit.kill()
    with pytest.raises(BrokerError):
        broker.depths()
    own_rabbit.start()
    later = RabbitBroker(Site(own_rabbit.url()))
    later.carry_on(broker)
    assert queue in later.depths()
    later.close()
    broker.close()


KINDS: dict[str, dict[str, Any]] = {
    "priorities": {"x-max-priority": 9},
    "lazy": {"x-queue-mode": "lazy"},
    "dead letters": {"x-max-length": 3, "x-dead-letter-exchange": ""},
    "quorum that drops": {"x-queue-type": "quorum", "x-delivery-limit": 2},
}


@pytest.mark.parametrize("what", KINDS)
def test_queues_of_all_sorts_are_read_and_looked_into(
    rabbit: VirtualHost, broker: RabbitBroker, queue: str, what: str
) -> None:
    with Connection(rabbit.url()) as connection:
        channel = connection.channel()
        arguments = KINDS[what] | {"x-dead-letter-routing-key": f"{queue}-dead"}
        if "x-dead-letter-exchange" not in arguments:
            del arguments["x-dead-letter-routing-key"]
        channel.queue_declare(queue, durable=True, auto_delete=False, arguments=arguments)
        channel.queue_declare(f"{queue}-dead", auto_delete=False)
        for number in range(5):
            message = Message("[[], {}, {}]", application_headers={"id": f"t{number}"})
            channel.basic_publish(message, routing_key=queue)
        dead = 2 if what == "dead letters" else 0
        wait_for(lambda: ready(channel, queue) == 5 - dead, "the messages are there")
        wait_for(lambda: ready(channel, f"{queue}-dead") == dead, "dead letters are, too")
        broker.want([queue, f"{queue}-dead"])
        depths = broker.depths()
        assert (depths[queue].depth, depths[f"{queue}-dead"].depth) == (5 - dead, dead)
        page = broker.peek(queue, End.HEAD, 0, 9, asked=2)
        assert [one.id for one in page.messages] == [f"t{number}" for number in range(dead, 5)]
        wait_for(lambda: ready(channel, queue) == 5 - dead, "all are back")


def test_a_stream_is_not_looked_into(rabbit: VirtualHost, broker: RabbitBroker, queue: str) -> None:
    with Connection(rabbit.url()) as connection:
        arguments = {"x-queue-type": "stream"}
        connection.channel().queue_declare(
            queue, durable=True, auto_delete=False, arguments=arguments
        )
    broker.want([queue])
    assert broker.depths()[queue].depth == 0
    page = broker.peek(queue, End.HEAD, 0, 9, asked=2)
    assert (page.messages, page.asks) == ((), 0)
    assert "A stream" in page.error


def test_a_queue_that_went_away_is_looked_into_in_vain(broker: RabbitBroker, queue: str) -> None:
    with pytest.raises(BrokerError, match="there is no such queue"):
        broker.peek(queue, End.HEAD, 0, 9, asked=2)


def test_workers_get_the_other_messages_meanwhile(
    rabbit: VirtualHost, broker: RabbitBroker, queue: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is taken out to be shown is no more than a page from the end that is taken next."""
    send(rabbit, queue, 20)
    taken: list[int] = []
    take = broker._peek._take

    def counted(name: str, count: int) -> Any:
        taken.append(count)
        return take(name, count)

    monkeypatch.setattr(broker._peek, "_take", counted)
    assert len(broker.peek(queue, End.HEAD, 0, 5, asked=1).messages) == 5
    assert taken == [5]
