"""A chart on the screen: the lines of an area chart, painted anew only where they differ."""

from __future__ import annotations

from ..columns.base import View
from ..columns.charts import Chart, chart_lines
from .lines import Line, Lines


class ChartPane(Lines):
    """Shows one ``Chart``; the same chart in the same size is not drawn again."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.place: object = None
        """Where a screen that places it itself has put it."""
        self._drawn: object = None

    def draw(self, chart: Chart, view: View, width: int, height: int) -> None:
        """The chart in so many cells."""
        drawn = (chart, view.stale, view.utc, width, height)
        if drawn != self._drawn:
            self._drawn = drawn
            self.show([Line(cells, indent=0) for cells in chart_lines(chart, view, width, height)])
