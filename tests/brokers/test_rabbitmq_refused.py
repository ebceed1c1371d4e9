"""Users of RabbitMQ with few rights: a refusal says which one is missing, and loses nothing."""

import uuid
from typing import Any

import pytest

from celery_tui.brokers.rabbitmq import RabbitBroker
from celery_tui.brokers.rabbitmq_confirms import Confirms
from celery_tui.errors import BrokerError
from celery_tui.links.amqp_link import AmqpLink
from celery_tui.links.site import Site
from tests.rabbit import VirtualHost
from tests.rabbit_queues import bodies, put, ready

COUNT = 1_000
USER, SECRET = "few", "hunter2"


@pytest.fixture(scope="module")
def few(rabbit: VirtualHost) -> str:
    """The URL of a user who may configure, write and read queues named work-… and no more."""
    return rabbit.permit(USER, SECRET, "^work", "^work", "^work")


@pytest.fixture(params=["classic", "quorum"])
def queue(channel: Any, request: pytest.FixtureRequest) -> str:
    name = f"work-{uuid.uuid4()}"
    arguments = {"x-queue-type": request.param}
    channel.queue_declare(name, durable=True, auto_delete=False, arguments=arguments)
    return name


def test_an_undo_that_is_refused_loses_nothing_and_says_what_is_not_permitted(
    rabbit: VirtualHost, few: str, channel: Any, queue: str
) -> None:
    put(channel, queue, COUNT)
    mine = RabbitBroker(Site(few))
    aside = mine.quarantine(queue)
    with pytest.raises(BrokerError) as told:
        mine.restore(aside.name)
    assert f"The user {USER!r} may not write to the default exchange of " in told.value.title
    assert "set_permissions" in told.value.hint
    assert SECRET not in str(told.value)
    assert [(one.moved, one.doubtful) for one in mine.quarantines()] == [(COUNT, 0)]
    mine.close()
    other = RabbitBroker(Site(rabbit.url()))
    assert other.restore(aside.name) == COUNT
    assert bodies(channel, queue) == list(range(COUNT))
    other.close()


def test_a_channel_that_is_closed_while_a_batch_is_sent_knows_of_all_of_it(
    few: str, channel: Any, queue: str
) -> None:
    """As where the permission is taken away right then: the end is read between two messages."""
    link = AmqpLink(Site(few))
    batch = [(number, {"body": "", "properties": {}}) for number in range(200)]
    with link.channel() as own:
        confirms = Confirms(own, "")
        with pytest.raises(link.refusals):
            confirms.publish(queue, batch)
        assert confirms.unsettled == [number for number, _ in batch]
    link.close()


def test_a_login_that_is_refused_is_told_from_an_operation_that_is(
    rabbit: VirtualHost, few: str
) -> None:
    with pytest.raises(BrokerError, match="refused the user name or password"):
        AmqpLink(Site(rabbit.url(user=USER, password="wrong")))
    link = AmqpLink(Site(few))
    with link.channel() as own:
        own.queue_declare("work", durable=True, auto_delete=False)
    for what, words in (
        (lambda one: one.queue_purge("other"), "may not read the queue 'other'"),
        (lambda one: one.queue_declare("other"), "may not configure the queue 'other'"),
        (lambda one: one.exchange_declare("other", "fanout"), "configure the exchange 'other'"),
        (lambda one: one.queue_bind("other", "amq.topic"), "may not write to the queue 'other'"),
        (lambda one: one.queue_bind("work", "amq.topic"), "may not read the exchange 'amq.topic'"),
        (lambda one: one.basic_get("work-nowhere"), r"refused Basic.get: no queue 'work-nowhere'"),
    ):
        asked(link, what, words)
    link.close()


def asked(link: AmqpLink, what: Any, words: str) -> None:
    with pytest.raises(BrokerError, match=words) as told, link.told(), link.channel() as own:
        what(own)
    assert "password" not in told.value.title
    assert told.value.hint


def test_whether_a_user_may_write_is_asked_without_a_message_that_arrives(
    rabbit: VirtualHost, few: str, channel: Any, queue: str
) -> None:
    exchange = f"work-{uuid.uuid4()}"
    channel.exchange_declare(exchange, "topic", durable=True, auto_delete=False)
    channel.queue_bind(queue, exchange, "#")
    mine, all_rights = AmqpLink(Site(few)), AmqpLink(Site(rabbit.url()))
    assert mine.may_write(exchange, "any")
    assert not mine.may_write("", queue)
    assert all_rights.may_write("", queue)
    with pytest.raises(BrokerError, match="no exchange 'work-nowhere'"), mine.told():
        mine.may_write("work-nowhere")
    assert ready(channel, queue) == 0
    mine.close()
    all_rights.close()
