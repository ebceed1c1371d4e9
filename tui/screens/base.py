"""What screens share: commands as bindings, header, footer, the paint clock's tick."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar, cast

from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical
from textual.widgets import Input

from ..columns.base import View
from ..columns.names import literal
from ..columns.status import Standing
from ..commands import catalog
from ..commands.base import Command
from ..refusals import BY_KIND
from ..widgets.header import Header
from ..widgets.keybar import KeyBar
from ..widgets.table import VirtualTable
from ..widgets.toasts import Toasts
from .acts import Acts
from .host import Host as Host
from .moves import Moves


def bindings_of(commands: Iterable[Command]) -> list[Binding]:
    """Textual bindings of commands; ids are stable, so that users can remap them.

    Textual hands a key to the widget with the focus, and takes the next one before that has
    acted on it: of ``/pay``, come in one piece, only the first would be no command. Bindings
    that come first are carried out before the next key is looked at.
    """
    return [
        Binding(
            ",".join(command.keys),
            f"{'typing' if command.typing else 'command'}('{command.id}')",
            command.word,
            id=command.id,
            priority=command.typing,
        )
        for command in commands
    ]


class BaseScreen(Moves, Acts):
    """Header, body, footer; keys come from ``commands`` only.

    A subclass lists ``commands``, composes ``body()``, and updates it in ``paint(view)``, which
    the paint clock calls. ``do_<command id>`` carries a command out.
    """

    commands: ClassVar[tuple[Command, ...]] = ()
    root: ClassVar[str] = ""
    """Name among ``catalog.ROOTS``; empty: a page below one, with a breadcrumb."""
    AUTO_FOCUS = "VirtualTable"

    def __init_subclass__(cls, **kwargs: Any) -> None:
        if "commands" in cls.__dict__:  # before Textual merges the bindings of the class
            cls.BINDINGS = bindings_of(cls.commands)  # type: ignore[assignment]
        super().__init_subclass__(**kwargs)

    @property
    def host(self) -> Host:
        """The program."""
        return cast(Host, self.app)

    def compose(self) -> ComposeResult:
        """Header, body, footer."""
        yield Header()
        with Vertical(id="body"):
            yield from self.body()
        yield KeyBar()
        yield Toasts(self.host.shelf)

    def body(self) -> ComposeResult:
        """The screen's own widgets."""
        yield from ()

    def paint(self, view: View) -> None:
        """Bring the screen's own widgets up to date."""

    def crumbs(self) -> tuple[str, ...]:
        """Breadcrumb of a page below a root screen, the page itself last."""
        return ()

    def tick(self) -> None:
        """Paint clock: header, body, footer."""
        if not self.stands:
            return
        view = self.host.view()
        self.frame(view)
        self.paint(view)
        self.query_one(Toasts).update(view.now)

    def frame(self, view: View) -> None:
        """Header and footer, and what else decides where the rest stands."""
        self.query_one(Header).update(self.standing(), view, self.root, self.crumbs())
        self.query_one(KeyBar).update(self.footer_commands(), self.act_counts(), self.locked())

    @property
    def stands(self) -> bool:
        """Whether it is composed and not being removed: then parts of it have gone already."""
        return self.is_mounted and self in self.app.screen_stack and bool(self.query(Header))

    def standing(self) -> Standing:
        """What the header says of the program."""
        host = self.host
        return Standing(
            host.title_name,
            host.broker_url,
            host.backend_url,
            host.read_only,
            host.lag_s,
            tuple(host.findings),
            host.shed,
            host.line_lag_s,
        )

    def on_mount(self) -> None:
        """First paint as soon as sizes are known; the header's height is known before."""
        if self.query(Header):
            self.frame(self.host.view())
        self.call_after_refresh(self.tick)

    def on_screen_suspend(self) -> None:
        """A dialog stands before it: what passes by itself must not stay behind that."""
        for toasts in self.query(Toasts):
            toasts.hide()

    def on_screen_resume(self) -> None:
        """Shown again: bring it up to date at once."""
        self.call_after_refresh(self.tick)

    def on_resize(self) -> None:
        """The terminal changed its size."""
        self.call_after_refresh(self.tick)

    # -- commands -----------------------------------------------------------------------------

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """In a field ``/`` and ``:`` are text."""
        return not (action == "typing" and isinstance(self.focused, Input))

    def action_typing(self, command_id: str) -> None:
        """As any command, before the next key is looked at."""
        self.action_command(command_id)

    def action_command(self, command_id: str) -> None:
        """Carry out one of ``commands``, and no key that only a parent class has."""
        if all(command.id != command_id for command in self.available()):
            return
        if command_id.startswith(catalog.SHOW):
            self.host.go(command_id.removeprefix(catalog.SHOW))
        else:
            getattr(self, f"do_{command_id}")()
        self.tick()

    def available(self) -> tuple[Command, ...]:
        """Commands that exist now: no acts in read-only."""
        return tuple(c for c in self.commands if not (c.act and self.host.read_only))

    def footer_commands(self) -> tuple[Command, ...]:
        """Those for the footer, looks first, by rank."""
        kind = self.target_kind()
        shown = [
            command
            for command in self.available()
            if command.footer
            and (not command.targets or command.targets == kind)
            and self.useful(command)
        ]
        return tuple(sorted(shown, key=lambda command: (command.act, command.footer)))

    def target_kind(self) -> str:
        """What the row under the cursor is to an act: task, queue, worker or nothing."""
        return ""

    def useful(self, command: Command) -> bool:
        """Whether a command without a target has anything to do now."""
        cluster = self.host.cluster
        if command is catalog.UNDO:
            return any(queue.quarantine for queue in cluster.queues.values())
        if command is catalog.EVENTS_ON:
            return any(worker.events_enabled is False for worker in cluster.workers.values())
        return True

    def act_counts(self) -> dict[str, int]:
        """Act id -> number of targets it would have, when more than one is marked."""
        marks = len(self.table.marks) if self.table is not None else 0
        return {c.id: marks for c in self.commands if c.act and marks > 1 and c.targets}

    def locked(self) -> str:
        """Why acts are off; empty: they are not."""
        if not self.host.view().stale:
            return ""
        refused = self.host.cluster.links.refusing()
        return f"broker {BY_KIND[refused.refusal].word.lower()}" if refused else "broker lost"

    @property
    def table(self) -> VirtualTable | None:
        """The table with the focus, or the first one."""
        if isinstance(self.focused, VirtualTable):
            return self.focused
        return next(iter(self.query(VirtualTable)), None)

    # -- what works everywhere ----------------------------------------------------------------

    def do_open(self) -> None:
        """Open what is under the cursor; screens say what that is."""

    def do_escape(self) -> None:
        """Undo one layer: an act that takes long, toasts, marks, then the page."""
        if self.clear_toasts():
            return
        if self.table is not None and self.table.marks:
            self.table.clear_marks()
        elif not self.root:
            self.dismiss()

    def clear_toasts(self) -> bool:
        """Stop an act that takes long, else take toasts down; whether there was any."""
        return self.host.halt() or self.query_one(Toasts).clear()

    def do_back(self) -> None:
        """Back; at a root screen twice quits."""
        if self.root:
            cast(Any, self.app).quit_asked()
        else:
            self.dismiss()

    def do_time(self) -> None:
        """UTC or local."""
        self.host.toggle_time()

    def do_theme(self) -> None:
        """Next theme."""
        self.host.next_theme()

    def do_refresh(self) -> None:
        """Ask again now."""
        self.host.refresh_now()

    def do_redraw(self) -> None:
        """Paint everything again."""
        self.host.redraw()

    def do_help(self) -> None:
        """Keys of this screen."""
        self.host.help(self.available())

    def do_palette(self) -> None:
        """All commands by name."""
        self.host.palette()

    def do_yank(self) -> None:
        """Copy the id under the cursor."""
        if self.table is not None and self.table.cursor_id:
            self.host.copy(self.table.cursor_id, literal(self.table.cursor_id, 40))
