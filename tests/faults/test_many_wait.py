"""A queue that nobody empties, beside all the others."""

from __future__ import annotations

from tests.faults.ground import WELL, Ground
from tests.faults.watch import agrees, watching

MANY = 100_000


async def test_a_hundred_thousand_messages_that_nobody_takes_hide_nothing_else(
    shop: Ground,
) -> None:
    shop.place.fill("shelf", MANY)
    gate = shop.gate()
    running = shop.work(gate, WELL)
    async with watching(shop, **shop.place.told_by) as watch:
        await watch.begins(*running)
        await watch.finding("no-consumer", "shelf")
        await watch.screen.reads("✗ crit", "shelf", "100,000 messages")
        await agrees(watch, {WELL: "online"}, what="beside 100,000 messages all")
        gate.touch()
        await watch.ends(*running)
        shop.place.fill("shelf", 10)
        await agrees(watch, {WELL: "online"}, what="beside ten messages all")
