"""What a dialog is filled in with: a one-line field, a choice of words, a button."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from rich.cells import cell_len
from textual.binding import Binding, BindingType
from textual.geometry import Size
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget
from textual.widgets import Input

from ..columns.base import Cell
from ..columns.names import literal
from .cells import strip_of
from .look import look_of

LONGEST = 50_000
"""Characters a field takes."""


class Field(Input):
    """One line of text with a steady cursor. Letters typed here are text, never keys."""

    DEFAULT_CSS = """
    Field, Field:focus {
        height: 1; border: none; padding: 0; width: 1fr;
        background: $tone-track; background-tint: transparent; color: $tone-fg;
    }
    Field:focus { color: $tone-bright; }
    Field:ansi { text-style: underline; }
    Field:ansi > .input--cursor {
        background: ansi_default; color: ansi_default; text-style: reverse;
    }
    """

    def __init__(
        self, value: str = "", *, max_length: int = 0, placeholder: str = "", id: str | None = None
    ) -> None:
        super().__init__(
            value, placeholder, max_length=max_length, compact=True, select_on_focus=False, id=id
        )
        self.cursor_blink = False

    def validate_value(self, value: str) -> str:
        """What was pasted may hold control characters: shown, they would be obeyed."""
        return literal(value, LONGEST)


class PushButton(Widget, can_focus=True):
    """A word that Enter presses; filled while it has the focus."""

    DEFAULT_CSS = "PushButton { height: 1; width: auto; margin-right: 3; }"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "press", "press", show=False),
        Binding("left,up", "app.focus_previous", "previous", show=False),
        Binding("right,down", "app.focus_next", "next", show=False),
    ]

    class Pressed(Message):
        """Enter, or the mouse."""

        def __init__(self, button: PushButton) -> None:
            super().__init__()
            self.button = button

        @property
        def control(self) -> PushButton:
            """The button."""
            return self.button

    def __init__(self, word: str, *, id: str) -> None:
        super().__init__(id=id)
        self.word = word

    def name_it(self, word: str) -> None:
        """Another word on it."""
        if word != self.word:
            self.word = word
            self.refresh(layout=True)

    def action_press(self) -> None:
        """Enter."""
        self.post_message(self.Pressed(self))

    def on_click(self) -> None:
        """The mouse, where it is switched on."""
        self.action_press()

    def render_line(self, y: int) -> Strip:
        """Textual's Line API."""
        look = look_of(self)
        edges = "[]" if not look.rgb and not self.has_focus else "  "
        text = f"{edges[0]} {self.word} {edges[1]}"
        words, on = ("filled acc", "band") if self.has_focus else ("", "track")
        return strip_of([(text, words)], self.size.width, look, on)

    def get_content_width(self, container: Size, viewport: Size) -> int:
        """The word and two blanks on either side."""
        return cell_len(self.word) + 4

    def notify_style_update(self) -> None:
        """The theme or the focus changed."""
        super().notify_style_update()
        self.refresh()


class Choice(Widget, can_focus=True):
    """One of a few words: ``(•) TERM   ( ) KILL``. Arrows and the space bar choose."""

    DEFAULT_CSS = "Choice { height: 1; width: 1fr; }"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("right,down,l,space", "step(1)", "next", show=False),
        Binding("left,up,h", "step(-1)", "previous", show=False),
        Binding("enter", "app.focus_next", "next field", show=False),
    ]

    class Chosen(Message):
        """Another word is chosen."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.options: tuple[str, ...] = ()
        self.index = 0

    def offer(self, options: Sequence[str]) -> None:
        """These words; what was chosen stays chosen if it is still among them."""
        if tuple(options) == self.options:
            return
        before = self.chosen
        self.options = tuple(options)
        self.index = self.options.index(before) if before in self.options else 0
        self.refresh()

    @property
    def chosen(self) -> str:
        """The word chosen; empty: there is nothing to choose."""
        return self.options[self.index] if self.options else ""

    def action_step(self, delta: int) -> None:
        """Choose the next word, or the one before."""
        if self.options:
            self.index = (self.index + delta) % len(self.options)
            self.refresh()
            self.post_message(self.Chosen())

    def render_line(self, y: int) -> Strip:
        """Textual's Line API."""
        width = self.size.width
        gap = 3 if sum(len(word) + 7 for word in self.options) - 3 <= width else 2
        cells: list[Cell] = []
        for index, word in enumerate(self.options):
            here = index == self.index
            cells.append((f"({'•' if here else ' '}) {word}", self._words(here)))
            cells.append((" " * gap, ""))
        return strip_of(cells, width, look_of(self), "band")

    def _words(self, here: bool) -> str:
        if not here:
            return ""
        return "filled acc" if self.has_focus else "bright"

    def notify_style_update(self) -> None:
        """The theme or the focus changed."""
        super().notify_style_update()
        self.refresh()
