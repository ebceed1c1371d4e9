"""The sort menu: one letter a column; the letter of the present one turns it round."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from typing import Any, ClassVar

from textual.app import ComposeResult
from textual.events import Key

from ..columns.base import Cell, Column
from ..widgets.lines import Line, Lines
from .dialog import CANCEL, Dialog

Sort = tuple[str, bool]
"""Column id, and whether the largest comes first."""
TAKEN = "q"
"""Letters that mean something else here."""


def letters(columns: Sequence[Column[Any]]) -> dict[str, Column[Any]]:
    """Letter -> sortable column: its own letter, else the first free one of its words."""
    given: dict[str, Column[Any]] = {}
    sortable = [column for column in columns if column.sort]
    for column in sortable:
        letter = column.sort[0]
        if letter not in TAKEN:
            given.setdefault(letter, column)
    placed = {column.id for column in given.values()}
    for column in sortable:
        if column.id not in placed:
            spare = f"{column.title}{column.id}abcdefghijklmnoprstuvwxyz".lower()
            free = (c for c in spare if c.isalpha() and c not in given and c not in TAKEN)
            given[next(free, column.id)] = column
    order = {column.id: index for index, column in enumerate(sortable)}
    return dict(sorted(given.items(), key=lambda item: order[item[1].id]))


class SortMenu(Dialog[Sort | None]):
    """Gives back (column id, descending), or None when it was left with Esc."""

    commands = (CANCEL,)
    wide: ClassVar[int] = 34

    def __init__(
        self,
        columns: Sequence[Column[Any]],
        current: Sort | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__(clock)
        self.letters, self.current = letters(columns), current

    def content(self) -> ComposeResult:
        """A line a column."""
        said = Lines(id="said")
        said.show(self._said())
        yield said

    def buttons(self) -> ComposeResult:
        """None: letters do it."""
        yield from ()

    def title_bar(self) -> tuple[str, str, str]:
        """Looking only."""
        return "Sort by", "same letter reverses", "acc"

    def fill(self) -> None:
        """Letter, column, and how it is sorted now."""
        self.query_one("#said", Lines).show(self._said())

    def _said(self) -> list[Line]:
        return [self._line(column, letter) for letter, column in self.letters.items()]

    def _line(self, column: Column[Any], letter: str) -> Line:
        here = self.current is not None and self.current[0] == column.id
        words = column.title or column.id
        cells: list[Cell] = [(f"{letter}  ", "acc bold"), (words, "bright" if here else "")]
        if here and self.current is not None:
            cells.append((" ▾" if self.current[1] else " ▴", "bright"))
        return Line(tuple(cells), (), "band")

    def keys(self) -> Iterable[Cell]:
        """A letter, or Esc."""
        yield from self.key_cells("letter", "sort by it")
        yield from self.key_cells("escape", "close")

    def on_key(self, event: Key) -> None:
        """A letter chooses."""
        column = self.letters.get(event.key)
        if column is None:
            return
        event.stop()
        if self.current is not None and self.current[0] == column.id:
            self.dismiss((column.id, not self.current[1]))
        else:
            self.dismiss((column.id, column.right))

    def do_help(self) -> None:
        """All keys are on it."""
