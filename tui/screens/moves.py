"""Moving, changing panes and marking: the same on every screen that has a table."""

from __future__ import annotations

from ..model.seam import MOST_TARGETS
from ..widgets.table import VirtualTable
from .parts import Part


class Moves(Part):
    """Commands that only move the cursor or the marks of the present table."""

    def do_down(self) -> None:
        """Next row."""
        if self.table is not None:
            self.table.move(1)

    def do_up(self) -> None:
        """Previous row."""
        if self.table is not None:
            self.table.move(-1)

    def do_page_down(self) -> None:
        """A page down."""
        if self.table is not None:
            self.table.page(1)

    def do_page_up(self) -> None:
        """A page up."""
        if self.table is not None:
            self.table.page(-1)

    def do_top(self) -> None:
        """First row."""
        if self.table is not None:
            self.table.edge(False)

    def do_bottom(self) -> None:
        """Last row."""
        if self.table is not None:
            self.table.edge(True)

    def why(self) -> tuple[str, str]:
        """Kind and name of the page that tells where what is under the cursor comes from.

        A screen whose rows have such pages gives them; else it is the page of all sources.
        """
        return "sources", ""

    def why_row(self, kind: str, page: str = "", name: str = "") -> tuple[str, str]:
        """Of the row under the cursor; of the page ``kind`` ``name`` until somebody moves it."""
        table = self.table
        here = table.cursor_id if table is not None else None
        if page and (table is None or here is None or not table.touched):
            return f"why-{page}", name
        return ("why-" + kind, here) if here is not None else ("sources", "")

    def do_why(self) -> None:
        """Source and age of what is shown."""
        self.host.open(*self.why())

    def do_next_pane(self) -> None:
        """Focus to the next table."""
        self.focus_next(VirtualTable)

    def do_previous_pane(self) -> None:
        """Focus to the previous table."""
        self.focus_previous(VirtualTable)

    def do_mark(self) -> None:
        """Mark and go down."""
        if self.table is not None:
            self.table.mark()
            self.table.move(1)

    def do_mark_all(self) -> None:
        """Mark all rows that the filter shows."""
        if self.table is None:
            return
        ids = self.table.rows.ids(self.host.view())
        if len(ids) > MOST_TARGETS:
            words = f"not {len(ids):,} at once: an act takes {MOST_TARGETS:,}, filter first"
            self.host.toast(words, "warn")
        else:
            self.table.marks.update(dict.fromkeys(ids))

    def do_clear_marks(self) -> None:
        """No row is marked."""
        if self.table is not None:
            self.table.clear_marks()
