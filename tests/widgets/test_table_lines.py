"""The lines of a table and of everything else as segments: few styles, digits in line."""

from __future__ import annotations

import pytest

from celery_tui.columns.base import Column, Placed, place
from celery_tui.columns.rows import Head
from celery_tui.theme import Look
from celery_tui.widgets.cells import strip_of
from celery_tui.widgets.table_lines import Painted, hangs, head_cells, row_cells

LOOK = Look()


WIDTH = 25


def columns() -> list[Placed[str]]:
    return place([column("name", False), column("depth", True), column("age", True)], WIDTH)


def column(title: str, right: bool) -> Column[str]:
    return Column(title, title, lambda r, v: (r, ""), lambda r, v: r, 6, right=right)


def row(*texts: str) -> str:
    cells = row_cells(Painted("r", tuple((text, "") for text in texts), ""), columns(), LOOK)
    return strip_of(cells, WIDTH, LOOK).text


@pytest.mark.parametrize("age", ["38s", "11m42s", "(38s)", "(4m55s)", "(11m42s)"])
@pytest.mark.parametrize("depth", ["7", "88,110", "(7)", "(8,110)", "(88,110)"])
def test_parentheses_hang_in_the_gaps_and_digits_stay_in_line(depth: str, age: str) -> None:
    text = row("emails", depth, age)
    assert len(text) == WIDTH
    assert text.startswith("  emails")
    assert text[15] == depth.strip("()")[-1]
    assert text[23] == age.strip("()")[-1]
    assert depth in text
    assert age in text


def test_only_an_old_number_hangs() -> None:
    name, depth, _ = columns()
    assert hangs("(88,110)", depth)
    assert not hangs("(188,110)", depth)
    assert not hangs("(emails)", name)
    assert not hangs("188,110)", depth)


def test_blanks_are_drawn_with_the_text_beside_them() -> None:
    cells = [("  ", ""), ("emails", "bright"), ("   ", "dim"), ("7", "bright"), ("  ", "")]
    assert len(list(strip_of(cells, 20, LOOK).simplify())) == 1


def test_a_blank_that_shows_something_keeps_its_style() -> None:
    shown = strip_of([(" ", ""), (" 2 crit ", "filled crit"), (" ", "")], 20, LOOK)
    runs = list(shown.simplify())
    assert [segment.text for segment in runs] == [" ", " 2 crit ", " " * 11]


@pytest.mark.parametrize(
    ("note", "shown"),
    [
        ("named only", "  Queues 2  named only ─ depth"),
        ("named only now", "  Queues 2 ───────────── depth"),
    ],
)
def test_a_note_may_stand_over_a_number_up_to_the_first_letter_of_its_head(
    note: str, shown: str
) -> None:
    name, depth = column("name", False), column("depth", True)
    placed = [Placed(name, 5, 14), Placed(depth, 21, 9)]
    head = Head("Queues", "2", note)
    assert "".join(text for text, _ in head_cells(head, placed, None, 80)) == shown
