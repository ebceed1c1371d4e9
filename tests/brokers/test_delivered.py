"""Messages of certain tasks among the unacknowledged, on a real Redis."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from celery_tui.brokers.redis import RedisBroker
from tests.brokers.messages import envelope
from tests.servers import RedisServer


@pytest.fixture
def broker(server: RedisServer, client: Any) -> Iterator[RedisBroker]:
    one = RedisBroker(server.url())
    yield one
    one.close()


def hold(client: Any, tag: str, task_id: str, at: float | None) -> None:
    message = envelope("work")
    message["headers"]["id"] = task_id
    client.hset("unacked", tag, json.dumps([message, "", "celery"]))
    if at is not None:
        client.zadd("unacked_index", {tag: at})


def test_it_is_told_when_a_message_was_delivered_and_which_there_are_none_of(
    client: Any, broker: RedisBroker
) -> None:
    hold(client, "t1", "one", 1_000.5)
    hold(client, "t2", "two", None)
    client.hset("unacked", "junk", "[1")
    told = broker.delivered(("one", "two", "three"))
    assert told is not None
    assert (told.found, told.missing) == ({"one": 1_000.5, "two": None}, ("three",))


def test_where_nothing_is_held_all_are_missing(client: Any, broker: RedisBroker) -> None:
    told = broker.delivered(("one",))
    assert told is not None
    assert (told.found, told.missing) == ({}, ("one",))


def test_many_are_looked_through_in_pages(client: Any, broker: RedisBroker) -> None:
    entry = json.dumps([envelope("work"), "", "celery"])
    client.hset("unacked", mapping={f"tag{number}": entry for number in range(5_000)})
    hold(client, "t1", "one", 7.0)
    pages = 1
    while (told := broker.delivered(("one", "two"))) is None:
        pages += 1
    assert pages > 5
    assert (told.found, told.missing) == ({"one": 7.0}, ("two",))
