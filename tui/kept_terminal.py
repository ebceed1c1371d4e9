"""Textual's driver on the terminal that a diversion keeps: nobody else here writes to it."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, cast

from textual.app import App
from textual.driver import Driver
from textual.drivers.linux_driver import LinuxDriver

from .differ import textual_private as private
from .diversion import IN

if TYPE_CHECKING:
    from .app import CeleryTui


class KeptTerminal(LinuxDriver):
    """Draws on the diversion's terminal, reads its keys, and ends the diversion at the end.

    While the program is stopped the diversion goes on: nothing of the project gets to the shell.
    """

    def __init__(self, app: App[Any], **options: Any) -> None:
        super().__init__(app, **options)
        self._diversion = cast("CeleryTui", app).diversion
        self._suspending = False
        terminal = self._diversion.terminal if self._diversion is not None else None
        if terminal is None or self._diversion is None:
            return
        self.fileno, self.input_tty = self._diversion.keyboard, True
        if not private.draw_on(self, terminal):
            self._diversion.end()  # better painted over than black
            self.fileno = IN

    # The name is Textual's, as in SparingApp: only a method can override it.
    def _get_terminal_size(self) -> tuple[int, int]:
        """As the user says, or as the terminal does: Textual would ask 1, which is none now."""
        terminal = self._diversion.terminal if self._diversion is not None else None
        if terminal is None:
            return super()._get_terminal_size()
        try:
            asked = os.get_terminal_size(terminal.fileno())
        except OSError:
            return super()._get_terminal_size()
        width, height = _number("COLUMNS") or asked.columns, _number("LINES") or asked.lines
        return width or 80, height or 25

    def suspend_application_mode(self) -> None:
        """Not for good."""
        self._suspending = True
        super().suspend_application_mode()
        self._suspending = False

    def close(self) -> None:
        """For good: what is written from here on, a crash's message too, goes to the terminal."""
        super().close()
        if not self._suspending and self._diversion is not None:
            self._diversion.end()


def drawing(found: type[Driver]) -> type[Driver] | None:
    """The driver that draws as this one does, on the kept terminal; None: there is none."""
    return KeptTerminal if found is LinuxDriver else None


def _number(name: str) -> int:
    text = os.environ.get(name, "")
    return int(text) if text.isascii() and text.isdigit() else 0
