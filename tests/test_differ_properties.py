"""Whatever is painted, in whatever order: the terminal shows what drawing all of it would show."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import NamedTuple

import pyte
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from rich.cells import cell_len

from celery_tui.differ.cells import clusters
from celery_tui.differ.grid import Grid, Patch
from celery_tui.differ.strokes import Row
from tests.test_differ import CODES

WIDTH, HEIGHT = 12, 4
LETTERS = ("a", "b", " ", "  ", "─", "é", "e\u0301", "漢", "字", "👍", "x" * 5, " " * 7)
"""Plain, blank, with marks, wide: what differs in how it is written."""


class Frame(NamedTuple):
    """What is to be shown from now on; whether it is sent at once, or with the next."""

    patches: list[Patch]
    sent: bool
    forgotten: bool
    """Whether somebody else wrote on the terminal before."""


@st.composite
def patches(draw: st.DrawFn) -> Patch:
    """A piece of a line that ends within it."""
    x = draw(st.integers(0, WIDTH - 1))
    left, runs = WIDTH - x, []
    for text, sgr in draw(st.lists(st.tuples(st.sampled_from(LETTERS), st.sampled_from(CODES)))):
        if cell_len(text) <= left:
            runs.append((text, sgr))
            left -= cell_len(text)
    return draw(st.integers(0, HEIGHT - 1)), x, runs


frames = st.builds(
    Frame, st.lists(patches(), max_size=6), st.booleans(), st.integers(0, 9).map(lambda n: n == 0)
)


class Drawn:
    """What each cell must show: who wrote there last; None where half a character was left."""

    def __init__(self) -> None:
        self.cells: list[list[tuple[str, str] | None]] = [[None] * WIDTH for _ in range(HEIGHT)]

    def draw(self, patch: Patch) -> None:
        """One after the other, as Textual sends them."""
        y, x, runs = patch
        for text, sgr in runs:
            for cluster, width in clusters(text):
                self._half(y, x)
                self._half(y, x + width)
                self.cells[y][x : x + width] = [(cluster, sgr), *[("", sgr)] * (width - 1)]
                x += width

    def _half(self, y: int, x: int) -> None:
        """A wide character that is cut here is gone; terminals differ on what is left of it."""
        if 0 < x < WIDTH and (here := self.cells[y][x]) is not None and here[0] == "":
            self.cells[y][x - 1] = self.cells[y][x] = None

    def forget(self) -> None:
        """Nothing is known of what the terminal shows."""
        self.cells = [[None] * WIDTH for _ in range(HEIGHT)]


def seen(screen: pyte.Screen, y: int, x: int) -> object:
    """A cell as a person sees it: of a blank neither colour, weight nor slant."""
    char = screen.buffer[y][x]
    if char.data not in ("", " ") or char.underscore or char.reverse or char.strikethrough:
        return char
    return char.bg


@given(st.lists(frames, max_size=12), st.booleans())
def test_the_terminal_shows_what_was_written_last(all_of_it: list[Frame], erases: bool) -> None:
    shows(Grid(erases), all_of_it)


def shows(grid: Grid, all_of_it: list[Frame]) -> None:
    """Paint it all, and compare whatever is known each time something was sent."""
    drawn, terminal = Drawn(), pyte.Screen(WIDTH, HEIGHT)
    stream = pyte.Stream(terminal)
    stream.feed("\x1b[?7l")
    for number, frame in enumerate(all_of_it):
        if frame.forgotten:
            grid.forget()
            drawn.forget()
            stream.feed("\x1b[2J\x1b[1;1H\x1b[1;7mSOMEBODY\x1b[m")
        grid.want(WIDTH, HEIGHT, frame.patches)
        for patch in frame.patches:
            drawn.draw(patch)
        if frame.sent or number == len(all_of_it) - 1:
            stream.feed(grid.update())
            matches(drawn, terminal)


def matches(drawn: Drawn, terminal: pyte.Screen) -> None:
    """Each known cell, against one that is drawn alone."""
    for y, row in enumerate(drawn.cells):
        for x, cell in enumerate(row):
            if cell is not None and cell[0]:
                assert seen(terminal, y, x) == alone(*cell), (y, x, cell)


@cache
def alone(cluster: str, sgr: str) -> object:
    """How it looks on a terminal on which nothing else was ever drawn."""
    screen = pyte.Screen(4, 1)
    pyte.Stream(screen).feed(f"\x1b[{sgr}m{cluster}" if sgr else cluster)
    return seen(screen, 0, 0)


class Careless(Grid):
    """Broken on purpose: it takes a blank for any other blank."""

    def _changed(self, y: int, old: Row, new: Row) -> Sequence[int]:
        changed = super()._changed(y, old, new)
        return [x for x in changed if (cell := new[x]) is None or cell.text != " "]


def test_a_broken_grid_is_found_out() -> None:
    @settings(phases=(Phase.generate,))  # the smallest example is nobody's business
    @given(st.lists(frames, max_size=12))
    def painted_carelessly(all_of_it: list[Frame]) -> None:
        shows(Careless(), all_of_it)

    with pytest.raises(AssertionError):
        painted_carelessly()
