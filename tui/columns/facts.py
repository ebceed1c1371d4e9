"""Facts in a row: each stands or falls whole; those of least importance are left out first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from .base import Cell

FOREVER = 100


@dataclass(frozen=True, slots=True)
class Fact:
    """Cells that stand or fall together; the smallest ``keep`` goes first."""

    cells: tuple[Cell, ...]
    keep: int = FOREVER
    slot: int = 0
    """Cells it owns at least, so that what follows does not move."""

    @property
    def width(self) -> int:
        """Cells it takes."""
        return max(self.slot, sum(len(text) for text, _ in self.cells))


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
