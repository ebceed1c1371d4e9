"""Where tasks are right now, asked of the workers themselves just before and after an act."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from .base import Context
from .wire import Wire

ACTIVE, RESERVED, SCHEDULED = "active", "reserved", "scheduled"
IDS_IN_ONE_MESSAGE = 500


@dataclass(frozen=True, slots=True)
class Sighting:
    """One worker holds one task; ``request`` is Celery's request dict, as the worker sent it."""

    worker: str
    state: str
    request: dict[str, Any]

    @property
    def pid(self) -> int | None:
        """Process of the pool that runs it."""
        pid = self.request.get("worker_pid")
        return pid if isinstance(pid, int) else None


@dataclass(slots=True)
class Looked:
    """Answers to one look: who answered, and who holds which task."""

    answered: set[str] = field(default_factory=set)
    found: dict[str, list[Sighting]] = field(default_factory=dict)

    def on_workers(self, task_id: str) -> list[Sighting]:
        """Every worker that holds the task; more than one when a message came twice."""
        return self.found.get(task_id, [])

    def active(self, task_id: str, worker: str = "") -> Sighting | None:
        """Where it runs (on ``worker``, if given), or None."""
        for sighting in self.on_workers(task_id):
            if sighting.state == ACTIVE and worker in ("", sighting.worker):
                return sighting
        return None


def chunks(ids: Sequence[str], size: int = IDS_IN_ONE_MESSAGE) -> Iterator[Sequence[str]]:
    """``ids`` in pieces that fit one control message."""
    for start in range(0, len(ids), size):
        yield ids[start : start + size]


def look(
    wire: Wire, context: Context, ids: Iterable[str], destination: Sequence[str] = ()
) -> Looked:
    """Ask the workers (all, or ``destination``) which of the tasks they hold.

    One worker that does not answer costs the whole timeout, once per 500 ids.
    """
    looked = Looked()
    for chunk in chunks(list(ids)):
        answers = wire.ask(
            "query_task",
            {"ids": list(chunk)},
            destination=destination,
            expected=len(context.answering()),
        )
        looked.answered.update(answers)
        for worker, answer in answers.items():
            _collect(looked, worker, answer, set(chunk))
    return looked


def _collect(looked: Looked, worker: str, answer: Any, asked: set[str]) -> None:
    if not isinstance(answer, dict):
        return
    for task_id, entry in answer.items():
        if task_id in asked and isinstance(entry, list) and len(entry) == 2:
            state, request = entry
            if isinstance(state, str) and isinstance(request, dict):
                looked.found.setdefault(task_id, []).append(Sighting(worker, state, request))
