"""Cells and pens, each made once: two cells are alike when they are the same object."""

from __future__ import annotations

import unicodedata
from functools import lru_cache

from rich.cells import cell_len

from .sgr import parts, seen_on_blank

ONE_CELL = frozenset(
    chr(code)
    for first, last in (
        (0x20, 0x7E), (0xA1, 0xAC), (0xAE, 0x2FF), (0x370, 0x377), (0x391, 0x3A1), (0x3A3, 0x482),
        (0x2010, 0x2027), (0x2030, 0x205E), (0x2190, 0x22FF), (0x2500, 0x25FC), (0x2800, 0x28FF),
    )
    for code in range(first, last + 1)
)  # fmt: skip
"""Characters that take one cell everywhere, as far as what stands behind them is concerned."""
JOINER = "\u200d"
MOST_CELLS = 50_000
"""More kinds of cells than a session ever shows: then all are forgotten."""


class UnknownContent(Exception):
    """Something that cannot be put into cells; Textual's own output is used for it."""


class Cell:
    """What one place of the terminal shows."""

    __slots__ = ("pen", "risky", "text", "width")

    def __init__(self, text: str, width: int, pen: Pen, risky: bool) -> None:
        self.text = text
        """A character with its marks; empty: the right half of the cell before it."""
        self.width = width
        """Cells it takes; 0 for a right half."""
        self.pen = pen
        self.risky = risky
        """Terminals may disagree on its width: the rest of its line is sent with it."""


class Pen(dict[str, Cell]):
    """One style, and its cells of one column, by their character."""

    def __init__(self, sgr: str, pens: Pens) -> None:
        super().__init__()
        self.sgr = sgr
        """Parameters of the colour code that turns a reset terminal to this style."""
        seen = seen_on_blank(sgr)
        self.blank: Pen = self if seen == sgr else pens[seen]
        """What is seen of this style where nothing is written."""
        back = parts(sgr)[2]
        self.erasable = seen == back
        """Its blanks are what the terminal leaves where it erases, if that takes the background."""
        self.plain = seen == ""
        """Its blanks are the terminal's own."""
        self.tail = Cell("", 0, self, False)
        self.others: dict[str, Cell] = {}
        """Wide characters, and characters with marks."""

    def __missing__(self, text: str) -> Cell:
        cell = self.blank[text] if text == " " and self.blank is not self else None
        self[text] = cell = cell or Cell(text, 1, self, False)
        return cell

    def other(self, text: str, width: int) -> Cell:
        """A cell of ``width`` columns."""
        cell = self.others.get(text)
        if cell is None:
            risky = len(text) > 1 or not _agreed(text, width)
            cell = self.others[text] = Cell(text, width, self, risky)
        return cell


class Pens(dict[str, Pen]):
    """All styles by their colour code."""

    def __missing__(self, sgr: str) -> Pen:
        pen = self[sgr] = Pen(sgr, self)
        return pen

    def too_many(self) -> bool:
        """Whether they take more memory than they are worth."""
        return sum(len(pen) + len(pen.others) for pen in self.values()) > MOST_CELLS


@lru_cache(maxsize=2048)
def clusters(text: str) -> tuple[tuple[str, int], ...]:
    """Characters with their marks, and the cells they take. Raises UnknownContent."""
    found: list[str] = []
    for char in text:
        joins = bool(found) and (cell_len(char) == 0 or found[-1].endswith(JOINER))
        if unicodedata.category(char) in ("Cc", "Cs") or (not joins and cell_len(char) == 0):
            raise UnknownContent(f"character {ord(char):#x} stands alone")
        if joins:
            found[-1] += char
        else:
            found.append(char)
    split = tuple((cluster, cell_len(cluster)) for cluster in found)
    if sum(width for _, width in split) != cell_len(text):
        raise UnknownContent("a width that depends on neighbours")
    return split


def _agreed(char: str, width: int) -> bool:
    """Whether terminals agree on the width: old ones know few emoji and no new characters."""
    if ord(char) > 0xFFFF or unicodedata.category(char) in ("Cn", "Co", "Cf"):
        return False
    return width == (2 if unicodedata.east_asian_width(char) in ("W", "F") else 1)
