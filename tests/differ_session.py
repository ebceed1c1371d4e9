"""One scripted session of the real app on an emulated terminal, with or without the differ."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any, NamedTuple

import pyte
from textual import events as textual_events
from textual.app import App
from textual.driver import Driver
from textual.geometry import Size
from textual.pilot import Pilot
from textual.widgets import Input

from celery_tui.app import CeleryTui
from celery_tui.differ.grid import Grid
from celery_tui.model.cluster import Cluster
from celery_tui.model.events import Event
from celery_tui.settings import Settings
from tests.screens.sample import NOW, WORKERS, StillMonitor, busy_cluster, events, task_id

UNSEEN = {"fg": "default", "bold": False, "italics": False}
"""Of a blank that is neither underlined nor reversed nobody sees these."""
NAMES = (
    "支払い.領収書を送る", "한국어.일", "全角ＡＢＣ.task", "e\u0301tude.ne\u0301e", "ａ漢b字c",
    "grün.straße", "👍.emoji🫠x", "a漢b字", "k\u0323\u0301ombu.漢\u0301x",
)  # fmt: skip
"""Wide, combining, both, and shifted by one cell."""


class Pyte(Driver):
    """A driver whose terminal is an emulator in this process."""

    def __init__(self, app: App[Any], *, size: tuple[int, int], **options: Any) -> None:
        super().__init__(app, size=size, **options)
        self.screen = pyte.Screen(*size)
        self._stream = pyte.Stream(self.screen)
        self.writes = 0
        self.sent = 0
        self.last = self.everything = ""

    def write(self, data: str) -> None:
        """Obey."""
        self.writes += 1
        self.sent += len(data.encode())
        self.last = data
        self.everything += data
        self._stream.feed(data)

    def start_application_mode(self) -> None:
        """As the real one: no line wrap, and the size is told."""
        self._stream.feed("\x1b[?7l\x1b[?25l")
        self.tell_size()

    def tell_size(self) -> None:
        """As SIGWINCH does."""
        size = Size(self.screen.columns, self.screen.lines)
        self.send_message(textual_events.Resize(size, size))

    def resize(self, width: int, height: int) -> None:
        """Somebody pulls at the window; what stood there is gone, as after a reflow."""
        self.screen.resize(height, width)
        self.screen.erase_in_display(2)
        self.tell_size()

    def disable_input(self) -> None:
        """There is none."""

    def stop_application_mode(self) -> None:
        """Nothing to stop."""

    def cells(self) -> list[list[pyte.screens.Char]]:
        """What a person sees."""
        columns = range(self.screen.columns)
        rows = (self.screen.buffer[y] for y in range(self.screen.lines))
        return [[_seen(row[x]) for x in columns] for row in rows]


def _seen(char: Any) -> Any:
    plain = char.data in ("", " ") and not (char.underscore or char.reverse or char.strikethrough)
    return char._replace(**UNSEEN) if plain else char


class Session(NamedTuple):
    """An app on its terminal."""

    app: CeleryTui
    pilot: Pilot[int]
    driver: Pyte
    cluster: Cluster
    clock: list[float]

    async def settle(self) -> None:
        """Until the paint clock has nothing more to say."""
        quiet = 0
        for _ in range(3):  # a finding may tell more at the second look
            self.app._tick()
            self.app.paint()
        while quiet < 3:
            writes = self.driver.writes
            await self.pilot.pause()
            await asyncio.sleep(0.01)
            quiet = quiet + 1 if self.driver.writes == writes else 0

    def cursor(self) -> tuple[int, int] | None:
        """For the windows of input methods; None: nobody types, and it does not matter."""
        cursor = self.driver.screen.cursor
        assert cursor.hidden
        return (cursor.x, cursor.y) if isinstance(self.app.focused, Input) else None

    def happen(self, number: int, name: str, shift: float) -> None:
        """A task comes in and runs."""
        self.clock[0] += shift
        now = self.clock[0]
        told = {"name": name, "args": f"({name!r},)", "kwargs": "{}"}
        who = {"uuid": task_id(number), "pid": 4410}
        events(
            self.cluster,
            Event("task-received", now - 0.2, WORKERS[0], **who, **told),  # type: ignore[arg-type]
            Event("task-started", now - 0.1, WORKERS[0], **who),  # type: ignore[arg-type]
        )


@asynccontextmanager
async def session(
    size: tuple[int, int], no_diff: bool, grid: Grid | None = None
) -> AsyncIterator[Session]:
    """The app, shown; ``grid`` stands in for its own."""
    cluster, clock = busy_cluster(), [NOW]
    settings = Settings(broker="redis://10.0.3.7:6379/0", no_diff=no_diff)
    monitor: Any = StillMonitor(cluster, settings)
    app = CeleryTui(settings, monitor=monitor, clock=lambda: clock[0])
    app.driver_class = Pyte
    if grid is not None:
        app.grid = grid
    ready: asyncio.Future[Pilot[int]] = asyncio.get_running_loop().create_future()

    async def tell(pilot: Pilot[Any]) -> None:
        ready.set_result(pilot)

    running = asyncio.create_task(app.run_async(size=size, mouse=False, auto_pilot=tell))
    try:
        await asyncio.wait((ready, running), timeout=60, return_when=asyncio.FIRST_COMPLETED)
        driver = app._driver
        assert isinstance(driver, Pyte)
        with app._context():
            shown = Session(app, ready.result(), driver, cluster, clock)
            await shown.settle()
            yield shown
    finally:
        app.exit(0)
        await running


Step = Callable[[Session], Awaitable[None]]


def press(*keys: str) -> Step:
    """Keys, one after the other."""

    async def step(at: Session) -> None:
        await at.pilot.press(*keys)

    return step


def tasks(first: int, *names: str, shift: float = 1.0) -> Step:
    """Tasks come in and time goes on."""

    async def step(at: Session) -> None:
        for number, name in enumerate(names):
            at.happen(first + number, name, shift)

    return step


def resize(width: int, height: int) -> Step:
    """The window changes its size."""

    async def step(at: Session) -> None:
        at.driver.resize(width, height)
        await asyncio.sleep(0.05)

    return step


async def toast(at: Session) -> None:
    """One of each kind."""
    at.app.toast("漢字 sent", "ok")
    at.app.toast("the broker is lost", "crit")


async def later(at: Session) -> None:
    """Toasts go, ages grow."""
    at.clock[0] += 40


def script(width: int, height: int) -> dict[str, Step]:
    """Name -> step; each leaves a screen that is compared."""
    return {
        "home": press(),
        "tasks": press("4"),
        "tick": tasks(900, "pay.charge", "pay.refund", "mail.receipt"),
        "down": press("j", "j", "down"),
        "page": press("pagedown"),
        "bottom": press("G"),
        "top": press("g"),
        "wide": tasks(1000, *NAMES),
        "shifted": tasks(1100, "b漢字a", "漢" * 60, "e\u0301" * 30, "plain"),
        "one more": tasks(1200, "crm.push", shift=0.3),
        "mark": press("space", "space"),
        "sort menu": press("s"),
        "sort chosen": press("j", "enter"),
        "sorted tick": tasks(1300, "漢字.z", "z.plain"),
        "sort back": press("s", "k", "enter"),
        "filter open": press("slash"),
        "filter typed": press("p", "a", "y"),
        "filter kept": press("enter"),
        "filter gone": press("escape", "escape", "escape"),
        "field scrolled": press("slash", *("abcdefghij" * (width // 10 + 1))),
        "scrolled back": press("home"),
        "scrolled on": press("end", "left", "x"),
        "scrolled tick": tasks(1350, *NAMES[:2]),
        "field gone": press("escape", "escape", "escape"),
        "toasts": toast,
        "toasts over a tick": tasks(1400, *NAMES[:3]),
        "dialog": press("X"),
        "dialog over a tick": tasks(1500, *NAMES[2:5]),
        "dialog away": press("escape"),
        "palette": press("ctrl+p"),
        "palette typed": press("s", "o"),
        "palette away": press("escape"),
        "help": press("question_mark"),
        "help scrolled": press("j", "pagedown"),
        "help away": press("escape"),
        "toasts gone": later,
        "page of a task": press("enter"),
        "wrapped": press("w", "j", "j"),
        "page away": press("escape"),
        "frozen": press("p"),
        "frozen tick": tasks(1600, *NAMES),
        "thawed": press("p"),
        "smaller": resize(width - 17, height - 5),
        "smaller tick": tasks(1700, *NAMES),
        "larger": resize(width + 9, height + 3),
        "as before": resize(width, height),
        "cleared": resize(width, height),
        "paper": press("ctrl+t"),
        "ansi": press("ctrl+t"),
        "ansi tick": tasks(1800, *NAMES),
        "mono": press("ctrl+t"),
        "mono down": press("j"),
        "night": press("ctrl+t"),
        "redrawn": press("ctrl+l"),
        "queues": press("2"),
        "workers": press("3"),
        "log": press("8"),
        "home again": press("1"),
        "panes": press("tab", "j"),
    }


class Shown(NamedTuple):
    """What stood on the terminal after a step."""

    step: str
    cells: list[list[Any]]
    cursor: tuple[int, int] | None
    """Where the hidden cursor stands, while somebody types into a field."""


async def play(size: tuple[int, int], no_diff: bool, grid: Grid | None = None) -> list[Shown]:
    """The whole session."""
    shown: list[Shown] = []
    async with session(size, no_diff, grid) as at:
        for name, step in script(*size).items():
            await step(at)
            await at.settle()
            shown.append(Shown(name, at.driver.cells(), at.cursor()))
        assert (at.app.grid is None) is no_diff, "it has given up comparing"
    return shown


def differences(one: list[Shown], other: list[Shown]) -> list[str]:
    """Where two sessions differ, cell by cell."""
    found = []
    for a, b in zip(one, other, strict=True):
        if a.cursor != b.cursor:
            found.append(f"{a.step}: cursor {a.cursor}, {b.cursor}")
        for y, (left, right) in enumerate(zip(a.cells, b.cells, strict=True)):
            for x, (c, d) in enumerate(zip(left, right, strict=True)):
                if c != d:
                    found.append(f"{a.step}: line {y}, column {x}: {c}, {d}")
    return found
