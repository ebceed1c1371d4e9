"""The walk itself: which keys, and what a screen must say before it is looked at."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from tests.integration.dashboard import Dashboard
from tests.walk import town
from tests.walk.moving import same

Action = Callable[[Dashboard], Awaitable[None]]


@dataclass(frozen=True)
class Step:
    """One screen of the walk."""

    name: str
    come: Action
    """How one gets there from the step before."""
    reads: tuple[tuple[str, ...], ...]
    """Words of lines that must be there: all of a tuple in one line."""


def keys(*names: str) -> Action:
    """Somebody who presses keys."""
    return lambda screen: screen.press(*names)


async def _to_orphan(screen: Dashboard) -> None:
    await screen.press("2")
    await screen.filter(town.ORPHAN)
    await screen.reads("▐", town.ORPHAN)


async def _into_orphan(screen: Dashboard) -> None:
    await screen.press("enter")
    await screen.until(
        lambda: screen.line("sample.echo") or screen.line("RabbitMQ queue takes"), "it is shown"
    )
    if not screen.line("sample.echo"):
        await screen.press("r")  # as it says there


def _task(task_id: str) -> Action:
    async def open_it(screen: Dashboard) -> None:
        await screen.press("escape")
        await screen.find(task_id[:8])
        await screen.press("enter")

    return open_it


async def _revoke(screen: Dashboard) -> None:
    await screen.press("escape")
    await screen.find(town.HELD[:8])
    await screen.ask("X", "REVOKE")


async def _purge(screen: Dashboard) -> None:
    await screen.press("escape")
    await _to_orphan(screen)
    await screen.ask("D", "PURGE")


async def _workers(screen: Dashboard) -> None:
    await screen.press("escape", "3")


LOOK_AGAIN_S, MOST_LOOKS = 0.5, 120
ALL_WAIT = f"{town.WAITING}"
STEPS = (
    Step(
        "Home",
        keys("1"),
        (
            ("✓ live",),
            ("in 0.",),
            ("1 crit",),
            ("✓ none in",),
            ("sample.slow",),
            ("sample.stepping",),
        ),
    ),
    Step("Queues", keys("2"), ((town.ORPHAN, ALL_WAIT), ("celery", "1"))),
    Step(
        "Queues: where it comes from",
        lambda s: _then(s, _to_orphan, keys("i")),
        (("waiting", ALL_WAIT),),
    ),
    Step(
        "a queue",
        lambda s: _then(s, keys("escape"), _into_orphan),
        # What is looked at on RabbitMQ does not wait meanwhile.
        (("e0000000", "sample.echo"), (f"backlog {ALL_WAIT}",), (f"waiting {ALL_WAIT}",)),
    ),
    Step("Workers", _workers, (("w1@test", "online"),)),
    Step("a worker", keys("enter"), (("sample.slow",), ("sample.stepping",))),
    Step("Tasks", keys("escape", "4"), ((town.BAD[:8], "failure"), (town.LATER[:8],))),
    Step("a task that failed", _task(town.BAD), (("ValueError", "no such account"),)),
    Step("a task that succeeded", _task(town.GOOD), (("success",), ("3",))),
    Step("a task with progress", _task(town.STEPPING), (("42", "120"),)),
    Step("a chain", lambda s: _then(s, _task(town.FIRST), keys("f")), ((town.SECOND[:8],),)),
    Step("revoke, asked", _revoke, ((town.HELD[:8],),)),
    Step("purge, asked", _purge, ((f"✓ {ALL_WAIT} messages waiting",),)),
    Step("purged", keys("Y"), (("=  purged", ALL_WAIT), ("▐", f"{town.ORPHAN}  ", " 0 "))),
    Step(
        "undone",
        lambda screen: screen.act("Z", "UNDO PURGE"),
        (("▐", town.ORPHAN, ALL_WAIT), ("1 crit",)),
    ),
    Step("Log", keys("escape", "8"), (("purge emails",),)),
    Step("the sources", keys("i"), (("events", "live"), ("results", "live"))),
    Step("Help", keys("escape", "question_mark"), (("revoke",),)),
)


async def _then(screen: Dashboard, *actions: Action) -> None:
    for action in actions:
        await action(screen)


async def walked(screen: Dashboard) -> dict[str, list[str]]:
    """Step -> the lines of its screen."""
    seen = {}
    for step in STEPS:
        await step.come(screen)
        for words in step.reads:
            await screen.reads(*words)
        seen[step.name] = await _standing_still(screen, step.name)
    return seen


async def _standing_still(screen: Dashboard, name: str) -> list[str]:
    """All of a screen that can be used, without what an act said: once only figures change."""
    before: list[str] = []
    for _ in range(MOST_LOOKS):
        now = screen.front
        if not _toasted(now) and list(map(same, now)) == list(map(same, before)):
            return now
        before = now
        await screen.stays(LOOK_AGAIN_S)
    raise AssertionError(f"{name} does not stand still:\n" + "\n".join([*before, "---", *now]))


def _toasted(lines: list[str]) -> bool:
    return any("▐" in line[1:] for line in lines)
