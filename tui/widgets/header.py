"""The three lines at the top: who and how fresh, the key figures, tabs or breadcrumb."""

from __future__ import annotations

from ..columns.base import Cell, View
from ..columns.facts import fitting, in_a_row, taken
from ..columns.status import Standing, figures, identity, situation
from ..commands.catalog import LOG, ROOTS, SCREEN_KEYS
from .lines import Line, Lines

SMALL = 70
"""Below this width tabs shrink to digits."""


class Header(Lines):
    """Docked at the top; one line only where the terminal is lower than 20 rows."""

    DEFAULT_CSS = "Header { dock: top; height: auto; width: 1fr; }"

    def update(self, standing: Standing, view: View, root: str, crumbs: tuple[str, ...]) -> None:
        """Build the lines anew; only what differs is painted."""
        width = self.app.size.width
        first = self._first(standing, view, width)
        if self.app.size.height < 20:
            self.show((first, self._tabs(root, width) if root else self._crumbs(root, crumbs)))
            return
        third = self._tabs(root, width) if root else self._crumbs(root, crumbs)
        facts = view.once(("figures", width), lambda: figures(view, width))
        self.show((first, Line(in_a_row(fitting(facts, width - 3))), third))

    def _first(self, standing: Standing, view: View, width: int) -> Line:
        gap = 3 if width >= 90 else 2
        right = situation(view, standing, width)
        room = width - 4 - taken(right, gap) - gap
        left = identity(view, standing.broker_url, standing.backend_url, standing.name, width)
        return Line(
            in_a_row(fitting(left, room, gap), gap), (*in_a_row(right, gap), (" ", "")), "band"
        )

    def _tabs(self, root: str, width: int) -> Line:
        cells: list[Cell] = []
        roomy = width >= 100
        for name, title in (*ROOTS, LOG):
            key = SCREEN_KEYS[name]
            if name == root:
                cells.append((f" {key} {title} ", "filled acc"))
            elif width >= SMALL:
                cells.append((f" {key} {title} ", "dim"))
            else:
                cells.append((f" {key} ", "dim"))
            if roomy:
                cells.append((" ", ""))
        right: tuple[Cell, ...] = (("?", "acc"), (" help", "dim"), (" ", ""))
        return Line(tuple(cells), right if width >= 100 else (), indent=1)

    def _crumbs(self, root: str, crumbs: tuple[str, ...]) -> Line:
        cells: list[Cell] = []
        for index, crumb in enumerate(crumbs):
            if index:
                cells.append(("  ›  ", "dim"))
            cells.append((crumb, "bright" if index == len(crumbs) - 1 else ""))
        return Line(tuple(cells), (("Esc", "acc bold"), (" back", "dim"), (" ", "")))
