"""One line that narrows a table while one types: ``/ text``, and how much of it is shown."""

from __future__ import annotations

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.message import Message
from textual.widget import Widget
from textual.widgets import Input

from ..columns.base import Cell
from ..columns.numbers import count
from .fields import Field
from .lines import Line, Lines

LONGEST = 200


class FilterField(Field):
    """The field of a filter bar; the arrows stay with the table, Esc clears."""

    DEFAULT_CSS = """
    FilterField, FilterField:focus { background: $tone-bg; }
    FilterField:ansi { text-style: none; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "clear", "clear", show=False)]

    def action_clear(self) -> None:
        """Clear the text and leave."""
        if isinstance(self.parent, FilterBar):
            self.parent.close(False)


class FilterBar(Horizontal):
    """Always one line high, so that nothing below moves when it opens.

    ``open()`` gives it the focus. It posts ``Changed`` at each key, and gives the focus back on
    Enter (the filter stays) and on Esc (it is cleared).
    """

    DEFAULT_CSS = """
    FilterBar { height: 1; width: 1fr; }
    FilterBar #filter-mark { width: 4; }
    FilterBar #filter-told { width: auto; }
    """

    class Changed(Message):
        """The text to filter by is another one."""

        def __init__(self, bar: FilterBar, text: str) -> None:
            super().__init__()
            self.bar = bar
            self.text = text
            """Empty: everything is shown."""

        @property
        def control(self) -> FilterBar:
            """The bar."""
            return self.bar

    class Closed(Message):
        """The focus is given back; ``kept`` is False when the filter was cleared."""

        def __init__(self, bar: FilterBar, kept: bool) -> None:
            super().__init__()
            self.bar = bar
            self.kept = kept

        @property
        def control(self) -> FilterBar:
            """The bar."""
            return self.bar

    def __init__(self, *, id: str | None = None, hint: str = "") -> None:
        super().__init__(id=id)
        self.text = ""
        self._hint = hint
        self._told = ""
        self._open = False
        self._back: Widget | None = None

    def compose(self) -> ComposeResult:
        """``/``, the field, what is shown of how much."""
        yield Lines(id="filter-mark")
        field = FilterField(max_length=LONGEST, id="filter-field")
        field.can_focus = False
        yield field
        yield Lines(id="filter-told")

    def on_mount(self) -> None:
        """Nothing is filtered yet."""
        self._show()

    @property
    def is_open(self) -> bool:
        """Whether one types into it."""
        return self._open

    def tell(self, words: str) -> None:
        """What stands at the right end: ``37 of 12,481``."""
        if words != self._told:
            self._told = words
            self._show()

    def told(self, shown: int, total: int) -> None:
        """How many rows the filter shows of how many there are."""
        self.tell(f"{count(shown)} of {count(total)}" if self.text or shown != total else "")

    def open(self, text: str | None = None) -> None:
        """Take the focus; ``text``, else what is in force, can be gone on with."""
        field = self.query_one(FilterField)
        if text is not None:
            field.value = text
            self._take(text)
        self._back = self.screen.focused if not field.has_focus else self._back
        self._open = field.can_focus = True
        self._show()
        self.screen.set_focus(field)

    def close(self, keep: bool = False) -> None:
        """Give the focus back; without ``keep`` the filter is cleared."""
        if not keep:
            self.clear()
        if not self._open:
            return
        back = self._back if self._back is not None and self._back.is_attached else None
        self.screen.set_focus(back)
        self._open = self.query_one(FilterField).can_focus = False
        self._show()
        self.post_message(self.Closed(self, keep))

    def clear(self) -> None:
        """Show everything again."""
        self.query_one(FilterField).value = ""
        self._take("")

    @on(Input.Changed)
    def _typed(self, event: Input.Changed) -> None:
        event.stop()
        self._take(event.value)

    @on(Input.Submitted)
    def _entered(self, event: Input.Submitted) -> None:
        event.stop()
        self.close(True)

    def _take(self, text: str) -> None:
        if text != self.text:
            self.text = text
            self._show()
            self.post_message(self.Changed(self, text))

    def _show(self) -> None:
        if not self.query("#filter-told"):
            return
        on = bool(self.text) or self.is_open
        mark: Cell = ("/ ", "acc bold") if on or self._hint else ("  ", "")
        self.query_one("#filter-mark", Lines).show((Line((mark,)),))
        self.query_one(FilterField).display = on
        told = self.query_one("#filter-told", Lines)
        words = self._told + (" " if self._told else "")
        hint = self._hint if not on else ""
        told.styles.width = len(words) + 2 if on else "1fr"
        told.show((Line(((hint, "dim"),) if hint else (), ((words, "dim"),), indent=0),))
