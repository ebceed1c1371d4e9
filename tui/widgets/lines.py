"""Lines of cells: header, footer, facts, dialogs and detail pages are all made of these."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rich.cells import cell_len
from textual.geometry import Region, Size
from textual.strip import Strip
from textual.widget import Widget

from ..columns.base import Cell
from .cells import cut_cells, is_rule, sign_cut, strip_of
from .look import look_of


@dataclass(frozen=True, slots=True)
class Line:
    """One line: cells from the left, cells at the right end, and the background they stand on."""

    left: tuple[Cell, ...] = ()
    right: tuple[Cell, ...] = ()
    on: str = "bg"
    indent: int = 2

    def cells(self, width: int, cut: str) -> list[Cell]:
        """All cells in ``width``; the left part is cut when both do not fit."""
        tail = sum(cell_len(text) for text, _ in self.right) + (1 if self.right else 0)
        room = max(0, width - self.indent - tail)
        cells: list[Cell] = [(" " * self.indent, "")]
        for text, words in self.left:
            size = cell_len(text)
            if size > room and not room and not is_rule(text):
                cells[-1] = (sign_cut(cells[-1][0], cut), cells[-1][1])
            if size > room:
                shown = cut_cells(text, room, cut)
                cells.append((shown, words))
                room -= cell_len(shown)
                break
            cells.append((text, words))
            room -= size
        return [*cells, (" " * (room + 1), ""), *self.right] if self.right else cells


BLANK = Line()


class Lines(Widget):
    """Shows lines, scrolls when there are more than fit, repaints only those that changed."""

    DEFAULT_CSS = "Lines { height: auto; width: 1fr; }"

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self._lines: Sequence[Line] = ()
        self._top = 0

    def show(self, lines: Sequence[Line]) -> None:
        """Replace the lines; only those that differ are painted again."""
        before, self._lines = self._lines, tuple(lines)
        height = self.size.height
        if len(before) != len(self._lines):
            self._top = max(0, min(self._top, len(self._lines) - height)) if height else 0
            self.refresh(layout=self.styles.auto_dimensions)
            return
        width = self.size.width
        changed = [
            Region(0, row - self._top, width, 1)
            for row, (old, new) in enumerate(zip(before, self._lines, strict=True))
            if old != new and 0 <= row - self._top < height
        ]
        if changed:
            self.refresh(*changed)

    def scroll_lines(self, delta: int) -> None:
        """Move by so many lines, within bounds."""
        top = max(0, min(self._top + delta, len(self._lines) - self.size.height))
        if top != self._top:
            self._top = top
            self.refresh()

    def render_line(self, y: int) -> Strip:
        """Textual's Line API."""
        look = look_of(self)
        row = y + self._top
        line = self._lines[row] if row < len(self._lines) else BLANK
        width = self.size.width
        return strip_of(line.cells(width, look.cut), width, look, line.on)

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        """As many rows as there are lines."""
        return len(self._lines)

    def notify_style_update(self) -> None:
        """The theme changed: everything is painted anew."""
        super().notify_style_update()
        self.refresh()
