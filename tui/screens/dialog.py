"""What all dialogs share: the panel over a ghost of the screen behind, and its keys."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from typing import Any, ClassVar, TypeVar, cast

from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.segment import Segment
from rich.style import Style
from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.renderables.background_screen import BackgroundScreen
from textual.screen import ModalScreen

from ..columns.base import Cell
from ..commands.base import Command, Group, shown_key
from ..theme import Look
from ..widgets.fields import PushButton
from ..widgets.lines import Line, Lines
from ..widgets.toasts import Toast
from .base import Host, bindings_of

Result = TypeVar("Result")

DEAF_S = 0.3
"""So long after a dialog appeared keys do not press its buttons: they were meant for elsewhere."""
WIDE = 84
"""Cells of the panel; below ``FULL`` columns it takes the full width."""
FULL = 100
LOW = 20
"""Below this height the blank lines of a dialog go."""

CANCEL = Command("cancel", ("escape", "q"), "cancel", "close, nothing is done", Group.MOVE, 1)
FIELD = Command("field", ("tab",), "next field", "next field or button", Group.MOVE, 2)
PRESS = Command("press", ("enter",), "press", "press the button with the focus", Group.MOVE, 4)
SCROLL_DOWN = Command("scroll_down", ("j", "down"), "down", "a line down", Group.MOVE)
SCROLL_UP = Command("scroll_up", ("k", "up"), "up", "a line up", Group.MOVE)
HELP_HERE = Command("help", ("question_mark",), "help", "keys of this dialog", Group.VIEW)


class Ghost:
    """The screen behind, all of it in one style: nothing there can be used at the moment."""

    def __init__(self, behind: BackgroundScreen, style: Style) -> None:
        self._behind, self._style = behind, style

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Rich's protocol."""
        for segment in console.render(self._behind, options):
            yield segment if segment.control else Segment(segment.text, self._style)


def ghost_behind(rendered: RenderableType, look: Look) -> RenderableType:
    """What a modal screen renders, with the screen behind it turned to a ghost."""
    if isinstance(rendered, BackgroundScreen):
        return Ghost(rendered, look.style("ghost"))
    return rendered


class Dialog(ModalScreen[Result]):
    """One panel in the middle: title bar, content that scrolls, buttons; keys in the footer.

    A subclass yields ``content()`` and ``buttons()``, updates both in ``fill()``, and lists its
    ``commands``; ``do_<command id>`` carries one out.
    """

    commands: ClassVar[tuple[Command, ...]] = (CANCEL, FIELD, SCROLL_DOWN, SCROLL_UP, HELP_HERE)
    CSS_PATH = "dialog.tcss"
    AUTO_FOCUS = "#cancel"
    wide: ClassVar[int] = WIDE

    def __init_subclass__(cls, **kwargs: Any) -> None:
        if "commands" in cls.__dict__:  # before Textual merges the bindings of the class
            keyed = [c for c in cls.commands if c.id not in ("field", "press")]
            cls.BINDINGS = bindings_of(keyed)  # type: ignore[assignment]
        super().__init_subclass__(**kwargs)

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self.clock = clock
        self._appeared: float | None = None
        self._told_before: tuple[Toast, ...] = ()

    # -- parts --------------------------------------------------------------------------------

    def compose(self) -> ComposeResult:
        """Title, content, buttons; keys below."""
        with Vertical(id="panel"):
            yield Lines(id="title")
            with VerticalScroll(id="content", can_focus=False):
                yield from self.content()
            with Horizontal(id="buttons"):
                yield from self.buttons()
        yield Lines(id="keys")

    def content(self) -> ComposeResult:
        """What stands between title and buttons."""
        yield from ()

    def buttons(self) -> ComposeResult:
        """Cancel first: it has the focus."""
        yield PushButton("Cancel", id="cancel")

    def fill(self) -> None:
        """Bring the content up to date."""

    def title_bar(self) -> tuple[str, str, str]:
        """Title, what stands at its right end, and the token it is filled with."""
        return "", "", "acc"

    def keys(self) -> Iterable[Cell]:
        """Cells of the footer."""
        for command in sorted(self.commands, key=lambda command: command.footer):
            if command.footer:
                yield from self.key_cells(command.keys[0], command.word)

    @staticmethod
    def key_cells(key: str, word: str) -> tuple[Cell, Cell]:
        """One key of the footer."""
        return (shown_key(key), "acc bold"), (f" {word}  ", "dim")

    # -- painting -----------------------------------------------------------------------------

    @property
    def host(self) -> Host:
        """The program."""
        return cast(Host, self.app)

    @property
    def panel_width(self) -> int:
        """Cells from the left to the right edge of the panel."""
        width = self.app.size.width
        return width if width < FULL and self.wide == WIDE else min(self.wide, width)

    def tick(self) -> None:
        """Paint clock."""
        if not self.is_mounted or self not in self.app.screen_stack or not self.query("#keys"):
            return  # not yet composed, or being removed: parts of it have gone already
        title, end, token = self.title_bar()
        self.query_one("#title", Lines).show((_bar(title, end, token, self.panel_width),))
        self.fill()
        right: tuple[Cell, ...] = (("?", "acc bold"), (" help", "dim"), (" ", ""))
        self.query_one("#keys", Lines).show((Line(self._footer(), right, "band"),))

    def _footer(self) -> tuple[Cell, ...]:
        """Its keys; for some seconds what was just said, for which no toast covers a dialog."""
        shelf = self.host.shelf
        shelf.expire(self.host.view().now)
        told = shelf.since(self._told_before)
        return tuple(self.keys()) if told is None else told.cells

    def render(self) -> RenderableType:
        """The screen behind, as a ghost."""
        return ghost_behind(super().render(), self.host.look)

    def on_mount(self) -> None:
        """First paint."""
        self._told_before = tuple(self.host.shelf.toasts)
        self.size_panel()
        self.tick()

    def on_resize(self) -> None:
        """The terminal changed its size."""
        self.size_panel()
        self.call_after_refresh(self._resized)

    def _resized(self) -> None:
        self.tick()
        self.call_after_refresh(self._show_focus)

    def _show_focus(self) -> None:
        """What one types into must be seen, however low the terminal is."""
        if self.focused is not None:
            self.focused.scroll_visible(animate=False, immediate=True)

    def on_screen_resume(self) -> None:
        """It appears, for the first time or again."""
        self._appeared = None
        self.call_after_refresh(self._shown)

    def _shown(self) -> None:
        self._appeared = self.clock()
        self.tick()
        for lines in self.query("#content Lines"):
            lines.refresh(layout=True)  # a size asked for during the first layout is not heard
        self.call_after_refresh(self._show_focus)

    def on_descendant_focus(self) -> None:
        """The footer names what Enter does."""
        self.tick()

    def size_panel(self) -> None:
        """Width and height of the panel; a rule above and below where there is no band."""
        look, height = self.host.look, self.app.size.height
        ruled, low = not look.rgb or look.ascii, height < LOW
        panel = self.query_one("#panel")
        panel.styles.width = self.panel_width
        panel.set_class(low, "-low")
        panel.set_class(ruled and not look.ascii, "-ruled")
        panel.set_class(ruled and look.ascii, "-ruled-ascii")
        around = 3 + (0 if low else 3) + (2 if ruled else 0)
        self.query_one("#content").styles.max_height = max(1, height - around)

    # -- keys ---------------------------------------------------------------------------------

    @property
    def deaf(self) -> bool:
        """Whether the dialog appeared so lately that a key cannot have been meant for it."""
        return self._appeared is None or self.clock() - self._appeared < DEAF_S

    def action_command(self, command_id: str) -> None:
        """Carry out one of ``commands``."""
        getattr(self, f"do_{command_id}")()
        if self.is_current:
            self.tick()

    @on(PushButton.Pressed)
    def _pressed(self, event: PushButton.Pressed) -> None:
        event.stop()
        if self.deaf:
            return
        if event.button.id == "cancel":
            self.do_cancel()
        else:
            self.accept()

    def accept(self) -> None:
        """The button that is not Cancel; dialogs without one have nothing to do."""

    def do_cancel(self) -> None:
        """Close; nothing is done."""
        self.dismiss(None)

    def do_scroll_down(self) -> None:
        """A line down."""
        self.query_one("#content", VerticalScroll).scroll_down(animate=False)

    def do_scroll_up(self) -> None:
        """A line up."""
        self.query_one("#content", VerticalScroll).scroll_up(animate=False)

    def do_help(self) -> None:
        """Keys of this dialog."""
        self.host.help(self.commands)


def _bar(title: str, end: str, token: str, width: int) -> Line:
    """A filled line; what does not fit beside the title is left out."""
    room = width - len(title) - 4
    tail = end if len(end) + 2 <= room else ""
    text = f"  {title}{tail.rjust(max(0, room))}  "
    return Line(((text[:width].ljust(width), f"filled {token}"),), indent=0)
