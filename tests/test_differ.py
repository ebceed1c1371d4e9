"""The differ's parts: what is sent for which change, and when Textual must do it."""

from __future__ import annotations

import unicodedata
from typing import Any

import pyte
import pytest
from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual._compositor import LayoutUpdate
from textual.geometry import Region
from textual.strip import Strip

from celery_tui.differ import textual_private
from celery_tui.differ.cells import ONE_CELL, Pens, UnknownContent, clusters
from celery_tui.differ.grid import Grid
from celery_tui.differ.sgr import turn
from tests.differ_session import Session, session
from tests.screens.sample import app_on, busy_cluster

SIZE = (80, 24)
RED, BOLD_RED, ON_BLUE = "38;2;255;0;0", "1;38;2;255;0;0", "48;2;0;0;255"


def shown(grid: Grid, *patches: tuple[int, int, list[tuple[str, str]]], width: int = 20) -> str:
    """What is sent for patches on a terminal of two lines."""
    grid.want(width, 2, patches)
    return grid.update()


# -- what is sent ---------------------------------------------------------------------------


def test_what_the_terminal_shows_already_is_not_sent() -> None:
    grid = Grid()
    assert shown(grid, (0, 0, [("hello", RED)]))
    assert shown(grid, (0, 0, [("hello", RED)])) == ""


def test_only_the_cells_that_changed_are_sent() -> None:
    grid = Grid()
    shown(grid, (1, 0, [("hello world", "")]))
    assert shown(grid, (1, 0, [("hello wOrld", "")])) == "\x1b[2;8HO"


def test_a_short_gap_is_written_again_and_a_long_one_is_jumped() -> None:
    grid = Grid()
    shown(grid, (0, 0, [("a--b------c", "")]))
    assert shown(grid, (0, 0, [("A--B------C", "")])) == "\x1b[1HA--B\x1b[6CC"


def test_what_is_alike_is_drawn_together() -> None:
    """A colour code takes more bytes than a move."""
    grid = Grid()
    shown(grid, (0, 0, [("1", RED), (" 1", ON_BLUE)]), (1, 0, [("1", RED), (" 1", ON_BLUE)]))
    sent = shown(grid, (0, 0, [("2", RED), (" 2", ON_BLUE)]), (1, 0, [("2", RED), (" 2", ON_BLUE)]))
    assert sent == f"\x1b[1H\x1b[{RED}m2\x1b[2H2\x1b[1;3H\x1b[0;{ON_BLUE}m2\x1b[B\b2\x1b[m"


def test_what_has_short_colour_codes_is_drawn_in_order() -> None:
    runs = [(letter * 5, "1" if letter in "ac" else "") for letter in "abcd"]
    sent = shown(Grid(), (0, 0, runs))
    assert sent == "\x1b[1H\x1b[1maaaaa\x1b[mbbbbb\x1b[1mccccc\x1b[mddddd"


@pytest.mark.parametrize(("erases", "sgr", "sent"), [
    (True, ON_BLUE, f"\x1b[1H\x1b[{ON_BLUE}ma\x1b[K\x1b[m"),
    (False, ON_BLUE, f"\x1b[1H\x1b[{ON_BLUE}ma{' ' * 19}\x1b[m"),
    (False, "", "\x1b[1Ha\x1b[K"),
    (True, "7", f"\x1b[1H\x1b[7ma{' ' * 19}\x1b[m"),
], ids=["background", "erasing has none", "the terminal's own", "reverse"])  # fmt: skip
def test_blanks_to_the_edge_are_erased(erases: bool, sgr: str, sent: str) -> None:
    grid = Grid(erases)
    assert shown(grid, (0, 0, [("a" + " " * 19, sgr)])) == sent


def test_a_long_blank_is_erased_and_jumped() -> None:
    assert shown(Grid(), (0, 0, [("a" + " " * 12 + "b", "")])) == "\x1b[1Ha\x1b[12X\x1b[12Cb"


def test_frames_that_wait_become_one() -> None:
    grid = Grid()
    grid.want(20, 2, [(0, 0, [("one", "")]), (1, 0, [("two", "")])])
    grid.want(20, 2, [(0, 0, [("six", "")])])
    assert grid.update() == "\x1b[1Hsix\x1b[2Htwo"
    assert grid.update() == ""


def test_another_colour_of_the_same_text_is_sent() -> None:
    grid = Grid()
    shown(grid, (0, 0, [("x", RED)]))
    assert shown(grid, (0, 0, [("x", BOLD_RED)])) == f"\x1b[1H\x1b[{BOLD_RED}mx\x1b[m"


def test_the_colour_of_a_blank_is_not_sent_unless_it_is_seen() -> None:
    grid = Grid()
    shown(grid, (0, 0, [("   ", RED)]))
    assert shown(grid, (0, 0, [("   ", BOLD_RED)])) == ""
    assert shown(grid, (0, 0, [("   ", f"4;{RED}")]))


def test_after_forgetting_all_is_sent_again() -> None:
    grid = Grid()
    first = shown(grid, (0, 0, [("hello", RED)]))
    grid.forget()
    assert shown(grid, (0, 0, [("hello", RED)])) == first


def test_another_size_forgets() -> None:
    grid = Grid()
    shown(grid, (0, 0, [("hello", "")]))
    assert shown(grid, (0, 0, [("hello", "")]), width=21)


def test_half_a_wide_character_takes_the_other_half_with_it() -> None:
    grid = Grid()
    shown(grid, (0, 0, [("a漢b", "")]))
    shown(grid, (0, 2, [("x", "")]))
    assert "a" not in (sent := shown(grid, (0, 0, [("a漢b", "")])))
    assert "漢" in sent


def test_a_line_with_marks_is_sent_to_its_end() -> None:
    """Terminals disagree on the width of such text: nothing behind it can be trusted."""
    grid = Grid()
    shown(grid, (0, 0, [("ae\u0301b漢 end", "")]))
    sent = shown(grid, (0, 0, [("xe\u0301b漢 end", "")]))
    assert sent.startswith("\x1b[1Hxe\u0301")
    assert sent.endswith("\x1b[1;3Hb漢 end")


def test_thousands_of_kinds_of_cells_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("celery_tui.differ.cells.MOST_CELLS", 10)
    grid = Grid()
    for number in range(0x4E00, 0x4E20):
        assert chr(number) in shown(grid, (0, 0, [(chr(number), "")]))
    assert len(grid._pens[""].others) <= 11


def test_a_cell_is_made_once() -> None:
    pen = Pens()[RED]
    assert pen["x"] is pen["x"]
    assert pen.other("漢", 2) is pen.other("漢", 2)


@pytest.mark.parametrize("text", ["\x1b[2J", "a\nb", "\u0301first", "\x9b2J", "a\x00"])
def test_what_is_no_cell_is_unknown(text: str) -> None:
    grid = Grid()
    with pytest.raises(UnknownContent):
        shown(grid, (0, 0, [(text, "")]))
    assert grid.size == (0, 0)


def test_text_beyond_the_terminal_is_unknown() -> None:
    with pytest.raises(UnknownContent):
        shown(Grid(), (0, 15, [("too long", "")]))
    with pytest.raises(UnknownContent):
        shown(Grid(), (2, 0, [("too low", "")]))


@pytest.mark.parametrize("text", ["e\u0301a", "👨\u200d👩\u200d👧!", "漢字", "❤\ufe0f.", "❤."])
def test_clusters_take_as_many_cells_as_textual_counts(text: str) -> None:
    assert sum(width for _, width in clusters(text)) == cell_len(text)
    assert "".join(cluster for cluster, _ in clusters(text)) == text


def test_every_character_taken_for_one_cell_is_one() -> None:
    assert {char for char in ONE_CELL if cell_len(char) != 1} == set()
    assert {char for char in ONE_CELL if unicodedata.combining(char)} == set()


CODES = [
    "", "1", "2", "7", "4;31", "1;4;97;104", RED, BOLD_RED, f"1;7;{RED};{ON_BLUE}", "2;39;49",
    "38;5;9;48;5;10", "3;9;38;5;200", "1;2", "5;100", ON_BLUE,
]  # fmt: skip


def test_every_turn_ends_in_the_style_asked_for() -> None:
    for old in CODES:
        for new in CODES:
            one, other = pyte.Screen(3, 1), pyte.Screen(3, 1)
            pyte.Stream(one).feed(f"\x1b[0;{old}m{turn(old, new)}x" if old else turn("", new) + "x")
            pyte.Stream(other).feed(f"\x1b[0;{new}mx" if new else "x")
            assert one.buffer[0][0] == other.buffer[0][0], (old, new)
            assert len(turn(old, new)) <= len(f"\x1b[0;{new}m")


# -- when Textual must do it ----------------------------------------------------------------


class Stranger:
    """An update of a kind that is not known; as a renderable it is a line of text."""

    def __rich__(self) -> str:
        return "stranger"


async def repainted(at: Session, renderable: Any) -> str:
    """What is sent for an update, alone."""
    before = at.driver.writes
    at.app._display(at.app.screen, renderable)
    return at.driver.last if at.driver.writes > before else ""


def update_of(*segments: Segment) -> LayoutUpdate:
    """A whole screen whose first line begins so."""
    lines: list[Any] = [[Strip([Segment(" " * SIZE[0])])] for _ in range(SIZE[1])]
    lines[0] = [Strip(segments)]
    return LayoutUpdate(lines, Region(0, 0, *SIZE))


async def test_an_update_of_an_unknown_kind_is_textuals_and_the_grid_is_forgotten() -> None:
    async with session(SIZE, no_diff=False) as at:
        assert "stranger" in await repainted(at, Stranger())
        assert at.app.grid is not None
        assert at.app.grid.size == (0, 0)


@pytest.mark.parametrize("segment", [
    Segment("linked", Style(link="https://example.org")), Segment("bell\x07"),
    Segment("\x1b[5;5H", None, [(5, 5)]),  # type: ignore[list-item]
], ids=["link", "control character", "control segment"])  # fmt: skip
async def test_content_that_is_no_cell_is_textuals(segment: Segment) -> None:
    async with session(SIZE, no_diff=False) as at:
        assert segment.text in await repainted(at, update_of(segment))
        assert at.app.grid is not None
        assert at.app.grid.size == (0, 0)


async def test_a_known_update_is_the_differs() -> None:
    async with session(SIZE, no_diff=False) as at:
        await repainted(at, update_of(Segment("one")))
        assert await repainted(at, update_of(Segment("one"))) == ""
        assert "\x1b[1HO" in await repainted(at, update_of(Segment("One")))


async def test_when_textual_has_changed_the_differ_is_given_up(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with session(SIZE, no_diff=False) as at:
        monkeypatch.delattr(Style, "_ansi", raising=False)
        monkeypatch.setattr(textual_private, "_runs", lambda strip, _: strip.no_such_name)
        assert "still" in await repainted(at, update_of(Segment("still")))
        assert at.app.grid is None


async def test_without_the_differ_all_that_is_painted_is_sent() -> None:
    async with session(SIZE, no_diff=True) as at:
        assert at.app.grid is None
        for _ in range(2):
            assert "one" in await repainted(at, update_of(Segment("one")))


def test_the_setting_decides() -> None:
    assert app_on(busy_cluster()).grid is not None
    assert app_on(busy_cluster(), no_diff=True).grid is None


# -- when the terminal may show anything ----------------------------------------------------


async def spoiled(at: Session) -> list[Any]:
    """What stood there; then something else has been written over it."""
    await at.settle()
    before = at.driver.cells()
    at.driver.screen.erase_in_display(2)
    return before


async def test_redraw_paints_every_cell_again() -> None:
    async with session(SIZE, no_diff=False) as at:
        before = await spoiled(at)
        await at.pilot.press("ctrl+l")
        await at.settle()
        assert at.driver.cells() == before


async def test_coming_back_to_the_same_size_paints_every_cell_again() -> None:
    """After a stop the driver tells the size; so do two quick changes of it."""
    async with session(SIZE, no_diff=False) as at:
        before = await spoiled(at)
        at.driver.tell_size()
        await at.pilot.pause(0.1)
        await at.settle()
        assert at.driver.cells() == before


@pytest.mark.parametrize("signal", ["app_suspend_signal", "app_resume_signal"])
async def test_suspending_and_resuming_forget(signal: str) -> None:
    async with session(SIZE, no_diff=False) as at:
        grid = at.app.grid
        assert grid is not None
        assert grid.size == SIZE
        getattr(at.app, signal).publish(at.app)
        assert grid.size == (0, 0)


async def test_another_theme_forgets() -> None:
    async with session(SIZE, no_diff=False) as at:
        forgotten = []
        at.app.forget_terminal = lambda: forgotten.append(True)  # type: ignore[method-assign]
        await at.pilot.press("ctrl+t")
        assert forgotten


# -- one piece ------------------------------------------------------------------------------


async def test_a_frame_is_one_write_in_synchronized_output() -> None:
    async with session(SIZE, no_diff=False) as at:
        at.app._sync_available = True
        before = at.driver.writes
        sent = await repainted(at, update_of(Segment("frame", Style(bold=True))))
        assert at.driver.writes == before + 1
        assert sent.startswith("\x1b[?2026h\x1b[1H\x1b[1mframe\x1b[")
        assert sent.endswith("\x1b[?2026l")


async def test_the_cursor_follows_the_field_one_types_into() -> None:
    """It is hidden, but input methods open their window there."""
    async with session(SIZE, no_diff=False) as at:
        await at.pilot.press("4", "slash", "p", "a")
        await at.settle()
        cursor, wanted = at.driver.screen.cursor, at.app.cursor_position
        assert (cursor.x, cursor.y) == tuple(wanted)
        assert wanted != (0, 0)


# -- lines that only moved ------------------------------------------------------------------


def lines(first: int, count: int = 12) -> list[tuple[int, int, list[tuple[str, str]]]]:
    """A table whose rows differ."""
    return [(y, 0, [(name(first - y), RED)]) for y in range(count)]


def name(number: int) -> str:
    """40 cells unlike those of other numbers."""
    return "".join(chr(97 + (number * number * 7 + x * (number % 13)) % 26) for x in range(40))


def played(*frames: list[tuple[int, int, list[tuple[str, str]]]]) -> tuple[list[str], list[str]]:
    """What was sent for each frame, and what an emulator shows in the end."""
    grid, screen = Grid(), pyte.Screen(40, 14)
    stream, sent = pyte.Stream(screen), []
    for frame in frames:
        grid.want(40, 14, frame)
        sent.append(grid.update())
        stream.feed(sent[-1])
    assert screen.margins is None
    return sent, [line.rstrip() for line in screen.display]


BLANK: list[tuple[int, int, list[tuple[str, str]]]] = [(y, 0, [(" " * 40, "")]) for y in range(14)]


@pytest.mark.parametrize("by", [1, 3, 7, -1, -4])
def test_lines_that_moved_are_moved_by_the_terminal(by: int) -> None:
    sent, display = played(BLANK, lines(50), lines(50 + by))
    assert f"\x1b[{abs(by)}{'L' if by > 0 else 'M'}" in sent[-1]
    assert len(sent[-1]) < len(sent[-2])
    assert display == played(lines(50 + by))[1]


def test_lines_beside_those_that_moved_stay() -> None:
    """A line that nobody painted is put back."""
    frame = lines(51)
    sent, display = played(BLANK, lines(50), [*frame[:5], *frame[6:]])
    assert "\x1b[1L" in sent[-1]
    assert display[5] == name(50 - 5)


def test_lines_of_which_something_is_unknown_are_not_moved() -> None:
    half = [[(y, 1, runs) for y, _, runs in _cut(lines(first))] for first in (50, 51)]
    sent, _ = played(*half)
    assert not {"L", "M"} & set(sent[-1])


def _cut(
    frame: list[tuple[int, int, list[tuple[str, str]]]],
) -> list[tuple[int, int, list[tuple[str, str]]]]:
    return [(y, x, [(text[:-1], sgr) for text, sgr in runs]) for y, x, runs in frame]
