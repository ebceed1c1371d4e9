"""Purge, undo and throwing away on RabbitMQ with a fault at each AMQP method, in both directions.

Whatever ends a channel or a connection between two of them leaves every message in its queue or
listed. The default run takes some of these faults, `scripts/test --long` all.
"""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from celery_tui.brokers import rabbitmq_batches, rabbitmq_shelf
from celery_tui.brokers.rabbitmq import RabbitBroker
from celery_tui.brokers.rabbitmq_file import Journal
from celery_tui.links.site import Site
from tests.brokers.rabbit_faults import Fault
from tests.brokers.rabbit_walk import (
    BATCH,
    COUNT,
    Act,
    faults,
    left,
    purge,
    undo,
    walk,
    with_fault,
)
from tests.rabbit import VirtualHost
from tests.rabbit_queues import put

pytestmark = [
    pytest.mark.filterwarnings(
        "ignore:Exception ignored in. <socket:pytest.PytestUnraisableExceptionWarning"
    ),
    pytest.mark.usefixtures("collected"),
]
"""The driver leaves a connection that the broker closes to the garbage collector."""
AMONG = 4
"""So many doubtful messages are thrown away."""


@pytest.fixture(params=["classic", "quorum"])
def queue(channel: Any, request: pytest.FixtureRequest) -> Iterator[str]:
    name = f"q-{uuid.uuid4()}"
    arguments = {"x-queue-type": request.param}
    channel.queue_declare(name, durable=True, auto_delete=False, arguments=arguments)
    yield name
    channel.queue_delete(name)


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rabbitmq_batches, "BATCH_MESSAGES", BATCH)
    monkeypatch.setattr(rabbitmq_batches, "QUIET_S", 0.05)


@pytest.mark.parametrize(("act", "before"), [(purge, None), (undo, purge)])
def test_a_fault_at_every_call_loses_and_doubles_nothing(
    rabbit: VirtualHost, channel: Any, queue: str, act: Act, before: Act | None
) -> None:
    found, number = walk(rabbit.url(), channel, queue, act, before)
    found.tell(f"{act.__name__} of {COUNT} messages, {number} calls")
    assert found.faults > number // 2
    assert found.bad == []


def discard(broker: RabbitBroker, queue: str) -> object:
    """As the key does, twice as a person might."""
    return [broker.discard(held.name) for held in broker.quarantines()]


def doubted(url: str, channel: Any, queue: str, some: int) -> None:
    """A purge of which so many may be in the queue too, as after a kill without receipts."""
    put(channel, queue, COUNT)
    broker = RabbitBroker(Site(url))
    broker.quarantine(queue)
    (path,) = rabbitmq_shelf.folder().glob("*.jsonl")
    journal = Journal.opened(path)
    journal.write({"sending": some, "flying": list(range(some)), "since": 0})
    journal.close()
    broker.close()


@pytest.mark.parametrize("some", [AMONG, COUNT])
def test_a_fault_at_every_call_of_throwing_away_takes_what_is_doubtful_only(
    rabbit: VirtualHost, channel: Any, queue: str, some: int
) -> None:
    url, told = rabbit.url(), Counter[str]()
    doubted(url, channel, queue, some)
    fault = Fault(0)
    with_fault(url, queue, discard, fault)
    left(url, channel, queue)
    assert fault.counted
    for at, kind, after in faults(fault.counted, some=20):
        doubted(url, channel, queue, some)
        said = with_fault(url, queue, discard, Fault(at, kind, after=after))
        if not list(rabbitmq_shelf.folder().glob("*")):
            assert some == COUNT
            assert not said, "gone only where it was said to be"
            told["thrown away"] += 1
            continue
        back, doubtful = left(url, channel, queue)
        assert (sorted(back), doubtful) == (list(range(some, COUNT)), list(range(some)))
        told["kept"] += 1
    print(f"throwing {some} of {COUNT} away, {fault.counted} calls: {dict(told)}")
