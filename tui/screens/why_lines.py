"""The lines of a "why" page: what, value, age and source in aligned columns. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import zip_longest

from rich.cells import cell_len

from ..columns.base import Cell, View
from ..columns.why import Origin, Part, age_cell
from ..widgets.cells import cut_cells
from ..widgets.lines import BLANK, Line
from ..widgets.wrapping import wrapped

WHAT, AGE = 10, 6
LEAST_VALUE, VALUE_SHARE = 12, 0.4
NARROW = 60
"""Below this width the source stands under its value."""
AROUND = 2 + WHAT + 2 + 2 + 2 + AGE + 1
"""Cells that are not of value and source: edges, the other columns, gaps."""
MOST_LINES = 12
"""Of one value: whole sentences, but no page of somebody else's text."""


def why_lines(parts: Sequence[Part], view: View, width: int, roomy: bool) -> list[Line]:
    """One section for each part; heads stand above the columns of the first."""
    narrow = width < NARROW
    value = width - AROUND + 2 if narrow else value_width(parts, width)
    source = 0 if narrow else width - AROUND - value
    lines: list[Line] = []
    for number, part in enumerate(parts):
        if number and roomy:
            lines.append(BLANK)
        lines.append(_head(part.title, value, source, heads=not number))
        for origin in part.origins:
            lines += (_row if source else _stacked)(origin, view, value, source)
    return lines


def value_width(parts: Sequence[Part], width: int) -> int:
    """As wide as the widest value, within a share of the line."""
    room = width - AROUND
    longest = max((cell_len(o.value[0]) for part in parts for o in part.origins), default=0)
    return max(LEAST_VALUE, min(longest, int(room * VALUE_SHARE)))


def _head(title: str, value: int, source: int, heads: bool) -> Line:
    used = WHAT + 2 + value + 2
    if not heads or not source:
        whole = used + source + (2 if source else 0) + AGE
        return Line(((title, "bright"), (" " + "─" * (whole - len(title) - 1), "line")))
    rule = " " + "─" * max(0, used - len(title) - 3) + "  "
    return Line(
        (
            (title, "bright"),
            (rule, "line"),
            (f"{'age':>{AGE}}  source", "dim"),
        )
    )


def _row(origin: Origin, view: View, value: int, source: int) -> list[Line]:
    age = age_cell(origin, view)
    lines = []
    values = wrapped(origin.value[0], value, MOST_LINES, view.cut)
    for number, (left, right) in enumerate(zip_longest(values, _source(origin, source))):
        what, old = ("", "") if number else (origin.what, age[0])
        cells: list[Cell] = [
            (what.ljust(WHAT + 2), "dim"),
            (_padded(left or "", value) + "  ", origin.value[1]),
            (f"{old:>{AGE}}  ", "dim"),
            *(right or ()),
        ]
        lines.append(Line(tuple(cells)))
    return lines


def _stacked(origin: Origin, view: View, value: int, source: int) -> list[Line]:
    """Value and age, and below them the source."""
    age = age_cell(origin, view)
    lines = []
    for number, text in enumerate(wrapped(origin.value[0], value, MOST_LINES, view.cut)):
        what = (origin.what if not number else "").ljust(WHAT + 2)
        shown = (_padded(text, value) + "  ", origin.value[1])
        lines.append(Line(((what, "dim"), shown, *(((age[0].rjust(AGE), "dim"),)[number:]))))
    lead: Cell = (" " * (WHAT + 2), "")
    below = _source(origin, value + 2 + AGE)
    return [*lines, *(Line((lead, *cells)) for cells in below)]


def _source(origin: Origin, width: int) -> list[tuple[Cell, ...]]:
    """Who told it, and in dim how; in one line where both fit."""
    style = "" if origin.known else "dim"
    words = f"{origin.source}: {origin.note}" if origin.note else origin.source
    lines = wrapped(words, width)
    head = len(origin.source) + (1 if origin.note else 0)
    found: list[tuple[Cell, ...]] = []
    for line in lines:
        told = line[:head]
        found.append(((told, style), (line[head:], "dim")))
        head = max(0, head - len(line) - 1)
    return found


def _padded(text: str, width: int) -> str:
    return cut_cells(text, width, "") + " " * max(0, width - cell_len(text))
