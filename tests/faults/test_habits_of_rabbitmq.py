"""What only RabbitMQ has: messages that go back at once, one worker a name, queues not listed."""

from __future__ import annotations

import asyncio
from contextlib import ExitStack
from typing import Any

import pytest

from celery_tui.model.task import PENDING, STARTED
from celery_tui.model.worker import LOST, ONLINE
from tests.faults.ground import WELL, Ground, ground, one_more
from tests.faults.places import RABBITMQ
from tests.faults.watch import Watch, agrees, watching
from tests.servers import wait_for

RANKED: dict[str, Any] = {"task_queue_max_priority": 5}
LATE = {"task_acks_late": True, "worker_prefetch_multiplier": 2}


@pytest.fixture(scope="module", params=[RABBITMQ])
def kind(request: pytest.FixtureRequest) -> str:
    """AMQP alone has these."""
    return str(request.param)


async def test_what_a_killed_worker_had_not_acknowledged_is_in_its_queue_again(
    shop: Ground,
) -> None:
    with one_more(shop, "killed", concurrency=1, conf=LATE) as worker:
        async with watching(shop) as watch:
            gate = shop.gate()
            (ran,) = shop.work(gate, "killed")
            await watch.begins(ran)
            await watch.state(ran, STARTED)
            (held,) = shop.work(gate, "killed")
            await watch.screen.until(lambda: _listed(watch, ran, held), "both are listed")
            assert shop.depth("killed") == 0
            await watch.beats("killed", WELL)
            await asyncio.to_thread(worker.kill)
            wait_for(lambda: shop.depth("killed") == 2, "the broker has both again")
            await watch.finding("worker-lost", "killed@test")
            await agrees(watch, {"killed": LOST, WELL: ONLINE}, what="after the kill all")
            told = {one: watch.task(one) for one in (ran, held)}
            for one in told.values():
                assert one is not None
                assert "its message went back to its queue at once" in (one.verdict or "")
            assert told[held].state == PENDING  # type: ignore[union-attr]
            text = next(one.text for one in watch.monitor.findings if one.rule == "worker-lost")
            assert "1 went back to its queue" in text
            assert "visibility" not in text
            with shop.workers(shop.worker("killed", concurrency=1, conf=LATE)):
                gate.touch()
                await watch.ends(ran, held)
                await watch.screen.until(
                    lambda: shop.ledger.ended()[ran] == "SUCCESS", "it has run again"
                )
                await agrees(watch, {"killed": ONLINE, WELL: ONLINE}, what="run again, all")


def _listed(watch: Watch, ran: str, held: str) -> bool:
    """Whether the worker has told that it runs the one and holds the other, acknowledging late."""
    worker = watch.monitor.cluster.workers["killed@test"]
    return worker.acknowledged.get(ran) is False and held in (worker.reserved or ())


async def test_a_second_worker_of_a_name_is_turned_away_and_the_first_goes_on(
    shop: Ground,
) -> None:
    second = shop.worker("twin", concurrency=1)
    with one_more(shop, "twin", concurrency=1), ExitStack() as stack:
        async with watching(shop) as watch:
            gate = shop.gate()
            running = shop.work(gate, "twin")
            await watch.begins(*running)
            await watch.state(running[0], STARTED)
            await watch.beats("twin", WELL)
            stack.callback(second.stop)
            second.launch()
            wait_for(lambda: "RESOURCE_LOCKED" in second.log_text(), "the second is turned away")
            states = {"twin": ONLINE, WELL: ONLINE}
            for _ in range(3):
                await watch.screen.stays(2.0)
                await agrees(watch, states, cold=False, what="turned away, all")
            await agrees(watch, states, what="and to who looks once, all")
            assert watch.rules("twin@test") == set()
            gate.touch()
            await watch.ends(*running)
            await agrees(watch, states, cold=False, what="and once ended, all")


@pytest.mark.fact("depth by priority", "RabbitMQ + management")
async def test_priorities_are_counted_by_the_management_api_and_all_run() -> None:
    with ground(RABBITMQ, **RANKED) as shop, shop.workers(shop.worker(WELL)):
        sent = [shop.send("add", 1, 2, queue="ranked", priority=step) for step in range(6)]
        assert shop.depth("ranked") == 6
        async with watching(shop, **shop.place.told_by) as watch:
            await watch.finding("no-consumer", "ranked")
            await watch.screen.until(lambda: _steps(watch), "each priority is counted")
            assert _steps(watch) == {str(step): 1 for step in range(6)}
            await agrees(watch, {WELL: ONLINE}, what="six priorities, all")
            with shop.workers(shop.worker("ranked", concurrency=1)):
                await watch.ends(*sent)
                await watch.finding("no-consumer", "ranked", gone=True)
                await agrees(watch, {WELL: ONLINE, "ranked": ONLINE}, what="and once run, all")


def _steps(watch: Watch) -> dict[str, int]:
    found = (one["by_priority"] for one in watch.document["queues"] if one["name"] == "ranked")
    return dict(next(found, {}))


async def test_a_queue_that_nobody_names_is_not_known_until_the_management_api_tells(
    shop: Ground,
) -> None:
    shop.work(shop.gate(), "shelf", 3)
    async with watching(shop) as blind:
        await blind.screen.until(lambda: blind.worker(WELL).get("queues"), "queues are told")
        await agrees(blind, {WELL: ONLINE}, what="of what is named all")
        assert [one["name"] for one in blind.document["queues"]] == [WELL]
        assert blind.rules() == set()
    async with watching(shop, **shop.place.told_by) as watch:
        await watch.finding("no-consumer", "shelf")
        await watch.screen.reads("✗ crit", "shelf", "3 messages")
        await agrees(watch, {WELL: ONLINE}, what="of what there is all")
    shop.place.drop("shelf")
