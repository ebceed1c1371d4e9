"""Edits the arguments of one task before it is sent again: what was cut is filled in by hand."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from typing import Any

from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.widgets import Input

from ..columns.base import Cell
from ..columns.names import literal
from ..commands.base import Command, Group
from ..model.arguments import parse_args, parse_kwargs
from ..model.seam import ArgsKnown, Target
from ..widgets.fields import Field, PushButton
from ..widgets.lines import Line, Lines
from ..widgets.wrapping import wrapped
from .dialog import CANCEL, FIELD, HELP_HERE, PRESS, SCROLL_DOWN, SCROLL_UP, Dialog
from .preview_text import band

SEND = Command("send", ("Y",), "send", "send the task with these arguments", Group.ACT, 3, True)

Edited = tuple[list[Any], dict[str, Any]]
HINT = "Python literals or JSON. What ends in ... or … was cut: fill it in."
CUT_SIGNS = ("...", "…")


class EditArgsScreen(Dialog[Edited | None]):
    """Two fields, args and kwargs; gives back both as values, or None."""

    commands = (CANCEL, FIELD, SEND, PRESS, SCROLL_DOWN, SCROLL_UP, HELP_HERE)
    AUTO_FOCUS = "#args"

    def __init__(
        self, known: ArgsKnown, target: Target, clock: Callable[[], float] = time.monotonic
    ) -> None:
        super().__init__(clock)
        self.known, self.target = known, target
        self._wrong = {"args": "", "kwargs": ""}

    def content(self) -> ComposeResult:
        """The task, and a field with a line for its error below, twice."""
        said = Lines(id="said")
        said.show(self._said())
        yield said
        for name, text in (("args", self.known.args), ("kwargs", self.known.kwargs)):
            with Horizontal(classes="field"):
                label = Lines(classes="label")
                label.show((Line(((name, "dim"),), (), "band"),))
                yield label
                yield Field(literal(text, 50_000), id=name)
                margin = Lines(classes="margin")
                margin.styles.width = 2
                yield margin
            yield Lines(id=f"{name}-error")

    def buttons(self) -> ComposeResult:
        """Cancel, and send."""
        yield PushButton("Cancel", id="cancel")
        yield PushButton("Send", id="send")

    def title_bar(self) -> tuple[str, str, str]:
        """What is sent cannot be called back."""
        return "RETRY  with edited arguments", "cannot be undone", "crit"

    def fill(self) -> None:
        """The task, the hint, the errors."""
        width = self.panel_width
        self.query_one("#said", Lines).show(self._said())
        for line in self.query(".margin").results(Lines):
            line.show((band(),))
        for name, error in self._wrong.items():
            shown = wrapped(error, width - 14, 2) if error else [""]
            cells = [band((" " * 9, ""), (line, "warn")) for line in shown]
            self.query_one(f"#{name}-error", Lines).show(cells)

    def _said(self) -> list[Line]:
        return [
            band((literal(self.target.name or "?", 300), "bright")),
            band((literal(self.target.id, 300), "")),
            band((f"known from {literal(self.known.source, 60)}", "dim")),
            band(),
            *(band((line, "dim")) for line in wrapped(HINT, self.panel_width - 4)),
            band(),
        ]

    def keys(self) -> Iterable[Cell]:
        """Letters are text while a field has the focus."""
        yield from self.key_cells("escape", "cancel")
        yield from self.key_cells("tab", "next field")
        if isinstance(self.focused, PushButton):
            yield from self.key_cells("Y", "send")
            yield from self.key_cells("enter", f"press {self.focused.word}")
        else:
            yield from self.key_cells("enter", "next field")

    # -- keys ---------------------------------------------------------------------------------

    def do_send(self) -> None:
        """Give both back if they can be read, else say what is wrong with them."""
        if self.deaf:
            return
        args = self._read("args", self.known.args, parse_args)
        kwargs = self._read("kwargs", self.known.kwargs, parse_kwargs)
        wrong = next((name for name, error in self._wrong.items() if error), "")
        if wrong:
            self.query_one(f"#{wrong}", Field).focus()
            self.tick()
        elif args is not None and kwargs is not None:
            self.dismiss((args, kwargs))

    def _read(self, name: str, before: str, parse: Callable[[str], Any]) -> Any:
        text = self.query_one(f"#{name}", Field).value
        self._wrong[name] = ""
        if text == literal(before, 50_000) and any(sign in text for sign in CUT_SIGNS):
            self._wrong[name] = (
                f"{name} looks cut: fill in what is missing, or add a blank if it is whole"
            )
            return None
        try:
            return parse(text)
        except ValueError as error:
            self._wrong[name] = literal(str(error), 300)
            return None

    def accept(self) -> None:
        """The other button: send."""
        self.do_send()

    @on(Input.Changed)
    def _typing(self, event: Input.Changed) -> None:
        name = event.input.id or ""
        if self._wrong.get(name):
            self._wrong[name] = ""
            self.tick()

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        event.stop()
        self.focus_next()
