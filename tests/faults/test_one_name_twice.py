"""A worker that is started anew under its name, and two that have one name at the same time."""

from __future__ import annotations

import asyncio

from celery_tui.model.task import STARTED
from celery_tui.model.worker import ONLINE
from tests.faults.ground import WELL, Ground, one_more
from tests.faults.places import RABBITMQ
from tests.faults.watch import agrees, watching

BOTH_MAY = {"control_queue_exclusive": False}
"""As before Celery 5.6; else RabbitMQ lets nobody start under a name that is taken."""


async def test_a_worker_killed_and_started_anew_does_not_run_what_it_ran_before(
    shop: Ground,
) -> None:
    with one_more(shop, "again") as worker:
        async with watching(shop) as watch:
            gate = shop.gate()
            lost = shop.work(gate, "again", 2)
            await watch.begins(*lost)
            await watch.state(lost[0], STARTED)
            await watch.state(lost[1], STARTED)
            former = worker.pid
            await asyncio.to_thread(worker.kill)
            with shop.workers(shop.worker("again")):
                fresh = shop.work(gate, "again", 2)
                await watch.begins(*fresh)
                await agrees(watch, {"again": ONLINE, WELL: ONLINE}, what="restarted, all")
                told = watch.worker("again")
                assert told["pid"] not in (None, former)
                assert told["duplicate_name"] is False
                gate.touch()
                await watch.ends(*fresh)
                await agrees(watch, {"again": ONLINE, WELL: ONLINE}, what="and later")
            assert not any(one in shop.ledger.running() for one in lost)


async def test_two_workers_with_one_name_are_one_row_that_says_so(shop: Ground) -> None:
    first, second = (shop.worker("twin", concurrency=1, conf=BOTH_MAY) for _ in range(2))
    # On RabbitMQ each question reaches one of the two: who looks once hears one.
    asks_both = shop.place.kind != RABBITMQ
    async with watching(shop) as watch:
        with shop.workers(first, second):
            await watch.screen.until(
                lambda: watch.worker("twin").get("duplicate_name"), "the name is told to be double"
            )
            gate = shop.gate()
            ids = shop.work(gate, "twin", 2)
            await watch.begins(*ids)
            # Long enough for questions that only one of the two answers.
            states = {"twin": ONLINE, WELL: ONLINE}
            await agrees(watch, states, cold=asks_both, what="doubled, all")
            for _ in range(4):
                await watch.screen.stays(2.0)
                await agrees(watch, {"twin": ONLINE, WELL: ONLINE}, cold=False, what="still all")
            await watch.screen.press("3")
            await watch.screen.reads("twin", "2 processes")
            await asyncio.to_thread(first.kill)
            await watch.screen.until(lambda: len(shop.ledger.running() & set(ids)) == 1, "one dies")
            await agrees(watch, {"twin": ONLINE, WELL: ONLINE}, what="one of them killed, all")
            await watch.screen.until(
                lambda: not watch.worker("twin").get("duplicate_name"), "the name is single again"
            )
            gate.touch()
            await watch.ends(*ids)
            await agrees(watch, {"twin": ONLINE, WELL: ONLINE}, cold=False, what="and once ended")
