"""Lays facts out in a width: those of least importance are left out whole."""

from __future__ import annotations

from collections.abc import Sequence

from ..columns.base import Cell
from ..columns.status import Fact


def fitting(facts: Sequence[Fact], width: int, gap: int = 3) -> list[Fact]:
    """The facts that fit, the smallest ``keep`` dropped first."""
    kept = list(facts)
    while len(kept) > 1 and taken(kept, gap) > width:
        kept.remove(min(kept, key=lambda fact: fact.keep))
    return kept


def taken(facts: Sequence[Fact], gap: int = 3) -> int:
    """Cells that facts take in a row."""
    return sum(fact.width for fact in facts) + gap * max(0, len(facts) - 1)


def in_a_row(facts: Sequence[Fact], gap: int = 3) -> tuple[Cell, ...]:
    """The cells, each fact in its slot, gaps between."""
    cells: list[Cell] = []
    for index, fact in enumerate(facts):
        if index:
            cells.append((" " * gap, ""))
        cells.extend(fact.cells)
        short = fact.width - sum(len(text) for text, _ in fact.cells)
        if short > 0 and index < len(facts) - 1:
            cells.append((" " * short, ""))
    return tuple(cells)
