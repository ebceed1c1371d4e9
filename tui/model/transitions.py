"""Changes of state as they happened: what the live list shows. Pure."""

from __future__ import annotations

import itertools
from collections import deque

import msgspec

from .task import FAILURE, INSPECT, RETRY, REVOKED, UNKNOWN, Task

TRANSITIONS_KEPT = 500


class Transition(msgspec.Struct, frozen=True, gc=False):
    """One change of state, for the live list; ``at`` is epoch seconds."""

    serial: int
    at: float
    id: str
    name: str
    state: str
    worker: str
    detail: str


class Transitions:
    """The latest of all tasks."""

    def __init__(self) -> None:
        self.kept: deque[Transition] = deque(maxlen=TRANSITIONS_KEPT)
        """The newest last."""
        self._serial = itertools.count(1)

    def tell(self, task: Task, at: float) -> None:
        """Its state has changed; what inspect finds at first sight has not just happened."""
        if task.source == INSPECT and task.first_seen == at:
            return
        moment, words = task.as_of or at, detail(task)
        self.kept.append(
            Transition(
                next(self._serial), moment, task.id, task.name, task.state, task.worker, words
            )
        )


def detail(task: Task) -> str:
    """The few words that explain a change: exception, who revoked, how long it ran."""
    if task.state in (FAILURE, RETRY):
        return task.exception or ""
    if task.state == UNKNOWN:
        return task.verdict or ""
    if task.state == REVOKED:
        return "expired" if task.expired else "terminated" if task.terminated else "revoked"
    return ""
