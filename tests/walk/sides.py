"""Walks side by side, and what differs between them besides what moves."""

from __future__ import annotations

from itertools import zip_longest
from pathlib import Path

from tests.integration.dashboard import dashboard
from tests.walk.moving import same
from tests.walk.steps import walked
from tests.walk.town import Town, at_work, one_more

Screens = dict[str, list[str]]
"""Step -> the lines of its screen."""
SIZE = (100, 40)


async def walk(town: Town, folder: Path) -> Screens:
    """One walk on a cluster of its own."""
    with at_work(town, folder) as app:
        async with dashboard(town.broker, town.backend, SIZE, **town.settings) as screen:
            await screen.reads("✓", "events 0.")
            one_more(app)
            return await walked(screen)


def beside(left: list[str], right: list[str]) -> str:
    """Two screens as one text; lines that differ have a mark between them."""
    rows = zip_longest(left, right, fillvalue="")
    return "\n".join(f"{one:{SIZE[0]}} {'≠|'[same(one) == same(two)]} {two}" for one, two in rows)


def only_in(one: list[str], other: list[str]) -> list[str]:
    """Lines of one screen that the other has not, without what moves."""
    there = {same(line) for line in other}
    return [told for line in one if (told := same(line)) and told not in there]
