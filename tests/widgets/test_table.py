"""What of a table is painted anew when some of it has changed."""

from __future__ import annotations

from textual.geometry import Region, Size

from celery_tui.columns.base import place
from celery_tui.columns.findings import AttentionRows
from celery_tui.widgets.table import VirtualTable
from celery_tui.widgets.table_lines import Painted

WIDTH = 100


class OfThatWidth(VirtualTable):
    """On no screen."""

    size = property(lambda _: Size(WIDTH, 40))


def test_the_line_below_a_row_is_painted_anew_as_a_whole() -> None:
    table = OfThatWidth(AttentionRows(lambda: ()))
    table._placed = place(table.rows.columns, WIDTH)
    before, after = (Painted("", ((words, "dim"),), "", True) for words in ("come back", "gone"))
    assert table._changed(3, before, after) == Region(0, 3, WIDTH, 1)
    row, other = (Painted("a", (("✗ crit", "crit"), (words, ""))) for words in ("lost", "back"))
    assert table._changed(2, row, other).x > 0
