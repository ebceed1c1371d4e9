"""Waiting times of real lists: sampled within a budget, and true by the ledger of who sent what."""

import random
import threading
import time
from collections import deque
from collections.abc import Iterator
from typing import Any

import pytest
import redis

from celery_tui.brokers import redis_waiting
from celery_tui.brokers.redis import RedisBroker
from celery_tui.model.waiting import Waiting
from tests.brokers.messages import SEPARATOR, message
from tests.servers import RedisServer, wait_for

MOST = 200


@pytest.fixture
def broker(server: RedisServer, client: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    monkeypatch.setattr(redis_waiting, "EACH_S", 0.0)
    one = RedisBroker(server.url())
    yield one
    one.close()


def found(broker: RedisBroker) -> None:
    """One round over all keys."""
    while not broker.discover():
        pass


def polled(broker: RedisBroker, most: int = MOST) -> dict[str, Waiting | None]:
    """One poll, as the source does it."""
    readings = broker.depths() | broker.sample(most)
    return {name: reading.waiting for name, reading in readings.items()}


def of(broker: RedisBroker, queue: str = "q") -> Waiting:
    waiting = polled(broker)[queue]
    assert waiting is not None
    return waiting


def test_what_waited_before_us_is_at_least_as_old_as_our_watch(
    broker: RedisBroker, client: Any
) -> None:
    client.lpush("q", message(), message())
    found(broker)
    low, high = of(broker).oldest_s
    assert (low, high) == (0.0, None)
    low, high = of(broker).oldest_s
    assert low is not None
    assert low > 0
    assert high is None


def test_a_message_that_came_while_we_watched_is_bracketed(
    broker: RedisBroker, client: Any
) -> None:
    broker.want(["q"])
    found(broker)
    began = time.monotonic()
    polled(broker)
    client.lpush("q", message())
    pushed = time.monotonic()
    polled(broker)
    low, high = of(broker).oldest_s
    assert low is not None
    assert high is not None
    assert low <= time.monotonic() - pushed
    assert high >= low
    assert high <= time.monotonic() - began


@pytest.mark.fact("in, out, drain", "Redis")
def test_rates_and_turnover_and_an_empty_queue(broker: RedisBroker, client: Any) -> None:
    client.lpush("q", *(message() for _ in range(10)))
    found(broker)
    polled(broker)
    client.lpush("q", *(message() for _ in range(30)))
    client.ltrim("q", 0, 34)
    time.sleep(0.6)
    flow = of(broker).flow
    assert flow is not None
    assert flow.sure
    assert flow.in_per_s / flow.out_per_s == pytest.approx(6.0)
    client.delete("q")
    client.lpush("q", message())
    waiting = of(broker)
    assert waiting.oldest_s[1] is not None, "all that waits came since the poll before"
    assert waiting.flow is not None
    assert not waiting.flow.sure
    client.delete("q")
    assert of(broker).oldest_s == (None, None)


def test_messages_redelivered_to_the_old_end_are_older_than_what_waits(
    broker: RedisBroker, client: Any
) -> None:
    broker.want(["q"])
    found(broker)
    polled(broker)
    client.lpush("q", *(message() for _ in range(5)))
    polled(broker)
    taken = client.rpop("q")
    assert of(broker).oldest_s[1] is not None
    client.rpush("q", taken)
    low, high = of(broker).oldest_s
    assert low is not None
    assert high is None


def test_priorities_of_any_step_are_sampled_one_by_one(broker: RedisBroker, client: Any) -> None:
    broker.want(["q"])
    found(broker)
    polled(broker)
    client.lpush(f"q{SEPARATOR}7", message())
    found(broker)
    polled(broker)
    time.sleep(0.3)
    client.lpush("q", message())
    polled(broker)
    low, _ = of(broker).oldest_s
    assert low is not None
    assert low >= 0.3, "the list of priority 7 holds the oldest"


def test_a_hundred_thousand_messages_that_nobody_consumes_cost_no_more(
    broker: RedisBroker, client: Any
) -> None:
    with client.pipeline(transaction=False) as pipe:
        for _ in range(100):
            pipe.lpush("q", *(message() for _ in range(1_000)))
        pipe.execute()
    found(broker)
    polled(broker)
    took = []
    for _ in range(20):
        client.lpush("q", *(message() for _ in range(50)))
        began = time.perf_counter()
        waiting = of(broker)
        took.append(time.perf_counter() - began)
        assert waiting.oldest_s[0] is not None
        assert waiting.oldest_s[1] is None
    print(f"a poll of a list of 100,000 took {sum(took) / len(took) * 1000:.1f} ms")
    client.ltrim("q", 0, 0)
    assert of(broker).oldest_s[1] is not None


def test_lists_on_screen_come_first_and_the_others_in_turn(
    broker: RedisBroker, client: Any
) -> None:
    for number in range(30):
        client.lpush(f"q{number}", message())
    found(broker)
    broker.depths()
    broker.want((), ["q7"])
    seen: set[str] = set()
    for _ in range(6):
        some = broker.sample(6)
        assert len(some) == 6
        assert "q7" in some
        seen |= some.keys()
    assert len(seen) >= 30


def test_large_bodies_are_looked_at_seldom(broker: RedisBroker, client: Any) -> None:
    client.lpush("q", message(args=["x" * 70_000]))
    client.lpush("other", message())
    found(broker)
    polled(broker)
    again = polled(broker)
    assert again["q"] is None
    assert again["other"] is not None


def test_a_message_too_large_to_be_sent_back_leaves_the_age_open(
    broker: RedisBroker, client: Any
) -> None:
    client.lpush("q", message(args=["x" * 2_000_000]))
    found(broker)
    assert polled(broker)["q"] is None


def test_what_is_no_list_or_changes_its_type_is_left_alone(
    broker: RedisBroker, client: Any
) -> None:
    client.lpush("q", message())
    found(broker)
    polled(broker)
    client.delete("q")
    client.set("q", "text")
    waiting = of(broker)
    assert waiting == Waiting(waiting.at), "nothing is known"
    client.delete("q")
    client.lpush("q", "garbage", "garbage", "garbage", message())
    assert of(broker).oldest_s[0] is not None
    client.lpush("q", "garbage", "garbage")
    of(broker)
    client.lpush("q", "garbage", "garbage")
    assert of(broker).oldest_s[0] is not None


def test_a_user_who_may_only_read_still_sees_ages(server: RedisServer, client: Any) -> None:
    rules = ["on", ">pw", "~*", "+@read", "+ping", "-multi", "-exec"]
    client.execute_command("ACL", "SETUSER", "reader", *rules)
    one = RedisBroker(f"redis://reader:pw@127.0.0.1:{server.port}/0")
    client.lpush("q", message())
    found(one)
    assert of(one).oldest_s == (0.0, None)
    client.execute_command("ACL", "SETUSER", "reader", "-lpos")
    assert not one.no_ages
    time.sleep(1.0)
    assert polled(one)["q"] is None
    assert "may not use LPOS" in one.no_ages
    one.close()


def test_a_redis_without_lpos_has_no_ages_and_says_so(broker: RedisBroker, client: Any) -> None:
    class Old:
        """Stands for the pipeline of a client on a Redis before 6.0.6."""

        def __getattr__(self, name: str) -> Any:
            raise redis.ResponseError("unknown command `LPOS`, with args beginning with:")

    client.lpush("q", message())
    found(broker)
    broker._depths.sampling._client = Old()
    assert polled(broker)["q"] is None
    assert broker.no_ages == redis_waiting.TOO_OLD


def test_a_lost_link_resumes_where_the_newest_message_is_still_there(
    server: RedisServer, broker: RedisBroker, client: Any
) -> None:
    client.lpush("kept", message())
    client.lpush("wiped", message())
    found(broker)
    polled(broker)
    time.sleep(0.2)
    second = RedisBroker(server.url())
    second.carry_on(broker)
    client.delete("wiped")
    client.lpush("wiped", message())
    found(second)
    ages = polled(second)
    kept, wiped = ages["kept"], ages["wiped"]
    assert kept is not None
    assert kept.oldest_s[0] is not None
    assert kept.oldest_s[0] >= 0.2
    assert wiped is not None
    assert wiped.oldest_s == (0.0, None)
    second.close()


class Traffic:
    """Sends and takes messages at uneven rates, and knows when each was sent."""

    def __init__(self, url: str) -> None:
        self.client = redis.Redis.from_url(url)
        self.sent: deque[tuple[float, float]] = deque()
        """When it was asked for and when it was done, of each message that waits."""
        self.lock = threading.Lock()
        self.stopping = threading.Event()

    def run(self) -> None:
        chance = random.Random(7)
        while not self.stopping.is_set():
            for _ in range(chance.randrange(0, 12)):
                with self.lock:
                    asked = time.monotonic()
                    self.client.lpush("q", message())
                    self.sent.append((asked, time.monotonic()))
            for _ in range(chance.randrange(0, 12 if len(self.sent) > 150 else 10)):
                with self.lock:
                    if self.client.rpop("q"):
                        self.sent.popleft()
            time.sleep(0.02)


@pytest.mark.fact("age of the oldest message", "Redis")
def test_the_true_age_lies_in_the_bracket(server: RedisServer, broker: RedisBroker) -> None:
    broker.want(["q"])
    found(broker)
    polled(broker)
    traffic = Traffic(server.url())
    thread = threading.Thread(target=traffic.run, daemon=True)
    thread.start()
    errors, rates = [], []
    try:
        for _ in range(40):
            time.sleep(0.25)
            with traffic.lock:  # nothing moves between the poll and the ledger
                waiting, now = of(broker), time.monotonic()
                true = [now - at for at in traffic.sent[0]] if traffic.sent else None
            low, high = waiting.oldest_s
            if true is not None:
                assert low is not None
                assert high is not None
                assert low <= true[0] + 0.05
                assert high >= true[1] - 0.05
                errors.append(abs((low + high) / 2 - true[1]))
            if waiting.flow is not None:
                rates.append((waiting.flow.in_per_s, waiting.flow.out_per_s))
    finally:
        traffic.stopping.set()
        thread.join(10)
        traffic.client.close()
    mean = sum(errors) / len(errors)
    print(f"age: {len(errors)} polls, mean error {mean:.3f} s, largest {max(errors):.3f} s")
    print(f"rates at the end: {rates[-1][0]:.0f}/s in, {rates[-1][1]:.0f}/s out")


def test_lists_under_a_key_prefix_are_sampled(
    server: RedisServer, broker: RedisBroker, client: Any
) -> None:
    one = RedisBroker(server.url(), "pfx:")
    client.lpush("pfx:q", message())
    found(one)
    wait_for(lambda: of(one).oldest_s[0], "the age of what waits under a prefix")
    one.close()
