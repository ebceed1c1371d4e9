"""The screen of a running app as text: its characters, and below them a map of its styles."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import unescape
from typing import Any

from rich.cells import cell_len
from rich.color import Color
from rich.style import Style
from textual.app import App
from textual.strip import Strip

from celery_tui.theme import NIGHT, PAPER

ON_PAGE = ("bg", "default")
"""Backgrounds whose blank cells are left blank in the map."""
SPARE = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789abcdefghijklmnopqrstuvwxyz+*#@%&=~"


@dataclass(frozen=True, slots=True)
class Glyph:
    """One character and the name of its style: ``dim on band``."""

    text: str
    style: str
    cells: int


def strips(app: App[Any]) -> list[Strip]:
    """The lines of the screen on top, as they would be sent to a terminal."""
    return app.screen._compositor.render_strips()


def text_lines(app: App[Any]) -> list[str]:
    """The characters alone, blanks at the ends included."""
    return [strip.text for strip in strips(app)]


def screen_text(app: App[Any]) -> str:
    """Characters, then one letter a style at the same cells, then what the letters mean."""
    rows = [list(_glyphs(strip)) for strip in strips(app)]
    letters = _letters({glyph.style for row in rows for glyph in row if glyph.style})
    text = ["".join(glyph.text for glyph in row).rstrip() for row in rows]
    styles = [
        "".join((letters.get(glyph.style) or " ") * glyph.cells for glyph in row).rstrip()
        for row in rows
    ]
    legend = sorted(f"{letter} {style}" for style, letter in letters.items())
    width, height = app.size
    return "\n".join([f"{width}x{height}", *text, "-- styles", *styles, "-- legend", *legend, ""])


def _glyphs(strip: Strip) -> Iterator[Glyph]:
    for segment in strip:
        style = segment.style or Style.null()
        for char in segment.text:
            name = _blank_name(style) if char == " " else style_name(style)
            yield Glyph(char, name, cell_len(char))


def style_name(style: Style) -> str:
    """``crit bold on band``, by the palette's tokens; other colours as they are."""
    words = ["ink" if (ink := _token(style.color)) == "bg" else ink or "default"]
    words += [name for name in ("bold", "dim", "underline", "reverse") if getattr(style, name)]
    paper = _token(style.bgcolor)
    return " ".join(words) + (f" on {paper}" if paper not in ("", *ON_PAGE) else "")


def _blank_name(style: Style) -> str:
    """Of a blank only the background is seen."""
    paper = _token(style.color if style.reverse else style.bgcolor)
    seen = [name for name in ("underline", "reverse") if getattr(style, name)]
    seen += [f"on {paper}"] if paper not in ("", *ON_PAGE) else []
    return " ".join(seen)


def _token(color: Color | None) -> str:
    if color is None:
        return ""
    if color.is_default:
        return "default"
    if color.triplet is None:
        return color.name
    code = color.triplet.hex.upper()
    return next((n for tone in (NIGHT, PAPER) for n, c in tone.items() if c == code), code)


def _letters(names: set[str]) -> dict[str, str]:
    """Style -> letter: the first free one of its own words, so that few letters ever change."""
    given: dict[str, str] = {}
    for name in sorted(names):
        wanted = "".join(word[0] + word[0].upper() for word in name.split() if word != "on")
        free = (letter for letter in wanted + SPARE if letter not in given.values())
        given[name] = next(free)
    return given


# -- the same, from Textual's public screenshot -------------------------------------------------

TEXT = re.compile(
    r'<text class="\S+-(?P<style>r\d+)" x="(?P<x>[\d.]+)" [^>]*'
    r'clip-path="url\(#\S+-line-(?P<line>\d+)\)">(?P<text>[^<]*)</text>'
)
RULE = re.compile(r"\.\S+-(?P<style>r\d+) \{ fill: (?P<color>#[0-9a-f]{6})(?P<rest>[^}]*)\}")
NOT_SEEN = " \xa0\n"
CELL = 12.2
"""Width of a cell in the screenshots of Rich."""


def screenshot_cells(svg: str, width: int) -> dict[tuple[int, int], tuple[str, str, bool]]:
    """(line, column) -> character, colour and boldness in an SVG screenshot, without blanks."""
    rules = {rule["style"]: rule for rule in RULE.finditer(svg)}
    found: dict[tuple[int, int], tuple[str, str, bool]] = {}
    for match in TEXT.finditer(svg):
        rule = rules[match["style"]]
        column = round(float(match["x"]) / CELL)
        for char in unescape(match["text"]):
            if char not in NOT_SEEN:
                told = (char, rule["color"].upper(), "bold" in rule["rest"])
                found[int(match["line"]), column] = told
            column += cell_len(char)
    return found


def composed_cells(lines: Sequence[Strip]) -> dict[tuple[int, int], tuple[str, str, bool]]:
    """The same from strips, for themes whose styles all have colours."""
    found: dict[tuple[int, int], tuple[str, str, bool]] = {}
    for line, strip in enumerate(lines):
        column = 0
        for segment in strip:
            style = segment.style or Style.null()
            color = style.bgcolor if style.reverse else style.color
            for char in segment.text:
                if char not in NOT_SEEN and color is not None and color.triplet is not None:
                    told = (char, color.triplet.hex.upper(), bool(style.bold))
                    found[line, column] = told
                column += cell_len(char)
    return found
