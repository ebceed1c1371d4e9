"""A screen with one big table: filter, sort, freeze and follow work alike on all of them."""

from __future__ import annotations

import asyncio
import time
from typing import ClassVar, Protocol, cast

from textual.app import ComposeResult

from ..columns.base import View
from ..columns.numbers import clock, count
from ..columns.rows import Rows
from ..commands import catalog
from ..commands.base import Command
from ..widgets.filter_bar import FilterBar
from ..widgets.lines import Line, Lines
from ..widgets.table import VirtualTable
from .base import BaseScreen
from .sort_menu import SortMenu

LOW = 20
"""Below this height the line of the filter bar is given to the table while nobody filters."""
SLICE_S = 0.004
NAP_S = 0.001
"""A long filter or sort works so long and rests so long in turn: keys and paint come between."""
LOOKS: tuple[Command, ...] = (
    *catalog.MOVES,
    *catalog.PANES,
    *catalog.MARKS,
    catalog.FILTER,
    catalog.SORT,
    catalog.FREEZE,
    catalog.FOLLOW,
    catalog.YANK,
    *catalog.EVERYWHERE,
)


class Sortable(Protocol):
    """Rows that can be filtered and sorted."""

    filter: str
    sort: tuple[str, bool] | None


class TableScreen(BaseScreen):
    """Subclasses name their rows; ``above()`` gives lines over the table."""

    commands: ClassVar[tuple[Command, ...]] = LOOKS
    CSS_PATH = "table_screen.tcss"

    def rows(self) -> Rows:
        """The rows of the table."""
        raise NotImplementedError

    def above(self, view: View) -> list[Line]:
        """Lines over the table."""
        return []

    def body(self) -> ComposeResult:
        """Lines, filter bar, table."""
        self._since_frozen = 0.0
        self._frozen_events = 0
        self._carrying_on = False
        yield Lines(id="above")
        yield FilterBar()
        yield VirtualTable(self.rows(), id="main")

    @property
    def main(self) -> VirtualTable:
        """The big table."""
        return self.query_one("#main", VirtualTable)

    @property
    def sortable(self) -> Sortable:
        """The rows, as what filters and sorts."""
        return cast(Sortable, self.main.rows)

    def frame(self, view: View) -> None:
        """The lines above the table, too."""
        super().frame(view)
        above = self.query_one("#above", Lines)
        lines = self._frozen_lines(view) or self.above(view)
        above.display = bool(lines)
        above.show(lines)

    def paint(self, view: View) -> None:
        """The table, then what the filter bar counts."""
        self._bring_up_to_date(view)
        self.main.tick(view)
        self._tell_filter(view)

    def _bring_up_to_date(self, view: View) -> None:
        """Work on the order of the rows: at once if it is soon done, else beside all the rest."""
        if self._carrying_on or not self._looked_at() or not self._slice(view):
            return
        self._carrying_on = True
        self.run_worker(self._carry_on(), group="order")

    def _looked_at(self) -> bool:
        return self.stands and not self.main.frozen

    def _slice(self, view: View) -> bool:
        """Work on it for a moment; False when nothing is left to do."""
        until = time.perf_counter() + SLICE_S
        while self.main.rows.work(view):
            if time.perf_counter() >= until:
                return True
        return False

    async def _carry_on(self) -> None:
        """Until it is done, or nobody looks at the rows; the paint clock takes it up again."""
        try:
            while self._looked_at() and self._slice(self.host.view()):  # noqa: ASYNC110  it works
                await asyncio.sleep(NAP_S)
        finally:
            self._carrying_on = False
        self.tick()

    def _tell_filter(self, view: View) -> None:
        bar, rows = self.query_one(FilterBar), self.main.rows
        note = "" if self.main.frozen else rows.order_note(view)
        if note or not rows.unfinished:
            shown = f"{count(self.main.row_count)} of {count(self.total(view))}"
            counted = shown if bar.text and not rows.unfinished else ""
            bar.tell(f"{note}   {counted}" if note and counted else note or counted)
        wanted = bar.is_open or bool(bar.text) or bool(note)
        bar.display = wanted or self.app.size.height >= LOW

    def total(self, view: View) -> int:
        """Rows there would be without a filter."""
        return self.main.row_count

    def _frozen_lines(self, view: View) -> list[Line]:
        if not self.main.frozen:
            return []
        newer = count(view.cluster.events_counted - self._frozen_events)
        cells = (
            (f" FROZEN {clock(self._since_frozen, view)} ", "filled acc"),
            (f"  {newer} newer events are counted, not shown", ""),
        )
        return [Line(cells, (("p", "acc bold"), (" thaw", "dim"), (" ", "")), "mark", 1)]

    # -- commands -----------------------------------------------------------------------------

    def do_filter(self) -> None:
        """Open the filter bar."""
        bar = self.query_one(FilterBar)
        bar.display = True
        bar.open()

    def on_filter_bar_changed(self, message: FilterBar.Changed) -> None:
        """Filter live."""
        self.sortable.filter = message.text
        self.tick()

    def do_sort(self) -> None:
        """Ask for a column."""
        columns = [column for column in self.main.rows.columns if column.sort]
        self.app.push_screen(SortMenu(columns, self.sortable.sort), self._sorted)

    def _sorted(self, choice: tuple[str, bool] | None) -> None:
        if choice is None:  # left with Esc
            return
        self.sortable.sort = choice
        self.main.set_sort(choice)
        self.tick()

    def do_mark_all(self) -> None:
        """All rows that the filter shows, once it shows them."""
        if self.main.rows.unfinished:
            self.host.toast("not yet: the rows are still being filtered or sorted", "warn")
        else:
            super().do_mark_all()

    def do_freeze(self) -> None:
        """Freeze or thaw the view."""
        self._since_frozen = self.host.view().now
        self._frozen_events = self.host.cluster.events_counted
        self.main.freeze(not self.main.frozen)

    def do_follow(self) -> None:
        """Keep the cursor on the first row."""
        self.main.follow_newest(not self.main.follow)

    def do_escape(self) -> None:
        """A sort in the making, filter, marks, then the page."""
        if self.clear_toasts():
            return
        if self.main.rows.cancel():
            self.main.set_sort(self.sortable.sort)
        elif self.sortable.filter:
            self.query_one(FilterBar).clear()
        else:
            super().do_escape()
