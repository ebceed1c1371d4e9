"""What a person sees on a terminal, cell by cell, as an emulator tells it."""

from __future__ import annotations

from typing import Any

import pyte

Cells = list[list[list[Any]]]
"""Lines of cells: character, colours, and how they are drawn; comparable after JSON."""
PLAIN = ("default", False, False)


def painted(text: str, width: int, height: int) -> Cells:
    """What stands on an empty terminal after ``text``."""
    screen = pyte.Screen(width, height)
    stream = pyte.Stream(screen)
    stream.feed("\x1b[?7l")
    stream.feed(text)
    return cells(screen)


def cells(screen: pyte.Screen) -> Cells:
    """What stands on a terminal."""
    columns = range(screen.columns)
    return [[_seen(screen.buffer[y][x]) for x in columns] for y in range(screen.lines)]


def _seen(char: Any) -> list[Any]:
    """Of a blank nobody sees colour, weight or slant."""
    drawn = [char.underscore, char.reverse, char.strikethrough]
    blank = char.data in ("", " ") and not any(drawn)
    return [char.data, char.bg, *(PLAIN if blank else (char.fg, char.bold, char.italics)), *drawn]


def differences(wanted: Cells, found: Cells) -> list[str]:
    """Where they differ, for a person; the size first."""
    sizes = [(len(lines[0]) if lines else 0, len(lines)) for lines in (wanted, found)]
    if sizes[0] != sizes[1]:
        return [f"{sizes[0]} became {sizes[1]}"]
    pairs = zip(wanted, found, strict=True)
    return [
        f"line {y}, column {x}: {one} became {other}"
        for y, (left, right) in enumerate(pairs)
        for x, (one, other) in enumerate(zip(left, right, strict=True))
        if one != other
    ]
