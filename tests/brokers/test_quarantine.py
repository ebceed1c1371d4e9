"""A purge can be undone: nothing is lost, nothing doubled, whatever dies meanwhile."""

import random
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
import redis

from celery_tui.brokers.redis import RedisBroker
from celery_tui.errors import BrokerError
from tests.brokers.messages import SEPARATOR, message
from tests.servers import RedisServer, wait_for

LISTS = ("q", f"q{SEPARATOR}3", f"q{SEPARATOR}6", f"q{SEPARATOR}9")
SENT = 24_000
KILLS = 12


@pytest.fixture
def broker(server: RedisServer, client: Any) -> Iterator[RedisBroker]:
    one = RedisBroker(server.url())
    yield one
    one.close()


@pytest.mark.fact("purge with undo", "Redis")
def test_purge_and_undo_keep_order_and_priorities(broker: RedisBroker, client: Any) -> None:
    for key in LISTS:
        client.lpush(key, *(message(f"{key}-{number}") for number in range(1_234)))
    before = {key: client.lrange(key, 0, -1) for key in LISTS}
    aside = broker.quarantine("q")
    assert aside.moved == 4 * 1_234
    assert client.exists(*LISTS) == 0
    assert [(one.name, one.moved, one.queue) for one in broker.quarantines()] == [
        (aside.name, aside.moved, "q")
    ]
    told: list[int] = []
    assert broker.restore(aside.name, told.append) == aside.moved
    assert told[-1] == aside.moved
    assert len(told) >= aside.moved / 500
    assert {key: client.lrange(key, 0, -1) for key in LISTS} == before
    assert broker.quarantines() == []
    assert broker.restore(aside.name) == 0


def test_restored_messages_are_older_than_what_came_since(broker: RedisBroker, client: Any) -> None:
    client.lpush("q", message("old1"), message("old2"))
    aside = broker.quarantine("q")
    client.lpush("q", message("new"))
    broker.restore(aside.name)
    taken = [client.rpop("q") for _ in range(3)]
    assert [next(i for i in ("old1", "old2", "new") if i.encode() in raw) for raw in taken] == [
        "old1",
        "old2",
        "new",
    ]


def test_two_purges_of_one_queue_are_two_quarantines(broker: RedisBroker, client: Any) -> None:
    names = []
    for task_id in ("a", "b"):
        client.lpush("q", message(task_id))
        names.append(broker.quarantine("q").name)
    assert names == [one.name for one in broker.quarantines()]
    assert broker.restore(names[1]) == 1
    assert b'"b"' in client.lindex("q", 0)


def test_a_quarantine_outlives_the_time_to_live_of_its_queue(
    broker: RedisBroker, client: Any
) -> None:
    client.lpush("q", message())
    client.expire("q", 100)
    aside = broker.quarantine("q")
    assert client.ttl(f"{aside.name}:0") == -1


def test_an_empty_queue_leaves_no_quarantine(broker: RedisBroker, client: Any) -> None:
    assert broker.quarantine("q").moved == 0
    assert client.keys() == []


def test_quarantines_stand_under_the_key_prefix(server: RedisServer, client: Any) -> None:
    client.lpush("pfx:q", message())
    broker = RedisBroker(server.url(), "pfx:")
    aside = broker.quarantine("q")
    assert client.keys() == [f"pfx:{aside.name}:0".encode()]
    assert broker.restore(aside.name) == 1
    assert client.keys() == [b"pfx:q"]
    broker.close()


def test_steps_beyond_any_celery_priority_move_too(broker: RedisBroker, client: Any) -> None:
    client.lpush(f"q{SEPARATOR}300", message("far"))
    while not broker.discover():
        pass
    aside = broker.quarantine("q")
    assert aside.moved == 1
    assert broker.restore(aside.name) == 1
    assert client.llen(f"q{SEPARATOR}300") == 1


def test_large_messages_are_moved_in_small_chunks(broker: RedisBroker, client: Any) -> None:
    for number in range(40):
        client.lpush("q", message(f"t{number}", args=("x" * 750_000,)))
    told: list[int] = []
    assert broker.restore(broker.quarantine("q").name, told.append) == 40
    assert told == [10, 20, 30, 40]


def test_what_is_no_quarantine_is_refused(broker: RedisBroker) -> None:
    for name in ("celery", "celery-tui:quarantine:q", "celery-tui:quarantine:q:today", ""):
        with pytest.raises(BrokerError, match="not the name of a quarantine"):
            broker.restore(name)


def test_a_restore_into_a_key_of_another_type_loses_nothing(
    broker: RedisBroker, client: Any
) -> None:
    client.lpush("q", message())
    aside = broker.quarantine("q")
    client.set("q", "something else")
    with pytest.raises(BrokerError):
        broker.restore(aside.name)
    assert client.llen(f"{aside.name}:0") == 1


class Consumers:
    """Threads that take messages as workers do, and remember each id."""

    def __init__(self, url: str, count: int = 2) -> None:
        self.taken: Counter[bytes] = Counter()
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._take, args=(url,)) for _ in range(count)]
        for thread in self._threads:
            thread.start()

    def _take(self, url: str) -> None:
        with redis.Redis.from_url(url) as client:
            while not self._stop.is_set():
                popped = client.brpop(list(LISTS), timeout=1)
                if popped:
                    with self._lock:
                        self.taken[popped[1]] += 1

    def stop(self) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join(30)


def produce(url: str, payloads: list[str]) -> None:
    """Send in bursts, over about eight seconds, to lists of all priorities."""
    chance = random.Random(4)
    with redis.Redis.from_url(url) as client:
        for at in range(0, len(payloads), 300):
            with client.pipeline(transaction=False) as pipe:
                for payload in payloads[at : at + 300]:
                    pipe.lpush(chance.choice(LISTS), payload)
                pipe.execute()
            time.sleep(0.1)


def kill_movers(url: str, count: int) -> None:
    """Start movers one after the other and kill each in the middle of its work."""
    chance = random.Random(5)
    for _ in range(count):
        mover = subprocess.Popen(
            [sys.executable, "-m", "tests.brokers.mover", url, "q"], stdout=subprocess.PIPE
        )
        assert mover.stdout is not None
        assert mover.stdout.readline() == b"ready\n"
        time.sleep(chance.uniform(0.005, 0.2))
        mover.kill()
        mover.wait()
        mover.stdout.close()


def test_nothing_is_lost_or_doubled_when_movers_are_killed_among_running_consumers(
    server: RedisServer, broker: RedisBroker, client: Any
) -> None:
    payloads = [message(f"t{number}") for number in range(SENT)]
    producer = threading.Thread(target=produce, args=(server.url(), payloads))
    producer.start()
    consumers = Consumers(server.url())
    kill_movers(server.url(), KILLS)
    producer.join(60)
    left = broker.quarantines()
    for one in left:
        broker.restore(one.name)
    try:
        wait_for(lambda: not client.exists(*LISTS), "consumers have taken the rest")
    finally:
        consumers.stop()
    renames = int(client.info("commandstats")["cmdstat_renamenx"]["calls"])
    print(f"{SENT} sent, {renames} renames, {KILLS} movers killed, {len(left)} left to restore")
    assert renames > KILLS
    assert consumers.taken == Counter({payload.encode(): 1 for payload in payloads})
    assert client.keys() == []
