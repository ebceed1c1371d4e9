"""The confirm dialog: what would happen to which targets, and whether it shall."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from typing import Any

import msgspec
from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.widgets import Input

from ..columns.base import Cell
from ..columns.names import literal
from ..commands.base import Command, Group
from ..model.links import OFF
from ..model.seam import Act, Preview
from ..widgets.fields import Choice, Field, PushButton
from ..widgets.lines import Line, Lines
from .dialog import CANCEL, FIELD, HELP_HERE, LOW, PRESS, SCROLL_DOWN, SCROLL_UP, Dialog
from .preview_text import band, blocked_lines, body, shown_signals, signal_of, word_to_type

CONFIRM = Command("confirm", ("Y",), "confirm", "do it", Group.ACT, 3, True)
COPY = Command("copy", ("y",), "copy", "copy as celery command", Group.VIEW)

LOST = "The broker is lost: acts are off until it is back."
BACK = "The broker takes acts again: close this, and press the key once more."
"""What was worked out while acts were off is not worked out anew."""
WAIT = "Still looking up what would be sent."
WAIT_FOR = {
    Act.RETRY: WAIT,
    Act.PURGE: "Still looking up whether it can be undone.",
    Act.UNDO: "Still looking up what it would change.",
}
"""Acts of which the look-up tells what is asked for, or sent."""
LONGEST_BESIDE = 24
"""A longer word to type is not said again beside its field: it stands above."""
ONE_BY_ONE = "Their arguments are known only in part: retry one task alone to edit what is sent."
SOME_LEFT_OUT = "are left out, only a cut repr of them is known: retry each alone to edit it."


class ConfirmScreen(Dialog[None]):
    """Asks before an act. Only ``Y`` or the focused button does it; the focus is on Cancel."""

    commands = (CANCEL, FIELD, CONFIRM, PRESS, COPY, SCROLL_DOWN, SCROLL_UP, HELP_HERE)

    def __init__(self, preview: Preview, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__(clock)
        self.preview = preview
        self.request = preview.request
        """Pinned: newer previews change what is said, never what it is aimed at."""
        self.wanted, self.wanted_is = word_to_type(preview)
        self._reminded = ""

    # -- parts --------------------------------------------------------------------------------

    def content(self) -> ComposeResult:
        """What is said, then what can be filled in."""
        said = Lines(id="said")
        said.show(self._said())
        yield said
        with Horizontal(classes="field", id="signal-row"):
            yield _label("signal")
            yield Choice(id="signal")
        with Horizontal(classes="field", id="reason-row"):
            yield _label("reason")
            yield Field(id="reason", max_length=200)
        with Horizontal(classes="field", id="type-row"):
            yield _label("type")
            yield Field(id="type", max_length=255)
            yield Lines(id="type-hint")
        yield Lines(id="blocked")

    def buttons(self) -> ComposeResult:
        """Cancel, the act, and how to have it as a command line."""
        yield PushButton("Cancel", id="cancel")
        yield PushButton(literal(self.preview.button, 30), id="act")
        yield Lines(id="copy")

    # -- painting -----------------------------------------------------------------------------

    def title_bar(self) -> tuple[str, str, str]:
        """Filled crit if it cannot be undone."""
        final = self.preview.irreversible
        end = "cannot be undone" if final else "can be undone"
        if self.panel_width < 60:
            end = "final" if final else "reversible"
        return literal(self.preview.title, 200), end, "crit" if final else "acc"

    def fill(self) -> None:
        """Take the newest preview in and say it."""
        self._newer()
        self.wanted, self.wanted_is = word_to_type(self.preview)
        self.query_one("#said", Lines).show(self._said())
        reason = self.blocked
        self.query_one("#blocked", Lines).show(blocked_lines(reason, self.panel_width))
        self._fields(not reason)
        act, cancel = self.query_one("#act", PushButton), self.query_one("#cancel", PushButton)
        act.display = not reason
        act.name_it(literal(self.preview.button, 30))
        cancel.name_it("Close" if reason else "Cancel")
        if reason and self.focused is not cancel:
            cancel.focus()
        self.query_one("#copy", Lines).show((self._copy_line(self.panel_width),))

    def _said(self) -> list[Line]:
        view = self.host.view()
        told = msgspec.structs.replace(self.preview, warnings=self._warnings())
        low = self.app.size.height < LOW
        lines = body(told, view.now, self.panel_width, view.cut, low)
        return lines if low else [*lines, band()]

    def _newer(self) -> None:
        newer = self.host.cluster.previews.get(self.request.id)
        if newer is not None and newer is not self.preview and newer.ready >= self.preview.ready:
            self.preview = newer
            if newer.request.targets != self.request.targets:
                self.preview = msgspec.structs.replace(newer, request=self.request)

    def _fields(self, possible: bool) -> None:
        signals = self.query_one("#signal", Choice)
        signals.offer(shown_signals(self.preview.signals))
        self.query_one("#signal-row").display = possible and bool(signals.options)
        self.query_one("#reason-row").display = possible
        self.query_one("#type-row").display = possible and bool(self.wanted)
        self.query_one("#type").styles.width = min(LONGEST_BESIDE + 4, len(self.wanted) + 4)
        hint: Cell = (f"  {self._said_word(', ')}{self.wanted_is}", "dim")
        if self.typed:
            hint = ("  ✓", "acc")
        elif self._reminded:
            hint = (f"  {self._reminded}", "warn")
        self.query_one("#type-hint", Lines).show((Line((hint,), (), "band", 0),))

    def _copy_line(self, width: int) -> Line:
        words = " copy as celery command" if width >= 66 else " copy" if width >= 50 else ""
        cells: tuple[Cell, ...] = (("y", "acc bold"), (words, "dim"))
        return Line(cells if words and self.preview.command else (), (), "band", 2)

    def keys(self) -> Iterable[Cell]:
        """Letters are text while a field has the focus; Enter depends on the focus too."""
        in_field = isinstance(self.focused, Field)
        yield from self.key_cells("escape", "close" if self.blocked else "cancel")
        if not self.blocked:
            yield from self.key_cells("tab", "next field" if self.panel_width > 60 else "next")
        if not in_field and not self.blocked and self.typed:
            yield from self.key_cells("Y", self.query_one("#act", PushButton).word.lower())
        if isinstance(self.focused, PushButton):
            press = "press " if self.panel_width > 60 else ""
            yield from self.key_cells("enter", f"{press}{self.focused.word}")
        elif in_field:
            yield from self.key_cells("enter", "next field")
        elif isinstance(self.focused, Choice):
            yield from self.key_cells("right", "choose")

    # -- what may be done ---------------------------------------------------------------------

    @property
    def blocked(self) -> str:
        """Why it cannot be done at all; empty: it can."""
        off = self.host.cluster.links.acts_off_until()
        if off or self.host.view().stale:
            return self.preview.blocked or off or LOST
        if OFF in self.preview.blocked:
            return BACK
        if self.preview.blocked or not self._incomplete or len(self.request.targets) == 1:
            return self.preview.blocked
        exact = any(one.exact for one in self.preview.args)
        return "" if exact or not self.preview.ready else ONE_BY_ONE

    @property
    def _incomplete(self) -> int:
        """Tasks of a retry of which only a cut repr is known."""
        if self.request.act is not Act.RETRY or not self.preview.ready:
            return 0
        return sum(not one.exact for one in self.preview.args)

    def _warnings(self) -> tuple[str, ...]:
        number, wanted = self._incomplete, len(self.request.targets)
        if not number or wanted == 1 or self.blocked:
            return self.preview.warnings
        return (*self.preview.warnings, f"{number} of {wanted} {SOME_LEFT_OUT}")

    def _said_word(self, then: str) -> str:
        return f"{self.wanted}{then}" if len(self.wanted) <= LONGEST_BESIDE else ""

    @property
    def typed(self) -> bool:
        """Whether the word that is asked for stands in its field."""
        if not self.wanted:
            return True
        return self.query_one("#type", Field).value.strip() == self.wanted

    # -- keys ---------------------------------------------------------------------------------

    def do_confirm(self) -> None:
        """Y: do it, if all that is asked for has been given."""
        if self.deaf or self.blocked:
            return
        if not self.typed:
            self._reminded = f"type {self._said_word(' first, ')}{self.wanted_is}"
            self.query_one("#type").focus()
        elif self.request.act in WAIT_FOR and not self.preview.ready:
            self.host.toast(WAIT_FOR[self.request.act], "warn")
        elif self._incomplete and len(self.request.targets) == 1:
            self._edit()
        else:
            self._perform()

    def _edit(self) -> None:
        from .edit_args import EditArgsScreen

        known, target = self.preview.args[0], self.request.targets[0]
        self.app.push_screen(EditArgsScreen(known, target, self.clock), self._edited)

    def _edited(self, values: tuple[list[Any], dict[str, Any]] | None) -> None:
        if values is not None:
            self._perform({self.request.targets[0].id: values})

    def _perform(self, edited: dict[str, tuple[list[Any], dict[str, Any]]] | None = None) -> None:
        chosen = self.query_one("#signal", Choice).chosen
        request = msgspec.structs.replace(
            self.request,
            signal=signal_of(chosen) or self.request.signal,
            reason=self.query_one("#reason", Field).value.strip(),
            edited=edited,
            sure=bool(self.preview.to_type),
        )
        self.host.perform(request)
        self.dismiss(None)

    def do_copy(self) -> None:
        """The same as a celery command line."""
        if self.preview.command:
            self.host.copy(self.preview.command, "the celery command")

    def accept(self) -> None:
        """The other button: as ``Y``."""
        self.do_confirm()

    @on(Input.Changed, "#type")
    def _typing(self) -> None:
        self._reminded = ""
        self.tick()

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        """Enter in a field goes on to the next; behind the right word stands the act."""
        event.stop()
        if event.input.id == "type" and self.typed:
            self.query_one("#act").focus()
        else:
            self.focus_next()


def _label(word: str) -> Lines:
    lines = Lines(classes="label")
    lines.show((Line(((word, "dim"),), (), "band"),))
    return lines
