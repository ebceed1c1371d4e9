"""How findings are worded: counts, lists of names, and the short text's width."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

SHORT_CELLS = 44
NAMES_SHOWN = 3


def plural(count: int, noun: str) -> str:
    """``1 message``, ``88,110 messages``."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def names(found: Sequence[str]) -> str:
    """``a, b, c and 4 more``."""
    shown = ", ".join(found[:NAMES_SHOWN])
    more = len(found) - NAMES_SHOWN
    return f"{shown} and {more} more" if more > 0 else shown


def duration(seconds: float) -> str:
    """``38 s``, ``12 min``, ``3 h``."""
    if seconds < 100:
        return f"{max(0, int(seconds))} s"
    return f"{int(seconds / 60)} min" if seconds < 6000 else f"{int(seconds / 3600)} h"


def fitted(text: str, cells: int = SHORT_CELLS) -> str:
    """``text`` in at most ``cells`` terminal cells; what is cut says so."""
    if sum(map(_cells, text)) <= cells:
        return text
    kept, used = "", 0
    for character in text:
        used += _cells(character)
        if used > cells - 1:
            break
        kept += character
    return f"{kept}…"


def _cells(character: str) -> int:
    # Control characters are shown as visible signs of up to two cells.
    wide = unicodedata.east_asian_width(character) in "WF" or character < " "
    return 2 if wide else 1
