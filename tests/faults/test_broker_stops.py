"""The broker stops while tasks run: what ended meanwhile is known once it is back."""

from __future__ import annotations

import asyncio
import time

from celery_tui.model.task import STARTED, SUCCESS
from celery_tui.model.worker import ONLINE
from tests.faults.ground import Ground, ground
from tests.faults.places import RABBITMQ, REDIS
from tests.faults.watch import Watch, agrees, watching
from tests.servers import Worker

AWAY_S = {REDIS: 20.0, RABBITMQ: 8.0}
"""RabbitMQ takes some seconds more until it answers."""
PATIENCE_S = 20.0


async def revived(watch: Watch, shop: Ground, workers: list[Worker]) -> None:
    """Celery 5.7 sometimes ends a worker whose broker goes: somebody starts it again."""
    until = time.monotonic() + PATIENCE_S
    while time.monotonic() < until and not all(is_back(one, shop) for one in workers):
        await watch.screen.stays(0.2)
    for worker in workers:
        if not is_back(worker, shop):
            said = [line for line in worker.log_text().splitlines() if "Error:" in line]
            print(f"{worker.hostname} is not back: {said[-3:]}; it is started again")
            await asyncio.to_thread(worker.kill)
            worker.launch()


def is_back(worker: Worker, shop: Ground) -> bool:
    """Whether it has connected again."""
    return worker.log_text().count(shop.place.connected) > 1


async def test_what_ended_while_the_broker_was_away_is_known_once_it_is_back(kind: str) -> None:
    # A worker that can store no result keeps the task as active for ever: hence two servers.
    with ground(kind, stops=True) as shop:
        workers = [shop.worker("fork"), shop.worker("threads", pool="threads")]
        all_online = {"fork": ONLINE, "threads": ONLINE}
        with shop.workers(*workers):
            async with watching(shop) as watch:
                soon, late = shop.gate(), shop.gate()
                ending = [*shop.work(soon, "fork"), *shop.work(soon, "threads")]
                staying = [*shop.work(late, "fork"), *shop.work(late, "threads")]
                await watch.begins(*ending, *staying)
                for one in (*ending, *staying):
                    await watch.state(one, STARTED)
                await watch.beats("fork", "threads")
                shop.work(soon, "fork", 2)
                await agrees(watch, all_online, cold=False, what="before it all")
                shop.place.stop()
                stopped = time.monotonic()
                await watch.finding("broker-lost", "broker")
                await watch.screen.reads("BROKER LOST")
                assert watch.document["broker"]["state"] == "lost"
                soon.touch()
                await watch.ends(*ending)
                for one in ending:
                    await watch.state(one, SUCCESS)
                await watch.screen.stays(AWAY_S[kind] - (time.monotonic() - stopped))
                assert watch.rules() == {"broker-lost"}
                await asyncio.to_thread(shop.place.start)
                await watch.finding("broker-lost", "broker", gone=True)
                await revived(watch, shop, workers)
                await agrees(watch, all_online, what="broker back, all")
                late.touch()
                await watch.ends(*staying)
                await agrees(watch, all_online, what="and once ended")
