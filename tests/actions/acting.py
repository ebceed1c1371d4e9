"""A person at the dashboard, for tests: a real monitor, and acts as key presses make them."""

from __future__ import annotations

import itertools
import json
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

from celery_tui.model.cluster import Cluster
from celery_tui.model.seam import Act, ActionRequest, Outcome, Preview, Stage, Target
from celery_tui.monitor import Monitor
from celery_tui.settings import Settings
from tests.servers import PATIENCE_S, wait_for

T = TypeVar("T")
_serial = itertools.count(1)


def request(act: Act, *targets: Target, **more: Any) -> ActionRequest:
    """A key press on these targets."""
    return ActionRequest(f"test-{next(_serial)}", act, targets, time.time(), **more)


class Operator:
    """Watches one cluster as the program does, and acts on it."""

    def __init__(self, broker: str, backend: str = "", **settings: Any) -> None:
        self.monitor = Monitor(Settings(broker=broker, result_backend=backend or None, **settings))
        self._ticked_at = 0.0

    @property
    def cluster(self) -> Cluster:
        """The model."""
        return self.monitor.cluster

    def __enter__(self) -> Self:
        self.monitor.start()
        self.until(self._sees_the_cluster, "the dashboard is live")
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.monitor.stop()

    def _sees_the_cluster(self) -> bool:
        return self.cluster.live_since("events") is not None and "ping" in self.cluster.rounds

    def until(self, predicate: Callable[[], T], what: str, timeout: float = PATIENCE_S) -> T:
        """Let the program run until the predicate holds."""

        def run_on() -> T:
            self.monitor.drain(0.05)
            if time.monotonic() - self._ticked_at > 0.5:
                self._ticked_at = time.monotonic()
                self.monitor.tick(time.time())
            return predicate()

        return wait_for(run_on, what, timeout)

    # -- targets ------------------------------------------------------------------------------

    def task(self, task_id: str) -> Target:
        """A row of the task table, pinned."""
        task = self.cluster.tasks.get(task_id)
        if task is None:
            return Target("task", task_id)
        return Target("task", task.id, task.name, task.worker, task.pid, task.state)

    def sees(self, task_id: str, state: str) -> Target:
        """The task's row, once the dashboard shows it in that state."""
        self.until(
            lambda: task_id in self.cluster.tasks and self.cluster.tasks[task_id].state == state,
            f"the dashboard shows {state}",
        )
        return self.task(task_id)

    # -- acts ---------------------------------------------------------------------------------

    def look(self, asked: ActionRequest) -> Preview:
        """The confirm dialog once every target was looked up."""
        self.monitor.prepare(asked)
        self.until(lambda: asked.id in self.cluster.previews, f"the {asked.act} dialog is ready")
        return self.cluster.previews[asked.id]

    def act(self, act: Act, *targets: Target, **more: Any) -> ActionRequest:
        """Press the key and confirm."""
        asked = request(act, *targets, **more)
        self.monitor.perform(asked)
        return asked

    def outcomes(self, asked: ActionRequest, target: Target | None = None) -> list[Outcome]:
        """What was told of it so far, oldest first."""
        return [
            outcome
            for _, outcome in self.cluster.outcomes
            if outcome.request.id == asked.id and (target is None or outcome.target.id == target.id)
        ]

    def outcome(
        self, asked: ActionRequest, *stages: Stage, timeout: float = PATIENCE_S, words: str = ""
    ) -> Outcome:
        """The first outcome of one of these stages (and with these words in it)."""

        def found() -> Outcome | None:
            told = self.outcomes(asked)
            return next((o for o in told if o.stage in stages and words in o.text), None)

        what = f"{asked.act} is {' or '.join(stages)}"
        try:
            got = self.until(found, what, timeout)
        except AssertionError as error:
            raise AssertionError(f"{error}; told: {self.outcomes(asked)}") from None
        assert got is not None
        return got


def ledger(path: Path) -> list[str]:
    """Lines that tasks wrote."""
    return path.read_text().splitlines() if path.exists() else []


def echoed(path: Path, task_id: str) -> dict[str, Any] | None:
    """What a task called ``echo`` says it was called with."""
    for line in ledger(path):
        if line.startswith("{") and (told := json.loads(line))["id"] == task_id:
            return dict(told)
    return None
