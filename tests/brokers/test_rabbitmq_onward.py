"""An undo sends each message to its queue alone, and by a key with which it goes on as it would."""

from __future__ import annotations

import subprocess
import sys
import uuid
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
from amqp.basic_message import Message

from celery_tui.brokers.rabbitmq import RabbitBroker
from celery_tui.brokers.rabbitmq_confirms import Confirms
from celery_tui.brokers.rabbitmq_onward import Nature, Onward
from celery_tui.errors import BrokerError
from celery_tui.links.site import Site
from tests.brokers import rabbit_mover
from tests.rabbit import VirtualHost
from tests.rabbit_queues import bodies, ready
from tests.servers import wait_for

TTL_MS = 4_000
COUNT = 20


@pytest.fixture
def broker(rabbit: VirtualHost) -> Iterator[RabbitBroker]:
    """With the management API."""
    one = RabbitBroker(Site(rabbit.url()), (), rabbit.management_url)
    yield one
    one.close()


@pytest.fixture
def blind(rabbit: VirtualHost) -> Iterator[RabbitBroker]:
    """Without it."""
    one = RabbitBroker(Site(rabbit.url()))
    yield one
    one.close()


@pytest.fixture
def name() -> str:
    return f"n-{uuid.uuid4()}"


def declare(channel: Any, queue: str, **arguments: Any) -> str:
    more = {f"x-{word.replace('_', '-')}": value for word, value in arguments.items()}
    channel.queue_declare(queue, durable=True, auto_delete=False, arguments=more)
    return queue


def exchange(channel: Any, name: str, kind: str = "direct") -> str:
    channel.exchange_declare(name, kind, durable=True, auto_delete=False)
    return name


def put(channel: Any, where: str, key: str, count: int = COUNT, **more: Any) -> None:
    for number in range(count):
        message = Message(str(number), delivery_mode=2, **more)
        channel.basic_publish(message, exchange=where, routing_key=key)


def comes(channel: Any, queue: str, count: int = COUNT) -> None:
    wait_for(lambda: ready(channel, queue) == count, f"{count} messages are in {queue}", 40.0)


def ladder(channel: Any, name: str, kind: str = "classic", ttl: int = TTL_MS) -> tuple[str, str]:
    """(a step, the work that its messages go on to by their own key) of a ladder of retries."""
    work, step = declare(channel, f"{name}-work"), f"{name}-step"
    onward, into = exchange(channel, f"{name}-dlx"), exchange(channel, f"{name}-in")
    rest = {"message_ttl": ttl, "dead_letter_exchange": onward, "queue_type": kind}
    declare(channel, step, **rest)
    channel.queue_bind(work, onward, "the-work")
    channel.queue_bind(step, into, "the-work")
    return step, work


@pytest.mark.parametrize("kind", ["classic", "quorum"])
def test_messages_of_a_ladder_go_on_to_their_work_after_an_undo(
    broker: RabbitBroker, channel: Any, name: str, kind: str
) -> None:
    step, work = ladder(channel, name, kind)
    put(channel, f"{name}-in", "the-work")
    comes(channel, step)
    before = broker.before_purge(step)
    assert (before.sure, before.final, before.blocked) == (False, False, "")
    aside = broker.quarantine(step)
    assert aside.moved == COUNT
    ahead = broker.before_undo(aside.name)
    assert not ahead.sure
    assert ahead.facts[0].startswith(f"{COUNT} messages go back as they came")
    assert broker.restore(aside.name) == COUNT
    assert ready(channel, step) + ready(channel, work) == COUNT
    comes(channel, work)
    assert bodies(channel, work) == list(range(COUNT))
    assert broker.quarantines() == []


def test_without_a_known_way_they_stay_until_somebody_was_asked(
    blind: RabbitBroker, channel: Any, name: str
) -> None:
    step, _ = ladder(channel, name)
    put(channel, f"{name}-in", "the-work")
    comes(channel, step)
    before = blind.before_purge(step)
    assert before.sure
    assert not before.final
    assert "--management-url" in before.warnings[0]
    aside = blind.quarantine(step)
    ahead = blind.before_undo(aside.name)
    assert ahead.sure
    assert f"{COUNT} messages go back with the queue's name" in ahead.warnings[0]
    with pytest.raises(BrokerError, match=f"{COUNT} messages would go on to another place"):
        blind.restore(aside.name)
    assert blind.quarantines()[0].moved == COUNT
    assert blind.restore(aside.name, elsewhere=True) == COUNT
    assert bodies(channel, step) == list(range(COUNT))


@pytest.mark.parametrize("onward", ["", "by key"])
def test_an_undo_of_one_of_two_queues_of_a_topic_leaves_the_other_alone(
    broker: RabbitBroker, channel: Any, name: str, onward: str
) -> None:
    more = {"dead_letter_exchange": exchange(channel, f"{name}-dlx")} if onward else {}
    queues = [declare(channel, f"{name}-{number}", **more) for number in (1, 2)]
    both = exchange(channel, f"{name}-topic", "topic")
    for queue in queues:
        channel.queue_bind(queue, both, "orders.#")
    put(channel, both, "orders.eu", 10)
    for queue in queues:
        comes(channel, queue, 10)
    assert broker.before_purge(queues[0]).sure is bool(onward)
    aside = broker.quarantine(queues[0])
    assert broker.before_undo(aside.name).sure is bool(onward)
    assert broker.restore(aside.name, elsewhere=True) == 10
    assert [bodies(channel, queue) for queue in queues] == [list(range(10))] * 2


def test_a_copy_that_an_undo_keeps_for_itself_is_no_key_of_the_dead_letter(
    broker: RabbitBroker, channel: Any, name: str
) -> None:
    """RabbitMQ dead-letters by hidden keys, too: a binding of ``*`` would get one more of each."""
    onward = exchange(channel, f"{name}-dlx", "topic")
    queue = declare(channel, f"{name}.work", message_ttl=TTL_MS, dead_letter_exchange=onward)
    right, wrong = declare(channel, f"{name}-right"), declare(channel, f"{name}-wrong")
    channel.queue_bind(right, onward, queue)
    channel.queue_bind(wrong, onward, "*")
    put(channel, "", queue)
    comes(channel, queue)
    aside = broker.quarantine(queue)
    assert not broker.before_undo(aside.name).sure
    assert broker.restore(aside.name) == COUNT
    comes(channel, right)
    assert ready(channel, wrong) == 0


def test_a_message_with_copies_goes_back_to_its_queue_only(
    broker: RabbitBroker, channel: Any, name: str
) -> None:
    onward = exchange(channel, f"{name}-dlx")
    queue = declare(channel, name, dead_letter_exchange=onward)
    other = declare(channel, f"{name}-other")
    put(channel, "", queue, 3, application_headers={"CC": [other]})
    comes(channel, queue, 3)
    assert bodies(channel, other) == [0, 1, 2]
    aside = broker.quarantine(queue)
    assert broker.before_undo(aside.name).sure, "as dead letters they would go on by two keys"
    assert broker.restore(aside.name, elsewhere=True) == 3
    assert bodies(channel, queue) == [0, 1, 2]
    assert ready(channel, other) == 0


def test_a_key_or_a_policy_of_the_queue_decides_how_it_dead_letters(
    rabbit: VirtualHost, broker: RabbitBroker, blind: RabbitBroker, channel: Any, name: str
) -> None:
    own = declare(channel, f"{name}-own", dead_letter_exchange="d", dead_letter_routing_key="k")
    plain = declare(channel, f"{name}-plain")
    ruled = declare(channel, f"{name}-ruled", queue_type="quorum")
    definition = {"dead-letter-exchange": "d", "delivery-limit": 7, "message-ttl": 60_000}
    policy = {"pattern": f"^{ruled}$", "definition": definition, "apply-to": "queues"}
    rabbit.rule(name, policy)
    for queue, told, untold in (
        (own, Onward.NOTHING, Onward.NOTHING),
        (plain, Onward.NOTHING, Onward.PERHAPS),
        (ruled, Onward.PLACE, Onward.PERHAPS),
    ):
        becomes(broker, queue, told)
        assert nature(blind, queue).onward is untold
    assert nature(broker, ruled) == Nature(Onward.PLACE, "quorum", True, 7, True)
    assert nature(blind, ruled).kind == "quorum"
    assert not blind.before_purge(plain).sure
    assert blind.before_purge(plain).warnings == ()
    put(channel, "", own, 1)
    put(channel, exchange(channel, f"{name}-in", "fanout"), "", 0)
    channel.queue_bind(plain, f"{name}-in", "")
    put(channel, f"{name}-in", "their-own", 2)
    comes(channel, plain, 2)
    aside = blind.quarantine(plain)
    ahead = blind.before_undo(aside.name)
    assert not ahead.sure
    assert "2 messages go back with the queue's name" in ahead.warnings[0]
    assert "by a policy" in ahead.warnings[0]
    assert broker.before_undo(aside.name).warnings == ()
    assert blind.restore(aside.name) == 2


def becomes(broker: RabbitBroker, queue: str, told: Onward) -> None:
    wait_for(lambda: nature(broker, queue).onward is told, f"{queue}: {told}")


def nature(broker: RabbitBroker, queue: str) -> Nature:
    return broker._ways_to(queue).nature


def test_a_binding_that_goes_away_in_between_loses_nothing(
    broker: RabbitBroker, channel: Any, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    step, _ = ladder(channel, name, ttl=600_000)
    put(channel, f"{name}-in", "the-work")
    comes(channel, step)
    aside = broker.quarantine(step)
    publish = Confirms.publish

    def unbound(self: Confirms, queue: str, batch: Any) -> Any:
        channel.queue_unbind(step, f"{name}-in", "the-work")
        return publish(self, queue, batch)

    with monkeypatch.context() as patch:
        patch.setattr(Confirms, "publish", unbound)
        with pytest.raises(BrokerError, match="found no queue"):
            broker.restore(aside.name)
    assert [(one.moved, one.doubtful) for one in broker.quarantines()] == [(COUNT, 0)]
    channel.queue_bind(step, f"{name}-in", "the-work")
    assert broker.restore(aside.name) == COUNT
    assert bodies(channel, step) == list(range(COUNT))


@pytest.mark.parametrize("point", rabbit_mover.OF_AN_UNDO)
def test_killed_on_its_own_way_each_is_back_or_said_to_be_doubtful(
    rabbit: VirtualHost, broker: RabbitBroker, channel: Any, name: str, point: str
) -> None:
    step, _ = ladder(channel, name, ttl=600_000)
    put(channel, f"{name}-in", "the-work", 60)
    comes(channel, step, 60)
    aside = broker.quarantine(step)
    times = "1" if point != "publishing" else "8"
    words = (rabbit.url(), step, aside.name, point, times, "20", rabbit.management_url)
    subprocess.run([sys.executable, "-m", rabbit_mover.__name__, *words], check=False)
    (left,) = broker.quarantines()
    assert left.moved + left.doubtful in (40, 60)
    broker.restore(aside.name)
    in_doubt = sum(one.doubtful for one in broker.quarantines())
    assert in_doubt in ((0, 20) if point == "sent" else (20,))
    found = Counter(bodies(channel, step))
    assert max(found.values()) == 1
    assert len(found) >= 60 - in_doubt


@pytest.mark.parametrize("by", ["argument", "policy"])
def test_a_delivery_limit_is_told_before_a_purge(
    rabbit: VirtualHost, broker: RabbitBroker, channel: Any, name: str, by: str
) -> None:
    more = {"delivery_limit": 3} if by == "argument" else {}
    queue = declare(channel, name, queue_type="quorum", **more)
    if by == "policy":
        policy = {"pattern": f"^{name}$", "definition": {"delivery-limit": 3}}
        rabbit.rule(name, policy)
    wait_for(lambda: nature(broker, queue).limit == 3, "the limit is told")
    (told,) = broker.before_purge(queue).warnings
    assert "a message that was put back 3 times, its delivery limit, is dropped" in told


def test_copies_of_copies_prove_nothing_of_a_batch(
    rabbit: VirtualHost, blind: RabbitBroker, channel: Any, name: str
) -> None:
    """A policy that AMQP does not tell: what died since went to the receipts once more."""
    queue = declare(channel, name)
    put(channel, "", queue)
    comes(channel, queue)
    aside = blind.quarantine(queue)
    rules = {"dead-letter-exchange": "", "message-ttl": 300}
    policy = {"pattern": f"^{name}$", "definition": rules, "apply-to": "queues"}
    rabbit.rule(name, policy)
    becomes_by_api = RabbitBroker(Site(rabbit.url()), (), rabbit.management_url)
    becomes(becomes_by_api, queue, Onward.PLACE)
    becomes_by_api.close()
    words = (rabbit.url(), queue, aside.name, "publishing", "8", str(COUNT))
    subprocess.run([sys.executable, "-m", rabbit_mover.__name__, *words], check=False)
    comes(channel, queue, 0)
    (held,) = blind.quarantines()
    assert (held.moved, held.doubtful) == (0, COUNT)
