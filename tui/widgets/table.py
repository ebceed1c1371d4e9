"""A virtual table: only visible rows exist, only rows that changed are painted again."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from textual.geometry import Region
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from ..columns.base import EDGE, Cell, Placed, View, place
from ..columns.rows import Head, Rows
from ..theme import Look
from .cells import strip_of
from .lines import Line
from .look import look_of
from .table_lines import NOTHING, Painted, Sort, hangs, head_cells, row_cells

GONE = "gone"


class VirtualTable(Widget, can_focus=True):
    """Rows of a ``Rows`` with a head line above. The cursor stays on its row id.

    Keys belong to the screen's commands; this widget only offers the moves.
    """

    DEFAULT_CSS = "VirtualTable { height: 1fr; width: 1fr; }"

    class Moved(Message):
        """The cursor stands on another row."""

        def __init__(self, table: VirtualTable) -> None:
            super().__init__()
            self.table = table

        @property
        def control(self) -> VirtualTable:
            """The table."""
            return self.table

    def __init__(self, rows: Rows, *, id: str | None = None, selectable: bool = True) -> None:
        super().__init__(id=id)
        self.rows = rows
        self.can_focus = selectable
        self.marks: dict[str, None] = {}
        self.place: object = None
        """Where a screen that places its tables itself has put it."""
        self.follow = False
        self.frozen = False
        self._ids: Sequence[str] = ()
        self._index = 0
        self._cursor_id: str | None = None
        self.touched = False
        """Somebody moved its cursor."""
        self._top = 0
        self._head = Head()
        self._sort: Sort | None = None
        self._placed: list[Placed[Any]] = []
        self._lines: list[Painted] = []
        self._kept: dict[str, tuple[tuple[Cell, ...], str]] = {}
        self._view: View | None = None
        self._told: tuple[Cell, ...] = ()
        """What stands there in place of rows."""

    # -- what is shown ------------------------------------------------------------------------

    @property
    def cursor_id(self) -> str | None:
        """Id of the row under the cursor."""
        return self._cursor_id

    @property
    def row_count(self) -> int:
        """Rows in the present order."""
        return len(self._ids)

    def selected(self) -> list[str]:
        """Marked rows, else the one under the cursor."""
        return list(self.marks) or ([self._cursor_id] if self._cursor_id else [])

    def shown_ids(self) -> Sequence[str]:
        """Ids of the rows now visible."""
        return self._ids[self._top : self._top + self._body()]

    def set_sort(self, sort: Sort | None) -> None:
        """Which column's head carries the sort mark: (column id, descending)."""
        self._sort = sort
        self.refresh()

    def tick(self, view: View) -> None:
        """Data may have changed: repaint the lines that differ from what was painted."""
        self._view = view
        if not self.frozen:
            self._reorder(self.rows.ids(view))
        head = self.rows.head(view)
        if head != self._head:
            self._head = head
            self.refresh(Region(0, 0, self.size.width, 1))
        self._repaint()

    def _reorder(self, ids: Sequence[str]) -> None:
        if ids is self._ids:
            return
        before, self._ids = self._ids, ids
        if not ids:
            self._index, self._cursor_id, self._top = 0, None, 0
            return
        if self._cursor_id is None or self.follow or not self.touched:
            self._place_cursor(0 if not self.touched or self.follow else self._index)
            return
        found = self._find(self._cursor_id, self._index + len(ids) - len(before))
        stays = found is not None
        if found is None:
            found = self._beside(before)
        self._top = max(0, self._top + found - self._index)
        if stays:
            self._index = found
            self._keep_visible()
        else:
            self._place_cursor(found)

    def _beside(self, before: Sequence[str]) -> int:
        """Where the row is that stood nearest to the cursor's, which is gone."""
        for away in (1, -1, 2, -2, 3, -3):
            index = self._index + away
            if 0 <= index < len(before):
                found = self._find(before[index], self._index)
                if found is not None:
                    return found
        return min(self._index, len(self._ids) - 1)

    def _find(self, row_id: str, guess: int) -> int | None:
        for near in (guess, self._index):
            if 0 <= near < len(self._ids) and self._ids[near] == row_id:
                return near
        try:
            return self._ids.index(row_id)
        except ValueError:
            return None

    # -- moving -------------------------------------------------------------------------------

    def move(self, delta: int) -> None:
        """Cursor down (or up) by so many rows."""
        self._touch(self._index + delta)

    def page(self, delta: int) -> None:
        """Cursor down (or up) by pages."""
        self._touch(self._index + delta * max(1, self._body() - 1))

    def edge(self, bottom: bool) -> None:
        """Cursor to the first or last row."""
        self._touch(len(self._ids) - 1 if bottom else 0)

    def go_to(self, row_id: str) -> bool:
        """Cursor to a row, if it is there."""
        found = self._find(row_id, self._index)
        if found is not None:
            self._touch(found)
        return found is not None

    def follow_newest(self, on: bool) -> None:
        """Keep the cursor on the first row whatever comes."""
        self.follow = on
        if on:
            self.touched = False
            self._place_cursor(0)
            self._repaint()

    def freeze(self, on: bool) -> None:
        """Fix order and visible texts of the view; the model runs on."""
        self.frozen = on
        self._kept.clear()
        if on:
            self._kept = {p.row_id: (p.cells, p.style) for p in self._lines if p.row_id}
        elif self._view is not None:
            self.tick(self._view)

    def mark(self, row_id: str | None = None) -> None:
        """Mark or unmark a row (the cursor's, if none is named)."""
        row_id = row_id or self._cursor_id
        if row_id is None:
            return
        if row_id in self.marks:
            del self.marks[row_id]
        else:
            self.marks[row_id] = None
        self._repaint()

    def clear_marks(self) -> None:
        """No row is marked."""
        self.marks.clear()
        self._repaint()

    def _touch(self, index: int) -> None:
        if not self._ids:
            return
        self.touched, self.follow = True, False
        self._place_cursor(max(0, min(index, len(self._ids) - 1)))
        self._repaint()

    def _place_cursor(self, index: int) -> None:
        self._index = index
        moved = self._cursor_id != self._ids[index] if self._ids else False
        self._cursor_id = self._ids[index] if self._ids else None
        self._keep_visible()
        if moved and self.is_attached:
            self.post_message(self.Moved(self))

    def _keep_visible(self) -> None:
        body = self._body()
        if self._index < self._top:
            self._top = self._index
        elif self._index >= self._top + body:
            self._top = self._index - body + 1
        self._top = max(0, min(self._top, max(0, len(self._ids) - body)))

    def _body(self) -> int:
        return max(1, self.size.height - 1)

    # -- painting -----------------------------------------------------------------------------

    def _repaint(self) -> None:
        if self._view is None or not self.size.width:
            return
        lines = self._paint_rows(self._view)
        old = self._lines
        self._lines = lines
        told = () if self._ids else tuple(self.rows.empty(self._view))
        if told != self._told:
            self._told = told
            self.refresh(Region(0, 1, self.size.width, 1))
        if len(old) != len(lines):
            self.refresh()
            return
        regions = [
            self._changed(y + 1, before, after)
            for y, (before, after) in enumerate(zip(old, lines, strict=True))
            if before != after
        ]
        if regions:
            self.refresh(*regions)

    def _changed(self, y: int, before: Painted, after: Painted) -> Region:
        """The cells of line ``y`` from the first to the last column that differs."""
        width = self.size.width
        same_row = before.row_id == after.row_id and len(before.cells) == len(after.cells)
        told = (before.cursor, before.marked, before.style)
        same_look = told == (after.cursor, after.marked, after.style)
        # The second line of a row has no id, and no columns.
        if not after.row_id or not same_row or not same_look:
            return Region(0, y, width, 1)
        differing = [
            place
            for place, a, b in zip(self._placed, before.cells, after.cells, strict=False)
            if a != b
        ]
        if not differing:
            return Region(0, y, width, 1)
        left = differing[0].x
        right = min(width, differing[-1].x + differing[-1].width + 1)
        return Region(left, y, max(1, right - left), 1)

    def _paint_rows(self, view: View) -> list[Painted]:
        body = self._body()
        lines: list[Painted] = []
        for index in range(self._top, min(self._top + body, len(self._ids))):
            painted = self._row(index, view)
            lines.append(painted)
        self._second_line(lines, view)
        return (lines + [NOTHING] * body)[:body]

    def _row(self, index: int, view: View) -> Painted:
        row_id = self._ids[index]
        cursor = index == self._index and self.has_focus
        marked = row_id in self.marks
        if row_id in self._kept:
            cells, style = self._kept[row_id]
            return Painted(row_id, cells, style, cursor, marked)
        record = self.rows.record(row_id, view)
        if record is None:
            return Painted(row_id, self._gone(), "dim", cursor, marked)
        cells = tuple(self._cell(placed, record, view) for placed in self._placed)
        style = "dim" if view.stale else self.rows.row_style(record, view)
        if self.frozen:
            self._kept[row_id] = (cells, style)
        return Painted(row_id, cells, style, cursor, marked)

    def _gone(self) -> tuple[Cell, ...]:
        """A row of an order that is a little old, and whose record is kept no longer."""
        wide = next((placed for placed in self._placed if placed.width >= len(GONE)), None)
        return tuple((GONE if placed is wide else "", "dim") for placed in self._placed)

    def _cell(self, placed: Placed[Any], record: Any, view: View) -> Cell:
        if placed.column.drawn is not None:
            text, words = placed.column.drawn(record, view, placed.width)
        else:
            text, words = placed.column.cell(record, view)
        if len(text) > placed.width and not hangs(text, placed):
            text = placed.column.short(record, view) if placed.column.short else text
            text = placed.column.cut(text, placed.width, view.cut)
        return text, ("dim" if view.stale else words)

    def _second_line(self, lines: list[Painted], view: View) -> None:
        """The explanation under the cursor row, where the height allows it."""
        here = next((y for y, line in enumerate(lines) if line.cursor), None)
        if here is None or self.app.size.height < 36:
            return
        record = self.rows.record(lines[here].row_id, view)
        detail = self.rows.detail(record, view) if record is not None else None
        if detail is not None:
            lines.insert(here + 1, Painted("", (detail,), "", True, False))

    def render_line(self, y: int) -> Strip:
        """Textual's Line API: line 0 is the head."""
        look, width = look_of(self), self.size.width
        if y == 0:
            return strip_of(head_cells(self._head, self._placed, self._sort, width), width, look)
        painted = self._lines[y - 1] if y - 1 < len(self._lines) else NOTHING
        if painted is NOTHING or not painted.cells:
            return self._empty_strip(look, width, y)
        if not painted.row_id:
            return strip_of([(" " * (EDGE + 2), ""), painted.cells[0]], width, look, painted.on)
        return strip_of(row_cells(painted, self._placed, look), width, look, painted.on)

    def _empty_strip(self, look: Look, width: int, y: int) -> Strip:
        if y == 1 and self._told:
            line = Line(self._told, indent=EDGE)
            return strip_of(line.cells(width, look.cut), width, look)
        return strip_of([], width, look)

    # -- Textual ------------------------------------------------------------------------------

    def on_resize(self) -> None:
        """Place the columns anew."""
        self._placed = place(self.rows.columns, self.size.width)
        self._kept.clear()
        self._lines = []
        self._keep_visible()
        self._repaint()

    def on_focus(self) -> None:
        """The cursor row appears."""
        self._repaint()

    def on_blur(self) -> None:
        """Only the table with the focus has a cursor row."""
        self._repaint()

    def notify_style_update(self) -> None:
        """The theme changed: everything is painted anew."""
        super().notify_style_update()
        self.refresh()
