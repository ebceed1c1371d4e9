"""Any size and any keys: nothing crashes, and what looks never acts."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Iterator

import pytest
from rich.cells import cell_len
from textual.events import Key
from textual.keys import _character_to_key
from textual.pilot import Pilot

from celery_tui.app import CeleryTui
from celery_tui.model.events import Event
from celery_tui.model.seam import ActionRequest
from celery_tui.screens.dialog import Dialog
from tests.screens.capture import strips
from tests.screens.sample import NOW, WORKERS, StillMonitor, app_on, busy_cluster, events, task_id
from tests.screens.states import STATES, State, resized, settle, standing

SIZES = ((40, 10), (20, 5), (1, 1), (300, 100))
KEYS = 500
PLACES = ("home", "queues", "workers", "tasks", "log", "task", "worker")


@pytest.mark.parametrize("state", STATES, ids=lambda state: state.name)
async def test_every_screen_stands_at_every_size(state: State) -> None:
    async with standing(state) as (app, pilot):
        for width, height in SIZES:
            await resized(app, pilot, width, height)
            assert filled(app)
        await resized(app, pilot, 80, 24)
        assert filled(app)


@pytest.mark.parametrize("size", SIZES[1:3])
async def test_every_screen_opens_where_there_is_no_room(size: tuple[int, int]) -> None:
    for state in STATES:
        if state.screen:
            async with standing(state, size) as (app, _):
                assert filled(app)


def filled(app: CeleryTui) -> bool:
    """Whether the screen has as many lines as the terminal, each as wide as it."""
    width, height = app.size
    lines = strips(app)
    assert len(lines) == height
    for strip in lines:
        assert cell_len(strip.text) == width
    return True


async def test_a_storm_of_resizes_while_events_arrive_ends_in_a_whole_screen() -> None:
    app = app_on(busy_cluster())
    dice = random.Random(7)
    async with app.run_test(size=(80, 24)) as pilot:
        for number in range(60):
            for happened in storm(number):
                events(app.cluster, happened)
            app.go(dice.choice(("home", "queues", "workers", "tasks", "log")))
            if number % 10 == 5:
                app.open("task", task_id(5_000 + number))
            await pilot.resize_terminal(dice.randrange(1, 200), dice.randrange(1, 60))
            app.paint()
        await resized(app, pilot, 80, 24)
        app.go("tasks")
        await settle(app, pilot)
        assert filled(app)
        assert f"of {len(app.cluster.tasks):,}" not in strips(app)[0].text
        assert "t.storm" in "".join(strip.text for strip in strips(app))


def storm(number: int) -> Iterator[Event]:
    """A task that comes and goes."""
    for kind, after in (("received", 0.0), ("started", 0.1), ("succeeded", 0.2)):
        yield Event(
            f"task-{kind}", NOW + number + after, WORKERS[number % 3], uuid=task_id(5_000 + number),
            name="t.storm", args="()", kwargs="{}",
        )  # fmt: skip


# -- random keys --------------------------------------------------------------------------------

LOOKS = [
    *"abcdefghijklmnoprstuvwxyz0123456789/?:[]+-=.,;!<>", "enter", "escape", "space", "tab",
    "shift+tab", "up", "down", "left", "right", "pageup", "pagedown", "home", "end", "backspace",
    "ctrl+l", "ctrl+t", "ctrl+p", "f1", "delete",
]  # fmt: skip
"""Every key but those that act, that quit at once, or that confirm."""
ACTS = ["X", "T", "R", "D", "Z", "E", "S", "G", "A", "H", "W", "Y"]


class Watched(StillMonitor):
    """Notes on which screen an act was confirmed, and with which key."""

    key = ""
    outside: list[tuple[str, ActionRequest]]

    def perform(self, request: ActionRequest) -> None:
        """Keep it, with the key."""
        super().perform(request)
        self.outside.append((self.key, request))


@pytest.mark.parametrize("seed", range(2))
async def test_random_keys_crash_nothing_and_no_key_that_looks_ever_acts(seed: int) -> None:
    app, monitor = watched(seed)
    dice = random.Random(seed)
    async with app.run_test(size=(100, 30)) as pilot:
        for number in range(KEYS):
            if isinstance(app.screen, Dialog):  # nothing outside may act; inside only on purpose
                app.screen.dismiss(None)
                await pilot.pause()
            if number % 25 == 0:
                visit(app, dice.choice(PLACES))
            key = dice.choice(LOOKS if dice.random() < 0.9 else ACTS)
            monitor.key = key
            await press(pilot, key)
            if number % 25 == 24:
                await pilot.pause()
                app.paint()
                assert filled(app)
            assert app.is_running, key
        assert monitor.performed == []


@pytest.mark.parametrize("seed", [2])
async def test_in_a_dialog_only_capital_y_or_the_focused_button_acts(seed: int) -> None:
    app, monitor = watched(seed)
    dice = random.Random(seed)
    async with app.run_test(size=(100, 30)) as pilot:
        for number in range(KEYS):
            if number % 50 == 0:
                visit(app, dice.choice(PLACES))
            key = dice.choice([*LOOKS, *ACTS, "Y", "tab", "enter", "X", "T", "D"])
            monitor.key = key
            await press(pilot, key)
            if number % 25 == 24:
                await pilot.pause()
            assert app.is_running, key
        assert {key for key, _ in monitor.outside} <= {"Y", "enter"}


def visit(app: CeleryTui, place: str) -> None:
    """A root screen, or the page of a task or a worker."""
    app.go("home")
    if place in ("task", "worker"):
        app.open(place, task_id(100) if place == "task" else WORKERS[2])
    else:
        app.go(place)


def watched(seed: int) -> tuple[CeleryTui, Watched]:
    """The app with a monitor that notes what confirmed an act; read-only for odd seeds."""
    app = app_on(busy_cluster(), read_only=bool(seed % 2))
    monitor = Watched(app.cluster, app.settings)
    monitor.outside = []
    app.monitor = monitor  # type: ignore[assignment]
    return app, monitor


async def press(pilot: Pilot[int], key: str) -> None:
    """One key, as fast as a person never types; quitting is somebody else's test."""
    app = pilot.app
    assert isinstance(app, CeleryTui)
    assert app._driver is not None
    app._quit_asked_at = 0.0
    name = _character_to_key(key) if len(key) == 1 and not key.isalnum() else key
    app._driver.send_message(Key(name, key if len(key) == 1 else None))
    await asyncio.sleep(0.01)


@pytest.mark.parametrize("first", [(80, 24), (40, 10)])
async def test_the_field_one_types_into_is_seen_in_a_low_terminal(first: tuple[int, int]) -> None:
    state = next(state for state in STATES if state.name == "edit-args")
    async with standing(state, first) as (app, pilot):
        await resized(app, pilot, 40, 10)
        assert any("(91823" in strip.text for strip in strips(app))
