"""What the parts of a screen's behaviour (moves, acts) may rely on."""

from __future__ import annotations

from textual.screen import Screen

from ..widgets.table import VirtualTable
from .host import Host


class Part(Screen[None]):
    """A screen that knows its host and its present table."""

    @property
    def host(self) -> Host:
        """The program."""
        raise NotImplementedError

    @property
    def table(self) -> VirtualTable | None:
        """The table with the focus, or the first one."""
        raise NotImplementedError
