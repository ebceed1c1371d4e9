"""The Protocol through which screens see the program, and nothing else of it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Protocol

from ..columns.base import View
from ..commands.base import Command
from ..model.cluster import Cluster
from ..model.peeked import End, WaitingMessage
from ..model.seam import Act, ActionRequest, Finding, Preview, Target
from ..theme import Look
from ..widgets.toasts import Shelf


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
    def shed(self) -> int:
        """Events left out because too many waited."""

    @property
    def lag_s(self) -> float:
        """Age of the oldest event that waits to be folded in."""

    @property
    def line_lag_s(self) -> float:
        """How far the terminal at the far end is behind."""

    def view(self) -> View:
        """Now, and how cells are to be shown."""

    def on_screen(self, task_ids: Iterable[str]) -> None:
        """These tasks are on screen: their results are wanted."""

    def queues_on_screen(self, names: Iterable[str]) -> None:
        """These queues are on screen: how long their messages wait is looked at first."""

    def look_into(
        self, queue: str, end: End, offset: int, count: int, sample: int = 0, asked: int = 0
    ) -> None:
        """Read messages of a queue, and the task names of a sample; both come by the model.

        ``asked``: how often somebody has, of those whom a page told what that does.
        """

    def found_waiting(self, queue: str, message: WaitingMessage) -> None:
        """The task of this message is to be known as a task."""

    def preview(self, request: ActionRequest) -> Preview:
        """What an act would do, at once; the look-up that completes it is started."""

    def ask(self, request: ActionRequest) -> None:
        """Open the confirm dialog of an act."""

    def help(self, commands: Iterable[Command]) -> None:
        """Open the list of keys."""

    def palette(self) -> None:
        """Open the list of commands by name."""

    def perform(self, request: ActionRequest) -> None:
        """Do it, in a thread; outcomes come through the model."""

    def halt(self) -> bool:
        """Stop purges and undos that are under way; whether there was any."""

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

    def redraw(self) -> None:
        """Paint every cell again, whatever the terminal is thought to show."""

    def refresh_now(self) -> None:
        """Ask all sources again; retry a lost broker."""

    def toast(self, text: str, style: str) -> None:
        """One line above the footer: style crit, warn, ok or acc."""
