"""Home's charts take what tables leave, and do not come and go with them."""

from __future__ import annotations

import pytest

from celery_tui.columns.base import View
from celery_tui.columns.charts import FRAME, LEAST_ROWS, MOST_ROWS
from celery_tui.screens.home_charts import GROW_AFTER_S, HomeCharts
from celery_tui.screens.home_layout import (
    ENOUGH_LIVE,
    NARROW_ORDER,
    Place,
    Wanted,
    chart_room,
    places,
)
from celery_tui.widgets.chart_pane import ChartPane
from tests.screens.sample import NOW, app_on
from tests.screens.story import calm_story, told_story

NAMES = (*NARROW_ORDER, "changes")


def wanted(rows: int, live: int = 100) -> dict[str, Wanted]:
    return {n: Wanted(n, live if n == "live" else rows, 1, 200) for n in NAMES}


def laid_out(rows: int, width: int, height: int, live: int = 100) -> dict[str, Place]:
    asked = wanted(rows, live)
    return places(asked, width, height, 0, 1, chart_room(asked, width, height, 0, 1))


@pytest.mark.parametrize("width", [60, 80, 99, 100, 139, 140, 160, 300])
@pytest.mark.parametrize("height", [3, 10, 20, 30, 45, 100])
@pytest.mark.parametrize("rows", [1, 3, 9, 40])
def test_nothing_overlaps_and_nothing_is_cut(rows: int, height: int, width: int) -> None:
    seen: set[tuple[int, int]] = set()
    for place in laid_out(rows, width, height).values():
        assert place.y + place.height <= height
        assert place.x + place.width <= width
        cells = {
            (x, y)
            for x in range(place.x, place.x + place.width)
            for y in range(place.y, place.y + place.height)
        }
        assert not cells & seen
        seen |= cells


def test_tables_come_first_then_charts_then_the_live_list() -> None:
    low = laid_out(3, 120, 34)
    assert "backlog" not in low
    high = laid_out(3, 120, 60)
    assert high["backlog"].height == MOST_ROWS + FRAME
    assert all(high[n].height == 4 for n in ("queues", "workers", "running", "failures"))
    assert high["live"].height > ENOUGH_LIVE
    least = next(h for h in range(20, 60) if "backlog" in laid_out(3, 120, h))
    assert laid_out(3, 120, least)["backlog"].height == LEAST_ROWS + FRAME


def test_two_charts_stand_side_by_side_where_there_is_room() -> None:
    narrow, middle, wide = (laid_out(2, width, 60) for width in (99, 100, 160))
    assert "failing" not in narrow
    assert narrow["backlog"].width == 99
    for placed, room in ((middle, 100), (wide, 98)):
        assert placed["failing"].y == placed["backlog"].y
        assert placed["backlog"].width + placed["failing"].width == room
    assert wide["live"].x == wide["workers"].x


def test_charts_do_not_move_with_the_first_lines_of_the_live_list() -> None:
    places_of = [laid_out(2, 120, 50, live=rows)["backlog"] for rows in range(ENOUGH_LIVE + 1)]
    assert len(set(places_of)) == 1


def test_charts_give_rows_at_once_and_take_them_back_after_a_while() -> None:
    cluster, charts, size = calm_story(), HomeCharts(), (120, 50)

    def lines(room: int, after: float) -> int:
        return charts.settled(room, View(NOW + after, cluster), size)

    assert [lines(11, 0), lines(0, 1), lines(11, 2), lines(11, 20)] == [11, 0, 0, 0]
    assert lines(6, 25) == 0
    assert lines(11, 1 + GROW_AFTER_S) == 11
    assert charts.settled(7, View(NOW, cluster), (80, 24)) == 7


async def test_frozen_charts_stand_still() -> None:
    app = app_on(told_story())
    async with app.run_test(size=(160, 48)) as pilot:
        await pilot.pause()
        app._tick()
        app.paint()
        pane = app.screen.query_one("#backlog", ChartPane)
        before = tuple(pane._lines)
        assert "Backlog" in str(before[0])
        await pilot.press("p")
        app.clock = lambda: NOW + 60
        app._tick()
        app.paint()
        assert pane._lines == before
        await pilot.press("p")
        app.paint()
        assert pane._lines != before
