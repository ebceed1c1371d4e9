"""A RabbitMQ is read by asking for queues that others name; what is refused is told."""

import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from kombu.connection import Connection

from celery_tui import brokers
from celery_tui.brokers.rabbitmq import RabbitBroker
from celery_tui.errors import BrokerError
from celery_tui.links.amqp_link import AmqpLink
from celery_tui.links.site import Site
from celery_tui.model.peeked import End
from celery_tui.settings import Settings
from tests.rabbit import RabbitServer
from tests.servers import client, wait_for


@pytest.fixture
def queue() -> str:
    """The name of a queue that nobody else uses."""
    return f"q-{uuid.uuid4()}"


@pytest.fixture
def broker(rabbit: RabbitServer) -> Iterator[RabbitBroker]:
    one = RabbitBroker(Site(rabbit.url()))
    yield one
    one.close()


def send(rabbit: RabbitServer, queue: str, count: int) -> None:
    with client(rabbit.url()) as app:
        for number in range(count):
            app.send_task("proj.work", (number,), queue=queue)
    with Connection(rabbit.url()) as connection:
        channel = connection.channel()
        wait_for(
            lambda: channel.queue_declare(queue, passive=True).message_count == count,
            "the messages are there",
        )


def test_depth_and_consumers_of_a_queue_that_others_name(
    rabbit: RabbitServer, broker: RabbitBroker, queue: str
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
    rabbit: RabbitServer, broker: RabbitBroker, queue: str
) -> None:
    send(rabbit, queue, 1)
    broker.want([queue, f"{queue}-missing"])
    assert broker.depths().keys() == {queue}
    with Connection(rabbit.url()) as connection:
        connection.channel().queue_delete(queue)
    assert broker.depths() == {}
    assert broker.unacked() is None


def test_another_connections_own_queue_is_left_out(
    rabbit: RabbitServer, broker: RabbitBroker, queue: str
) -> None:
    with Connection(rabbit.url()) as connection:
        connection.channel().queue_declare(queue, exclusive=True)
        broker.want([queue])
        assert broker.depths() == {}


def test_virtual_hosts_are_apart(rabbit: RabbitServer, queue: str) -> None:
    with pytest.raises(BrokerError, match="virtual host") as told:
        RabbitBroker(Site(rabbit.url("nowhere", password="guest")))
    assert "guest:guest" not in str(told.value)


def test_a_wrong_password_is_named_and_not_shown(rabbit: RabbitServer) -> None:
    with pytest.raises(BrokerError, match="refused the user name or password") as told:
        RabbitBroker(Site(rabbit.url(password="hunter2")))
    assert "hunter2" not in str(told.value)


@pytest.mark.parametrize("kind", ["classic", "quorum"])
@pytest.mark.parametrize("options", [{}, {"x-max-length": 9, "x-dead-letter-exchange": "d"}])
def test_the_kind_of_a_queue_is_told_without_declaring_it(
    rabbit: RabbitServer, queue: str, kind: str, options: dict[str, Any]
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


def test_a_queue_without_a_declared_kind_is_classic(rabbit: RabbitServer, queue: str) -> None:
    with Connection(rabbit.url()) as connection:
        connection.channel().queue_declare(queue, durable=True, auto_delete=False)
        connection.channel().queue_declare(f"{queue}-t", durable=False, auto_delete=False)
        connection.channel().queue_declare(
            f"{queue}-p", durable=True, auto_delete=False, arguments={"x-max-priority": 10}
        )
    link = AmqpLink(Site(rabbit.url()))
    assert {link.kind(name) for name in (queue, f"{queue}-t", f"{queue}-p")} == {"classic"}
    link.close()


def test_looking_in_is_refused_and_marks_nothing(
    rabbit: RabbitServer, broker: RabbitBroker, queue: str
) -> None:
    send(rabbit, queue, 2)
    with pytest.raises(BrokerError, match="takes its messages and puts them back"):
        broker.peek(queue, End.HEAD, 0, 10)
    with pytest.raises(BrokerError):
        broker.sample_names(queue, 10)
    assert broker.find_message([queue], "some-id") is None
    with Connection(rabbit.url()) as connection:
        message = connection.channel().basic_get(queue)
        assert not message.delivery_info["redelivered"]


def test_settings_open_it_and_name_the_default_queue(rabbit: RabbitServer) -> None:
    broker = brokers.open_broker(Settings(broker=rabbit.url()))
    assert isinstance(broker, RabbitBroker)
    assert broker.ping() > 0
    assert broker.lists == 1
    broker.close()


def test_a_broker_that_went_away_is_an_error_and_its_queues_are_looked_for_again(
    rabbit: RabbitServer, broker: RabbitBroker, queue: str
) -> None:
    send(rabbit, queue, 1)
    broker.want([queue])
    broker.depths()
    rabbit.kill()
    with pytest.raises(BrokerError):
        broker.depths()
    rabbit.start()
    later = RabbitBroker(Site(rabbit.url()))
    later.carry_on(broker)
    assert queue in later.depths()
    later.close()
