"""Where each section of Home stands and how many lines it gets. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

ROOMY = 32
"""Terminal height from which one blank line separates sections."""
WIDE = 140
"""Width from which there are two columns of sections."""
RIGHT = 62
"""Width of the right column, its lead included."""
LEFT_SECTIONS = ("attention", "queues", "failures", "live")
RIGHT_SECTIONS = ("workers", "running", "changes")
NARROW_ORDER = ("attention", "queues", "workers", "running", "failures", "live")


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
    wanted: dict[str, Wanted], width: int, height: int, top: int, gap: int
) -> dict[str, Place]:
    """Section id -> place, below ``top`` lines of notices; what does not fit is left out."""
    if width < WIDE:
        return _column([wanted[i] for i in NARROW_ORDER if i in wanted], 0, width, height, top, gap)
    left = [wanted[i] for i in LEFT_SECTIONS if i in wanted]
    right = [wanted[i] for i in RIGHT_SECTIONS if i in wanted]
    return {
        **_column(left, 0, width - RIGHT, height, top, gap),
        **_column(right, width - RIGHT, RIGHT, height, top, gap),
    }


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
