"""Where each section of Home stands and how many lines it gets; charts get what is left. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from ..columns.charts import FRAME, LEAST_ROWS, MOST_ROWS

ROOMY = 32
"""Terminal height from which one blank line separates sections."""
WIDE = 140
"""Width from which there are two columns of sections."""
RIGHT = 62
"""Width of the right column, its lead included."""
BESIDE = 100
"""Width from which two charts stand side by side below one column of sections."""
LEFT_SECTIONS = ("attention", "queues", "failures")
RIGHT_SECTIONS = ("workers", "running", "live", "changes")
NARROW_ORDER = ("attention", "queues", "workers", "running", "failures", "live")
CHARTS = ("backlog", "failing")
"""Below the sections of the left or only column; the second where there is room beside it."""
ENOUGH_LIVE = 4
"""Rows of the live list that come before a chart; it takes more only of what charts leave."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """A section: how many rows it has, how few are worth showing, how many at most."""

    id: str
    rows: int
    least: int
    most: int


@dataclass(frozen=True, slots=True)
class Place:
    """Cells from the body's top left corner."""

    x: int
    y: int
    width: int
    height: int


def places(
    wanted: dict[str, Wanted], width: int, height: int, top: int, gap: int, charts: int = 0
) -> dict[str, Place]:
    """Section id -> place, below ``top`` lines of notices; what does not fit is left out.

    ``charts``: lines they take below the left column, at most what ``chart_room`` said.
    """
    main, side = _sections(wanted, width)
    if charts:  # they do not move with the first lines of the live list
        main = [replace(s, rows=max(s.rows, ENOUGH_LIVE)) if s.id == "live" else s for s in main]
    room = width - (RIGHT if side else 0)
    lines = charts + gap if charts else 0
    placed = _column(main, 0, room, height - lines, top, gap)
    if charts:
        y = max((place.y + place.height for place in placed.values()), default=top - gap) + gap
        placed |= _charts(y, room, charts, bool(side) or width >= BESIDE)
    return placed | _column(side, room, RIGHT, height, top, gap)


def chart_room(wanted: dict[str, Wanted], width: int, height: int, top: int, gap: int) -> int:
    """Lines for charts once every table has its rows; 0: too few are left."""
    main, _ = _sections(wanted, width)
    taken = sum(1 + min(s.rows, s.most) + gap for s in main if s.id != "live")
    taken += 1 + ENOUGH_LIVE + gap if any(s.id == "live" for s in main) else 0
    return chart_lines(height - top - taken)


def chart_lines(left: int) -> int:
    """Lines that a chart takes of those that are left; 0: too few."""
    return min(left, MOST_ROWS + FRAME) if left >= LEAST_ROWS + FRAME else 0


def _sections(wanted: dict[str, Wanted], width: int) -> tuple[list[Wanted], list[Wanted]]:
    """Those of the left (or only) column and those of the right one."""
    if width < WIDE:
        return [wanted[i] for i in NARROW_ORDER if i in wanted], []
    return (
        [wanted[i] for i in LEFT_SECTIONS if i in wanted],
        [wanted[i] for i in RIGHT_SECTIONS if i in wanted],
    )


def _charts(y: int, width: int, height: int, both: bool) -> dict[str, Place]:
    first, second = CHARTS
    if not both:
        return {first: Place(0, y, width, height)}
    half = width // 2
    return {first: Place(0, y, half, height), second: Place(half, y, width - half, height)}


def _column(
    sections: Sequence[Wanted], x: int, width: int, height: int, top: int, gap: int
) -> dict[str, Place]:
    placed: dict[str, Place] = {}
    y = top
    for section_id, lines in heights(sections, height - top, gap).items():
        placed[section_id] = Place(x, y, width, lines)
        y += lines + gap
    return placed


def heights(sections: Sequence[Wanted], height: int, gap: int) -> dict[str, int]:
    """Section id -> lines, head included. The last sections are left out first.

    Rows are dealt in turns, so that a long list never starves a short one.
    """
    shown = list(sections)
    while shown and _least(shown, gap) > height:
        shown.pop()
    given = {section.id: section.least for section in shown}
    left = height - _least(shown, gap)
    while left > 0:
        hungry = [s for s in shown if given[s.id] < min(s.rows, s.most)]
        if not hungry:
            break
        for section in hungry[:left]:
            given[section.id] += 1
        left -= min(left, len(hungry))
    return {section.id: given[section.id] + 1 for section in shown}


def _least(sections: Sequence[Wanted], gap: int) -> int:
    return sum(1 + section.least for section in sections) + gap * max(0, len(sections) - 1)
