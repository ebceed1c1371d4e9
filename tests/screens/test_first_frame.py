"""A screen that is shown for the first time does not jump into its place."""

from typing import Any

import pytest
from textual.screen import Screen

from celery_tui.widgets.header import Header
from tests.screens.sample import app_on
from tests.screens.states import STATES, no_machine, settle

TABLES = {"2": "QueuesScreen", "3": "WorkersScreen", "4": "TasksScreen", "8": "LogScreen"}


@pytest.mark.parametrize("size", [(100, 40), (80, 24)], ids=str)
async def test_every_frame_of_a_new_screen_has_all_in_its_place(
    monkeypatch: pytest.MonkeyPatch, size: tuple[int, int]
) -> None:
    places: dict[str, set[tuple[int, int]]] = {}
    refresh = Screen._compositor_refresh

    def recorded(screen: Screen[Any]) -> None:
        refresh(screen)
        if screen.is_current and (table := screen.query("#main")):
            place = (screen.query_one(Header).size.height, table.first().region.y)
            places.setdefault(type(screen).__name__, set()).add(place)

    monkeypatch.setattr(Screen, "_compositor_refresh", recorded)
    home = next(state for state in STATES if state.name == "home")
    app = app_on(home.cluster())
    with no_machine():
        async with app.run_test(size=size) as pilot:
            await settle(app, pilot)
            for digit in TABLES:
                await pilot.press(digit)
                await settle(app, pilot)
    assert {name: len(seen) for name, seen in places.items()} == dict.fromkeys(TABLES.values(), 1)
    assert {header for seen in places.values() for header, _ in seen} == {3}
