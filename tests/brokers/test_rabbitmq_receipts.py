"""Where the receipts are refused, or do not stay: by a policy that bounds every queue, ours too."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from amqp.basic_message import Message
from kombu.connection import Connection

from celery_tui.brokers import rabbitmq_batches
from celery_tui.brokers.rabbitmq import RabbitBroker
from celery_tui.brokers.rabbitmq_confirms import Confirms
from celery_tui.errors import BrokerError
from celery_tui.links.site import Site
from tests.brokers.rabbit_faults import Fault
from tests.brokers.rabbit_walk import BATCH, COUNT, Act, purge, undo, walk, with_fault
from tests.rabbit import VirtualHost
from tests.rabbit_queues import bodies, new, put, ready
from tests.rounds import rounds

pytestmark = [
    pytest.mark.filterwarnings(
        "ignore:Exception ignored in. <socket:pytest.PytestUnraisableExceptionWarning"
    ),
    pytest.mark.usefixtures("collected"),
]
"""The driver leaves a connection that the broker closes to the garbage collector."""
MANY = 250
POLICY = "bound"
SEEN_WITHIN_S = 0.5
"""After so long a queue has heard of a new policy."""
BOUNDED = {"max-length": 50, "overflow": "reject-publish"}
POLICIES: dict[str, dict[str, Any]] = {
    "length": BOUNDED,
    "bytes": {"max-length-bytes": 200, "overflow": "reject-publish"},
    "drops": {"max-length": 2, "overflow": "drop-head"},
    "nothing": {"max-length": 0, "overflow": "reject-publish"},
    "lifetime": {"message-ttl": 20},
    "gone": {"expires": 2_000},
}
FULL = {"x-max-length": COUNT, "x-overflow": "reject-publish"}
EARLIER = 4
"""So many other messages are in a queue that is full then."""


@pytest.fixture(params=["classic", "quorum"])
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@contextmanager
def policy(rabbit: VirtualHost, definition: dict[str, Any]) -> Iterator[None]:
    bounded(rabbit, definition)
    try:
        yield
    finally:
        rabbit.lift(POLICY)


def bounded(rabbit: VirtualHost, definition: dict[str, Any]) -> None:
    body = {"pattern": "^celery-tui", "apply-to": "queues", "definition": definition}
    rabbit.rule(POLICY, body)


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rabbitmq_batches, "BATCH_MESSAGES", BATCH)
    monkeypatch.setattr(rabbitmq_batches, "QUIET_S", 0.05)


def test_an_undo_whose_receipts_are_refused_brings_each_message_back_once(
    rabbit: VirtualHost, channel: Any, kind: str
) -> None:
    queue = new(channel, kind)
    broker = RabbitBroker(Site(rabbit.url()))
    with policy(rabbit, BOUNDED):
        put(channel, queue, MANY)
        aside = broker.quarantine(queue)
        assert (aside.moved, aside.trouble) == (MANY, "")
        assert broker.restore(aside.name) == MANY
        assert broker.quarantines() == []
    assert bodies(channel, queue) == list(range(MANY))
    broker.close()


def test_receipts_that_are_refused_from_some_moment_on_make_messages_doubtful_at_worst(
    rabbit: VirtualHost, channel: Any, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Those that the queue has all the same are never sent again by themselves."""
    queue = new(channel, kind)
    broker = RabbitBroker(Site(rabbit.url()))
    put(channel, queue, MANY)
    aside = broker.quarantine(queue)
    publish = Confirms.publish

    def bounded_now(self: Confirms, to: str, batch: Any) -> None:
        if to == queue:  # after the receipts were tried
            bounded(rabbit, BOUNDED)
            time.sleep(SEEN_WITHIN_S)
        publish(self, to, batch)

    with policy(rabbit, {"max-length": 100_000}), monkeypatch.context() as patch:
        patch.setattr(Confirms, "publish", bounded_now)
        with pytest.raises(BrokerError, match="refused 150 messages: nobody can tell"):
            broker.restore(aside.name)
        patch.undo()
        assert broker.restore(aside.name) == 50
        (held,) = broker.quarantines()
        back = bodies(channel, queue)
    print(f"{kind}: in the queue {len(back)}, twice {len(back) - len(set(back))}, ", end="")
    print(f"doubtful {held.doubtful}")
    assert (held.moved, held.doubtful) == (0, 150)
    assert sorted(back) == list(range(MANY))
    assert broker.discard(held.name) == held.doubtful
    broker.close()


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("name", POLICIES)
def test_a_fault_where_receipts_do_not_stay_loses_nothing_and_doubles_what_is_doubtful_at_worst(
    rabbit: VirtualHost, channel: Any, name: str
) -> None:
    queue = new(channel, "classic")
    with policy(rabbit, POLICIES[name]):
        for act, before in ((purge, None), (undo, purge)):
            _walked(rabbit, channel, queue, act, before, name, some=8)
    channel.queue_delete(queue)


def _walked(
    rabbit: VirtualHost,
    channel: Any,
    queue: str,
    act: Act,
    before: Act | None,
    what: str,
    some: int,
) -> None:
    found, number = walk(rabbit.url(), channel, queue, act, before, some)
    found.tell(f"{what}, {act.__name__}, {number} calls")
    assert found.faults
    assert found.bad == []


@pytest.mark.usefixtures("small")
def test_a_fault_while_a_full_queue_refuses_messages_loses_none_of_them(
    rabbit: VirtualHost, channel: Any, kind: str
) -> None:
    """The receipts have copies of them, which prove nothing there."""
    queue = new(channel, kind, **FULL)
    found = 0
    for at in range(50, 96, rounds(6, long=1)):
        for after in (False, True):
            found += _with_a_full_queue(rabbit, channel, queue, Fault(at, "lost", after=after))
    print(f"{kind}: {found} faults")
    channel.queue_delete(queue)


def _with_a_full_queue(rabbit: VirtualHost, channel: Any, queue: str, fault: Fault) -> int:
    put(channel, queue, COUNT)
    with_fault(rabbit.url(), queue, purge, Fault(0))
    with Connection(rabbit.url()) as connection:
        own = connection.channel()
        _fill(own, queue)
    with_fault(rabbit.url(), queue, undo, fault)
    broker = RabbitBroker(Site(rabbit.url()))
    back = [number for number in bodies(channel, queue) if number >= 0]
    while any(held.moved for held in broker.quarantines()):
        with_fault(rabbit.url(), queue, undo, Fault(0))
        back += [number for number in bodies(channel, queue) if number >= 0]
    doubtful = sum(held.doubtful for held in broker.quarantines())
    for held in broker.quarantines():
        broker.restore(held.name, doubtful=True)
    sent_anyway = bodies(channel, queue)
    broker.close()
    assert len(sent_anyway) == doubtful
    assert len(back) == len(set(back))
    assert {*back, *sent_anyway} == set(range(COUNT))
    return bool(fault.hit)


def _fill(channel: Any, queue: str) -> None:
    for _ in range(EARLIER):
        channel.basic_publish(Message("-1", delivery_mode=2), routing_key=queue)
    while ready(channel, queue) < EARLIER:
        pass
