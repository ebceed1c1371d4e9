"""Cells and pens, each made once: two cells are alike when they are the same object."""

from __future__ import annotations

import unicodedata
from functools import lru_cache

from rich.cells import cell_len

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


# -- colour codes -------------------------------------------------------------------------------

OFF = {
    "1": "22", "2": "22", "3": "23", "4": "24", "5": "25", "6": "25", "7": "27", "8": "28",
    "9": "29", "21": "24", "51": "54", "52": "54", "53": "55",
}  # fmt: skip
"""Attribute -> what switches it off, and with it others that share the switch."""
ON_BLANKS = frozenset({"4", "5", "6", "7", "9", "21", "51", "52", "53"})
"""Attributes that are seen where nothing is written."""


@lru_cache(maxsize=1024)
def parts(sgr: str) -> tuple[tuple[str, ...], str, str]:
    """Attributes, foreground and background of a colour code; empty: the terminal's own."""
    attributes: list[str] = []
    front = back = ""
    codes = iter(sgr.split(";") if sgr else ())
    for code in codes:
        if code in ("38", "48"):
            kind = next(codes)
            rest = [next(codes) for _ in range(3 if kind == "2" else 1)]
            whole = ";".join((code, kind, *rest))
            front, back = (whole, back) if code == "38" else (front, whole)
        elif code in OFF:
            attributes.append(code)
        elif code.startswith(("4", "10")):
            back = "" if code == "49" else code
        else:
            front = "" if code == "39" else code
    return tuple(attributes), front, back


@lru_cache(maxsize=1024)
def seen_on_blank(sgr: str) -> str:
    """The colour code of a blank that looks the same."""
    attributes, _, back = parts(sgr)
    return back if ON_BLANKS.isdisjoint(attributes) else sgr


@lru_cache(maxsize=8192)
def turn(old: str, new: str) -> str:
    """The shortest sequence that turns a terminal from one style to another."""
    full = f"\x1b[0;{new}m" if new else "\x1b[m"
    had, old_front, old_back = parts(old)
    has, front, back = parts(new)
    off = {OFF[code] for code in had if code not in has}
    codes = [*sorted(off), *(code for code in has if code not in had or OFF[code] in off)]
    codes += [front or "39"] if front != old_front else []
    codes += [back or "49"] if back != old_back else []
    if not codes:
        return ""
    return min(full, f"\x1b[{';'.join(codes)}m", key=len)
