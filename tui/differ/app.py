"""An App that sends only the cells that changed; Textual's own output where in doubt."""

from __future__ import annotations

import logging

from rich.console import RenderableType
from textual.app import App
from textual.events import Resize
from textual.screen import Screen

from . import textual_private as private
from .cells import UnknownContent
from .grid import Grid

log = logging.getLogger(__name__)


class SparingApp(App[int]):
    """Keeps a grid of what the terminal shows, and forgets it whenever that is not certain."""

    def __init__(self) -> None:
        super().__init__()
        self.grid: Grid | None = Grid()
        """None: everything is sent as Textual does it."""
        self._cursor_was: tuple[int, int] | None = None

    def forget_terminal(self) -> None:
        """The terminal may show anything: send everything again when it is painted."""
        self._cursor_was = None
        if self.grid is not None:
            self.grid.forget()

    def redraw(self) -> None:
        """Paint every cell again."""
        self.forget_terminal()
        self.refresh(layout=True)

    # -- Textual ------------------------------------------------------------------------------

    def _display(self, screen: Screen[object], renderable: RenderableType | None) -> None:
        # The name is Textual's; kept out of textual_private because only a method can override it.
        if self.grid is None or renderable is None or not private.draws(self):
            super()._display(screen, renderable)
            return
        frame = self._frame(self.grid, renderable)
        if frame is None:
            self.forget_terminal()
            super()._display(screen, renderable)
            return
        try:
            private.send(self, frame)
        finally:
            self.post_display_hook()

    def _frame(self, grid: Grid, update: object) -> str | None:
        """What to send; None: Textual must do it."""
        try:
            cells = grid.update(*private.patches(self, update))
            cursor = self.screen.outer_size.clamp_offset(self.cursor_position)
        except UnknownContent as unknown:
            log.debug("sent as a whole: %s", unknown)
            return None
        except private.BROKEN as error:
            log.warning("cells are not compared any more: %r", error)
            self.grid = None
            return None
        if not cells and cursor == self._cursor_was:
            return ""
        self._cursor_was = cursor
        return f"{cells}\x1b[{cursor.y + 1};{cursor.x + 1}H"

    def watch_theme(self) -> None:
        """Every colour changes."""
        self.forget_terminal()

    def on_resize(self, event: Resize) -> None:
        """Also after a stop, and when the size changed and changed back: the terminal was cleared.

        Textual paints by itself if it finds another size.
        """
        known = self.grid is not None and self.grid.size == tuple(event.size)
        self.forget_terminal()
        if known:
            self.refresh()

    def on_mount(self) -> None:
        """Other programs write to the terminal while this one is suspended."""
        for signal in (self.app_suspend_signal, self.app_resume_signal):
            signal.subscribe(self, lambda _: self.forget_terminal(), immediate=True)
