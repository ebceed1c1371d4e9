"""Somebody who watches, and whether what is said agrees with the ledger: screen, document, cold."""

from __future__ import annotations

import asyncio
import io
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

from celery_tui.model.task import Task
from celery_tui.monitor import Monitor
from celery_tui.report import status
from celery_tui.report.document import document
from celery_tui.settings import Settings
from tests.faults.ground import Ground
from tests.faults.ledger import KILLED
from tests.integration.dashboard import Dashboard, dashboard
from tests.servers import PATIENCE_S

COLD_S = 2.0
"""How long somebody listens who looks once, if not told otherwise."""
SIZE = (160, 48)
WORDS = {
    "SUCCESS": {"success"},
    "FAILURE": {"failure"},
    "REVOKED": {"revoked"},
    "UNKNOWN": {"?", "lost?"},
}
ENDED_AS = {
    "SUCCESS": {"SUCCESS"},
    "FAILURE": {"FAILURE"},
    "IGNORED": {"UNKNOWN"},
    KILLED: {"UNKNOWN", "REVOKED", "FAILURE"},
}
"""How a task ended by the ledger -> what may be said of it."""


class Watch:
    """The dashboard on a cluster, and what is true of that cluster."""

    def __init__(self, screen: Dashboard, ground: Ground) -> None:
        self.screen, self.ground = screen, ground

    @property
    def monitor(self) -> Monitor:
        """The one behind the screen."""
        monitor = self.screen.app.monitor
        assert monitor is not None
        return monitor

    def is_live(self) -> bool:
        """Whether the program listens to its broker."""
        started = self.screen.app.monitor is not None
        return started and self.monitor.cluster.live_since("events") is not None

    @property
    def document(self) -> dict[str, Any]:
        """What `status --json` says of all that was seen so far."""
        return document(self.monitor)

    def task(self, task_id: str) -> Task | None:
        """The record of a task."""
        return self.monitor.cluster.tasks.get(task_id)

    def rules(self, subject: str = "") -> set[str]:
        """The findings that stand, of one subject or of all."""
        found = self.monitor.findings
        return {one.rule for one in found if subject in ("", one.subject)}

    def worker(self, hostname: str) -> dict[str, Any]:
        """One worker as the document has it; empty: it has none such."""
        told = self.document["workers"]
        return next((one for one in told if one["hostname"] == f"{hostname}@test"), {})

    async def state(self, task_id: str, *states: str, within_s: float = PATIENCE_S) -> Task:
        """The task, once it has one of these states."""

        def there() -> Task | None:
            task = self.task(task_id)
            return task if task is not None and task.state in states else None

        told = await self.screen.until(there, f"a task is {' or '.join(states)}", within_s)
        assert told is not None
        return told

    async def finding(self, rule: str, subject: str, gone: bool = False) -> None:
        """Wait until a finding stands (or no more), on the screen too."""
        what = f"{rule} of {subject} is {'over' if gone else 'found'}"
        await self.screen.until(lambda: (rule in self.rules(subject)) != gone, what, PATIENCE_S)

    async def beats(self, *names: str) -> None:
        """Wait until these workers are known to send heartbeats, as they are to who stays."""
        await self.screen.until(
            lambda: all(self.worker(name).get("heartbeat") for name in names), "heartbeats come"
        )

    async def begins(self, *ids: str) -> None:
        """Wait until these tasks really run."""
        await self.screen.until(lambda: self.ground.ledger.running() >= set(ids), "they really run")

    async def ends(self, *ids: str) -> None:
        """Wait until these tasks really run no more."""
        await self.screen.until(lambda: self.ground.ledger.ended().keys() >= set(ids), "they end")


@asynccontextmanager
async def watching(ground: Ground, **settings: Any) -> AsyncIterator[Watch]:
    """The dashboard on that cluster, once it has heard its broker."""
    async with dashboard(ground.broker, ground.backend, SIZE, **settings) as screen:
        watch = Watch(screen, ground)
        await screen.until(watch.is_live, "the dashboard is live")
        yield watch


# -- agreement ---------------------------------------------------------------------------------


async def agrees(
    watch: Watch, workers: Mapping[str, str] | None = None, cold: bool = True, what: str = ""
) -> None:
    """Wait until nothing that is said differs from the ledger: document, screen, a cold look.

    ``workers`` are the states that those (by the name before the @) must have.
    """
    await watch.screen.press("4", "slash", "ctrl+u", "enter")
    told: list[str] = ["nothing was compared"]

    def same() -> bool:
        told[:] = [
            *tasks_differ(watch.document, watch.ground),
            *queues_differ(watch.document, watch.ground),
            *screen_differs(watch.screen.lines, watch.ground),
            *workers_differ(watch.document, workers or {}),
        ]
        return not told

    try:
        await watch.screen.until(same, f"{what or 'all'} agrees with the ledger", PATIENCE_S)
    except AssertionError as error:
        raise AssertionError("; ".join(told) + f"\n{error}") from None
    await watch.screen.press("1")
    if cold:
        await agrees_cold(watch.ground, workers or {})


async def agrees_cold(ground: Ground, workers: Mapping[str, str]) -> None:
    """The same for `status --json` of somebody who attaches now; of the dead he may know nothing.

    Who cannot be asked cannot tell what runs: then what is said to run need only do so.
    """
    told: list[str] = []
    for _ in range(3):  # what ended meanwhile was still running when he looked
        seen = await asyncio.to_thread(look_once, ground)
        mute = [name for name, state in workers.items() if state == "blocked"]
        found = [line for line in tasks_differ(seen, ground) if not (mute and LEFT_OUT in line)]
        alive = {name: state for name, state in workers.items() if state == "online"}
        told = [*found, *queues_differ(seen, ground), *workers_differ(seen, alive)]
        if not told:
            return
    raise AssertionError("a cold look says otherwise: " + "; ".join(told))


def look_once(ground: Ground, listen_s: float = COLD_S, **settings: Any) -> dict[str, Any]:
    """`celery-tui status --json`."""
    out = io.StringIO()
    where = Settings(broker=ground.broker, result_backend=ground.backend, **settings)
    status.run(where, listen_s, as_json=True, out=out)
    told: dict[str, Any] = json.loads(out.getvalue())
    return told


LEFT_OUT = "runs and is not said to"


def tasks_differ(told: dict[str, Any], ground: Ground) -> list[str]:
    """What the document says of tasks and the ledger does not, in words."""
    tasks, running, ended = told["tasks"], ground.ledger.running(), ground.ledger.ended()
    active = {task["id"] for task in tasks["active"]}
    others = {task["id"]: task for task in (*tasks["recent"], *tasks["unknown"])}
    lines = [f"{task_id} is said to run: {ended.get(task_id)}" for task_id in active - running]
    lines += [f"{task_id} {LEFT_OUT}" for task_id in running - active]
    if tasks["counts"].get("STARTED", 0) != len(active):
        lines.append(f"{tasks['counts']} against {len(active)} active")
    for task_id, how in ended.items():
        said = others.get(task_id, {}).get("state")
        untold = said is None and how in (KILLED, "IGNORED")  # by nobody, to who came after
        if how in ENDED_AS and said not in ENDED_AS[how] and not untold:
            lines.append(f"{task_id} ended with {how} and is said to be {said}")
    return lines


def queues_differ(told: dict[str, Any], ground: Ground) -> list[str]:
    """The same of the depths of queues."""
    depths = {queue["name"]: queue["depth"] for queue in told["queues"]}
    true = {name: ground.depth(name) for name in depths}
    return [
        f"{name} has {true[name]}, not {depth}"
        for name, depth in depths.items()
        if depth != true[name]
    ]


def workers_differ(told: dict[str, Any], workers: Mapping[str, str]) -> list[str]:
    """The same of the workers whose state is known."""
    states = {one["hostname"]: one["state"] for one in told["workers"]}
    return [
        f"{name} is {state}, not {states.get(f'{name}@test')}"
        for name, state in workers.items()
        if states.get(f"{name}@test") != state
    ]


def screen_differs(lines: list[str], ground: Ground) -> list[str]:
    """The same of the rows of the Tasks screen that can be seen."""
    running, ended = ground.ledger.running(), ground.ledger.ended()
    words = {task_id[:8]: {"started"} for task_id in running}
    for task_id, how in ended.items():
        if how in ENDED_AS:
            words[task_id[:8]] = set().union(*(WORDS[state] for state in ENDED_AS[how]))
    rows = {row[3]: row[1] for line in lines if len(row := line[2:].split()) > 3}
    seen = [name for name in rows if name in words]
    if words and not seen:
        return ["no task of the ledger is on screen"]
    return [
        f"{name} is {rows[name]} on screen, not {' or '.join(words[name])}"
        for name in seen
        if rows[name] not in words[name]
    ]
