"""Strokes to terminal output: the cheapest moves, few colour codes, blanks erased."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import partial

from .cells import Pen
from .sgr import turn
from .strokes import Stroke

LONG_BLANK = re.compile(" {11,}")
"""Shorter ones cost no more than to erase them and to move over them."""
TO_EDGE = 4
NEAR = 4
"""Lines or columns to which steps are cheaper than a position."""


def plotted(strokes: Sequence[Stroke], width: int, reset: Pen, erases: bool) -> str:
    """What to send; expects and leaves a terminal of a reset style.

    A colour code takes more bytes than a move: what is alike is drawn together, all over the
    screen, unless the order of reading is shorter. ``erases``: erased cells take the background.
    """
    read = _drawn(strokes, width, reset, erases)
    if len({stroke.pen.sgr for stroke in strokes}) < 2 or not all(s.sure for s in strokes):
        return read
    return min(read, _drawn(_by_pen(strokes, reset), width, reset, erases), key=len)


def _by_pen(strokes: Iterable[Stroke], pen: Pen) -> Iterable[Stroke]:
    """Those of one pen together; then the pen that is cheapest to turn to."""
    groups: dict[str, list[Stroke]] = {}
    for stroke in strokes:
        groups.setdefault(stroke.pen.sgr, []).append(stroke)
    sgr = pen.sgr
    while groups:
        sgr = min(groups, key=partial(_cost, sgr))
        yield from groups.pop(sgr)


def _cost(old: str, new: str) -> int:
    return len(turn(old, new))


def _drawn(strokes: Iterable[Stroke], width: int, pen: Pen, erases: bool) -> str:
    out: list[str] = []
    x = y = -1  # not known
    reset = pen
    for stroke in strokes:
        out.append(_move(y, x, stroke.y, stroke.x))
        if stroke.pen is not pen:
            out.append(turn(pen.sgr, stroke.pen.sgr))
            pen = stroke.pen
        text, y, x = stroke.text, stroke.y, stroke.end
        if (erases and pen.erasable) or pen.plain:
            text, x = _erased(text, x, width)
        out.append(text)
        if x >= width or not stroke.sure:
            x = -1
    if pen is not reset:
        out.append("\x1b[m")
    return "".join(out)


def _erased(text: str, end: int, width: int) -> tuple[str, int]:
    """With blanks erased; and the column where that leaves the cursor."""
    if end == width:
        bare = text.rstrip(" ")
        if len(text) - len(bare) >= TO_EDGE:
            return _hollow(bare) + "\x1b[K", end - (len(text) - len(bare))
    return _hollow(text), end


def _hollow(text: str) -> str:
    return LONG_BLANK.sub(lambda found: f"\x1b[{len(found[0])}X\x1b[{len(found[0])}C", text)


def _move(y: int, x: int, to_y: int, to_x: int) -> str:
    """The shortest way to a cell; from ``x`` -1 only by its position."""
    position = f"\x1b[{to_y + 1};{to_x + 1}H" if to_x else f"\x1b[{to_y + 1}H"
    if x < 0 or abs(to_y - y) > NEAR:
        return position
    if to_y == y:
        return _across(x, to_x)
    back = "\b" * (x - to_x) if 0 <= x - to_x < NEAR else _across(x, to_x)
    return min(position, _down(to_y - y) + back, key=len)


def _down(lines: int) -> str:
    letter = "B" if lines > 0 else "A"
    return f"\x1b[{abs(lines)}{letter}" if abs(lines) > 1 else f"\x1b[{letter}"


def _across(x: int, to_x: int) -> str:
    if to_x == x:
        return ""
    if to_x > x:
        return f"\x1b[{to_x - x}C" if to_x > x + 1 else "\x1b[C"
    return f"\x1b[{to_x + 1}G" if to_x else "\r"
