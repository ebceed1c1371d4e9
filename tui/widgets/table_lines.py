"""The lines of a table as cells: its head, and one row. Pure; the widget decides what to paint."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ..columns.base import EDGE, Cell, Placed
from ..columns.rows import Head
from ..theme import Look
from .cells import cut_cells, fit

Sort = tuple[str, bool]
"""Column id, and whether the largest comes first."""


@dataclass(frozen=True, slots=True)
class Painted:
    """What one line shows: equal lines need no repaint."""

    row_id: str = ""
    cells: tuple[Cell, ...] = ()
    style: str = ""
    cursor: bool = False
    marked: bool = False

    @property
    def on(self) -> str:
        """The background it stands on."""
        return "select" if self.cursor else "mark" if self.marked else "bg"


NOTHING = Painted()


def row_cells(painted: Painted, placed: Sequence[Placed[Any]], look: Look) -> list[Cell]:
    """Cursor bar, mark, and each cell in its place."""
    cells: list[Cell] = [
        (look.cursor if painted.cursor else " ", "acc" if painted.cursor else painted.style),
        ("✱" if painted.marked else " ", "acc" if painted.marked else painted.style),
    ]
    x = EDGE
    for place, (text, words) in zip(placed, painted.cells, strict=True):
        early = hangs(text, place) and len(text) == place.width + 2
        cells.append((" " * (place.x - x - early), painted.style))
        if "/" in words:
            cells += two_styles(text, words)
            x = place.x + len(text)
        else:
            shown = _in_place(text, place, look.cut)
            cells.append((shown, words or painted.style))
            x = place.x + place.width + (hangs(text, place) and shown.endswith(")"))
    return cells


def hangs(text: str, place: Placed[Any]) -> bool:
    """An old number whose digits fit: its parentheses hang in the gaps, the digits stay in line."""
    old = place.column.right and text.startswith("(") and text.endswith(")")
    return old and len(text) <= place.width + 2


def _in_place(text: str, place: Placed[Any], cut: str) -> str:
    """The text in its width, an old number with its parentheses."""
    width = max(place.width + 1, len(text)) if hangs(text, place) else place.width
    return fit(cut_cells(text, width, cut), width, place.column.right)


def two_styles(text: str, words: str) -> list[Cell]:
    """A gauge: ``"3 data/track"`` draws the first 3 characters as data, the rest as track."""
    number, _, styles = words.partition(" ")
    first, _, rest = styles.partition("/")
    return [(text[: int(number)], first), (text[int(number) :], rest)]


def head_cells(
    head: Head, placed: Sequence[Placed[Any]], sort: Sort | None, width: int
) -> list[Cell]:
    """Title, count and note (or the first column's own head), a hairline, then the heads."""
    cells: list[Cell] = [(" " * EDGE, "")]
    named = placed[head.covers :] if head.title else placed[1:]
    room = _starts_at(named[0]) - 3 if named else width - 2
    used = EDGE
    if head.title:
        for text, words in (
            (head.title, "bright"),
            (head.count, "dim"),
            (head.note, head.note_style),
        ):
            used = _append(cells, text, words, used, room)
    elif placed:
        used = _append(cells, _title(placed[0], sort), _title_style(placed[0], sort), used, width)
    if not named:
        return [*cells, (" " + "─" * max(0, width - used - 2), "line")]
    return [*cells, *_heads(named, sort, used)]


def _heads(named: Sequence[Placed[Any]], sort: Sort | None, used: int) -> list[Cell]:
    cells: list[Cell] = []
    for place in named:
        title = _title(place, sort)
        at = _starts_at(place)
        if not title or at < used + 1:
            continue
        gap = at - used
        line = " " + "─" * (gap - 2) + " " if gap > 2 and not cells else " " * gap
        cells += [(line, "dim" if cells else "line"), (title, _title_style(place, sort))]
        used = at + len(title)
    return cells


def _starts_at(place: Placed[Any]) -> int:
    """Where a head's first letter stands: the mark of a sort hangs in the gap behind it."""
    return place.x + (place.width - len(place.column.title) if place.column.right else 0)


def _title(place: Placed[Any], sort: Sort | None) -> str:
    if sort is not None and sort[0] == place.column.id:
        return place.column.title + ("▾" if sort[1] else "▴")
    return place.column.title


def _title_style(place: Placed[Any], sort: Sort | None) -> str:
    return "bright" if sort is not None and sort[0] == place.column.id else "dim"


def _append(cells: list[Cell], text: str, words: str, used: int, limit: int) -> int:
    """Add a word of the head if it fits whole; what does not fit is left out, never cut."""
    gap = 0 if used == EDGE else 1 if len(cells) == 3 else 2
    if not text or used + gap + len(text) > limit:
        return used
    cells.append((" " * gap, "dim"))
    cells.append((text, words))
    return used + gap + len(text)
