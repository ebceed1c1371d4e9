"""The filter bar: live, in its own line, kept by Enter, cleared by Esc."""

from __future__ import annotations

import pytest
from textual import on
from textual.app import ComposeResult
from textual.pilot import Pilot

from celery_tui.screens.base import BaseScreen
from celery_tui.theme import Look
from celery_tui.widgets.filter_bar import FilterBar, FilterField
from celery_tui.widgets.lines import Line, Lines

from .fake import FakeHost, screen_lines


class Filtered(BaseScreen):
    """A screen with a filter bar and a line below it."""

    def __init__(self) -> None:
        super().__init__()
        self.texts: list[str] = []
        self.closed: list[bool] = []

    def body(self) -> ComposeResult:
        """Bar and line."""
        yield FilterBar()
        below = Lines()
        below.show([Line((("below", ""),))])
        yield below

    @on(FilterBar.Changed)
    def note(self, message: FilterBar.Changed) -> None:
        """Note each text."""
        self.texts.append(message.text)

    @on(FilterBar.Closed)
    def note_closed(self, message: FilterBar.Closed) -> None:
        """Note whether it was kept."""
        self.closed.append(message.kept)


async def opened(host: FakeHost, pilot: Pilot[None]) -> FilterBar:
    """The bar, with the focus."""
    await pilot.pause()
    bar = host.screen.query_one(FilterBar)
    bar.open()
    await pilot.pause()
    return bar


def row_of(host: FakeHost, word: str) -> int:
    """The row that holds a word."""
    return next(row for row, line in enumerate(screen_lines(host)) if word in line)


async def test_it_tells_each_change_and_enter_keeps_the_text() -> None:
    screen = Filtered()
    host = FakeHost(first=screen)
    async with host.run_test(size=(80, 24)) as pilot:
        bar = await opened(host, pilot)
        await pilot.press(*"pay", "enter")
        await pilot.pause()
        assert screen.texts == ["p", "pa", "pay"]
        assert screen.closed == [True]
        assert (bar.text, bar.is_open, host.focused) == ("pay", False, None)
        assert "/ pay" in screen_lines(host)[row_of(host, "below") - 1]


async def test_escape_clears_and_closes() -> None:
    screen = Filtered()
    host = FakeHost(first=screen)
    async with host.run_test(size=(80, 24)) as pilot:
        bar = await opened(host, pilot)
        await pilot.press(*"pa", "escape")
        await pilot.pause()
        assert screen.texts == ["p", "pa", ""]
        assert screen.closed == [False]
        assert (bar.text, bar.is_open) == ("", False)
        assert host.screen is screen


@pytest.mark.parametrize("size", [(40, 10), (80, 24), (160, 48)])
@pytest.mark.parametrize("look", [Look(), Look("mono", True), Look("ansi")])
async def test_nothing_below_moves(size: tuple[int, int], look: Look) -> None:
    host = FakeHost(look, Filtered())
    async with host.run_test(size=size) as pilot:
        await pilot.pause()
        before = row_of(host, "below")
        bar = await opened(host, pilot)
        await pilot.press(*"pay")
        bar.told(37, 12_481)
        await pilot.pause()
        assert row_of(host, "below") == before
        line = screen_lines(host)[before - 1]
        assert line.rstrip().endswith("37 of 12,481")
        assert "/ pay" in line


async def test_the_cursor_is_steady_and_letters_are_text() -> None:
    host = FakeHost(first=Filtered())
    async with host.run_test(size=(80, 24)) as pilot:
        bar = await opened(host, pilot)
        assert not bar.query_one(FilterField).cursor_blink
        await pilot.press("X", "q", "question_mark", "slash")
        assert bar.text == "Xq?/"


async def test_it_can_be_gone_on_with_and_is_not_in_the_tab_order_while_closed() -> None:
    host = FakeHost(first=Filtered())
    async with host.run_test(size=(80, 24)) as pilot:
        bar = await opened(host, pilot)
        await pilot.press(*"pay", "enter", "tab")
        await pilot.pause()
        assert host.focused is None
        bar.open()
        await pilot.pause()
        await pilot.press("s")
        assert bar.text == "pays"
