"""Whether terminated tasks have ended: gone from their worker, and their process dead."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..model.seam import Outcome, Stage
from .base import Context, Put
from .look import Looked, look
from .proof import Told, moments
from .stored import stored_states
from .wire import Wire


def follow(outcomes: Sequence[Outcome], context: Context, wire: Wire, put: Put) -> None:
    """Whether the task has left its worker and its process has died.

    The worker calls a task revoked when it sends the signal, whether or not that kills: so
    the process is looked for as well.
    """
    told = Told(outcomes, put)
    for last in moments(context):
        if not told.open:
            return
        ids = list(told.open)
        looked, states = look(wire, context, ids), stored_states(wire, ids)
        processes = processes_of(wire, {o.target.where for o in told.open.values()})
        for task_id in ids:
            outcome = told.open[task_id]
            if states.get(task_id) == "SUCCESS":
                told.tell(task_id, Stage.FAILED, "it ran to success, says the result backend")
                continue
            verdict = _ended(outcome, looked, processes.get(outcome.target.where))
            if verdict is not None and (last or verdict[0] == Stage.SEEN):
                told.tell(task_id, *verdict)


def _ended(
    outcome: Outcome, looked: Looked, processes: frozenset[int] | None
) -> tuple[Stage, str] | None:
    worker, signal = outcome.target.where, outcome.request.signal
    if looked.active(outcome.target.id, worker):
        return Stage.NOT_CONFIRMED, f"it still runs on {worker or 'its worker'} after SIG{signal}"
    if worker not in looked.answered:
        return Stage.NOT_CONFIRMED, f"{worker or 'its worker'} does not answer"
    pid = outcome.target.pid
    if signal != "USR1" and pid and processes and pid in processes:
        # Celery reports the task as revoked all the same; the process is what counts.
        return Stage.FAILED, f"process {pid} has not died of SIG{signal}: the task may run on"
    gone = f", process {pid} is gone" if pid and processes and pid not in processes else ""
    return Stage.SEEN, f"no longer on {worker}{gone}, by inspect"


def processes_of(wire: Wire, workers: set[str]) -> dict[str, frozenset[int]]:
    """Process ids of each worker's pool; a worker that does not tell is left out."""
    chosen = sorted(filter(None, workers))
    if not chosen:
        return {}
    answers = wire.ask("stats", destination=chosen)
    return {worker: _processes(answer) for worker, answer in answers.items()}


def _processes(stats: Any) -> frozenset[int]:
    pool = stats.get("pool") if isinstance(stats, dict) else None
    pids = pool.get("processes") if isinstance(pool, dict) else None
    numbers = pids if isinstance(pids, list) else []
    return frozenset(pid for pid in numbers if isinstance(pid, int))
