"""The charts of Home: what they show, and a place that does not come and go with the rows."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from ..columns.base import View
from ..columns.charts import Chart
from ..columns.trends import backlog_chart, failures_chart
from ..model.history import SAMPLES
from ..model.seam import Finding
from ..widgets.chart_pane import ChartPane
from .home_layout import CHARTS, Place

GROW_AFTER_S = 30.0


class HomeCharts:
    """Backlog and failures, side by side where there is room."""

    def __init__(self) -> None:
        self.panes = {name: ChartPane(id=name) for name in CHARTS}
        self.frozen = False
        self._lines = 0
        self._grow_at = 0.0
        self._size: object = None

    def settled(self, room: int, view: View, size: object) -> int:
        """Lines they take: what was left for them all the while, not what is left just now.

        Tables that need more rows get them at once; charts take rows back after half a minute.
        """
        past = view.cluster.past
        if not past.backlog.known(SAMPLES) and not past.failures.known(SAMPLES):
            return 0  # nothing is known yet, and sections still come and go
        if size == self._size and self._lines < room and view.now < self._grow_at:
            return self._lines
        self._lines, self._size, self._grow_at = room, size, view.now + GROW_AFTER_S
        return room

    def draw(self, view: View, findings: Sequence[Finding]) -> None:
        """Those that have a place, unless the view is frozen."""
        charts: dict[str, Callable[[], Chart]] = {
            "backlog": lambda: backlog_chart(view, findings),
            "failing": lambda: failures_chart(view),
        }
        for name, pane in self.panes.items():
            if pane.display and isinstance(pane.place, Place) and not self.frozen:
                told = tuple(finding.key for finding in findings)
                chart = view.once((name, told), charts[name])
                pane.draw(chart, view, pane.place.width, pane.place.height)
