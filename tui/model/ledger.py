"""What we asked of the cluster, and what its own words prove of it."""

from __future__ import annotations

import itertools
from collections import deque

import msgspec

from .seam import Act, Outcome, Stage
from .task import FAILURE, PENDING, REVOKED, SUCCESS, Task

OUTCOMES_KEPT = 1_000
NOT_CONFIRMED_AFTER_S = 10.0


class Asked(msgspec.Struct, gc=False):
    """What we asked of a task and how far that is proven."""

    outcome: Outcome
    at: float


class Ledger:
    """Outcomes in order, the last one of each task; only the cluster makes one SEEN."""

    def __init__(self) -> None:
        self.asked: dict[str, Asked] = {}
        """Task id -> the last thing we asked of it."""
        self.outcomes: deque[tuple[int, Outcome]] = deque(maxlen=OUTCOMES_KEPT)
        """Outcomes with serial numbers, newest last."""
        self._resent: dict[str, str] = {}
        """Id of a task that a retry sent -> id of the one it repeats."""
        self._serial = itertools.count(1)

    def add(self, outcome: Outcome) -> bool:
        """Keep an outcome; False if the cluster itself has spoken already."""
        if self._outdated(outcome):
            return False
        self.outcomes.append((next(self._serial), outcome))
        if outcome.target.kind == "task":
            self.asked[outcome.target.id] = Asked(outcome, outcome.request.at)
        if outcome.new_id is not None:
            self._resent[outcome.new_id] = outcome.target.id
        return True

    def proven(self, task: Task, at: float) -> list[Outcome]:
        """What the task's present state proves of acts aimed at it, or of a retry that sent it."""
        found: list[Outcome] = []
        asked = self.asked.get(task.id)
        if asked is not None and asked.outcome.request.act != Act.RETRY:
            found += _proof(asked, task, at)
        repeats = self.asked.get(self._resent.get(task.id, ""))
        if repeats is not None:
            found += _proof(repeats, task, at)
        return found

    def forget(self, task_id: str) -> None:
        """The task was evicted."""
        self.asked.pop(task_id, None)
        self._resent.pop(task_id, None)

    def _outdated(self, outcome: Outcome) -> bool:
        """The cluster itself has spoken already; only proof of the contrary still counts."""
        asked = self.asked.get(outcome.target.id)
        if asked is None or asked.outcome.request.id != outcome.request.id:
            return False
        last = asked.outcome.stage
        if last not in (Stage.SEEN, Stage.FAILED, Stage.DONE_ELSEWHERE):
            return False
        return not (last == Stage.SEEN and outcome.stage == Stage.FAILED)


def _proof(asked: Asked, task: Task, at: float) -> list[Outcome]:
    last = asked.outcome
    proof = confirmation(last.request.act, task)
    if last.stage not in (Stage.SENT, Stage.ACKNOWLEDGED, Stage.NOT_CONFIRMED) or proof is None:
        return []
    stage, text = proof
    return [msgspec.structs.replace(last, stage=stage, text=f"{text}, {_by(task)}", at=at)]


def confirmation(act: Act, task: Task) -> tuple[Stage, str] | None:
    """What a task's state proves of an act aimed at it; None: nothing yet."""
    if act == Act.RETRY:
        return (Stage.SEEN, f"seen {task.state.lower()}") if task.state != PENDING else None
    if act not in (Act.REVOKE, Act.TERMINATE):
        return None
    if task.state == REVOKED:
        return Stage.SEEN, "seen revoked"
    if task.state == SUCCESS:
        return Stage.FAILED, "it ran to success all the same"
    if task.state == FAILURE:
        return (
            (Stage.SEEN, "seen failed")
            if act == Act.TERMINATE
            else (Stage.FAILED, "it failed by itself")
        )
    return None


def _by(task: Task) -> str:
    return {"events": "by event", "inspect": "by inspect"}.get(task.source, f"by {task.source}")
