"""The queue source tells depths in time, costs the broker little, and comes back by itself."""

import json
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import redis

from celery_tui.model.observations import Observation, Prefixes, QueueDepths
from celery_tui.model.seam import Health, Link
from celery_tui.settings import Settings
from celery_tui.sources.inbox import Inbox
from celery_tui.sources.queues import QueueSource
from tests.brokers.messages import binding, message
from tests.conftest import a_redis
from tests.servers import RedisServer, wait_for


@pytest.fixture
def server() -> Iterator[RedisServer]:
    """A Redis that a test may stop and fill."""
    with a_redis() as started:
        yield started


class Watched:
    """A running source and all that it has told."""

    def __init__(self, **settings: Any) -> None:
        self.inbox = Inbox()
        self.told: list[Observation] = []
        self.source = QueueSource(self.inbox, Settings(**settings))
        self.source.start()

    def __enter__(self) -> "Watched":
        return self

    def __exit__(self, *_: object) -> None:
        self.source.stop()
        self.source.join(10)

    def all(self, kind: type[Any]) -> list[Any]:
        while (one := self.inbox.take()) is not None:
            self.told.append(one)
        return [one for one in self.told if isinstance(one, kind)]

    def readings(self) -> int:
        """How often all depths were told."""
        return sum(not one.sampled for one in self.all(QueueDepths))

    def last(self, kind: type[Any], what: Callable[[Any], bool] = bool) -> Any:
        """The newest observation of a kind, if it is as wanted."""
        found = self.all(kind)
        return found[-1] if found and what(found[-1]) else None


def test_a_new_queue_is_told_soon(server: RedisServer) -> None:
    with Watched(broker=server.url()) as watched, redis.Redis.from_url(server.url()) as client:
        wait_for(lambda: watched.last(QueueDepths, lambda _: True), "the first reading")
        client.lpush("emails", message(), message())
        found = wait_for(
            lambda: watched.last(QueueDepths, lambda read: "emails" in read.queues),
            "a new queue without binding is told",
        )
        assert found.queues["emails"].depth == 2
        assert found.unacked == 0
        assert watched.last(Health).state == Link.LIVE


def test_a_deleted_queue_is_told_to_be_gone(server: RedisServer) -> None:
    with Watched(broker=server.url()) as watched, redis.Redis.from_url(server.url()) as client:
        client.lpush("emails", message())
        wait_for(lambda: watched.last(QueueDepths, lambda r: "emails" in r.queues), "it is there")
        client.delete("emails")
        wait_for(lambda: any("emails" in r.gone for r in watched.all(QueueDepths)), "it is gone")


def test_unacknowledged_messages_are_told_by_queue(server: RedisServer) -> None:
    with redis.Redis.from_url(server.url()) as client:
        client.hset("unacked", "tag", json.dumps([{}, "", "celery"]))
    with Watched(broker=server.url()) as watched:
        found = wait_for(
            lambda: watched.last(QueueDepths, lambda r: bool(r.unacked_by_queue)), "by queue"
        )
        assert (found.unacked, found.unacked_by_queue) == (1, {"celery": 1})


def test_other_key_prefixes_are_offered(server: RedisServer) -> None:
    with redis.Redis.from_url(server.url()) as client:
        client.sadd("pfx:_kombu.binding.celery.pidbox", binding("w1@a.celery.pidbox", ""))
    with Watched(broker=server.url()) as watched:
        found = wait_for(lambda: watched.last(Prefixes), "prefixes are told")
        assert found.found == ("pfx:",)


def test_a_lost_broker_is_told_and_found_again(server: RedisServer) -> None:
    with Watched(broker=server.url()) as watched:
        wait_for(lambda: watched.last(Health, lambda h: h.state == Link.LIVE), "live")
        with redis.Redis.from_url(server.url()) as client:
            client.lpush("former", message())
        wait_for(lambda: watched.last(QueueDepths, lambda r: "former" in r.queues), "it is there")
        server.kill()
        lost = wait_for(lambda: watched.last(Health, lambda h: h.state == Link.LOST), "lost")
        assert "refused" in lost.error or "reached" in lost.error
        assert lost.hint
        assert lost.retry_at is not None
        server.start()  # empty, as a Redis without persistence comes back
        with redis.Redis.from_url(server.url()) as client:
            client.lpush("emails", message())
        wait_for(lambda: watched.last(Health, lambda h: h.state == Link.LIVE), "live again")
        wait_for(lambda: watched.last(QueueDepths, lambda r: "emails" in r.queues), "depths again")
        wait_for(
            lambda: any("former" in r.gone for r in watched.all(QueueDepths)),
            "a queue that did not come back with the broker is told to be gone",
        )


def test_a_broker_that_is_no_redis_is_off_with_a_reason() -> None:
    with Watched(broker="sqs://guest:hunter2@") as watched:
        off = wait_for(lambda: watched.last(Health, lambda h: h.state == Link.OFF), "off")
        assert off.error == "queue depths of sqs:// brokers are not read yet"


def test_a_user_who_may_not_look_is_off_and_not_lost(server: RedisServer) -> None:
    with redis.Redis.from_url(server.url()) as client:
        client.execute_command("ACL", "SETUSER", "reader", "on", ">hunter2", "~*", "+ping")
    with Watched(broker=f"redis://reader:hunter2@127.0.0.1:{server.port}/0") as watched:
        off = wait_for(lambda: watched.last(Health, lambda h: h.state == Link.OFF), "off")
        assert "is not permitted" in off.error
        assert "hunter2" not in off.error


class Commands:
    """Counts what a server is asked, as MONITOR tells it."""

    def __init__(self, url: str) -> None:
        self.counts: Counter[str] = Counter()
        self._client = redis.Redis.from_url(url)
        self._monitor = self._client.monitor()
        self._monitor.__enter__()
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        try:
            for told in self._monitor.listen():
                self.counts[told["command"].split()[0].upper()] += 1
        except (redis.RedisError, OSError, ValueError, AttributeError):
            return  # the connection was closed: the test is over

    def close(self) -> None:
        self._monitor.connection.disconnect()
        self._client.close()


@pytest.mark.parametrize(("queues", "readings"), [(20, 8), (2_000, 2)])
def test_the_broker_is_asked_little_and_never_for_keys(
    server: RedisServer, queues: int, readings: int
) -> None:
    with redis.Redis.from_url(server.url()) as client, client.pipeline(transaction=False) as pipe:
        for number in range(queues):
            pipe.sadd(f"_kombu.binding.q{number}", binding(f"q{number}"))
            pipe.lpush(f"q{number}", message())
        for number in range(5_000):
            pipe.set(f"celery-task-meta-{number}", "{}")
        pipe.execute()
    with Watched(broker=server.url()) as watched:
        wait_for(
            lambda: watched.last(QueueDepths, lambda read: len(read.queues) == queues),
            f"{queues} queues are told",
        )
        before = _bytes(server)
        asked = Commands(server.url())
        began = time.monotonic()
        until = watched.readings() + readings
        wait_for(lambda: watched.readings() >= until, f"all are read {readings} times")
        took_s = time.monotonic() - began
        counts = Counter(asked.counts)
        asked.close()
        read = _bytes(server) - before
    a_second = {name: round(count / took_s, 1) for name, count in counts.most_common()}
    total = counts.total() / took_s
    print(f"{queues} queues: {total:.0f} commands/s {a_second}, about {read / took_s:,.0f} B/s")
    assert "KEYS" not in counts
    assert "HVALS" not in counts
    assert total < 1_200


def _bytes(server: RedisServer) -> int:
    with redis.Redis.from_url(server.url()) as client:
        info = client.info("stats")
        return int(info["total_net_input_bytes"] + info["total_net_output_bytes"])
