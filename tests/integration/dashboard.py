"""A person at the real dashboard, for tests: presses keys and reads what the screen says."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from itertools import pairwise
from typing import Any, TypeVar

from textual.pilot import Pilot

from celery_tui.app import CeleryTui
from celery_tui.screens.dialog import DEAF_S, Dialog
from celery_tui.settings import Settings
from tests.screens.capture import text_lines
from tests.servers import PATIENCE_S

T = TypeVar("T")
SIZE = (100, 30)


class Dashboard:
    """What a person can do: look at the lines of the screen, and press keys."""

    def __init__(self, app: CeleryTui, pilot: Pilot[int]) -> None:
        self.app, self.pilot = app, pilot

    # -- looking ------------------------------------------------------------------------------

    @property
    def lines(self) -> list[str]:
        """The lines of the screen, from the top."""
        return [line.rstrip() for line in text_lines(self.app)]

    @property
    def front(self) -> list[str]:
        """The lines that can be used: of a dialog its panel and keys, not the ghost behind it."""
        if not isinstance(self.app.screen, Dialog):
            return self.lines
        panel = self.app.screen.query_one("#panel").region
        rows = self.lines[panel.y : panel.bottom]
        return [*(row[panel.x : panel.right].rstrip() for row in rows), self.footer]

    @property
    def text(self) -> str:
        """The whole screen."""
        return "\n".join(self.lines)

    @property
    def prose(self) -> str:
        """The same with every run of blanks as one: sentences that were wrapped are whole."""
        return " ".join(self.text.split())

    @property
    def header(self) -> str:
        """The first line."""
        return self.lines[0]

    @property
    def footer(self) -> str:
        """The keys at the bottom."""
        return self.lines[-1]

    def line(self, *words: str) -> str:
        """The first line with all of these words in it; empty: there is none."""
        found = (line for line in self.lines if all(word in line for word in words))
        return next(found, "")

    def below(self, words: str) -> str:
        """The line below the first one with these words; empty: there is none."""
        found = (below for line, below in pairwise(self.lines) if words in line)
        return next(found, "")

    # -- waiting ------------------------------------------------------------------------------

    async def until(self, predicate: Callable[[], T], what: str, within_s: float = PATIENCE_S) -> T:
        """The first true answer of the predicate; prints how long that took.

        Raises AssertionError with the screen after `within_s` seconds.
        """
        began = time.monotonic()
        while not (answer := predicate()):
            took_s = time.monotonic() - began
            if took_s > within_s:
                raise AssertionError(f"not within {within_s:g} s: {what}; on screen:\n{self.text}")
            await self.pilot.pause(0.05)
        print(f"[took] {what}: {time.monotonic() - began:.3f} s")
        return answer

    async def reads(self, *words: str, within_s: float = PATIENCE_S) -> str:
        """The line that has all of these words, once there is one."""
        what = f"the screen reads {' … '.join(words)}"
        return await self.until(lambda: self.line(*words), what, within_s)

    async def says(self, sentence: str, within_s: float = PATIENCE_S) -> None:
        """Wait for a sentence that may be wrapped."""
        await self.until(lambda: sentence in self.prose, f"the screen says: {sentence}", within_s)

    async def stays(self, seconds: float) -> None:
        """Let the program run."""
        await self.pilot.pause(seconds)

    # -- keys ---------------------------------------------------------------------------------

    async def press(self, *keys: str) -> None:
        """Press keys, one after the other."""
        await self.pilot.press(*keys)

    async def find(self, text: str, *words: str) -> str:
        """Narrow the Tasks screen to the beginning of an id; its row once it has these words."""
        await self.press("4")
        await self.filter(text)
        return await self.until(
            lambda: self.line(f"/ {text}", "1 of ") and self.line("▐ ", text, *words),
            f"Tasks shows {' '.join((text, *words))}",
        )

    async def filter(self, text: str) -> None:
        """Type into the filter bar of a table, and keep it; what stood there goes."""
        await self.press("slash", "ctrl+u", *text, "enter")

    @property
    def cursor(self) -> str:
        """The row under the cursor."""
        return next((line for line in self.lines if line.startswith("▐")), "")

    async def ask(self, key: str, title: str) -> None:
        """Press an act's key, and wait until its dialog has looked everything up and listens."""
        await self.press(key)
        await self.reads(title)
        await self.until(lambda: "checking" not in self.text, f"{title} is looked up")
        await self.stays(DEAF_S + 0.1)

    async def revoke_before_eta(self, send: Callable[[float], str]) -> str:
        """Send a task with a countdown in seconds and revoke it in time; its id.

        Where all is slow the countdown is longer.
        """
        for countdown in (10.0, 40.0, 160.0):
            late = time.monotonic() + countdown / 2
            task_id = send(countdown)
            await self.find(task_id[:8])
            await self.until(
                lambda late=late: "◷ eta" in self.cursor or time.monotonic() > late,  # type: ignore[misc]
                "it waits for its ETA",
            )
            if time.monotonic() < late:
                await self.act("X", "REVOKE  1 task")
                return task_id
        raise AssertionError("no task is on screen before its ETA")

    async def leave(self, key: str, title: str, way_out: str) -> None:
        """Press an act's key, and leave its dialog by another one."""
        await self.ask(key, title)
        await self.press(way_out)
        await self.until(lambda: title not in self.text, f"{title} is left")

    async def act(self, key: str, title: str) -> None:
        """Press an act's key and confirm it."""
        await self.ask(key, title)
        await self.press("Y")
        await self.until(lambda: title not in self.text, f"{title} is confirmed")


@asynccontextmanager
async def dashboard(
    broker: str, backend: str = "", size: tuple[int, int] = SIZE, **settings: Any
) -> AsyncIterator[Dashboard]:
    """The program as a user starts it, headless; ended after."""
    app = CeleryTui(Settings(broker=broker, result_backend=backend or None, **settings))
    try:
        async with app.run_test(size=size) as pilot:
            yield Dashboard(app, pilot)
    finally:
        app.close()
