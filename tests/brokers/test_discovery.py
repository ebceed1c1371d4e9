"""Queues of a Redis are found whatever else lies in it."""

from collections.abc import Iterator
from typing import Any

import pytest

from celery_tui.brokers.redis import RedisBroker
from tests.brokers.messages import SEPARATOR, binding, message
from tests.servers import RedisServer
from tests.servers import client as celery_client


@pytest.fixture
def broker(server: RedisServer, client: Any) -> Iterator[RedisBroker]:
    one = RedisBroker(server.url())
    yield one
    one.close()


def discovered(broker: RedisBroker) -> dict[str, int | None]:
    """Depths after one round over all keys."""
    while not broker.discover():
        pass
    return {name: reading.depth for name, reading in broker.depths().items()}


def test_a_queue_is_found_by_its_binding_while_it_is_empty(
    broker: RedisBroker, client: Any
) -> None:
    client.sadd("_kombu.binding.emails", binding("emails"))
    assert discovered(broker) == {"emails": 0}


@pytest.mark.fact("queues that nobody names", "Redis")
def test_a_queue_without_binding_is_found_by_its_messages(broker: RedisBroker, client: Any) -> None:
    client.lpush("emails", message(), message())
    assert discovered(broker) == {"emails": 2}


@pytest.mark.fact("depth", "Redis")
@pytest.mark.fact("depth by priority", "Redis")
def test_depths_of_all_priorities_are_summed_foreign_steps_too(
    broker: RedisBroker, client: Any
) -> None:
    client.lpush("celery", message())
    client.lpush(f"celery{SEPARATOR}3", message(), message())
    client.lpush(f"celery{SEPARATOR}7", message(), message(), message())
    assert discovered(broker) == {"celery": 6}
    assert broker.depths()["celery"].by_priority == {"0": 1, "3": 2, "7": 3}


def test_a_queue_known_only_by_a_priority_list_is_found(broker: RedisBroker, client: Any) -> None:
    client.lpush(f"urgent{SEPARATOR}9", message())
    assert discovered(broker) == {"urgent": 1}


def test_what_a_real_client_sends_is_found(broker: RedisBroker, server: RedisServer) -> None:
    app = celery_client(server.url())
    app.send_task("proj.work", queue="real", priority=6)
    app.send_task("proj.work", queue="real")
    app.close()
    assert discovered(broker) == {"real": 2}


def test_control_event_and_reply_queues_are_left_out(broker: RedisBroker, client: Any) -> None:
    client.sadd("_kombu.binding.celery.pidbox", binding("w1@a.celery.pidbox", ""))
    client.sadd("_kombu.binding.reply.celery.pidbox", binding("4f.reply.celery.pidbox", "4f"))
    client.sadd("_kombu.binding.celeryev", binding("celeryev.77aa", "#"))
    client.lpush("4f.reply.celery.pidbox", '{"body": "", "headers": {}, "properties": {}}')
    assert discovered(broker) == {}


def test_lists_that_hold_no_messages_are_left_out(broker: RedisBroker, client: Any) -> None:
    client.lpush("mylist", "a", "b")
    client.lpush("json", '{"a": 1}', "[]", "null", "[" * 5000)
    client.lpush("binary", b"\x80\x04\xff\xfe")
    # what the rpc:// result backend leaves: no task id in the headers
    client.lpush("0b1c-reply", '{"body": "e30=", "headers": {}, "properties": {}}')
    client.lpush("wrong", '{"headers": {"id": 5}, "properties": {}}')
    client.lpush("wronger", '{"headers": {"id": "x"}, "properties": []}')
    assert discovered(broker) == {}


def test_garbage_beside_the_queues_does_no_harm(broker: RedisBroker, client: Any) -> None:
    client.set("_kombu.binding.string", "no set")
    client.lpush("_kombu.binding.list", "no set")
    client.sadd("_kombu.binding.odd", b"\xff\xfe", "a", SEPARATOR * 2, binding("good"), b"")
    client.lpush(b"\xff\xfe\x00", message())
    client.hset("good", "a", "b")
    client.set(f"good{SEPARATOR}3", "x")
    client.set("unacked", "x")
    assert discovered(broker) == {"good": None}  # its key is no list: unknown, not 0
    assert broker.unacked() is None
    assert broker.unacked_by_queue() is None
    assert broker.find_message(["good"], "nobody") is None
    assert broker.quarantine("good").moved == 0


HOSTILE = [
    "[/oops]",
    "[@click=app.quit]",
    "esc\x1b[31m",
    "nul\x00byte",
    "rtl\u202eevil",
    "漢字キュー",
    "a*b?[c]\\d",
    "new\nline",
    "celery-tui:quarantine:",
    "q:20261120T141900.000000Z",
    "x" * 5_000,
    f"{SEPARATOR}3",
    " ",
]


@pytest.mark.parametrize("name", HOSTILE, ids=range(len(HOSTILE)))
def test_a_hostile_queue_name_is_just_a_name(broker: RedisBroker, client: Any, name: str) -> None:
    client.lpush(name, message("t1"), message("t2"))
    assert discovered(broker) == {name: 2}
    found = broker.find_message([name], "t1")
    assert found is not None
    assert found.queue == name
    aside = broker.quarantine(name)
    assert (aside.moved, aside.queue) == (2, name)
    assert client.exists(name) == 0
    assert discovered(broker) == {aside.name: 2}
    assert broker.restore(aside.name) == 2
    assert client.llen(name) == 2


def test_with_a_key_prefix_only_its_queues_are_found(server: RedisServer, client: Any) -> None:
    client.sadd("pfx:_kombu.binding.mine", binding("mine"))
    client.lpush("pfx:mine", message())
    client.lpush("pfx:loose", message())
    client.lpush("other", message())
    broker = RedisBroker(server.url(), "pfx:")
    assert discovered(broker) == {"mine": 1, "loose": 1}
    assert broker.prefixes() == ()
    broker.close()


def test_lists_under_another_prefix_are_not_taken_for_queues_without_one(
    broker: RedisBroker, client: Any
) -> None:
    client.sadd("pfx:_kombu.binding.mine", binding("mine"))
    client.lpush("pfx:mine", message())
    client.lpush("plain", message())
    assert discovered(broker) == {"plain": 1}


@pytest.mark.fact("another cluster on the same server", "Redis")
def test_prefixes_are_offered_when_nothing_lies_under_ours(
    broker: RedisBroker, client: Any
) -> None:
    client.sadd("pfx:_kombu.binding.celery.pidbox", binding("w1@a.celery.pidbox", ""))
    client.sadd("b*d_kombu.binding.celery.pidbox", binding("w2@a.celery.pidbox", ""))
    assert broker.prefixes() == ()
    discovered(broker)
    assert broker.prefixes() == ("b*d", "pfx:")


def test_a_queue_that_ceased_to_exist_is_dropped(broker: RedisBroker, client: Any) -> None:
    client.lpush("emails", message())
    assert discovered(broker) == {"emails": 1}
    client.delete("emails")
    assert discovered(broker) == {}


def test_a_large_database_is_searched_in_steps(broker: RedisBroker, client: Any) -> None:
    with client.pipeline(transaction=False) as pipe:
        for number in range(20_000):
            pipe.set(f"celery-task-meta-{number}", "{}")
        for number in range(300):
            pipe.lpush(f"userlist{number}", "x")
        pipe.execute()
    client.lpush("emails", message())
    steps = 1
    while not broker.discover():
        steps += 1
    assert steps > 15
    assert broker.depths()["emails"].depth == 1


@pytest.mark.fact("unacked", "Redis")
def test_unacknowledged_messages_are_counted_by_queue(broker: RedisBroker, client: Any) -> None:
    import json

    client.sadd("_kombu.binding.topic", binding("mails", "mail.new"))
    entries: list[list[str | None]] = [
        ["", "celery"],
        ["", "celery"],
        ["topic", "mail.new"],
        [None, "bare"],
    ]
    for number, (exchange, key) in enumerate(entries):
        client.hset("unacked", f"tag{number}", json.dumps([{}, exchange, key]))
    client.hset("unacked", "junk", "no json")
    client.hset("unacked", "junk2", "[1, 2]")
    discovered(broker)
    assert broker.unacked() == 6
    assert broker.unacked_by_queue() == {"celery": 2, "mails": 1, "bare": 1}


def test_many_unacknowledged_messages_are_counted_over_several_steps(
    broker: RedisBroker, client: Any
) -> None:
    import json

    entry = json.dumps([{"body": "x" * 2_000}, "", "celery"])
    client.hset("unacked", mapping={f"tag{number}": entry for number in range(2_000)})
    steps = 1
    while (counts := broker.unacked_by_queue()) is None:
        steps += 1
    assert counts == {"celery": 2_000}
    assert steps > 3


def test_a_message_is_found_in_a_queue_and_among_the_unacknowledged(
    broker: RedisBroker, client: Any
) -> None:
    import json

    from tests.brokers.messages import envelope

    client.lpush("celery", *(message(f"t{number}") for number in range(450)))
    client.lpush(f"celery{SEPARATOR}6", message("urgent", args=(1, 2), kwargs={"k": None}))
    client.hset("unacked", "tag", json.dumps([envelope("held"), "", "celery"]))
    found = broker.find_message(["celery"], "t449")
    assert found is not None
    assert (found.message.name, found.unacked) == ("proj.work", False)
    urgent = broker.find_message(["celery"], "urgent")
    assert urgent is not None
    assert urgent.message.arguments() is not None
    assert urgent.message.arguments()[:2] == ([1, 2], {"k": None})  # type: ignore[index]
    held = broker.find_message([], "held")
    assert held is not None
    assert held.unacked
    assert broker.find_message(["celery"], "nobody") is None
