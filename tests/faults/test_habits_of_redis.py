"""What only Redis has: priorities in lists of their own, a key prefix."""

from __future__ import annotations

from celery_tui.model.worker import ONLINE
from tests.faults.ground import ground
from tests.faults.places import REDIS
from tests.faults.watch import agrees, look_once, queues_differ, tasks_differ, watching
from tests.servers import wait_for

TEN_STEPS = {"priority_steps": list(range(10)), "queue_order_strategy": "priority"}
PREFIX = "shop:"


async def test_priorities_with_other_steps_than_ours_are_all_counted_and_run() -> None:
    with (
        ground(REDIS, broker_transport_options=TEN_STEPS) as shop,
        shop.workers(shop.worker("well")),
    ):
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
    with (
        ground(REDIS, broker_transport_options=options) as shop,
        shop.workers(shop.worker("well")),
    ):
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
