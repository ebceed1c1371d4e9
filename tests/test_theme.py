"""The palette can be read, its glyphs take one cell, and no other file has a colour of its own."""

from __future__ import annotations

import re
import unicodedata
from itertools import product
from pathlib import Path

import pytest
from rich.cells import cell_len

from celery_tui.columns import tasks, workers
from celery_tui.screens import help as keys
from celery_tui.theme import NIGHT, PAPER, THEMES, TO_ASCII, Look

PACKAGE = Path(__file__).parents[1] / "tui"
TEXT = ("bright", "fg", "dim", "acc", "crit", "warn", "ok")
PAPERS = ("bg", "band", "mark", "select")
FILLED = ("acc", "crit", "warn", "ok")
TONES = {"night": NIGHT, "paper": PAPER}


def luminance(color: str) -> float:
    """Relative luminance as WCAG 2 defines it."""
    parts = (int(color[at : at + 2], 16) / 255 for at in (1, 3, 5))
    red, green, blue = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """Contrast ratio as WCAG 2 defines it."""
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("theme", TONES)
def test_every_text_token_can_be_read_on_every_background_it_stands_on(theme: str) -> None:
    tone = TONES[theme]
    pairs = [(tone[text], tone[paper]) for text, paper in product(TEXT, PAPERS)]
    pairs += [(tone[text], tone["track"]) for text in ("bright", "fg")]
    pairs += [(tone["ink"], tone[paper]) for paper in FILLED]
    poor = [(a, b, round(contrast(a, b), 2)) for a, b in pairs if contrast(a, b) < 4.5]
    assert not poor


@pytest.mark.parametrize("theme", TONES)
def test_gauges_and_sparklines_stand_out_from_the_page(theme: str) -> None:
    tone = TONES[theme]
    assert contrast(tone["data"], tone["bg"]) >= 3
    assert contrast(tone["ghost"], tone["bg"]) >= 2.4


def test_both_palettes_name_the_same_tones_and_each_theme_passes_them_on() -> None:
    assert NIGHT.keys() == PAPER.keys()
    for theme in THEMES.values():
        assert {f"tone-{token}" for token in NIGHT} <= theme.variables.keys()


def test_every_glyph_takes_one_cell_and_so_does_its_ascii_stand_in() -> None:
    for code, plain in TO_ASCII.items():
        assert cell_len(chr(code)) == 1, chr(code)
        assert plain.isascii()
        assert len(plain) == 1


def state_marks() -> set[str]:
    """Glyphs by which states are told apart."""
    marks = {glyph for glyph, _, _ in tasks.STATES.values()}
    marks |= {glyph for glyph, _ in workers.STATES.values()}
    return marks | {words[0] for words, _, _ in keys.STATES}


def test_state_marks_stay_one_cell_wide_on_terminals_of_east_asia() -> None:
    assert len(state_marks()) >= 10
    for mark in state_marks():
        assert cell_len(mark) == 1, mark
        assert unicodedata.east_asian_width(mark) in ("N", "Na"), mark


def test_every_glyph_of_the_program_has_an_ascii_stand_in_that_keeps_states_apart() -> None:
    marks = state_marks()
    assert all(mark.isascii() or ord(mark) in TO_ASCII for mark in marks)
    plain = Look(ascii=True)
    for glyphs in (
        {glyph for glyph, _, _ in tasks.STATES.values()},
        # silent is `?` as unknown is, and that is every worker's state or none's
        {glyph for glyph, _ in workers.STATES.values()} - {"◌"},
    ):
        assert len({plain.glyphs(mark) for mark in glyphs}) == len(glyphs)


@pytest.mark.parametrize("text", ["漢字", "e\u0301", "✗ …▐", "🫠", "\u00a0", "plain"])
def test_ascii_takes_as_many_cells_as_what_it_stands_for(text: str) -> None:
    shown = Look(ascii=True).glyphs(text)
    assert shown.isascii()
    assert len(shown) == cell_len(text)


def test_no_file_but_the_theme_has_a_colour_in_hex() -> None:
    found = [
        f"{path.name}: {match.group()}"
        for path in (*PACKAGE.rglob("*.py"), *PACKAGE.rglob("*.tcss"))
        if path != PACKAGE / "theme.py"
        for match in re.finditer(r"#(?:[0-9a-fA-F]{6}|[0-9a-fA-F]{3})\b", path.read_text("utf-8"))
    ]
    assert not found


def test_style_sheets_use_tones_whose_contrast_is_checked_and_no_blends() -> None:
    for path in PACKAGE.rglob("*.tcss"):
        blends = re.findall(r"\$(?!tone-)[\w-]+", path.read_text("utf-8"))
        assert not blends, path.name


@pytest.mark.parametrize("words", ["crit", "dim", "acc", "filled acc", "filled crit", "data", ""])
@pytest.mark.parametrize("on", ["bg", "select", "band"])
def test_mono_asks_for_no_colour_at_all(words: str, on: str) -> None:
    style = Look("mono").style(words, on)
    assert style.color is None
    assert style.bgcolor is None


def test_a_selected_row_of_the_terminals_own_colours_drops_them() -> None:
    style = Look("ansi").style("crit", "select")
    assert style.reverse
    assert style.color is None


@pytest.mark.parametrize(("theme", "ascii_only", "sign"), [
    ("night", False, "▐"), ("paper", False, "▐"), ("mono", False, ">"), ("ansi", False, ">"),
    ("night", True, ">"),
])  # fmt: skip
def test_the_cursor_sign_suits_the_theme(theme: str, ascii_only: bool, sign: str) -> None:
    assert Look(theme, ascii_only).cursor == sign
