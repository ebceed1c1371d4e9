"""What the terminal shows, cell by cell, and the shortest way to what it shall show."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from . import scroll
from .cells import ONE_CELL, Cell, Pen, Pens, UnknownContent, clusters, turn
from .scroll import Row

Run = tuple[str, str]
"""A text and the parameters of its colour code."""
Patch = tuple[int, int, Iterable[Run]]
"""Line, column, and what stands from there on."""
BRIDGE = 4
"""So many unchanged cells cost no more than a move over them."""


class Grid:
    """Knows nothing at first, and after ``forget``: then whatever comes is sent."""

    def __init__(self) -> None:
        self._pens = Pens()
        self._rows: list[Row] = []
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
        self._risky.clear()

    def update(self, width: int, height: int, patches: Iterable[Patch]) -> str:
        """What to send so that the terminal shows ``patches``; empty: it does already.

        Expects and leaves a terminal whose style is reset. Raises UnknownContent, and then knows
        nothing any more.
        """
        if self._pens.too_many():
            self._pens.clear()
            self.forget()
        if (width, height) != self.size:
            self.forget()
            self._rows, self._width = [[None] * width for _ in range(height)], width
        try:
            rows = self._patched(patches)
        except UnknownContent:
            self.forget()
            raise
        return self._sent(rows)

    def _patched(self, patches: Iterable[Patch]) -> dict[int, Row]:
        rows: dict[int, Row] = {}
        for y, x, runs in patches:
            if not (0 <= y < len(self._rows) and 0 <= x < self._width):
                raise UnknownContent(f"line {y}, column {x}")
            row = rows.get(y)
            if row is None:
                row = rows[y] = self._rows[y].copy()
            end = self._put(row, x, runs, y)
            _mend(row, x, end)
        return rows

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

    # -- output -------------------------------------------------------------------------------

    def _sent(self, rows: dict[int, Row]) -> str:
        out = self._scrolled(rows)
        pen = reset = self._pens[""]
        for y in sorted(rows):
            old, new = self._rows[y], rows[y]
            if old == new:
                continue
            pen = self._line(y, old, new, pen, out)
            self._rows[y] = new
        if pen is not reset:
            out.append("\x1b[m")
        return "".join(out)

    def _scrolled(self, rows: dict[int, Row]) -> list[str]:
        """Let the terminal move lines that only moved. Adds lines that must be put back."""
        move = scroll.found(self._rows, rows)
        if move is None or not self._risky.isdisjoint(range(move.top, move.bottom + 1)):
            return []
        for y in range(move.top, move.bottom + 1):
            rows.setdefault(y, self._rows[y])
        self._rows[move.top : move.bottom + 1] = move.applied(self._rows, self._width)
        return [move.sequence()]

    def _changed(self, y: int, old: Row, new: Row) -> Sequence[int]:
        """Columns to write."""
        changed = [x for x, (a, b) in enumerate(zip(old, new, strict=True)) if a is not b]
        if y in self._risky:
            if any(cell is not None and cell.risky for cell in (*old, *new)):
                return range(changed[0], len(new))
            self._risky.discard(y)
        return changed

    def _line(self, y: int, old: Row, new: Row, pen: Pen, out: list[str]) -> Pen:
        """Append what turns line ``y`` into ``new``; the pen it leaves behind."""
        append = out.append
        # The column of the terminal's cursor, if it has moved to this line and that is sure.
        at, moved = 0, False
        for x in self._changed(y, old, new):
            if moved and x < at:
                continue  # the right half of what was just written
            cell = new[x]
            if cell is None:
                continue
            if not cell.width:
                x -= 1
                cell = new[x]
                if cell is None or cell.width < 2:
                    continue
            if not moved:
                append(f"\x1b[{y + 1};{x + 1}H" if x else f"\x1b[{y + 1}H")
            elif x != at:
                append(_over(new[at:x], pen))
            if cell.pen is not pen and not (cell.text == " " and cell.pen is pen.blank):
                append(turn(pen.sgr, cell.pen.sgr))
                pen = cell.pen
            append(cell.text)
            at = x + cell.width
            moved = at < self._width and not cell.risky
        return pen


def _over(between: Row, pen: Pen) -> str:
    """From one change to the next: by writing again what stands between, where that is shorter."""
    if len(between) <= BRIDGE:
        cells = [c for c in between if c is not None and c.width == 1 and not c.risky]
        if len(cells) == len(between) and all(_fits(cell, pen) for cell in cells):
            return "".join([cell.text for cell in cells])
    return f"\x1b[{len(between)}C" if len(between) > 1 else "\x1b[C"


def _fits(cell: Cell, pen: Pen) -> bool:
    return cell.pen is pen or (cell.text == " " and cell.pen is pen.blank)


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
