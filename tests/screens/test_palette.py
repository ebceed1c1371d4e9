"""The palette and the sort menu."""

from __future__ import annotations

from typing import Any

import pytest
from textual.command import CommandInput

from celery_tui.columns.base import Column
from celery_tui.screens.confirm import ConfirmScreen
from celery_tui.screens.help import HelpScreen
from celery_tui.screens.palette import Palette
from celery_tui.screens.sort_menu import SortMenu, letters
from celery_tui.theme import Look

from .fake import BackScreen, FakeHost, revoke, screen_lines
from .waiting import all_offered, offered, until


def shown(host: FakeHost) -> str:
    """The whole screen as one text."""
    return "\n".join(screen_lines(host))


def column(title: str, sort: str = "", right: bool = False) -> Column[Any]:
    """A column of that name."""
    return Column(
        title, title, lambda row, view: ("", ""), lambda row, view: None, 8, right, sort=sort
    )


@pytest.mark.parametrize("look", [Look(), Look("mono"), Look("ansi")])
async def test_the_palette_holds_the_commands_of_the_screen_only(look: Look) -> None:
    host = FakeHost(look, Palette())
    async with host.run_test(size=(100, 40)) as pilot:
        prompts = await all_offered(host, pilot)
        assert any("send the task again" in prompt for prompt in prompts)
        assert not any("Maximize" in prompt or "Theme" in prompt for prompt in prompts)
        assert "🔎" not in shown(host)
        assert not host.screen.query_one(CommandInput).cursor_blink


async def test_the_palette_finds_by_word_and_runs() -> None:
    host = FakeHost(first=Palette())
    async with host.run_test(size=(100, 40)) as pilot:
        await all_offered(host, pilot)
        await pilot.press(*"help")
        await until(pilot, lambda: "help" in "".join(offered(host)[:1]).lower(), "help is found")
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(host.screen, HelpScreen), "help is open")


async def test_the_palette_closes_on_escape() -> None:
    host = FakeHost(first=Palette())
    async with host.run_test(size=(40, 10)) as pilot:
        await all_offered(host, pilot)
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(host.screen, BackScreen), "it is closed")


async def test_acts_are_not_in_the_palette_of_a_read_only_program() -> None:
    host = FakeHost(first=Palette())
    host.read_only = True
    async with host.run_test(size=(100, 40)) as pilot:
        prompts = await all_offered(host, pilot)
        assert not any("revoke" in prompt for prompt in prompts)


def test_every_sortable_column_has_a_letter_of_its_own() -> None:
    columns = [column("age", "a"), column("args", "a"), column("queue", "q"), column("none")]
    given = letters(columns)
    assert [c.title for c in given.values()] == ["age", "args", "queue"]
    assert list(given) == ["a", "r", "u"]


@pytest.mark.parametrize(
    ("current", "key", "choice"),
    [
        (None, "n", ("name", False)),
        (None, "a", ("age", True)),
        (("age", True), "a", ("age", False)),
        (("age", False), "a", ("age", True)),
        (("age", True), "escape", None),
    ],
)
async def test_a_letter_sorts_and_the_same_letter_reverses(
    current: tuple[str, bool] | None, key: str, choice: tuple[str, bool] | None
) -> None:
    chosen: list[tuple[str, bool] | None] = []
    host = FakeHost()
    async with host.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        menu = SortMenu([column("name", "n"), column("age", "a", True)], current)
        await host.push_screen(menu, chosen.append)
        await pilot.pause()
        assert "age ▾" in shown(host) if current == ("age", True) else "name" in shown(host)
        await pilot.press("x", key)
        await pilot.pause()
        assert chosen == [choice]


async def test_its_key_opens_ours_and_not_textuals() -> None:
    host = FakeHost()
    async with host.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        await pilot.press("ctrl+p")
        await until(pilot, lambda: isinstance(host.screen, Palette), "it is open")


async def test_it_does_not_open_over_a_dialog() -> None:
    host = FakeHost(first=ConfirmScreen(revoke()))
    async with host.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        await pilot.press("ctrl+p", "colon")
        await pilot.pause(0.2)
        assert isinstance(host.screen, ConfirmScreen)
