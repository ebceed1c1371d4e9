"""What the terminal shows, cell by cell, and the shortest way to what it shall show."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from . import scroll
from .cells import ONE_CELL, Pen, Pens, UnknownContent, clusters
from .plotter import plotted
from .strokes import Row, Stroke, strokes

Run = tuple[str, str]
"""A text and the parameters of its colour code."""
Patch = tuple[int, int, Iterable[Run]]
"""Line, column, and what stands from there on."""


class Grid:
    """Knows nothing at first, and after ``forget``: then whatever comes is sent.

    ``erases``: where the terminal erases, it leaves the background of the present style.
    """

    def __init__(self, erases: bool = False) -> None:
        self._erases = erases
        self._pens = Pens()
        self._rows: list[Row] = []
        self._wanted: dict[int, Row] = {}
        """Lines that shall be shown, and are not yet."""
        self._width = 0
        self._risky: set[int] = set()
        """Lines on which something of a doubtful width may stand."""

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of what is known; (0, 0): nothing."""
        return self._width, len(self._rows)

    def forget(self) -> None:
        """The terminal may show anything."""
        self._rows, self._width = [], 0
        self._wanted.clear()
        self._risky.clear()

    def want(self, width: int, height: int, patches: Iterable[Patch]) -> None:
        """The terminal shall show ``patches``. Raises UnknownContent, and then nothing is known."""
        if self._pens.too_many():
            self._pens.clear()
            self.forget()
        if (width, height) != self.size:
            self.forget()
            self._rows, self._width = [[None] * width for _ in range(height)], width
        try:
            self._patch(patches)
        except UnknownContent:
            self.forget()
            raise

    def update(self) -> str:
        """What to send so that the terminal shows all that is wanted; empty: it does already.

        Expects and leaves a terminal whose style is reset.
        """
        moved = self._scrolled()
        drawn: list[Stroke] = []
        for y in sorted(self._wanted):
            old, new = self._rows[y], self._wanted[y]
            if old != new:
                drawn += strokes(y, new, self._changed(y, old, new))
                self._rows[y] = new
        self._wanted.clear()
        return moved + plotted(drawn, self._width, self._pens[""], self._erases)

    def _scrolled(self) -> str:
        """Let the terminal move lines that only moved. Adds lines that must be put back."""
        move = scroll.found(self._rows, self._wanted)
        if move is None or not self._risky.isdisjoint(range(move.top, move.bottom + 1)):
            return ""
        for y in range(move.top, move.bottom + 1):
            self._wanted.setdefault(y, self._rows[y])
        self._rows[move.top : move.bottom + 1] = move.applied(self._rows, self._width)
        return move.sequence()

    def _changed(self, y: int, old: Row, new: Row) -> Sequence[int]:
        """Columns to write."""
        changed = [x for x, (a, b) in enumerate(zip(old, new, strict=True)) if a is not b]
        if y in self._risky:
            if any(cell is not None and cell.risky for cell in (*old, *new)):
                return range(changed[0], len(new))
            self._risky.discard(y)
        return changed

    # -- what is wanted -----------------------------------------------------------------------

    def _patch(self, patches: Iterable[Patch]) -> None:
        for y, x, runs in patches:
            if not (0 <= y < len(self._rows) and 0 <= x < self._width):
                raise UnknownContent(f"line {y}, column {x}")
            row = self._wanted.get(y)
            if row is None:
                row = self._wanted[y] = self._rows[y].copy()
            end = self._put(row, x, runs, y)
            _mend(row, x, end)

    def _put(self, row: Row, x: int, runs: Iterable[Run], y: int) -> int:
        """Write into a row; the column behind what was written."""
        pens, width = self._pens, self._width
        for text, sgr in runs:
            pen = pens[sgr]
            if (text.isascii() and text.isprintable()) or ONE_CELL.issuperset(text):
                end = x + len(text)
                if end > width:
                    raise UnknownContent("text beyond the line")
                row[x:end] = map(pen.__getitem__, text)
                x = end
            else:
                x = self._put_clusters(row, x, text, pen, y)
        return x

    def _put_clusters(self, row: Row, x: int, text: str, pen: Pen, y: int) -> int:
        for cluster, cells in clusters(text):
            if x + cells > self._width:
                raise UnknownContent("text beyond the line")
            cell = pen[cluster] if cluster in ONE_CELL else pen.other(cluster, cells)
            row[x] = cell
            row[x + 1 : x + cells] = [pen.tail] * (cells - 1)
            if cell.risky:
                self._risky.add(y)
            x += cells
        return x


def _mend(row: Row, x: int, end: int) -> None:
    """A wide character of which one half was overwritten is gone; terminals differ on the rest."""
    if x and (left := row[x - 1]) is not None and left.width == 2:
        here = row[x] if x < len(row) else None
        if here is None or here.width:
            row[x - 1] = None
    if 0 < end < len(row) and (right := row[end]) is not None and not right.width:
        before = row[end - 1]
        if before is None or before.width != 2:
            row[end] = None
