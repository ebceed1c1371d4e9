"""A page of lines below a root screen: sections, scrolling, a breadcrumb."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from textual.app import ComposeResult

from ..columns.base import Cell, View
from ..columns.facts import Fact, in_a_row, taken
from ..commands import catalog
from ..commands.base import Command
from ..widgets.lines import BLANK, Line, Lines
from .base import BaseScreen


def section(title: str, width: int, note: str = "", right: str = "") -> Line:
    """Title, note and a hairline to the right end."""
    used = 2 + len(title) + (2 + len(note) if note else 0)
    rest = max(0, width - used - 3 - (len(right) + 1 if right else 0))
    cells: list[Cell] = [(title, "bright")]
    if note:
        cells.append((f"  {note}", "dim"))
    cells.append((" " + "─" * rest, "line"))
    if right:
        cells.append((f" {right}", "dim"))
    return Line(tuple(cells))


def labelled(width: int, *pairs: tuple[str, Cell | str]) -> list[Line]:
    """``queue pay   worker w-1``: labels dim, values as they are; wrapped between facts."""
    return wrapped_facts([fact(*pair) for pair in pairs], width)


def fact(label: str, value: Cell | str) -> Fact:
    """``queue pay``: the label dim."""
    return Fact(((f"{label} ", "dim"), (value, "") if isinstance(value, str) else value))


def wrapped_facts(facts: Iterable[Fact], width: int) -> list[Line]:
    """Facts in rows; none is broken."""
    rows: list[list[Fact]] = [[]]
    for one in facts:
        if rows[-1] and taken([*rows[-1], one]) > width - 3:
            rows.append([])
        rows[-1].append(one)
    return [Line(in_a_row(row)) for row in rows]


class PageScreen(BaseScreen):
    """Subclasses give ``lines(view, width)`` and the breadcrumb."""

    commands: ClassVar[tuple[Command, ...]] = (*catalog.SCROLLS, catalog.YANK, *catalog.EVERYWHERE)
    AUTO_FOCUS = ""
    CSS_PATH = "page.tcss"

    def body(self) -> ComposeResult:
        """One block of lines."""
        yield Lines(id="page")

    @property
    def page(self) -> Lines:
        """The block of lines."""
        return self.query_one("#page", Lines)

    def lines(self, view: View, width: int) -> list[Line]:
        """The page's text."""
        raise NotImplementedError

    def paint(self, view: View) -> None:
        """All lines; only those that changed are painted."""
        lead = [BLANK] if self.app.size.height >= 24 else []
        self.page.show([*lead, *self.lines(view, self.app.size.width)])

    def do_down(self) -> None:
        """Scroll."""
        self.page.scroll_lines(1)

    def do_up(self) -> None:
        """Scroll."""
        self.page.scroll_lines(-1)

    def do_page_down(self) -> None:
        """Scroll."""
        self.page.scroll_lines(max(1, self.page.size.height - 1))

    def do_page_up(self) -> None:
        """Scroll."""
        self.page.scroll_lines(-max(1, self.page.size.height - 1))

    def do_top(self) -> None:
        """Scroll."""
        self.page.scroll_lines(-1_000_000)

    def do_bottom(self) -> None:
        """Scroll."""
        self.page.scroll_lines(1_000_000)
