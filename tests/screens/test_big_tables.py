"""Tasks with many rows: long filters and sorts, and a cursor that stays on its task."""

from __future__ import annotations

import pytest

from celery_tui.columns import task_rows
from celery_tui.model.events import Event
from celery_tui.screens import moves, table_screen
from celery_tui.widgets.filter_bar import FilterBar
from tests.screens.big import SIZE, cluster_of, tasks_screen, until
from tests.screens.capture import text_lines
from tests.screens.sample import NOW, app_on, events, task_id


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each slice does as little as it can, and of 1,000 rows it is told."""
    monkeypatch.setattr(table_screen, "SLICE_S", 0.0)
    monkeypatch.setattr(task_rows, "TOLD_FROM", 1_000)


@pytest.mark.usefixtures("slow")
async def test_a_long_filter_tells_how_far_it_is_above_the_rows_of_before() -> None:
    app = app_on(cluster_of(6_000))
    async with app.run_test(size=SIZE) as pilot:
        screen = await tasks_screen(pilot)
        screen.query_one(FilterBar).open("mail")
        await pilot.pause(0)
        screen.tick()
        assert "filtering " in "\n".join(text_lines(app))
        assert " of 6,000" in "\n".join(text_lines(app))
        assert screen.main.row_count == 6_000
        screen.do_mark_all()
        assert not screen.main.marks
        await until(lambda: screen.main.row_count == 2_000)
        await pilot.pause()
        assert "2,000 of 6,000" in "\n".join(text_lines(app))
        screen.do_mark_all()
        assert len(screen.main.marks) == 2_000


@pytest.mark.usefixtures("slow")
async def test_typing_on_abandons_the_filter_that_runs() -> None:
    app = app_on(cluster_of(6_000))
    async with app.run_test(size=SIZE) as pilot:
        screen = await tasks_screen(pilot)
        screen.query_one(FilterBar).open("m")
        await pilot.press(*"ail.s")
        await until(lambda: screen.main.row_count == 2_000)
        await pilot.press("escape")
        await until(lambda: screen.main.row_count == 6_000)
        assert not screen.main.rows.unfinished


@pytest.mark.usefixtures("slow")
async def test_a_filter_goes_on_when_its_screen_is_shown_again_and_quitting_ends_it() -> None:
    app = app_on(cluster_of(6_000))
    async with app.run_test(size=SIZE) as pilot:
        screen = await tasks_screen(pilot)
        screen.query_one(FilterBar).open("mail")
        await pilot.pause(0)
        app.go("queues")
        await until(lambda: not screen._carrying_on)
        assert screen.main.rows.unfinished
        app.go("tasks")
        await until(lambda: screen.main.row_count == 2_000)
        screen.query_one(FilterBar).open("pay")
        await until(lambda: screen._carrying_on)


@pytest.mark.usefixtures("slow")
async def test_escape_gives_up_a_sort_in_the_making() -> None:
    app = app_on(cluster_of(3_000))
    async with app.run_test(size=SIZE) as pilot:
        screen = await tasks_screen(pilot)
        before = screen.main.shown_ids()
        screen._sorted(("run", True))
        assert "sorting " in "\n".join(text_lines(app)) or screen.main.rows.unfinished
        await pilot.press("escape")
        assert screen.sortable.sort is None
        await pilot.pause()
        assert screen.main.shown_ids() == before
        assert "run▾" not in "\n".join(text_lines(app))


@pytest.mark.usefixtures("slow")
async def test_an_order_that_is_some_seconds_old_says_so() -> None:
    now = NOW
    app = app_on(cluster_of(1_500))
    app.clock = lambda: now
    async with app.run_test(size=SIZE) as pilot:
        screen = await tasks_screen(pilot)
        screen._sorted(("run", True))
        await until(lambda: not screen.main.rows.unfinished)
        assert "order of" not in "\n".join(text_lines(app))
        now = NOW + 9
        screen._carrying_on = True  # as if there were no time to sort again
        screen.tick()
        assert "order of 12:10:00" in "\n".join(text_lines(app))


async def test_the_cursor_stays_on_its_task_whatever_comes_goes_sorts_and_filters() -> None:
    cluster = cluster_of(900, most=900)
    app = app_on(cluster)
    async with app.run_test(size=SIZE) as pilot:
        screen = await tasks_screen(pilot)
        main = screen.main
        mine = task_id(600)
        assert main.go_to(mine)
        line = main._index - main._top
        for n in range(900, 950):  # as many go as come
            event = Event("task-received", NOW, "pay-worker@demo", uuid=task_id(n), name="x")
            ended = Event("task-succeeded", NOW, "pay-worker@demo", uuid=task_id(n))
            events(cluster, event, ended)
        screen.tick()
        assert cluster.evicted == 49
        assert (main.cursor_id, main._index, main._index - main._top) == (mine, 349, line)
        screen._sorted(("run", True))
        assert main.cursor_id == mine == main._ids[main._index]
        bar = screen.query_one(FilterBar)
        bar.open("mail")
        await pilot.pause()
        assert main.row_count < 300
        assert main.cursor_id == mine == main._ids[main._index]
        bar.close()
        await pilot.pause()
        screen.sortable.sort = None
        screen.tick()
        assert main.cursor_id == mine == main._ids[main._index]
        assert (main._index, mine in main.shown_ids()) == (349, True)


async def test_a_frozen_view_keeps_its_rows_while_tasks_come_and_go() -> None:
    cluster = cluster_of(300, most=300)
    app = app_on(cluster)
    async with app.run_test(size=SIZE) as pilot:
        screen = await tasks_screen(pilot)
        before = list(screen.main._ids)
        screen.do_freeze()
        for n in range(300, 500):
            ended = Event("task-succeeded", NOW, "pay-worker@demo", uuid=task_id(n), name="late")
            events(cluster, ended)
        screen.tick()
        assert list(screen.main._ids) == before
        screen.main.edge(True)
        await pilot.pause()
        assert any("gone" in line for line in text_lines(app))
        screen.do_freeze()
        assert screen.main._ids[0] == task_id(499)


async def test_more_rows_than_an_act_takes_are_not_marked_at_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(moves, "MOST_TARGETS", 100)
    app = app_on(cluster_of(101))
    async with app.run_test(size=SIZE) as pilot:
        screen = await tasks_screen(pilot)
        await pilot.press("a")
        assert not screen.main.marks
        assert "not 101 at once: an act takes 100, filter first" in "\n".join(text_lines(app))


async def test_a_cursor_whose_row_is_forgotten_goes_to_the_row_beside_it() -> None:
    cluster = cluster_of(100)
    app = app_on(cluster)
    async with app.run_test(size=SIZE) as pilot:
        screen = await tasks_screen(pilot)
        await pilot.press(*"jjj")
        at, beside = screen.main.shown_ids()[3:5]
        assert screen.main.cursor_id == at
        line = next(y for y, row in enumerate(text_lines(app)) if at[:8] in row)
        cluster._forget(at)
        screen.tick()
        await pilot.pause()
        assert screen.main.cursor_id == beside
        assert beside[:8] in text_lines(app)[line]
