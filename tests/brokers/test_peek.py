"""Messages are looked at where they lie: from either end, of any serializer, and never executed."""

import base64
import json
import pickle
import time
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from celery_tui.brokers.redis import RedisBroker
from celery_tui.model.peeked import End, Peeked, WaitingMessage
from tests.brokers.messages import SEPARATOR, envelope, message
from tests.servers import RedisServer
from tests.servers import client as celery_client

HEAD, TAIL = End.HEAD, End.TAIL


@pytest.fixture
def broker(server: RedisServer, client: Any) -> Iterator[RedisBroker]:
    one = RedisBroker(server.url())
    yield one
    one.close()


def ids(page: Peeked) -> list[str]:
    return [one.id for one in page.messages]


def fill(client: Any, count: int, key: str = "q", first: int = 0) -> None:
    with client.pipeline(transaction=False) as pipe:
        for number in range(first, first + count):
            pipe.lpush(key, message(f"t{number}", name=f"proj.task{number % 4}"))
        pipe.execute()


@pytest.mark.fact("messages in a queue", "Redis")
def test_pages_from_both_ends_meet(broker: RedisBroker, client: Any) -> None:
    fill(client, 25)
    head = [broker.peek("q", HEAD, offset, 10) for offset in (0, 10, 20)]
    assert [one for page in head for one in ids(page)] == [f"t{n}" for n in range(25)]
    assert [one.place for page in head for one in page.messages] == list(range(1, 26))
    tail = broker.peek("q", TAIL, 0, 10)
    assert ids(tail) == [f"t{n}" for n in range(24, 14, -1)]
    assert [tail.messages[0].place, tail.messages[-1].place] == [25, 16]
    assert tail.total == 25
    assert not any(page.cut for page in (*head, tail))
    assert client.llen("q") == 25


def test_the_head_is_what_workers_take_next_whatever_the_priority(
    broker: RedisBroker, client: Any
) -> None:
    for key, number in (("", 3), (f"{SEPARATOR}3", 2), (f"{SEPARATOR}7", 1)):
        fill(client, 2, f"q{key}", number * 10)
    page = broker.peek("q", HEAD, 1, 4, [7])
    assert ids(page) == ["t31", "t20", "t21", "t10"]
    assert [one.step for one in page.messages] == [0, 3, 3, 7]
    assert ids(broker.peek("q", TAIL, 0, 3, [7])) == ["t11", "t10", "t21"]
    assert ids(broker.peek("q", TAIL, 4, 9, [7])) == ["t31", "t30"]


def test_an_empty_queue_and_an_offset_beyond_the_end(broker: RedisBroker, client: Any) -> None:
    assert broker.peek("q", HEAD, 0, 10).total == 0
    assert broker.sample_names("q", 10).total == 0
    fill(client, 3)
    assert ids(broker.peek("q", HEAD, 50, 10)) == ["t2"]


SENT = datetime(2026, 11, 20, 12, 10, tzinfo=UTC)


@pytest.mark.parametrize("serializer", ["json", "yaml", "msgpack", "pickle"])
@pytest.mark.parametrize("compression", [None, "gzip", "bzip2", "lzma", "zstd"])
def test_what_a_real_client_sends_is_shown(
    broker: RedisBroker, server: RedisServer, serializer: str, compression: str | None
) -> None:
    app = celery_client(server.url())
    words = {"password": "hunter2", "user": "ünï"}
    app.send_task(
        "proj.work", (1, [2, None]), words, task_id="t1", queue="real", serializer=serializer,
        compression=compression, priority=6, eta=SENT, argsrepr="(1, [2, None])",
    )  # fmt: skip
    app.close()
    (one,) = broker.peek("real", HEAD, 0, 10).messages
    assert (one.id, one.name, one.step, one.priority, one.retries) == ("t1", "proj.work", 6, 6, 0)
    assert (one.serializer, one.compression) == (serializer, compression or "")
    assert one.eta == "2026-11-20T12:10:00+00:00"
    assert one.args == "(1, [2, None])"
    assert one.kwargs is not None
    if serializer == "pickle":
        assert "runs code" in one.note
    else:
        assert one.note == ""
        assert one.kwargs == repr(words)
    if serializer == "json":
        assert one.exact is not None
        assert (one.exact.args, one.exact.kwargs) == ([1, [2, None]], words)
    else:
        assert one.exact is None


def test_what_json_has_no_word_for_is_shown_as_what_it_is(
    broker: RedisBroker, server: RedisServer, client: Any
) -> None:
    app = celery_client(server.url())
    app.send_task("proj.work", (SENT, uuid.UUID(int=7)), queue="q")
    app.close()
    (one,) = broker.peek("q", HEAD, 0, 1).messages
    assert one.args is not None
    assert one.args.startswith("(datetime('2026-11-20T12:10:00")
    assert "uuid(" in one.args


def packed(raw: bytes, kind: str, compression: Any = None, **more: Any) -> str:
    one = envelope("t1")
    one["body"] = base64.b64encode(raw).decode()
    one["content-type"] = kind
    one["headers"] |= {"argsrepr": "(1,)", "compression": compression, **more}
    return json.dumps(one)


def looked_at(broker: RedisBroker, client: Any, payload: Any) -> WaitingMessage:
    client.delete("q")
    client.lpush("q", payload)
    (one,) = broker.peek("q", HEAD, 0, 5).messages
    assert broker.sample_names("q", 5).sampled == 1
    return one


class Bomb:
    def __reduce__(self) -> Any:
        return (pytest.fail, ("it was loaded",))


YAML_BOMB = "a: &a [x,x,x,x]\nb: &b [*a,*a,*a,*a]\nc: [*b,*b,*b,*b]"


@pytest.mark.parametrize(
    ("raw", "kind", "compression", "why"),
    [
        (pickle.dumps(Bomb()), "application/x-python-serialize", None, "pickle runs code"),
        (pickle.dumps(Bomb()), "application/json", None, "no json"),
        (b"!!python/object/apply:os.system ['true']", "application/x-yaml", None, "no yaml"),
        (YAML_BOMB.encode(), "application/x-yaml", None, "anchors"),
        (b"- " * 200_000, "application/x-yaml", None, "no yaml"),
        (b"\xc1", "application/x-msgpack", None, "no msgpack"),
        (b"\x91" * 50_000, "application/x-msgpack", None, "no msgpack"),
        (b"[" * 50_000, "application/json", None, "no json"),
        (b"[1, 2]", "application/json", None, "no args"),
        (b"[[1], {}, {}]", "application/x-strange", None, "application/x-strange is not read"),
        (b"[[1], {}, {}]", None, None, "is not read"),
        (b"not packed", "application/json", "application/x-bz2", "cannot be unpacked"),
        (b"not packed", "application/json", "application/zstd", "cannot be unpacked"),
        (b"[[1], {}, {}]", "application/json", "application/x-brotli", "cannot be unpacked"),
        (b"[[1], {}, {}]", "application/json", {"odd": 1}, "cannot be unpacked"),
    ],
)
def test_what_cannot_be_read_safely_is_said_and_not_loaded(
    broker: RedisBroker, client: Any, raw: bytes, kind: Any, compression: Any, why: str
) -> None:
    one = looked_at(broker, client, packed(raw, kind, compression))
    assert why in one.note
    assert (one.id, one.args, one.exact) == ("t1", "(1,)", None)


@pytest.mark.parametrize(
    "payload",
    [
        b"garbage", b"\xff\xfe\x00", b"", b"null", b"[" * 9_000, b'{"headers": {"id": 5}}',
        b"x" * 10**6,
    ],
)  # fmt: skip
def test_elements_that_are_no_messages_are_shown_as_such(
    broker: RedisBroker, client: Any, payload: bytes
) -> None:
    one = looked_at(broker, client, payload)
    assert (one.id, one.size_bytes) == ("", len(payload))
    assert one.note.startswith("no task message")
    assert len(one.note) < 1_000


@pytest.mark.parametrize("odd", [5, [], {}, None, "x" * 100_000, True, 1e308, -1])
def test_odd_headers_are_left_out(broker: RedisBroker, client: Any, odd: Any) -> None:
    names = ("eta", "expires", "retries", "root_id", "parent_id", "group", "origin", "argsrepr",
             "kwargsrepr", "task")  # fmt: skip
    one = envelope("t1")
    one["headers"] |= dict.fromkeys(names, odd)
    one["properties"] |= {"priority": odd, "delivery_info": odd}
    seen = looked_at(broker, client, json.dumps(one))
    assert seen.id == "t1"
    assert len(seen.name) <= 300


def test_large_messages_make_a_page_short_and_say_so(broker: RedisBroker, client: Any) -> None:
    for number in range(12):
        client.lpush("q", message(f"t{number}", args=["x" * 400_000]))
    page = broker.peek("q", HEAD, 0, 10)
    print(f"{len(page.messages)} of 10 messages of 0.5 MB each")
    assert 0 < len(page.messages) < 10
    assert page.cut
    assert page.messages[0].exact is None, "too large to be kept whole"
    assert ids(page)[0] == "t0"


def test_keys_that_are_no_lists_hold_nothing(broker: RedisBroker, client: Any) -> None:
    client.set("q", "text")
    client.lpush(f"q{SEPARATOR}3", message("t1"))
    assert ids(broker.peek("q", HEAD, 0, 5)) == ["t1"]


@pytest.mark.fact("task names by sample", "Redis")
def test_a_sample_counts_names_from_both_ends_and_the_middle(
    broker: RedisBroker, client: Any
) -> None:
    fill(client, 3_000)
    client.rpush("q", *(message(name="old") for _ in range(200)))
    client.lpush("q", *(message(name="new") for _ in range(200)))
    client.lpush(f"q{SEPARATOR}9", *(message(name="low") for _ in range(340)))
    found = broker.sample_names("q", 500)
    print(found.names)
    assert found.total == 3_740
    assert 450 <= found.sampled <= 500
    assert found.sampled == sum(found.names.values())
    assert {"old", "new", "low", "proj.task0"} <= found.names.keys()


def test_a_small_queue_is_counted_whole(broker: RedisBroker, client: Any) -> None:
    fill(client, 8)
    client.lpush("q", "garbage")
    found = broker.sample_names("q", 500)
    assert found.names == {
        "proj.task0": 2,
        "proj.task1": 2,
        "proj.task2": 2,
        "proj.task3": 2,
        "": 1,
    }
    assert (found.sampled, found.total) == (9, 9)


def test_a_hundred_thousand_messages_are_looked_into_in_pages(
    broker: RedisBroker, client: Any
) -> None:
    fill(client, 100_000)
    for offset in (0, 50_000, 99_900):
        began = time.perf_counter()
        page = broker.peek("q", HEAD, offset, 50)
        took = (time.perf_counter() - began) * 1000
        print(f"a page of 50 behind {offset:,} took {took:.1f} ms")
        assert ids(page)[0] == f"t{offset}"
    began = time.perf_counter()
    found = broker.sample_names("q", 500)
    print(f"a sample of {found.sampled} took {(time.perf_counter() - began) * 1000:.1f} ms")


def test_a_quarantine_can_be_looked_into(broker: RedisBroker, client: Any) -> None:
    fill(client, 3)
    name = broker.quarantine("q").name
    assert ids(broker.peek(name, HEAD, 0, 10)) == ["t0", "t1", "t2"]
