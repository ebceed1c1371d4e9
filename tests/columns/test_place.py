"""Where the columns of a table stand: dropped whole, grown in turn, one right edge for all."""

from __future__ import annotations

from typing import Any

import pytest

from celery_tui.columns import findings, live, places, queues, tasks, workers
from celery_tui.columns.base import EDGE, Column, View, place

Columns = tuple[Column[Any], ...]
TABLES: dict[str, Columns] = {
    "findings": findings.COLUMNS, "live": live.LIVE, "log": live.LOG, "places": places.COLUMNS,
    "queues": queues.COLUMNS, "queues of Home": queues.HOME, "tasks": tasks.COLUMNS,
    "running": tasks.RUNNING, "failures": tasks.FAILURES, "of a worker": tasks.WORKER_TASKS,
    "workers": workers.COLUMNS, "workers of Home": workers.HOME,
}  # fmt: skip


def column(name: str, width: int, **more: Any) -> Column[str]:
    """A column of that width."""
    return Column(name, name, lambda row, view: (row, ""), lambda row, view: row, width, **more)


def spans(columns: Columns, width: int) -> list[tuple[str, int, int]]:
    """(id, first cell, width) of what is shown."""
    return [(p.column.id, p.x, p.width) for p in place(columns, width)]


def test_text_starts_in_the_third_cell_and_the_last_one_stays_empty() -> None:
    assert spans((column("a", 5), column("b", 4)), 14) == [("a", 2, 5), ("b", 9, 4)]


def test_the_column_that_matters_least_goes_first_and_whole() -> None:
    columns = (column("a", 5), column("b", 5, keep=20), column("c", 5, keep=10))
    assert [name for name, _, _ in spans(columns, 22)] == ["a", "b", "c"]
    assert [name for name, _, _ in spans(columns, 21)] == ["a", "b"]
    assert [name for name, _, _ in spans(columns, 14)] == ["a"]


def test_room_goes_to_the_leftmost_column_that_wants_it_then_to_the_next() -> None:
    columns = (column("a", 5, grow=3), column("b", 5, grow=50))
    assert spans(columns, 20) == [("a", 2, 8), ("b", 12, 7)]


def test_room_that_nobody_wants_still_goes_to_a_column_so_that_edges_agree() -> None:
    assert spans((column("a", 5), column("b", 5, grow=1)), 40)[-1] == ("b", 9, 30)


def test_too_narrow_for_what_is_never_dropped_the_widest_text_gives_way() -> None:
    columns = (column("text", 20), column("number", 6, right=True))
    assert spans(columns, 21) == [("text", 2, 10), ("number", 14, 6)]


@pytest.mark.parametrize("name", TABLES)
def test_columns_of_every_table_neither_overlap_nor_leave_the_terminal(name: str) -> None:
    for width in range(40, 301):
        edge = EDGE
        for index, placed in enumerate(place(TABLES[name], width)):
            assert placed.x == edge + (placed.column.lead if index else 0)
            assert placed.width > 0
            edge = placed.x + placed.width
        assert edge == width - 1


@pytest.mark.parametrize("name", TABLES)
def test_a_wider_terminal_never_shows_fewer_columns(name: str) -> None:
    shown = [len(place(TABLES[name], width)) for width in range(20, 301)]
    assert shown == sorted(shown)
    assert shown[-1] == len(TABLES[name])


@pytest.mark.parametrize("name", TABLES)
def test_column_ids_and_sort_letters_of_a_table_differ(name: str) -> None:
    columns = TABLES[name]
    assert len({column.id for column in columns}) == len(columns)
    letters = [column.sort for column in columns if column.sort]
    assert len(set(letters)) == len(letters)


def test_a_view_is_not_stale_unless_it_is_said() -> None:
    from celery_tui.model.cluster import Cluster

    assert not View(1.0, Cluster(0.0)).stale
