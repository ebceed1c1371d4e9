"""Waiting for a fact on a screen that is driven by a pilot."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from textual.app import App
from textual.command import CommandList
from textual.pilot import Pilot

LOOKS, PAUSE_S = 2_400, 0.05


async def until(pilot: Pilot[Any], what: Callable[[], object], words: str) -> None:
    """Let the program run until it is so; an AssertionError with the words if it never is."""
    for _ in range(LOOKS):
        if what():
            return
        await pilot.pause(PAUSE_S)
    raise AssertionError(f"never: {words}")


def offered(app: App[Any]) -> list[str]:
    """What the palette on top offers so far, the first as Enter would carry it out."""
    found = app.screen.query(CommandList)
    return [str(option.prompt) for option in found.first().options] if found else []


async def all_offered(app: App[Any], pilot: Pilot[Any]) -> list[str]:
    """What the palette offers once it has looked for everything."""

    def found() -> bool:
        searching = any(worker.node is app.screen for worker in app.workers)
        return bool(offered(app)) and not searching

    await until(pilot, found, "the palette has found all commands")
    await pilot.pause()
    return offered(app)
