"""Help: the keys that exist, searchable, at any size."""

from __future__ import annotations

import pytest

from celery_tui.commands import catalog
from celery_tui.screens.confirm import ConfirmScreen
from celery_tui.screens.help import HelpScreen, key_sections
from celery_tui.theme import Look
from celery_tui.widgets.filter_bar import FilterBar

from .fake import BackScreen, FakeHost, revoke, screen_lines


def shown(host: FakeHost) -> str:
    """The whole screen as one text."""
    return "\n".join(screen_lines(host))


def help_host(look: Look | None = None) -> FakeHost:
    """Help over a screen."""
    return FakeHost(look, HelpScreen(BackScreen.commands))


async def test_help_names_every_key_of_the_screen_and_no_other() -> None:
    host = help_host()
    async with host.run_test(size=(120, 44)) as pilot:
        await pilot.pause()
        text = " ".join(shown(host).split())
        assert "revoke: it shall not run" in text
        assert "4 Tasks › Keys" in text
        assert catalog.PURGE.help not in text
        assert catalog.EVENTS_ON.help not in text
        for title in ("Look: move", "Look: view", "Numbers", "States"):
            assert title in text


@pytest.mark.parametrize("key", ["escape", "q", "question_mark"])
async def test_help_closes(key: str) -> None:
    host = help_host()
    async with host.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        await pilot.press(key)
        assert isinstance(host.screen, BackScreen)


async def test_search_narrows_while_one_types_and_escape_brings_all_back() -> None:
    host = help_host()
    async with host.run_test(size=(120, 44)) as pilot:
        await pilot.pause()
        await pilot.press("slash", *"revoke")
        await pilot.pause()
        assert "revoke: it shall not run" in shown(host)
        assert "next row" not in shown(host)
        await pilot.press("enter")
        assert host.screen.query_one(FilterBar).text == "revoke"
        await pilot.press("escape")
        await pilot.pause()
        assert "next row" in shown(host)
        assert isinstance(host.screen, HelpScreen)


async def test_a_search_without_a_match_says_so() -> None:
    host = help_host()
    async with host.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        await pilot.press("slash", *"zzz")
        await pilot.pause()
        assert "Nothing here has that word" in shown(host)


@pytest.mark.parametrize("size", [(40, 10), (60, 20), (80, 24), (120, 36), (160, 48)])
async def test_all_of_it_can_be_scrolled_to(size: tuple[int, int]) -> None:
    host = help_host()
    async with host.run_test(size=size) as pilot:
        await pilot.pause()
        seen = shown(host)
        for _ in range(80):
            await pilot.press("j")
            seen += shown(host)
        for words in ("rejected", "unknown", "next row", "hidden"):
            assert words in seen
        assert all(len(line) <= size[0] for line in screen_lines(host))
        await pilot.press("g")
        assert "Look: move" in shown(host)


async def test_ascii_shows_ascii_only() -> None:
    host = help_host(Look("mono", True))
    async with host.run_test(size=(160, 48)) as pilot:
        await pilot.pause()
        assert shown(host).isascii()


async def test_help_in_a_dialog_names_the_keys_of_the_dialog() -> None:
    host = FakeHost(first=ConfirmScreen(revoke()))
    async with host.run_test(size=(120, 36)) as pilot:
        await pilot.pause()
        await pilot.press("question_mark")
        await pilot.pause()
        assert "copy as celery command" in shown(host)
        await pilot.press("escape")
        assert isinstance(host.screen, ConfirmScreen)


def test_sections_hold_each_command_once() -> None:
    sections = key_sections(BackScreen.commands)
    entries = [entry for section in sections.values() for entry in section.entries]
    screens = sum(command.id.startswith("show_") for command in BackScreen.commands)
    assert len(entries) == len(BackScreen.commands) - screens + 1
