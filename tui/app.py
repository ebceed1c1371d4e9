"""The Textual App: gives the monitor its clock and owns the screens. Wiring only."""

from __future__ import annotations

import asyncio
import gc
import itertools
import signal
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar

from textual.binding import Binding
from textual.scrollbar import ScrollBar

from . import driver
from .columns.base import Second, View
from .columns.names import shared_suffix
from .differ import textual_private as private
from .differ.grid import Grid
from .diversion import flush_all
from .doors import Doors
from .errors import Unexpected
from .model.cluster import Cluster
from .model.links import DOWN
from .model.peeked import End, WaitingMessage
from .model.seam import Act, ActionRequest, Finding, Preview, Target
from .settings import Settings
from .terminal import erases_with_background
from .theme import THEMES, Look
from .urls import redact
from .widgets.scrollbar import PlainScrollBar
from .widgets.toasts import Shelf

if TYPE_CHECKING:
    from textual.driver import Driver

    from .demo.launcher import Demo
    from .diversion import Diversion
    from .monitor import Monitor

PAINT_EVERY_S = 0.25
DRAIN_EVERY_S, DRAIN_IDLE_EVERY_S = 0.05, 0.1
DRAIN_SLICE_S = 0.004
NAP_S = 0.001
"""Between slices: a key passes several turns of the loop, ``sleep(0)`` would make it pay each."""
QUIT_WITHIN_S = 2.0
LOADED = 20_000
"""Tasks from which on a garbage collection that looks at them all would be felt."""
CLIPBOARD_LIMIT = 74_994
"""More than that in one OSC 52 sequence and terminals drop it."""

ScrollBar.renderer = PlainScrollBar


class CeleryTui(Doors):
    """The dashboard. Screens see it as ``screens.base.Host``."""

    CSS_PATH = "app.tcss"
    TITLE = "celery-tui"
    ENABLE_COMMAND_PALETTE = False  # Textual would bind it over dialogs; screens open ours
    BINDINGS: ClassVar[Any] = [
        Binding("ctrl+c", "quit_asked", "quit", show=False, priority=True),
        Binding("ctrl+q", "quit_asked", "quit", show=False),
        Binding("ctrl+z", "suspend_process", "suspend", show=False, priority=True),
    ]

    def __init__(
        self,
        settings: Settings,
        demo: Demo | None = None,
        monitor: Monitor | None = None,
        clock: Callable[[], float] = time.time,
        diversion: Diversion | None = None,
    ) -> None:
        self.diversion = diversion
        """What others write while we have the terminal; None: it lands on it."""
        super().__init__()
        if diversion is not None:
            private.let_print(self)
        self.grid = None if settings.no_diff else Grid(erases_with_background())
        self.settings = settings
        self.demo = demo
        self.monitor = monitor
        self.clock = clock
        self.look = Look(settings.theme or "night", bool(settings.ascii))
        self._cluster = monitor.cluster if monitor else Cluster(clock())
        self.shelf = Shelf()
        self._utc = True
        self._second = Second()
        self._quit_asked_at = 0.0
        self._shown: tuple[object, ...] = ()
        """What the paint clock saw when it painted last."""
        self._choice = settings
        self.crash: Exception | None = None
        """What ended the app unexpectedly; ``run`` raises it again once the screen is gone."""
        self._requests = itertools.count(1)
        self._told_outcome = 0
        self._left_alone = 0
        self.animation_level = "none"
        for theme in THEMES.values():
            self.register_theme(theme)
        self.theme = self.look.theme
        driver.read_any_byte()

    # -- life ---------------------------------------------------------------------------------

    def on_mount(self) -> None:
        """First frame at once; everything heavy comes after it."""
        self._handle_signals()
        if not self.is_headless:
            ours = self.diversion.terminal if self.diversion is not None else None
            driver.write_any_character(ours or sys.__stderr__, utf_8=not self.look.ascii)
        self.app_resume_signal.subscribe(self, self._paint_anew)
        known = self.settings.broker or self.settings.app or self.demo
        self.switch_mode("home" if known else "start")
        self.set_interval(PAINT_EVERY_S, self._strike)
        self.set_interval(1.0, self._tick)
        if known:
            self.call_after_refresh(self.begin, self.settings)

    def get_driver_class(self) -> type[Driver]:
        """The one that draws on the terminal which is kept for us."""
        found = super().get_driver_class()
        if self.diversion is None or self.diversion.terminal is None:
            return found
        from .kept_terminal import drawing

        kept = drawing(found)
        if kept is None:
            self.diversion.end()
        return kept or found

    def _handle_signals(self) -> None:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGHUP):
            loop.add_signal_handler(number, self.exit, 0)
        driver.continue_after_any_stop(self, loop)

    def _paint_anew(self, _app: Any) -> None:
        """Back from Ctrl+Z: the terminal has forgotten all, and we only paint what differs."""
        self.screen.refresh(layout=True)

    def begin(self, settings: Settings) -> None:
        """Start the demo cluster if there is one to start, and watch."""
        from .monitor import Monitor

        self.settings = settings
        if self.demo is not None:
            self.demo.start()
        self.monitor = self.monitor or Monitor(settings, app=settings.celery_app)
        self._cluster = self.monitor.cluster
        self.monitor.start()
        if self.diversion is not None:
            self.diversion.deliver(self.monitor.printed)
        self.run_worker(self._drain_forever(), exclusive=True, group="drain")
        self._tick()

    def check_choice(self, kind: str, value: str) -> None:
        """Start screen, in a thread: raises TuiError for what cannot be used."""
        from .preflight import choose

        self._choice = choose(self.settings, kind, value)

    def chosen(self, kind: str, value: str) -> None:
        """Start screen: watch what was chosen and checked."""
        settings = self._choice
        if kind == "demo":
            from .demo.launcher import Demo

            self.demo = Demo(plain=settings.plain_cluster)
            settings = replace(
                settings, broker=self.demo.broker_url, result_backend=self.demo.backend_url
            )
        self.go("home")
        self.begin(settings)

    async def _drain_forever(self) -> None:
        """Fold in slices with naps, so that a key never waits long and no rate is capped."""
        while self.monitor is not None:
            before = self.cluster.version
            while not self.monitor.drain(DRAIN_SLICE_S):  # noqa: ASYNC110  a deque has no event
                await asyncio.sleep(NAP_S)
            idle = self.cluster.version == before
            await asyncio.sleep(DRAIN_IDLE_EVERY_S if idle else DRAIN_EVERY_S)

    def _tick(self) -> None:
        if self.monitor is not None:
            self.monitor.tick(self.clock())
        self._left_alone = leave_alone(len(self.cluster.tasks), self._left_alone)

    def _strike(self) -> None:
        """Paint clock: not more than a slow line takes, and only what may look otherwise now."""
        if not self.may_tick():
            return
        shown = (self.cluster.version, int(self.clock()), self.findings, self.screen_stack[-1:])
        if shown != self._shown:
            self._shown = shown
            self.paint()

    def paint(self) -> None:
        """Only the screen on top; a dialog brings itself up to date too."""
        self._tell_outcomes()
        if not self.is_running or not self.screen_stack:
            return  # the clock strikes once more while the app ends
        tick = getattr(self.screen, "tick", None)
        if tick is not None:
            tick()

    def _tell_outcomes(self) -> None:
        for serial, outcome in self.cluster.outcomes:
            if serial > self._told_outcome:
                self._told_outcome = serial
                self.shelf.tell(outcome, self.clock())

    def _handle_exception(self, error: Exception) -> None:
        # Textual would print a traceback with local variables, which may hold a password.
        if self.is_headless:
            super()._handle_exception(error)
            return
        self.crash = self.crash or error
        self.exit(1)

    def close(self) -> None:
        """End the monitor and the demo; called once the screen is gone."""
        if self.monitor is not None:
            self.monitor.stop()
        if self.demo is not None:
            self.demo.stop()

    # -- Host: what screens read --------------------------------------------------------------

    @property
    def cluster(self) -> Cluster:
        """The model."""
        return self._cluster

    @property
    def findings(self) -> Sequence[Finding]:
        """What is wrong, the worst first."""
        return self.monitor.findings if self.monitor is not None else ()

    @property
    def title_name(self) -> str:
        """What this cluster is called."""
        return "demo" if self.demo is not None else "celery-tui"

    @property
    def broker_url(self) -> str:
        """Without its password."""
        told = self.monitor.broker_url if self.monitor is not None else None
        return told or redact(self.settings.broker or "")

    @property
    def backend_url(self) -> str:
        """Without its password; empty: none is known."""
        return (self.monitor.backend_url if self.monitor is not None else None) or ""

    @property
    def read_only(self) -> bool:
        """Acts do not exist."""
        return self.settings.read_only

    @property
    def starting(self) -> Sequence[str]:
        """What the demo has told of its start; empty once workers answer."""
        if self.demo is None or self.cluster.workers:
            return ()
        lines = self.demo.progress()
        return (
            (f"{self.demo.error}",) if self.demo.error else lines or ("starting the demo cluster",)
        )

    @property
    def shed(self) -> int:
        """Events left out because too many waited."""
        return sum(self.monitor.shed.values()) if self.monitor is not None else 0

    @property
    def lag_s(self) -> float:
        """Age of the oldest event that waits to be folded in."""
        return self.monitor.lag_s if self.monitor is not None else 0.0

    def view(self) -> View:
        """Now, and how cells are to be shown."""
        health = self.cluster.links.broker()
        lost = (
            health is not None
            and health.state in DOWN
            and bool(self.cluster.workers or self.cluster.queues)
        )
        suffix = shared_suffix(self.cluster.workers)
        second = self._second.at(self.clock())
        return View(second.now, self.cluster, self.look.cut, self._utc, lost, suffix, second)

    # -- Host: what screens ask ---------------------------------------------------------------

    def on_screen(self, task_ids: Iterable[str]) -> None:
        """These tasks are on screen."""
        if self.monitor is not None:
            self.monitor.watch(task_ids)

    def queues_on_screen(self, names: Iterable[str]) -> None:
        """These queues are on screen."""
        if self.monitor is not None:
            self.monitor.watch_queues(names)

    def look_into(
        self, queue: str, end: End, offset: int, count: int, sample: int = 0, asked: int = 0
    ) -> None:
        """Read messages of a queue, in a thread."""
        if self.monitor is not None:
            self.monitor.look_into(queue, end, offset, count, sample, asked)

    def found_waiting(self, queue: str, message: WaitingMessage) -> None:
        """The task of this message is to be known as a task."""
        if self.monitor is not None:
            self.monitor.found_waiting(queue, message)

    def request(self, act: Act, targets: Sequence[Target]) -> ActionRequest:
        """A request with an id and the time of the key press."""
        return ActionRequest(f"{next(self._requests)}", act, tuple(targets), self.clock())

    def preview(self, request: ActionRequest) -> Preview:
        """What an act would do, at once; the look-up in the cluster is started."""
        assert self.monitor is not None  # noqa: S101  acts exist only while something is watched
        preview = self.monitor.preview(request)
        self.monitor.prepare(request)
        return preview

    def perform(self, request: ActionRequest) -> None:
        """Do it, in a thread."""
        if self.monitor is not None:
            self.monitor.perform(request)

    def halt(self) -> bool:
        """Stop purges and undos that are under way; whether there was any."""
        return self.monitor is not None and self.monitor.halt()

    def copy(self, text: str, what: str) -> None:
        """Into the terminal's clipboard (OSC 52), and say so."""
        whole = text.encode("utf-8", "replace").decode()
        self.copy_to_clipboard(whole[:CLIPBOARD_LIMIT])
        cut = f", cut at {CLIPBOARD_LIMIT:,} characters" if len(whole) > CLIPBOARD_LIMIT else ""
        self.toast(f"copied {what}{cut}", "acc")

    def toast(self, text: str, style: str) -> None:
        """One line above the footer."""
        self.shelf.say(text, style, self.clock(), style == "crit")

    def toggle_time(self) -> None:
        """UTC or local."""
        self._utc = not self._utc

    def next_theme(self) -> None:
        """The next of night, paper, ansi, mono."""
        names = list(THEMES)
        name = names[(names.index(self.look.theme) + 1) % len(names)]
        self.look = Look(name, self.look.ascii)
        self.theme = name

    def refresh_now(self) -> None:
        """Ask all sources again; retry a lost broker."""
        if self.monitor is not None:
            self.monitor.retry_now()

    # -- keys of the app ----------------------------------------------------------------------

    def action_quit_asked(self) -> None:
        """Twice quits."""
        self.quit_asked()

    def quit_asked(self) -> None:
        """The first time says how; the second within two seconds ends."""
        if time.monotonic() - self._quit_asked_at <= QUIT_WITHIN_S:
            self.exit(0)
        self._quit_asked_at = time.monotonic()
        self.toast("press q again to quit", "acc")


def tune() -> None:
    """Garbage collections that nobody feels, and a GIL that changes hands soon.

    Painting leaves 2,000 objects a second to the collector (Textual's strips know themselves): of
    10,000 it takes 3 ms, of 200,000 over 100. What has survived is looked at again almost never:
    with a million tasks that is a pause of 170 ms. A key waits for a busy source thread no longer
    than the switch interval.
    """
    gc.freeze()
    gc.set_threshold(10_000, 20, 1_000)
    sys.setswitchinterval(0.0005)


def leave_alone(kept: int, before: int) -> int:
    """Once half as many tasks again are kept as ``before``, no collection looks at them any more.

    Returns the number of tasks at which that was last so; without ``tune`` nothing is done.
    """
    if kept < LOADED or kept < 1.5 * before:
        return before
    if gc.get_freeze_count():
        gc.freeze()
    return kept


def run(settings: Settings, demo: Demo | None = None, diversion: Diversion | None = None) -> int:
    """Show the dashboard until it is quit; the exit code. Ends the diversion."""
    tune()
    app = CeleryTui(settings, demo, diversion=diversion)
    try:
        app.run(mouse=False)
    finally:
        if diversion is not None:
            diversion.end()
        app.close()
    flush_all()
    if app.crash is not None:
        known = app.monitor.settings if app.monitor is not None else app.settings
        raise Unexpected(app.crash, known) from app.crash
    return app.return_code or 0
