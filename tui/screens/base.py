"""What screens share: the Host they see, commands as bindings, header, footer, movement."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, ClassVar, Protocol, cast

from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical
from textual.screen import Screen

from ..columns.base import View
from ..columns.names import literal
from ..commands import catalog
from ..commands.base import Command
from ..model.cluster import Cluster
from ..model.seam import Act, ActionRequest, Finding, Preview, Target
from ..theme import Look
from ..widgets.header import Header
from ..widgets.keybar import KeyBar
from ..widgets.table import VirtualTable
from ..widgets.toasts import Shelf, Toasts


class Host(Protocol):
    """All that a screen may ask of the program. The app offers it; tests offer a small one."""

    look: Look
    shelf: Shelf
    """Toasts that stand; shared by all screens."""

    @property
    def cluster(self) -> Cluster:
        """The model; screens read it and never write."""

    @property
    def findings(self) -> Sequence[Finding]:
        """What is wrong, the worst first."""

    @property
    def title_name(self) -> str:
        """What this cluster is called."""

    @property
    def broker_url(self) -> str:
        """Without its password."""

    @property
    def backend_url(self) -> str:
        """Without its password; empty: none is known."""

    @property
    def read_only(self) -> bool:
        """Acts do not exist."""

    @property
    def starting(self) -> Sequence[str]:
        """What is being started (the demo cluster), one line each; empty: nothing."""

    @property
    def lag_s(self) -> float:
        """Age of the oldest event that waits to be folded in."""

    def view(self) -> View:
        """Now, and how cells are to be shown."""

    def on_screen(self, task_ids: Iterable[str]) -> None:
        """These tasks are on screen: their results are wanted."""

    def preview(self, request: ActionRequest) -> Preview:
        """What an act would do, at once; the look-up that completes it is started."""

    def perform(self, request: ActionRequest) -> None:
        """Do it, in a thread; outcomes come through the model."""

    def request(self, act: Act, targets: Sequence[Target]) -> ActionRequest:
        """A request with an id and the time of the key press."""

    def go(self, screen: str) -> None:
        """Show a root screen."""

    def open(self, kind: str, name: str) -> None:
        """Open the page of a task, worker or queue, or follow a finding's evidence."""

    def copy(self, text: str, what: str) -> None:
        """Into the clipboard of the terminal, and say so."""

    def toggle_time(self) -> None:
        """UTC or local."""

    def next_theme(self) -> None:
        """The next theme."""

    def refresh_now(self) -> None:
        """Ask all sources again; retry a lost broker."""

    def toast(self, text: str, style: str) -> None:
        """One line above the footer: style crit, warn, ok or acc."""


def bindings_of(commands: Iterable[Command]) -> list[Binding]:
    """Textual bindings of commands; ids are stable, so that users can remap them."""
    return [
        Binding(",".join(command.keys), f"command('{command.id}')", command.word, id=command.id)
        for command in commands
    ]


class BaseScreen(Screen[None]):
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
        if not self.is_mounted:
            return
        view = self.host.view()
        self.query_one(Header).update(self.host, view, self.root, self.crumbs())
        self.paint(view)
        self.query_one(Toasts).update(view.now)
        self.query_one(KeyBar).update(self.footer_commands(), self.act_counts(), self.locked())

    def on_mount(self) -> None:
        """First paint as soon as sizes are known."""
        self.call_after_refresh(self.tick)

    def on_screen_resume(self) -> None:
        """Shown again: bring it up to date at once."""
        self.call_after_refresh(self.tick)

    def on_resize(self) -> None:
        """The terminal changed its size."""
        self.call_after_refresh(self.tick)

    # -- commands -----------------------------------------------------------------------------

    def action_command(self, command_id: str) -> None:
        """Carry out one of ``commands``."""
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
        return "broker lost" if self.host.view().stale else ""

    @property
    def table(self) -> VirtualTable | None:
        """The table with the focus, or the first one."""
        if isinstance(self.focused, VirtualTable):
            return self.focused
        return next(iter(self.query(VirtualTable)), None)

    # -- what works everywhere ----------------------------------------------------------------

    def do_down(self) -> None:
        """Next row."""
        if self.table is not None:
            self.table.move(1)

    def do_up(self) -> None:
        """Previous row."""
        if self.table is not None:
            self.table.move(-1)

    def do_page_down(self) -> None:
        """A page down."""
        if self.table is not None:
            self.table.page(1)

    def do_page_up(self) -> None:
        """A page up."""
        if self.table is not None:
            self.table.page(-1)

    def do_top(self) -> None:
        """First row."""
        if self.table is not None:
            self.table.edge(False)

    def do_bottom(self) -> None:
        """Last row."""
        if self.table is not None:
            self.table.edge(True)

    def do_next_pane(self) -> None:
        """Focus to the next table."""
        self.focus_next(VirtualTable)

    def do_previous_pane(self) -> None:
        """Focus to the previous table."""
        self.focus_previous(VirtualTable)

    def do_mark(self) -> None:
        """Mark and go down."""
        if self.table is not None:
            self.table.mark()
            self.table.move(1)

    def do_mark_all(self) -> None:
        """Mark all rows that the filter shows."""
        if self.table is not None:
            for row_id in self.table.rows.ids(self.host.view()):
                self.table.marks[row_id] = None

    def do_clear_marks(self) -> None:
        """No row is marked."""
        if self.table is not None:
            self.table.clear_marks()

    def do_open(self) -> None:
        """Open what is under the cursor; screens say what that is."""

    def do_escape(self) -> None:
        """Undo one layer: toasts, marks, then the page."""
        if self.clear_toasts():
            return
        if self.table is not None and self.table.marks:
            self.table.clear_marks()
        elif not self.root:
            self.dismiss()

    def clear_toasts(self) -> bool:
        """Take toasts down; whether there was any."""
        return self.query_one(Toasts).clear()

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
        self.refresh(layout=True)

    def do_help(self) -> None:
        """Keys of this screen."""
        from .help import HelpScreen

        self.app.push_screen(HelpScreen(self.available()))

    def do_palette(self) -> None:
        """All commands by name."""
        from .palette import Palette

        self.app.push_screen(Palette())

    def do_yank(self) -> None:
        """Copy the id under the cursor."""
        if self.table is not None and self.table.cursor_id:
            self.host.copy(self.table.cursor_id, literal(self.table.cursor_id, 40))

    def do_show_home(self) -> None:
        """Home."""
        self.host.go("home")

    def do_show_queues(self) -> None:
        """Queues."""
        self.host.go("queues")

    def do_show_workers(self) -> None:
        """Workers."""
        self.host.go("workers")

    def do_show_tasks(self) -> None:
        """Tasks."""
        self.host.go("tasks")

    def do_show_log(self) -> None:
        """Log."""
        self.host.go("log")

    # -- acts ---------------------------------------------------------------------------------

    def ask(self, act: Act, targets: Sequence[Target]) -> None:
        """Open the confirm dialog for an act on targets that are pinned now."""
        from .confirm import ConfirmScreen

        if self.host.view().stale:
            self.host.toast("acts are off until the broker answers", "warn")
        elif not targets and act is not Act.UNDO:
            self.host.toast(f"nothing here to {act}", "warn")
        else:
            request = self.host.request(act, targets)
            self.app.push_screen(ConfirmScreen(self.host.preview(request)))

    def task_targets(self, ids: Iterable[str]) -> list[Target]:
        """Targets of tasks, with what is known of them now."""
        return [
            Target(
                "task", task.id, task.name, task.worker or task.queue or "", task.pid, task.state
            )
            for task in self.host.cluster.tasks_of(ids)
        ]

    def acting_on_tasks(self) -> list[str]:
        """Ids that a task act is aimed at; screens without tasks have none."""
        return self.table.selected() if self.table is not None else []

    def do_revoke(self) -> None:
        """Revoke the selected tasks."""
        self.ask(Act.REVOKE, self.task_targets(self.acting_on_tasks()))

    def do_terminate(self) -> None:
        """Terminate the selected running tasks."""
        self.ask(Act.TERMINATE, self.task_targets(self.acting_on_tasks()))

    def do_retry(self) -> None:
        """Send the selected tasks again."""
        self.ask(Act.RETRY, self.task_targets(self.acting_on_tasks()))

    def do_undo(self) -> None:
        """Undo the last purge."""
        self.ask(Act.UNDO, [])

    def do_events_on(self) -> None:
        """Switch task events on where they are off."""
        workers = self.host.cluster.workers.values()
        off = [w for w in workers if w.events_enabled is not True and w.offline_at is None]
        self.ask(Act.EVENTS_ON, [Target("worker", worker.hostname) for worker in off])
