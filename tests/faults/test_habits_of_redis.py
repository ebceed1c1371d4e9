"""Clusters with habits of their own: other priorities, a key prefix, a queue nobody empties."""

from __future__ import annotations

import json

import redis

from celery_tui.model.worker import ONLINE
from tests.brokers.messages import message
from tests.faults.ground import ground
from tests.faults.watch import agrees, look_once, queues_differ, tasks_differ, watching
from tests.servers import wait_for

TEN_STEPS = {"priority_steps": list(range(10)), "queue_order_strategy": "priority"}
PREFIX = "shop:"
MANY = 100_000
AT_ONCE = 5_000


async def test_priorities_with_other_steps_than_ours_are_all_counted_and_run() -> None:
    with ground(broker_transport_options=TEN_STEPS) as shop, shop.workers(shop.worker("well")):
        sent = [shop.send("add", 1, 2, queue="ranked", priority=step) for step in range(10)]
        assert shop.depth("ranked") == 10
        async with watching(shop) as watch:
            await watch.finding("no-consumer", "ranked")
            await agrees(watch, {"well": ONLINE}, what="ten priorities, all")
            (told,) = [one for one in watch.document["queues"] if one["name"] == "ranked"]
            assert told["by_priority"] == {str(step): 1 for step in range(10)}
            await watch.screen.press("2")
            await watch.screen.reads("ranked", " 10 ", "none")
            with shop.workers(shop.worker("ranked", concurrency=1)):
                await watch.ends(*sent)
                await watch.finding("no-consumer", "ranked", gone=True)
                await agrees(watch, {"well": ONLINE, "ranked": ONLINE}, what="and once run, all")


async def test_a_key_prefix_is_named_to_who_gives_the_broker_alone() -> None:
    options = {"global_keyprefix": PREFIX}
    with ground(broker_transport_options=options) as shop, shop.workers(shop.worker("well")):
        gate = shop.gate()
        running = shop.work(gate, "well", 2)
        queued = shop.work(gate, "shelf", 3)
        wait_for(lambda: shop.ledger.running() == set(running), "two run")
        async with watching(shop) as blind:
            await blind.screen.says(f"Keys with the prefix {PREFIX} exist: try --key-prefix")
            assert (blind.document["workers"], blind.document["queues"]) == ([], [])
        async with watching(shop, key_prefix=PREFIX) as watch:
            await watch.finding("no-consumer", "shelf")
            await watch.screen.reads("✗ crit", "shelf", f"{len(queued)} messages")
            await agrees(watch, {"well": ONLINE}, cold=False, what="with the prefix all")
            seen = look_once(shop, 3.0, key_prefix=PREFIX)
            assert [*tasks_differ(seen, shop), *queues_differ(seen, shop)] == []
            gate.touch()
            await watch.ends(*running)
            await agrees(watch, {"well": ONLINE}, cold=False, what="and once ended, all")


async def test_a_hundred_thousand_messages_that_nobody_takes_hide_nothing_else() -> None:
    with ground() as shop, shop.workers(shop.worker("well")):
        with redis.Redis.from_url(shop.broker) as connection:
            fill(connection, "shelf", MANY)
        gate = shop.gate()
        running = shop.work(gate, "well", 2)
        async with watching(shop) as watch:
            await watch.begins(*running)
            await watch.finding("no-consumer", "shelf")
            await watch.screen.reads("✗ crit", "shelf", "100,000 messages")
            await agrees(watch, {"well": ONLINE}, what="beside 100,000 messages all")
            gate.touch()
            await watch.ends(*running)
            with redis.Redis.from_url(shop.broker) as connection:
                connection.ltrim("shelf", 0, 9)
            await agrees(watch, {"well": ONLINE}, what="beside ten messages all")


def fill(connection: redis.Redis, queue: str, count: int) -> None:
    """So many messages, as Celery leaves them."""
    one = message("t", name="shop.add")
    text = one if isinstance(one, str) else one.decode()
    assert json.loads(text)
    for first in range(0, count, AT_ONCE):
        some = [text.replace('"t"', f'"t{number}"') for number in range(first, first + AT_ONCE)]
        connection.lpush(queue, *some)
