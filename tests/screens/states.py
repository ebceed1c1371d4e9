"""Every screen and every state it can be in, reached as directly as the app allows."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from typing import Any
from unittest.mock import patch

import msgspec
from textual.pilot import Pilot

from celery_tui.app import CeleryTui
from celery_tui.model.cluster import Cluster
from celery_tui.model.events import Event
from celery_tui.model.observations import QueueDepth, QueueDepths, RoundEnded
from celery_tui.model.seam import (
    Act,
    ActionRequest,
    ArgsKnown,
    Check,
    Health,
    Link,
    Outcome,
    Stage,
    Target,
)
from celery_tui.probe import Found
from celery_tui.projects import Project
from celery_tui.screens import start
from celery_tui.screens.base import BaseScreen
from celery_tui.screens.confirm import ConfirmScreen
from celery_tui.screens.edit_args import EditArgsScreen
from celery_tui.screens.help import HelpScreen
from celery_tui.screens.palette import Palette
from celery_tui.screens.table_screen import TableScreen
from celery_tui.settings import ENVIRONMENT, Settings
from celery_tui.theme import Look
from celery_tui.widgets.filter_bar import FilterBar
from celery_tui.widgets.lines import Line
from tests.screens.capture import text_lines
from tests.screens.from_before import found, searching
from tests.screens.looked_into import consumed, looked_into, not_readable, tail_shown
from tests.screens.sample import (
    NOW,
    WORKERS,
    app_on,
    busy_cluster,
    depths,
    events,
    live,
    online,
    task_id,
)
from tests.screens.story import calm_story, told_story
from tests.screens.troubled import permitted_in_part, permitted_nothing, troubled
from tests.screens.waiting import all_offered, until
from tests.screens.workflow import CHARGE, workflow

Show = Callable[[CeleryTui, Pilot[int]], Awaitable[None]]


async def as_it_starts(app: CeleryTui, pilot: Pilot[int]) -> None:
    """Home."""


@dataclass(frozen=True)
class State:
    """A name, the cluster behind it, and how to get there from Home."""

    name: str
    show: Show = as_it_starts
    cluster: Callable[[], Cluster] = busy_cluster
    settings: dict[str, Any] = field(default_factory=dict)
    started: bool = True
    """A broker was named; else nothing is watched yet."""
    screen: bool = False
    """It stands for its screen: also tiny, in mono, in ASCII and on paper."""


# -- clusters -----------------------------------------------------------------------------------


def first_second() -> Cluster:
    """The links are being made; nothing is known."""
    cluster = Cluster(NOW - 0.4)
    for source in ("events", "inspect", "queues", "results"):
        cluster.apply(Health(source, Link.CONNECTING, NOW - 0.4))
    return cluster


def no_workers() -> Cluster:
    """Queues hold messages, and nobody has answered."""
    cluster = Cluster(NOW - 20)
    live(cluster, NOW - 19)
    readings = {"celery": QueueDepth(412, {"0": 412}), "mail": QueueDepth(3, {"0": 3})}
    cluster.apply(QueueDepths(NOW - 1, readings, unacked=0, unacked_by_queue={}))
    for question in ("ping", "active_queues"):
        cluster.apply(RoundEnded(question, NOW - 3, NOW - 1, frozenset()))
    return cluster


def all_quiet() -> Cluster:
    """Everything is well and nothing moves."""
    cluster = Cluster(NOW - 300)
    live(cluster, NOW - 290)
    online(cluster)
    readings = {name: QueueDepth(0, {"0": 0}) for name in ("crm", "default", "pay", "pdf")}
    for step in range(60):
        at = NOW - (59 - step) * 5
        cluster.apply(QueueDepths(at, readings, unacked=0, unacked_by_queue={}))
        cluster.remember(at)
    return cluster


def events_off() -> Cluster:
    """Workers without task events: they run tasks, and say nothing of them."""
    cluster = Cluster(NOW - 300)
    live(cluster, NOW - 290)
    online(cluster)
    depths(cluster)
    for number, name in enumerate(WORKERS):
        beat = Event("worker-heartbeat", NOW, name, pid=4410 + number, freq=2.0, processed=9_000)
        events(cluster, beat)
    return cluster


def broker_lost() -> Cluster:
    """What was known when the broker went away, and the broker's words."""
    cluster = busy_cluster()
    for source in ("events", "inspect", "queues"):
        error = "Error 111 connecting to 10.0.3.7:6379. Connection refused."
        lost = Health(source, Link.LOST, NOW - 31, error, "Is it running?", NOW + 4, 5)
        cluster.apply(lost)
    return cluster


def purged() -> Cluster:
    """A queue in quarantine, and the outcomes of acts."""
    cluster = busy_cluster()
    name = "celery-tui:quarantine:emails:20261120T120800Z"
    killed = "celery-tui:quarantine:emails:20261120T120500Z"
    some = "celery-tui:quarantine:reports:20261120T115500Z"
    held = {
        name: QueueDepth(88_110, {}, quarantine=True),
        killed: QueueDepth(0, {}, quarantine=True, doubtful=200),
        some: QueueDepth(1_400, {}, quarantine=True, doubtful=37),
    }
    cluster.apply(QueueDepths(NOW - 1, held, sampled=True))
    for number, (stage, text) in enumerate(
        (
            (Stage.ACKNOWLEDGED, "2 of 3 workers answered"),
            (Stage.NOT_CONFIRMED, "no worker has said so in 10 s"),
            (Stage.SEEN, "seen revoked, by event"),
        )
    ):
        target = Target("task", task_id(200 + number), "crm.accounts.tasks.sync_all_contacts")
        request = ActionRequest(f"{number}", Act.REVOKE, (target,), NOW - 3)
        cluster.apply(Outcome(request, target, stage, text, NOW - 1))
    return cluster


# -- where to go ----------------------------------------------------------------------------------


def going(root: str) -> Show:
    """A root screen."""

    async def show(app: CeleryTui, pilot: Pilot[int]) -> None:
        app.go(root)
        await pilot.pause()

    return show


def opening(kind: str, name: str) -> Show:
    """A page."""

    async def show(app: CeleryTui, pilot: Pilot[int]) -> None:
        app.open(kind, name)
        await pilot.pause()

    return show


def base(app: CeleryTui) -> BaseScreen:
    """The screen on top, which is none of Textual's."""
    assert isinstance(app.screen, BaseScreen)
    return app.screen


def table(app: CeleryTui) -> TableScreen:
    """The screen on top, which is one big table."""
    assert isinstance(app.screen, TableScreen)
    return app.screen


async def helping(app: CeleryTui, pilot: Pilot[int]) -> None:
    """The keys of Tasks."""
    app.go("tasks")
    await pilot.pause()
    app.push_screen(HelpScreen(base(app).available()))


async def palette(app: CeleryTui, pilot: Pilot[int]) -> None:
    """All commands of Tasks."""
    app.go("tasks")
    await pilot.pause()
    app.push_screen(Palette())
    await until(pilot, lambda: isinstance(app.screen, Palette), "it is open")
    await all_offered(app, pilot)


def asking(act: Act, *numbers: int, exact: bool | None = None, mends: str = "") -> Show:
    """The dialog of an act on tasks, as it is once the cluster has been looked at."""

    async def show(app: CeleryTui, pilot: Pilot[int]) -> None:
        targets = base(app).task_targets(task_id(number) for number in numbers)
        _ask(app, act, tuple(targets), exact)

    return show


def _ask(app: CeleryTui, act: Act, targets: tuple[Target, ...], exact: bool | None) -> None:
    request = app.request(act, targets)
    told = app.preview(request)
    checks = tuple(Check(t, True, "still as when the key was pressed", NOW - 0.4) for t in targets)
    ready = msgspec.structs.replace(told, checks=checks, ready=True, args=_known(targets, exact))
    app.push_screen(ConfirmScreen(ready))


def _known(targets: tuple[Target, ...], exact: bool | None) -> tuple[ArgsKnown, ...]:
    if exact is None:
        return ()
    source = "result backend" if exact else "events"
    args = "[91823]" if exact else "(91823, 'a long te...)"
    kwargs = "{'gateway': 'stripe', 'amount': 1999}"
    return tuple(ArgsKnown(t.id, exact, source, args, kwargs, "queue pay") for t in targets)


async def purging(app: CeleryTui, pilot: Pilot[int]) -> None:
    """The dialog of a purge, over Queues."""
    app.go("queues")
    await pilot.pause()
    _ask(app, Act.PURGE, (Target("queue", "emails"),), None)


async def editing(app: CeleryTui, pilot: Pilot[int]) -> None:
    """The editor of a retry's arguments."""
    targets = tuple(base(app).task_targets([task_id(13)]))
    app.push_screen(EditArgsScreen(_known(targets, False)[0], targets[0], clock=lambda: 0.0))


async def sorting(app: CeleryTui, pilot: Pilot[int]) -> None:
    """The sort menu of Tasks, sorted by age."""
    app.go("tasks")
    await pilot.pause()
    table(app)._sorted(("age", True))
    table(app).do_sort()


def filtering(text: str) -> Show:
    """Tasks with an open filter."""

    async def show(app: CeleryTui, pilot: Pilot[int]) -> None:
        app.go("tasks")
        await pilot.pause()
        bar = app.screen.query_one(FilterBar)
        bar.display = True
        bar.open(text)

    return show


async def frozen(app: CeleryTui, pilot: Pilot[int]) -> None:
    """Tasks, frozen, while things go on."""
    app.go("tasks")
    await pilot.pause()
    app.paint()
    table(app).do_freeze()
    late = Event("task-sent", NOW, "gen1@web-1", uuid=task_id(900), name="pay.charge", queue="pay")
    events(app.cluster, late)


async def marked(app: CeleryTui, pilot: Pilot[int]) -> None:
    """Tasks with three marked rows."""
    app.go("tasks")
    await pilot.pause()
    app.paint()
    for _ in range(3):
        base(app).do_mark()


async def quarantined(app: CeleryTui, pilot: Pilot[int]) -> None:
    """Queues with a quarantine."""
    app.go("queues")
    await pilot.pause()


async def starting(app: CeleryTui, pilot: Pilot[int]) -> None:
    """The start screen, once all has answered."""
    screen = app.screen
    assert isinstance(screen, start.StartScreen)
    while screen.places.asking or not screen.looked:
        await pilot.pause(0.02)


PLACES = [
    Found("redis://localhost:6379/0", 2.0, note="3 queues, 2 bindings"),
    Found("redis://localhost:6379/1", said="wants a password"),
]


@contextmanager
def no_machine() -> Iterator[None]:
    """The start screen looks around on a machine that is always the same."""
    environ = {name: "" for names in ENVIRONMENT.values() for name in names}
    title = Line((("celery-tui", "bright"), ("  0.0", "dim")))
    with (
        patch.dict(os.environ, environ),
        patch.object(start, "local_redis", lambda: PLACES),
        patch.object(start, "local_rabbitmq", lambda: Found("amqp://localhost:5672")),
        patch.object(start, "projects", lambda path: [Project("./shop/celery.py", "shop")]),
        patch.object(start, "TITLE", (start.TITLE[0], title, *start.TITLE[2:])),
    ):
        for name in environ:
            del os.environ[name]
        yield


TASKS = going("tasks")


async def at_the_end(app: CeleryTui, pilot: Pilot[int]) -> None:
    """The oldest tasks."""
    await TASKS(app, pilot)
    await pilot.press("G")


STATES = (
    State("home", screen=True),
    State("queues", going("queues"), screen=True),
    State("queue", opening("queue", "emails"), looked_into, screen=True),
    State("queue-tail", opening("queue", "emails"), tail_shown),
    State("queue-empty", opening("queue", "pdf"), consumed),
    State("queue-refused", opening("queue", "emails"), not_readable),
    State("workers", going("workers"), screen=True),
    State("worker", opening("worker", WORKERS[2]), screen=True),
    State("tasks", TASKS, screen=True),
    State("task", opening("task", task_id(100)), screen=True),
    State("task-failed", opening("task", task_id(13))),
    State("results-searched", TASKS, searching),
    State("results-found", at_the_end, found),
    State("task-family", opening("task", task_id(CHARGE)), workflow),
    State("family", opening("family", task_id(CHARGE)), workflow, screen=True),
    State("log", going("log"), screen=True),
    State("help", helping, screen=True),
    State("palette", palette),
    State("confirm-revoke", asking(Act.REVOKE, 200, 201, 300), screen=True),
    State("confirm-terminate", asking(Act.TERMINATE, 200)),
    State("confirm-retry-exact", asking(Act.RETRY, 13, exact=True)),
    State("confirm-retry-edit", asking(Act.RETRY, 13, exact=False)),
    State("confirm-purge", purging),
    State("edit-args", editing, screen=True),
    State("sort-menu", sorting, screen=True),
    State("filter-matches", filtering("sync_all")),
    State("filter-nothing", filtering("no such task")),
    State("frozen", frozen),
    State("marked", marked),
    State("quarantine", quarantined, purged),
    State("toasts", TASKS, purged),
    State("start", starting, started=False, screen=True),
    State("first-second", cluster=first_second),
    State("no-workers", cluster=no_workers),
    State("all-quiet", cluster=all_quiet),
    State("twenty-minutes", cluster=told_story),
    State("twenty-calm-minutes", cluster=calm_story),
    State("events-off", cluster=events_off),
    State("broker-lost", cluster=broker_lost),
    State("sources", opening("sources", ""), troubled, screen=True),
    State("sources-permitted-in-part", opening("sources", ""), permitted_in_part),
    State("why-task", opening("why-task", task_id(100)), screen=True),
    State("why-task-unknown", opening("why-task", task_id(300))),
    State("why-queue", opening("why-queue", "default")),
    State("why-worker", opening("why-worker", WORKERS[2])),
    State("why-finding", opening("why-finding", "no-consumer:emails")),
    State("why-broker-lost", opening("why-queue", "default"), broker_lost),
    State("permitted-in-part", cluster=permitted_in_part),
    State("permitted-nothing", cluster=permitted_nothing),
    State("broker-lost-tasks", TASKS, broker_lost),
    State("read-only", TASKS, settings={"read_only": True}),
)


@asynccontextmanager
async def standing(
    state: State, size: tuple[int, int] = (80, 24)
) -> AsyncIterator[tuple[CeleryTui, Pilot[int]]]:
    """The app in that state."""
    app = app_on(state.cluster(), **state.settings) if state.started else nothing_named(state)
    with no_machine():
        async with app.run_test(size=size, notifications=True) as pilot:
            await pilot.pause()
            app._tick()
            await settle(app, pilot)
            await state.show(app, pilot)
            await settle(app, pilot)
            yield app, pilot


def nothing_named(state: State) -> CeleryTui:
    """The app of somebody who only typed ``celery-tui``."""
    return CeleryTui(Settings(**state.settings), clock=lambda: NOW)


async def settle(app: CeleryTui, pilot: Pilot[int]) -> None:
    """Everything is brought up to date, and what was laid out anew because of that too."""
    await pilot.pause()
    before: list[str] = []
    for _ in range(10):
        app.paint()
        await pilot.pause()
        now = text_lines(app)
        if now == before:
            return
        before = now


async def resized(app: CeleryTui, pilot: Pilot[int], width: int, height: int) -> None:
    """The terminal has another size."""
    if app.size != (width, height):
        await pilot.resize_terminal(width, height)
        await settle(app, pilot)


async def dressed(app: CeleryTui, pilot: Pilot[int], look: Look) -> None:
    """Another theme or other glyphs."""
    app.look = look
    app.theme = look.theme
    for screen in app.screen_stack:
        size_panel = getattr(screen, "size_panel", None)
        if size_panel is not None:
            size_panel()
        for widget in screen.walk_children(with_self=True):
            widget.notify_style_update()
            widget.refresh()
    await settle(app, pilot)
