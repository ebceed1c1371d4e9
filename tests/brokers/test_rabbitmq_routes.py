"""Where a message goes by exchanges and bindings is told as RabbitMQ does it, or not at all."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any

import pytest
from amqp.basic_message import Message
from kombu.connection import Connection

from celery_tui.brokers.rabbitmq_match import Binding, may_meet
from celery_tui.brokers.rabbitmq_routes import Exchange, Routes
from celery_tui.brokers.rabbitmq_topology import Topology
from celery_tui.links.management import Api
from tests.conftest import a_vhost, unique
from tests.rabbit import VirtualHost
from tests.servers import wait_for

WORDS = ("a", "b", "c")
PATTERNS = ("a", "b", "a.b", "a.*", "*.b", "#", "a.#", "#.b", "*", "b.#.c", "a.b.c", "")
KEYS = ("", "a", "b", "c", "a.b", "b.c", "a.b.c", "b.a.c", "a..b", ".")
TABLES: tuple[dict[str, Any], ...] = (
    {"x-match": "all", "n": 1}, {"x-match": "any", "n": 1, "s": "x"}, {"s": "x"}, {"s": None},
    {"x-match": "any"}, {},
)  # fmt: skip
HEADERS: tuple[dict[str, Any], ...] = (
    {}, {"n": 1}, {"n": "1"}, {"s": "x"}, {"n": True}, {"n": 1, "s": "y"},
)  # fmt: skip


@pytest.fixture
def vhost() -> Iterator[VirtualHost]:
    with a_vhost(unique("routes")) as one:
        yield one


@pytest.fixture
def channel(vhost: VirtualHost) -> Iterator[Any]:
    with Connection(vhost.url()) as connection:
        yield connection.channel()


def topology(vhost: VirtualHost) -> Topology:
    return Topology(Api(vhost.management_url, ("guest", "guest")), vhost.vhost)


def build(channel: Any, chance: random.Random) -> tuple[list[str], list[str]]:
    """Exchanges of all types with alternates, bound to each other and to queues at random."""
    exchanges, queues = [f"e{number}" for number in range(9)], [f"q{n}" for n in range(5)]
    for number, name in enumerate(exchanges):
        more = {"alternate-exchange": chance.choice(exchanges)} if number % 4 == 3 else {}
        kind = ("direct", "topic", "fanout", "headers", "topic")[number % 5]
        channel.exchange_declare(name, kind, durable=True, auto_delete=False, arguments=more)
    for name in queues:
        channel.queue_declare(name, durable=True, auto_delete=False)
    for _ in range(22):
        source, key = chance.choice(exchanges), chance.choice(PATTERNS)
        table = chance.choice(TABLES)
        if chance.random() < 0.6:
            channel.queue_bind(chance.choice(queues), source, key, arguments=table)
        else:
            channel.exchange_bind(chance.choice(exchanges), source, key, arguments=table)
    return exchanges, queues


@pytest.mark.parametrize("seed", range(6))
def test_a_message_comes_to_the_queues_that_were_told(
    vhost: VirtualHost, channel: Any, seed: int
) -> None:
    chance = random.Random(seed)
    exchanges, queues = build(channel, chance)
    routes = topology(vhost).routes()
    assert routes is not None
    told = 0
    came: dict[str, list[tuple[str, tuple[str, ...]]]] = {queue: [] for queue in queues}
    for number in range(120):
        exchange = chance.choice((*exchanges, ""))
        keys = [chance.choice((*KEYS, *queues)) for _ in range(chance.choice((1, 1, 1, 2)))]
        headers = dict(chance.choice(HEADERS))
        expected = routes.queues(exchange, keys, headers)
        copies = {"CC": keys[1:]} if len(keys) > 1 else {}
        message = Message(str(number), application_headers={**headers, **copies})
        channel.basic_publish(message, exchange=exchange, routing_key=keys[0])
        found = {queue for queue in queues if channel.basic_get(queue, no_ack=True) is not None}
        assert not any(channel.basic_get(queue, no_ack=True) for queue in queues), "one copy each"
        told += expected is not None
        assert expected is None or set(expected) == found, (exchange, keys, headers)
        if len(keys) == 1:
            for queue in found:
                came[queue].append((exchange, tuple(sorted(found))))
    assert told > 40
    for queue in queues:
        if routes.alone(queue):
            assert all(found == (queue,) for _, found in came[queue])


def test_what_cannot_be_sure_is_not_told(vhost: VirtualHost, channel: Any) -> None:
    channel.queue_declare("q", durable=True, auto_delete=False)
    channel.exchange_declare("plain", "direct", durable=True, auto_delete=False)
    channel.queue_bind("q", "plain", "k")
    closed = {"type": "direct", "internal": True, "durable": True}
    vhost.manage("PUT", f"exchanges/{vhost.vhost}/closed", closed)
    channel.queue_bind("q", "closed", "k")
    policy = {"pattern": "^plain$", "definition": {"alternate-exchange": "amq.fanout"}}
    routes = topology(vhost).routes()
    assert routes is not None
    assert routes.queues("plain", ["k"], {}) == frozenset({"q"})
    assert routes.queues("plain", ["other"], {}) == frozenset()
    assert routes.queues("closed", ["k"], {}) is None, "no client may publish there"
    assert routes.queues("nowhere", ["k"], {}) is None
    assert not routes.alone("q"), "what came by the closed one cannot go back that way"
    vhost.manage("PUT", f"policies/{vhost.vhost}/p", {**policy, "apply-to": "exchanges"})

    def told() -> bool:
        now = topology(vhost).routes()
        return now is not None and now.queues("plain", ["other"], {}) is None

    wait_for(told, "a policy may name an alternate")


def test_an_exchange_of_another_type_is_not_told() -> None:
    bound = [Binding("x", "q", True, "k")]
    for kind in ("x-consistent-hash", "x-delayed-message"):
        routes = Routes({"x": Exchange(kind)}, bound)
        assert routes.queues("x", ["k"], {}) is None
        assert not routes.alone("q")
    assert Routes({"x": Exchange("direct")}, bound).alone("q")


def test_patterns_meet_where_a_key_suits_both() -> None:
    chance, met = random.Random(1), 0
    for _ in range(400):
        one, other = (_pattern(chance) for _ in range(2))
        both = any(_meet(one, key) and _meet(other, key) for key in SHORT_KEYS)
        assert _meet(one, other) == _meet(other, one)
        assert not both or _meet(one, other), (one, other)
        if "#" not in f"{one}{other}":  # then no longer key suits both
            assert _meet(one, other) == both, (one, other)
        met += both
    assert 50 < met < 350


def _pattern(chance: random.Random) -> str:
    return ".".join(chance.choice((*WORDS, "*", "#")) for _ in range(chance.randrange(5)))


def _meet(one: str, other: str) -> bool:
    return may_meet("topic", Binding("x", "q", True, one), Binding("x", "q", True, other))


def _short_keys() -> Iterator[str]:
    level = [""]
    yield ""
    for _ in range(4):
        level = [f"{key}.{word}".lstrip(".") for key in level for word in WORDS]
        yield from level


SHORT_KEYS = tuple(_short_keys())
