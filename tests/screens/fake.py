"""A small program that screens and dialogs can be shown in, without a cluster."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from typing import Any

from textual.app import App, ComposeResult
from textual.screen import Screen

from celery_tui.columns.base import View
from celery_tui.commands import catalog
from celery_tui.commands.base import Command
from celery_tui.model.cluster import Cluster
from celery_tui.model.peeked import End, WaitingMessage
from celery_tui.model.seam import (
    Act,
    ActionRequest,
    ArgsKnown,
    Check,
    Finding,
    Preview,
    Target,
)
from celery_tui.screens.base import BaseScreen
from celery_tui.screens.confirm import ConfirmScreen
from celery_tui.screens.help import HelpScreen
from celery_tui.screens.palette import Palette
from celery_tui.theme import THEMES, Look
from celery_tui.widgets.lines import Line, Lines
from celery_tui.widgets.toasts import Shelf

NOW = 1_000.0
TASK_ID = "5d20aa17-04aa-4c11-9d1e-3b7a2f60e0d5"
HOSTILE = "[@click=app.quit][/oops]\x1b[2J\u202e中文\x00"
"""Text that a cluster may send and that must only ever be shown."""


class Clock:
    """A clock that stands until a test moves it."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        """Seconds."""
        return self.now


class BackScreen(BaseScreen):
    """A screen with text and commands, to stand behind."""

    commands = (
        *catalog.MOVES,
        *catalog.EVERYWHERE,
        *catalog.MARKS,
        catalog.FILTER,
        catalog.SORT,
        catalog.FREEZE,
        catalog.YANK,
        *catalog.TASK_ACTS,
    )
    root = "tasks"

    def body(self) -> ComposeResult:
        """Some lines."""
        lines = Lines()
        lines.show([Line(((f"{n:2}  crm.push      e0a1b2c{n % 10}", ""),)) for n in range(60)])
        yield lines


class FakeHost(App[None]):
    """What screens see of the program; it notes what they ask for."""

    ENABLE_COMMAND_PALETTE = False
    CSS = "Screen { background: $tone-bg; color: $tone-fg; overflow: hidden; }"

    def __init__(self, look: Look | None = None, first: Screen[Any] | None = None) -> None:
        super().__init__()
        self.look = look or Look()
        self.first = first
        self.cluster = Cluster(NOW - 100)
        self.now = NOW
        self.stale = False
        self.long_acts = 0
        self.performed: list[ActionRequest] = []
        self.copied: list[str] = []
        self.toasted: list[tuple[str, str]] = []
        self.findings: Sequence[Finding] = ()
        self.title_name, self.broker_url, self.backend_url = "prod-eu", "redis://10.0.3.7/0", ""
        self.read_only, self.lag_s, self.shed = False, 0.0, 0
        self.line_lag_s = 0.0
        self.starting: Sequence[str] = ()
        self.shelf = Shelf()
        self._ids = itertools.count(1)
        for theme in THEMES.values():
            self.register_theme(theme)
        self.theme = self.look.theme

    def get_theme_variable_defaults(self) -> dict[str, str]:
        """Textual's own style sheet asks for this one of themes of the terminal's colours."""
        return {"ansi-background": "ansi_default"}

    def ask(self, request: ActionRequest) -> None:
        """The confirm dialog."""
        self.push_screen(ConfirmScreen(self.preview(request)))

    def help(self, commands: Iterable[Command]) -> None:
        """Keys and what they do."""
        self.push_screen(HelpScreen(tuple(commands)))

    def palette(self) -> None:
        """All commands by name."""
        self.push_screen(Palette())

    def on_mount(self) -> None:
        """The screen behind, and the one to look at."""
        self.push_screen(BackScreen())
        if self.first is not None:
            self.push_screen(self.first)

    def view(self) -> View:
        """At a time that stands."""
        return View(self.now, self.cluster, self.look.cut, True, self.stale)

    def request(self, act: Act, targets: Sequence[Target]) -> ActionRequest:
        """A request."""
        return ActionRequest(f"{next(self._ids)}", act, tuple(targets), self.now)

    def preview(self, request: ActionRequest) -> Preview:
        """Any."""
        return terminate(request.id)

    def perform(self, request: ActionRequest) -> None:
        """Note it."""
        self.performed.append(request)

    def halt(self) -> bool:
        """One that takes long, where the test has one."""
        had = self.long_acts > 0
        self.long_acts = 0
        return had

    def copy(self, text: str, what: str) -> None:
        """Note it."""
        self.copied.append(text)

    def toast(self, text: str, style: str) -> None:
        """Note it."""
        self.toasted.append((text, style))

    def on_screen(self, task_ids: Iterable[str]) -> None:
        """Nothing to look up."""

    def queues_on_screen(self, names: Iterable[str]) -> None:
        """Nothing is sampled."""

    def look_into(
        self, queue: str, end: End, offset: int, count: int, sample: int = 0, asked: int = 0
    ) -> None:
        """Nothing is read."""

    def found_waiting(self, queue: str, message: WaitingMessage) -> None:
        """Nothing is known of it."""

    def go(self, screen: str) -> None:
        """There is one screen."""

    def open(self, kind: str, name: str) -> None:
        """There is one screen."""

    def toggle_time(self) -> None:
        """Time stands."""

    def next_theme(self) -> None:
        """It keeps its theme."""

    def redraw(self) -> None:
        """Paint everything again."""
        self.refresh(layout=True)

    def refresh_now(self) -> None:
        """Nobody to ask."""

    def quit_asked(self) -> None:
        """It stays."""


def task(number: int = 0, name: str = "crm.accounts.tasks.sync_all_contacts") -> Target:
    """A running task."""
    task_id = TASK_ID if not number else f"{number:08x}{TASK_ID[8:]}"
    return Target("task", task_id, name, "pay-worker@7d9f8c6b5d-9wq7m", 15784, "STARTED")


def terminate(request_id: str = "1", ready: bool = True) -> Preview:
    """Terminate one running task."""
    request = ActionRequest(request_id, Act.TERMINATE, (task(),), NOW)
    return Preview(
        request,
        title="TERMINATE  1 running task",
        irreversible=True,
        button="Terminate",
        facts=(
            "SIGTERM goes to the process. If it has moved on, another task dies.",
            "acks_late is on: after the revoke the message is gone.",
        ),
        warnings=("1 chord waits for it: c0ffee17 will never fire.",),
        signals=("TERM", "KILL", "USR1"),
        checks=(Check(task(), True, "still running, same pid", NOW - 0.4),) if ready else (),
        ready=ready,
        command="celery control terminate TERM " + TASK_ID,
    )


def revoke(number: int = 1, request_id: str = "1", name: str = "pay.charge") -> Preview:
    """Revoke so many tasks."""
    targets = tuple(task(n, name) for n in range(1, number + 1))
    return Preview(
        ActionRequest(request_id, Act.REVOKE, targets, NOW),
        title=f"REVOKE  {number} tasks",
        irreversible=True,
        button="Revoke",
        facts=("Every worker is told to skip these ids.",),
        command="celery control revoke 1",
    )


def purge() -> Preview:
    """Purge one queue."""
    target = Target("queue", "emails")
    return Preview(
        ActionRequest("1", Act.PURGE, (target,), NOW),
        title="PURGE  emails",
        irreversible=False,
        button="Purge",
        facts=("88,110 messages go to the quarantine, Z brings them back.",),
        checks=(Check(target, True, "88,110 messages waiting now", NOW - 0.4),),
        ready=True,
    )


def retry(exact: bool = True, number: int = 1) -> Preview:
    """Retry so many tasks, of which the first is known exactly or not."""
    targets = tuple(task(n, "pay.charge") for n in range(1, number + 1))
    known = tuple(
        ArgsKnown(t.id, exact, "events", "(91823, 'abc...)", "{'cur': 'EUR'}", "queue pay")
        for t in targets
    )
    return Preview(
        ActionRequest("1", Act.RETRY, targets, NOW),
        title=f"RETRY  {number} task",
        irreversible=True,
        button="Retry" if exact else "Edit and send",
        facts=("The task is sent again under a new id, to the same queue.",),
        args=known,
        ready=True,
    )


def screen_lines(app: App[Any]) -> list[str]:
    """What stands on the screen, line by line."""
    return ["".join(s.text for s in strip) for strip in app.screen._compositor.render_strips()]
