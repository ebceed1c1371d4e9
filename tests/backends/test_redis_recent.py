"""The newest results are found among whatever lies in a real Redis, without asking much of it."""

import json
import pickle
from collections.abc import Iterator
from typing import Any

import pytest
import redis

from celery_tui.backends import redis_recent
from celery_tui.backends.naming import META
from celery_tui.backends.redis import RedisBackend
from celery_tui.backends.redis_recent import RedisWalk
from celery_tui.links.redis_link import NotPermitted
from celery_tui.model.observations import ResultMeta
from tests.servers import RedisServer

DAY_MS = 86_400_000


@pytest.fixture
def client(server: RedisServer) -> Iterator["redis.Redis"]:
    """An empty database."""
    with redis.Redis.from_url(server.url(3)) as client:
        client.flushdb()
        yield client


def put(client: "redis.Redis", number: int, first: int = 0, **meta: Any) -> None:
    """Results of which the later ones were stored later."""
    pipe = client.pipeline(transaction=False)
    for one in range(first, first + number):
        done = f"2026-11-20T12:{one // 60 % 60:02d}:{one % 60:02d}+00:00"
        text = json.dumps({"status": "SUCCESS", "result": one, "date_done": done, **meta})
        pipe.set(f"{META}t{one}", text, px=DAY_MS - 10_000_000 + one * 1_000)
    pipe.execute()


def walked(walk: RedisWalk) -> list[ResultMeta]:
    """All that a search brings."""
    while walk.look():
        assert walk.looked_at <= walk.of
    metas: list[ResultMeta] = []
    while (some := walk.read()) is not None:
        metas += some
    return metas


def backend(server: RedisServer, user: str = "", **more: Any) -> RedisBackend:
    url = server.url(3)
    return RedisBackend(url.replace("redis://", f"redis://{user}") if user else url, **more)


@pytest.mark.parametrize("scripts", [True, False])
def test_the_newest_come_first_and_no_more_than_asked_for(
    server: RedisServer, client: "redis.Redis", scripts: bool
) -> None:
    put(client, 3_000)
    pipe = client.pipeline(transaction=False)
    for number in range(3_000):
        pipe.set(f"cache:{number}", "x")
    pipe.execute()
    one = backend(server)
    walk = one.recent(250)
    walk._scripts = scripts
    metas = walked(walk)
    one.close()
    assert [meta.id for meta in metas] == [f"t{number}" for number in range(2_999, 2_749, -1)]
    assert walk.looked_at == walk.of == 6_000
    assert walk.unread == {}


def test_a_user_who_may_not_run_scripts_finds_the_same(
    server: RedisServer, client: "redis.Redis"
) -> None:
    put(client, 500)
    client.acl_setuser(
        "reader", enabled=True, passwords=["+pw"], keys=["*"], categories=["+@read", "+@connection"]
    )
    one = backend(server, "reader:pw@")
    walk = one.recent(10)
    assert [meta.id for meta in walked(walk)] == [f"t{number}" for number in range(499, 489, -1)]
    assert walk.commands < 200
    one.close()


def test_a_user_who_may_not_scan_is_told(server: RedisServer, client: "redis.Redis") -> None:
    client.acl_setuser(
        "blind",
        enabled=True,
        passwords=["+pw"],
        keys=["*"],
        commands=["+ping", "+select", "+mget", "+dbsize"],
    )
    one = backend(server, "blind:pw@")
    walk = one.recent(10)
    assert walk.look()  # a script is refused, so it goes on without
    with pytest.raises(NotPermitted):
        walk.look()
    one.close()


def test_without_scripts_the_search_is_bounded(
    server: RedisServer, client: "redis.Redis", monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(redis_recent, "MOST_WITHOUT_SCRIPTS", 600)
    put(client, 5_000)
    one = backend(server)
    walk = one.recent(50)
    walk._scripts = False
    assert len(walked(walk)) == 50
    assert walk.looked_at < walk.of == 5_000
    one.close()


def test_results_that_never_expire_are_found_too(
    server: RedisServer, client: "redis.Redis"
) -> None:
    for number in range(20):
        client.set(f"{META}forever{number}", json.dumps({"status": "FAILURE"}))
    put(client, 5)
    one = backend(server)
    ids = [meta.id for meta in walked(one.recent(100))]
    one.close()
    assert ids[:5] == ["t4", "t3", "t2", "t1", "t0"]
    assert len(ids) == 25


def test_hostile_contents_are_counted_and_do_no_harm(
    server: RedisServer, client: "redis.Redis"
) -> None:
    put(client, 3)
    client.set(f"{META}garbage", b"\xff\xfe\x00garbage")
    client.set(f"{META}pickled", pickle.dumps({"status": "SUCCESS"}))
    client.set(f"{META}packed", b"\x81\xa6status\xa7SUCCESS")
    client.set(f"{META}huge", json.dumps({"status": "SUCCESS", "result": "x" * 10_000_000}))
    client.set(META, json.dumps({"status": "SUCCESS"}))
    client.set(f"{META}{'x' * 5_000}", json.dumps({"status": "SUCCESS"}))
    client.set(f"{META}\x1b[2J".encode() + b"\xff", json.dumps({"status": "SUCCESS"}))
    client.lpush(f"{META}list", "x")
    client.hset(f"{META}hash", "a", "b")
    one = backend(server)
    for scripts in (True, False):
        walk = one.recent(100)
        walk._scripts = scripts
        ids = {meta.id for meta in walked(walk)}
        assert {"t0", "t1", "t2", "\x1b[2J�"} <= ids
        assert len(ids) <= 5
        assert walk.unread == {"not JSON": 1, "pickle": 1, "msgpack": 1, "too large": 1}
    one.close()


def test_many_large_results_are_read_up_to_a_bound(
    server: RedisServer, client: "redis.Redis", monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(redis_recent, "BYTES_A_STEP", 50_000)
    monkeypatch.setattr(redis_recent, "MOST_BYTES", 200_000)
    put(client, 40, traceback="x" * 10_000)
    one = backend(server)
    walk = one.recent(100)
    metas = walked(walk)
    one.close()
    assert 15 <= len(metas) <= 21
    assert metas[0].id == "t39"
    assert walk.unread == {"too large": 40 - len(metas)}


@pytest.mark.parametrize("prefix", ["pfx:", "pfx"])
def test_only_our_own_prefix_is_looked_at(
    server: RedisServer, client: "redis.Redis", prefix: str
) -> None:
    ours = prefix if prefix.endswith(":") else f"{prefix}_"
    for start in (ours, "other:"):
        client.set(f"{start}{META}of-{start}", json.dumps({"status": "SUCCESS"}))
    one = backend(server, key_prefix=prefix)
    assert [meta.id for meta in walked(one.recent(100))] == [f"of-{ours}"]
    one.close()


def test_an_empty_database_is_done_at_once(server: RedisServer, client: "redis.Redis") -> None:
    one = backend(server)
    walk = one.recent(100)
    assert walked(walk) == []
    assert (walk.looked_at, walk.of) == (0, 0)
    one.close()
