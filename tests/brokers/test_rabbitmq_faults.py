"""Purge, undo and throwing away on RabbitMQ with a fault at each AMQP method, in both directions.

Whatever ends a channel or a connection between two of them leaves every message in its queue or
listed. The default run takes some of these faults, CELERY_TUI_LONG=1 all.
"""

from __future__ import annotations

import itertools
import os
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from amqp.basic_message import Message
from kombu.connection import Connection

from celery_tui.brokers import rabbitmq_batches
from celery_tui.brokers.rabbitmq import RabbitBroker
from celery_tui.errors import TuiError
from celery_tui.links.site import Site
from tests.brokers import rabbit_faults
from tests.brokers.rabbit_faults import Fault, laid
from tests.rabbit import RabbitServer

COUNT, BATCH = 10, 4
LONG = os.environ.get("CELERY_TUI_LONG") == "1"
COMES_BACK_WITHIN_S = 10.0
SOME = 48
"""So many faults of each walk in the default run."""
Act = Callable[[RabbitBroker, str], object]


@pytest.fixture(scope="module")
def channel(rabbit: RabbitServer) -> Iterator[Any]:
    with Connection(rabbit.url()) as connection:
        yield connection.channel()


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


@dataclass
class Walk:
    """What became of all messages, over many faults."""

    faults: int = 0
    lost: int = 0
    twice: int = 0
    doubtful: int = 0
    bad: list[str] = field(default_factory=list)

    def add(self, what: str, back: list[int], doubtful: list[int]) -> None:
        """One fault's."""
        ran = Counter(back)
        lost = set(range(COUNT)) - ran.keys() - set(doubtful)
        twice = [number for number, times in ran.items() if times > 1]
        self.faults += 1
        self.lost += len(lost)
        self.twice += len(twice)
        self.doubtful += len(doubtful)
        if lost or twice or len(doubtful) != len(set(doubtful)):
            self.bad.append(f"{what}: lost {sorted(lost)}, twice {twice}")

    def tell(self, what: str) -> None:
        print(
            f"{what}: {self.faults} faults, lost {self.lost}, twice {self.twice}, "
            f"doubtful {self.doubtful}"
        )


def put(channel: Any, queue: str) -> None:
    for number in range(COUNT):
        channel.basic_publish(Message(str(number), delivery_mode=2), routing_key=queue)
    while ready(channel, queue) != COUNT:
        time.sleep(0.01)


def ready(channel: Any, queue: str) -> int:
    return int(channel.queue_declare(queue, passive=True).message_count)


def bodies(channel: Any, queue: str) -> list[int]:
    found = []
    while (message := channel.basic_get(queue, no_ack=True)) is not None:
        found.append(int(message.body))
    return found


def purge(broker: RabbitBroker, queue: str) -> object:
    return broker.quarantine(queue)


def undo(broker: RabbitBroker, queue: str) -> int:
    return sum(broker.restore(held.name) for held in broker.quarantines())


def with_fault(url: str, queue: str, act: Act, fault: Fault) -> None:
    """Whatever happens there is a sentence, never the driver's own error."""
    broker = RabbitBroker(Site(url))
    try:
        with laid(fault):
            act(broker, queue)
    except TuiError as error:
        assert "\n" not in str(error)
    finally:
        broker.close()


def left(url: str, channel: Any, queue: str) -> tuple[list[int], list[int]]:
    """What is in the queue once nothing is left to be undone, and what then is doubtful."""
    broker = RabbitBroker(Site(url))
    try:
        while undo(broker, queue):
            assert len(broker.quarantines()) <= 1
        held_back = sum(one.doubtful for one in broker.quarantines())
        back = all_of(channel, queue, COUNT - held_back)
        for held in broker.quarantines():
            broker.restore(held.name, doubtful=True)
        assert broker.quarantines() == []
        return back, all_of(channel, queue, held_back)
    finally:
        broker.close()


def all_of(channel: Any, queue: str, count: int) -> list[int]:
    """What is in the queue: what a dead connection held comes back a moment later."""
    found: list[int] = []
    until = time.monotonic() + COMES_BACK_WITHIN_S
    while len(found) < count and time.monotonic() < until:
        found += bodies(channel, queue)
    return found + bodies(channel, queue)


def counted(url: str, channel: Any, queue: str, act: Act, before: Act | None) -> int:
    """How many methods the act takes without any fault."""
    put(channel, queue)
    prepare(url, queue, before)
    fault = Fault(0)
    with_fault(url, queue, act, fault)
    left(url, channel, queue)
    return fault.counted


def prepare(url: str, queue: str, before: Act | None) -> None:
    if before is not None:
        with_fault(url, queue, before, Fault(0))


def chosen(number: int) -> list[tuple[int, str, bool]]:
    """(n, kind, after) of all faults, or of some that are spread over them."""
    every = list(itertools.product(range(1, number + 1), rabbit_faults.KINDS, (False, True)))
    return every if LONG else every[:: max(1, len(every) // SOME)]


@pytest.mark.parametrize(("name", "act", "before"), [("purge", purge, None), ("undo", undo, purge)])
def test_a_fault_at_every_call_loses_and_doubles_nothing(
    rabbit: RabbitServer, channel: Any, queue: str, name: str, act: Act, before: Act | None
) -> None:
    walk = Walk()
    number = counted(rabbit.url(), channel, queue, act, before)
    for at, kind, after in chosen(number):
        put(channel, queue)
        prepare(rabbit.url(), queue, before)
        fault = Fault(at, kind, after=after)
        with_fault(rabbit.url(), queue, act, fault)
        back, doubtful = left(rabbit.url(), channel, queue)
        what = f"{at} of {number} {fault.hit} {kind} {'after' if after else 'before'}"
        walk.add(what, back, doubtful)
    walk.tell(f"{name}, {number} calls")
    assert walk.faults
    assert walk.bad == []
