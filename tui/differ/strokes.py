"""From the cells of a line that changed to strokes: texts of one style, each drawn in one go."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from .cells import Cell, Pen

Row = list[Cell | None]
BRIDGE = 4
"""So many unchanged cells cost no more than a move over them."""


class Stroke(NamedTuple):
    """A text of one style on one line."""

    y: int
    x: int
    end: int
    """The column behind it."""
    pen: Pen
    text: str
    sure: bool
    """Terminals agree where it ends."""


def strokes(y: int, row: Row, columns: Sequence[int]) -> Iterator[Stroke]:
    """What to draw so that ``columns`` (ascending) of line ``y`` show what ``row`` holds."""
    start = end = 0
    pen: Pen | None = None
    bare = True  # nothing but blanks so far: whatever stands on the same background may join
    for column in columns:
        x, cell = _whole(row, column)
        if cell is None or (x < end and end):
            continue
        gap = x != end and (pen is None or not _reaches(row[end:x], pen))
        if pen is None or gap or not _joins(cell, pen, bare):
            if pen is not None:
                yield _stroke(y, row, start, end, pen)
            start, pen, bare = x, cell.pen, True
        elif not _fits(cell, pen):
            pen = cell.pen
        end, bare = x + cell.width, bare and cell.text == " "
        if cell.risky:
            yield _stroke(y, row, start, end, pen, sure=False)
            pen = None
    if pen is not None:
        yield _stroke(y, row, start, _to_the_edge(row, end, pen), pen)


def _stroke(y: int, row: Row, start: int, end: int, pen: Pen, sure: bool = True) -> Stroke:
    text = "".join([cell.text for cell in row[start:end] if cell is not None])
    return Stroke(y, start, end, pen, text, sure)


def _whole(row: Row, x: int) -> tuple[int, Cell | None]:
    """The cell there, of a wide one its left half; None if it is not known."""
    cell = row[x]
    if cell is None or cell.width:
        return x, cell
    left = row[x - 1] if x else None
    return x - 1, left if left is not None and left.width == 2 else None


def _fits(cell: Cell, pen: Pen) -> bool:
    return cell.pen is pen or (cell.text == " " and cell.pen is pen.blank)


def _joins(cell: Cell, pen: Pen, bare: bool) -> bool:
    return _fits(cell, pen) or (bare and cell.pen.blank is pen)


def _reaches(between: Sequence[Cell | None], pen: Pen) -> bool:
    """Whether to write again what stands between: never more than a move over it."""
    return len(between) <= BRIDGE and all(
        cell is not None and cell.width == 1 and not cell.risky and _fits(cell, pen)
        for cell in between
    )


def _to_the_edge(row: Row, end: int, pen: Pen) -> int:
    """Blanks up to the edge, changed or not, are erased as cheaply as one."""
    blank = pen.blank[" "]
    if row[end - 1] is blank and all(cell is blank for cell in row[end:]):
        return len(row)
    return end
