"""Walks side by side, and what differs between them besides what moves."""

from __future__ import annotations

import re
from itertools import zip_longest
from pathlib import Path

from tests.integration.dashboard import dashboard
from tests.walk.steps import walked
from tests.walk.town import Town, at_work, one_more

Screens = dict[str, list[str]]
"""Step -> the lines of its screen."""
SIZE = (100, 40)
MOVING = (
    (re.compile(r"[<>~]?\d+(?:\.\d+)? ?(?:ms|s|m|h)(?:\d+[ms])?\b"), "AGE"),
    (re.compile(r"\d\d:\d\d(?::\d\d(?:\.\d+)?)?Z?"), "TIME"),
    (re.compile(r"(?<=127\.0\.0\.1:)\d+"), "PORT"),
    (re.compile(r"\b\d+M\b"), "SIZE"),
    (re.compile(r"~?\d+\.\d+"), "RATE"),
    (re.compile(r"\d+(?= (?:events|answers|readings|results)\b)"), "MANY"),
    (re.compile(r"\b\d{3,7}\b"), "PID"),
    (re.compile(r"\b20\d{6}T\S+"), "DATE"),
    (re.compile(r"'/\S*"), "PATH"),
    (re.compile(r"[▁▂▃▄▅▆▇█]+"), "CHART"),
    (re.compile(r"[─━]+"), "─"),
    (re.compile(r"\s+"), " "),
)
"""Ages, times, ports and bars are never the same twice, nor how far apart words stand."""


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


def same(line: str) -> str:
    """A line without what moves, the cursor among it: rows stand as they were heard of."""
    for pattern, word in MOVING:
        line = pattern.sub(word, line)
    return line.strip("▐ ")


def only_in(one: list[str], other: list[str]) -> list[str]:
    """Lines of one screen that the other has not, without what moves."""
    there = {same(line) for line in other}
    return [told for line in one if (told := same(line)) and told not in there]
