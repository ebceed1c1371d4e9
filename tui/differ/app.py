"""An App that sends only the cells that changed; Textual's own output where in doubt."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from functools import partial
from typing import Any

from rich.console import RenderableType
from textual.app import App
from textual.events import CursorPosition, Resize
from textual.screen import Screen
from textual.timer import Timer
from textual.widgets import Input

from . import textual_private as private
from .cells import UnknownContent
from .grid import Grid
from .line import Line

log = logging.getLogger(__name__)

TRY_AGAIN_S = 0.01
ANSWER_WITHIN_S = 0.5
"""Of leaving: a later answer is typed into the shell."""


class SparingApp(App[int]):
    """Keeps a grid of what the terminal shows, and forgets it whenever that is not certain."""

    def __init__(self) -> None:
        super().__init__()
        self.grid: Grid | None = Grid()
        """None: everything is sent as Textual does it."""
        self.line = Line()
        self._kept: Timer | None = None
        """A frame waits for its turn."""
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

    def may_tick(self) -> bool:
        """Whether the paint clock may strike: not while output waits, seldom on a slow line."""
        return self.line.may_tick(private.queued(self))

    @property
    def line_lag_s(self) -> float:
        """How far the terminal at the far end is behind, in seconds."""
        return self.line.lag_s

    # -- frames -------------------------------------------------------------------------------

    def _display(self, screen: Screen[object], renderable: RenderableType | None) -> None:
        # The name is Textual's; kept out of textual_private because only a method can override it.
        if self.grid is None or renderable is None or not private.draws(self):
            super()._display(screen, renderable)
            return
        if not self._want(self.grid, renderable):
            self.forget_terminal()
            super()._display(screen, renderable)
            return
        try:
            self._send()
        finally:
            self.post_display_hook()

    def _want(self, grid: Grid, update: object) -> bool:
        """Put an update into the grid; False: Textual must do it."""
        try:
            grid.want(*private.patches(self, update))
        except UnknownContent as unknown:
            log.debug("sent as a whole: %s", unknown)
            return False
        except private.BROKEN as error:
            log.warning("cells are not compared any more: %r", error)
            self.grid = None
            return False
        return True

    def _send(self) -> None:
        """Bring the terminal up to date, at once unless it is behind: then as one frame, later."""
        if self.grid is None or not private.draws(self):
            return
        if not self.line.may_send(private.queued(self)):
            self._kept = self._kept or self.set_timer(TRY_AGAIN_S, self._try_again)
            return
        cells, cursor = self.grid.update(), self._cursor()
        if not cells and cursor == self._cursor_was:
            return
        frame = cells
        if cursor is not None:
            frame += f"\x1b[{cursor[1] + 1};{cursor[0] + 1}H"
        self._cursor_was = cursor
        private.send(self, frame + self.line.sent(typing=cursor is not None))

    def _try_again(self) -> None:
        self._kept = None
        self._send()

    def _cursor(self) -> tuple[int, int] | None:
        """Where input methods shall open their window; it is not seen, and else nobody cares."""
        if isinstance(self.focused, Input):
            x, y = self.screen.outer_size.clamp_offset(self.cursor_position)
            return x, y
        return None

    # -- Textual ------------------------------------------------------------------------------

    def on_cursor_position(self, _event: CursorPosition) -> None:
        """The terminal answers a question."""
        self.line.answered()

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
            signal.subscribe(self, lambda _: self._other_hands(), immediate=True)

    def _other_hands(self) -> None:
        self.forget_terminal()
        self.line.forget()

    def exit(self, *args: Any, **options: Any) -> None:
        """End the app, once no answer of the terminal is under way: the shell would get it."""
        self._once_answered(partial(super().exit, *args, **options))

    def action_suspend_process(self) -> None:
        """As ``exit``."""
        self._once_answered(super().action_suspend_process)

    def _once_answered(self, leave: Callable[[], None], waited_s: float = 0.0) -> None:
        self.line.silence()
        if not self.line.waiting or waited_s >= ANSWER_WITHIN_S:
            leave()
            return
        again = partial(self._once_answered, leave, waited_s + TRY_AGAIN_S)
        asyncio.get_running_loop().call_later(TRY_AGAIN_S, again)
