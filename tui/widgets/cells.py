"""Cells into segments: fitting text into a width, cell-wide characters included."""

from __future__ import annotations

from collections.abc import Iterable

from rich.cells import cell_len, set_cell_size
from rich.segment import Segment
from textual.strip import Strip

from ..columns.base import Cell
from ..theme import Look


def fit(text: str, width: int, right: bool = False) -> str:
    """``text`` in exactly ``width`` cells; what is too long was cut with its sign before."""
    if text.isascii():
        size = len(text)
        if size > width:
            return text[:width]
        return text.rjust(width) if right else text.ljust(width)
    size = cell_len(text)
    if size > width:
        return set_cell_size(text, width)
    blanks = " " * (width - size)
    return blanks + text if right else text + blanks


def cut_cells(text: str, width: int, sign: str) -> str:
    """``text`` with its tail cut to ``width`` cells, wide characters counted."""
    if (len(text) if text.isascii() else cell_len(text)) <= width:
        return text
    return set_cell_size(text, max(0, width - len(sign))).rstrip() + sign[:width]


def is_rule(text: str) -> bool:
    """Blanks and hairlines: nobody misses what is cut of them."""
    return not text.strip(" ─-")


def sign_cut(text: str, sign: str) -> str:
    """``text`` with the sign in its last cells: what would follow has no room at all."""
    return cut_cells(f"{text}  ", cell_len(text), sign)


def _bare(words: str) -> bool:
    """Whether a blank of that style shows nothing but the background."""
    return "filled" not in words and "underline" not in words


def strip_of(cells: Iterable[Cell], width: int, look: Look, on: str = "bg") -> Strip:
    """One line of cells on a background, cut (with its sign) or filled up to ``width`` cells.

    Neighbours of one style become one segment: style changes cost bytes on a slow line.
    """
    runs: list[tuple[str, str]] = []
    used = 0
    for text, words in cells:
        text = look.glyphs(text)
        size = len(text) if text.isascii() else cell_len(text)
        if used + size > width:
            text = cut_cells(text, width - used, "" if is_rule(text) else look.cut)
            text, size = fit(text, width - used), width - used
        used += size
        if text.isspace() and runs and "filled" not in runs[-1][1] and "underline" not in words:
            words = runs[-1][1] if "filled" not in words else words
        elif len(runs) == 1 and runs[0][0].isspace() and _bare(runs[0][1]) and _bare(words):
            runs[0] = (runs[0][0], words)  # the indent is drawn with what it leads to
        if runs and runs[-1][1] == words:
            runs[-1] = (runs[-1][0] + text, words)
        elif text:
            runs.append((text, words))
        if used >= width:
            break
    if used < width:
        runs.append(
            (" " * (width - used), "" if not runs or "filled" in runs[-1][1] else runs[-1][1])
        )
    return Strip([Segment(text, look.style(words, on)) for text, words in runs], width)
