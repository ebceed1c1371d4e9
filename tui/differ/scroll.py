"""Lines that only moved: the terminal moves them itself, for the price of a few cells."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import accumulate
from operator import is_
from typing import NamedTuple

from .strokes import Row

FARTHEST = 8
LEAST_LINES = 5
"""Fewer changed lines are sent as they are."""
PROBES = 4
"""Lines that tell how far all may have moved."""
LEAST_GAIN = 40
"""Cells; below that it is not worth the trouble."""
EMPTIED = 0.5
"""Of a line's cells: a line sent whole carries all its colour codes again."""


class Scroll(NamedTuple):
    """Lines ``top`` to ``bottom`` move down ``by`` lines (up, if negative)."""

    top: int
    bottom: int
    by: int

    def sequence(self) -> str:
        """For a terminal of a reset style; it leaves the cursor anywhere."""
        letter = "L" if self.by > 0 else "M"
        band = f"\x1b[{self.top + 1};{self.bottom + 1}r\x1b[{self.top + 1}H"
        return f"{band}\x1b[{abs(self.by)}{letter}\x1b[r"

    def applied(self, rows: Sequence[Row], width: int) -> list[Row]:
        """The lines ``top`` to ``bottom`` afterwards; what came in is not known."""
        band = list(rows[self.top : self.bottom + 1])
        empty: list[Row] = [[None] * width for _ in range(abs(self.by))]
        return empty + band[: -self.by] if self.by > 0 else band[-self.by :] + empty


def found(old: Sequence[Row], new: Mapping[int, Row]) -> Scroll | None:
    """The move that saves most cells, if any is worth it and all that moves is known."""
    changed = [y for y in sorted(new) if new[y] != old[y]]
    if len(changed) < LEAST_LINES:
        return None
    by = _distance(old, new, changed)
    scroll = _band(old, new, by) if by else None
    if scroll is None:
        return None
    lines = range(scroll.top, scroll.bottom + 1)
    known = all(None not in old[y] and None not in new.get(y, ()) for y in lines)
    return scroll if known else None


def _distance(old: Sequence[Row], new: Mapping[int, Row], changed: Sequence[int]) -> int:
    """How far the lines have moved; 0: not at all, or all differently."""
    probes = changed[len(changed) // (2 * PROBES) :: max(1, len(changed) // PROBES)]

    def alike_at(by: int) -> int:
        pairs = ((y, y - by) for y in probes if 0 <= y - by < len(old))
        return sum(_alike(new[y], old[source]) for y, source in pairs)

    return max(sorted(range(-FARTHEST, FARTHEST + 1), key=abs), key=alike_at)


def _band(old: Sequence[Row], new: Mapping[int, Row], by: int) -> Scroll | None:
    """The neighbouring lines that gain most by moving."""
    here = [_alike(new[y], row) if y in new else len(row) for y, row in enumerate(old)]
    gains = [
        _alike(new.get(y, old[y]), old[y - by]) - here[y] if 0 <= y - by < len(old) else -here[y]
        for y in range(len(old))
    ]
    # The best run of neighbours: a sum that starts anew once it has fallen below nothing.
    sums = list(accumulate(gains, lambda total, gain: max(total, 0) + gain))
    last = max(range(len(sums)), key=sums.__getitem__)
    first = last
    while first and sums[first - 1] > 0:
        first -= 1
    top, bottom = (first - by, last) if by > 0 else (first, last - by)
    if top < 0 or bottom >= len(old):
        return None
    emptied = range(top, first) if by > 0 else range(last + 1, bottom + 1)
    gain = sums[last] - sum(here[y] for y in emptied)
    price = LEAST_GAIN + abs(by) * len(old[0]) * EMPTIED
    return Scroll(top, bottom, by) if gain >= price else None


def _alike(one: Row, other: Row) -> int:
    return sum(map(is_, one, other))
