"""The last line: keys of this screen, looks first, then acts with their target count."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ..columns.base import Cell
from ..commands.base import Command, shown_key
from .lines import Line, Lines

HELP_CELLS: tuple[Cell, ...] = (("?", "acc bold"), (" help", "dim"), (" ", ""))


class KeyBar(Lines):
    """Docked at the bottom. Looks drop from the right until all fits; acts keep their keys."""

    DEFAULT_CSS = "KeyBar { dock: bottom; height: 1; width: 1fr; }"

    def update(self, commands: Sequence[Command], counts: Mapping[str, int], off: str) -> None:
        """Show these commands; ``off`` says why acts cannot be used, if they cannot."""
        width = self.app.size.width
        looks = [command for command in commands if not command.act]
        acts = [command for command in commands if command.act]
        while looks and _width(looks, acts, counts) > width - 12:
            looks.pop()
        cells: list[Cell] = []
        for command in looks:
            cells += [(shown_key(command.keys[0]), "acc bold"), (f" {command.word}  ", "dim")]
        if acts:
            cells.append(("│ ", "line"))
        words = _width(looks, acts, counts) <= width - 12
        for command in acts:
            number = f" {counts[command.id]}" if command.id in counts else ""
            cells.append((shown_key(command.keys[0]), "dim" if off else "acc bold"))
            cells.append((f" {command.word}{number}  " if words else f"{number} ", "dim"))
        self.show((Line(tuple(cells), HELP_CELLS, "band"),))


def _width(looks: Sequence[Command], acts: Sequence[Command], counts: Mapping[str, int]) -> int:
    words = sum(len(shown_key(c.keys[0])) + len(c.word) + 3 for c in (*looks, *acts))
    return (
        words + (2 if acts else 0) + sum(len(str(counts[c.id])) + 1 for c in acts if c.id in counts)
    )
