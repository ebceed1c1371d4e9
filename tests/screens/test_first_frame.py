"""A screen that is shown for the first time does not jump into its place."""

from typing import Any

import pytest
from textual.screen import Screen

from celery_tui.widgets.header import Header
from tests.screens.sample import app_on
from tests.screens.states import STATES, no_machine, settle

DIGITS = ("2", "3", "4", "8")


async def test_every_frame_of_a_new_screen_has_its_header(monkeypatch: pytest.MonkeyPatch) -> None:
    heights: list[int] = []
    refresh = Screen._compositor_refresh

    def recorded(screen: Screen[Any]) -> None:
        refresh(screen)
        if screen.is_current:
            heights.append(screen.query_one(Header).size.height)

    monkeypatch.setattr(Screen, "_compositor_refresh", recorded)
    home = next(state for state in STATES if state.name == "home")
    app = app_on(home.cluster())
    with no_machine():
        async with app.run_test(size=(100, 30)) as pilot:
            await settle(app, pilot)
            heights.clear()
            for digit in DIGITS:
                await pilot.press(digit)
                await settle(app, pilot)
    assert len(heights) >= len(DIGITS)
    assert set(heights) == {3}
