"""Log: links, workers that came and went, what we did, what libraries and the project said."""

from __future__ import annotations

from typing import ClassVar

from ..columns.base import View
from ..columns.live import LogRows
from ..commands import catalog
from ..commands.base import Command
from .table_screen import TableScreen


class LogScreen(TableScreen):
    """Newest first."""

    root = "log"
    commands: ClassVar[tuple[Command, ...]] = (
        *catalog.SCROLLS,
        catalog.FILTER,
        catalog.FREEZE,
        catalog.FOLLOW,
        *catalog.EVERYWHERE,
    )

    def rows(self) -> LogRows:
        """All lines."""
        return LogRows()

    def total(self, view: View) -> int:
        """Lines kept."""
        return len(view.cluster.log) + len(view.cluster.printed)
