"""Looks for proof of an act after it was sent; events, when they come, tell the model sooner."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from typing import Any

import msgspec

from ..errors import ActionError
from ..model.seam import Outcome, Stage
from .base import PROOF_WITHIN_S, Context, Put
from .look import ACTIVE, RESERVED, SCHEDULED, Looked, look
from .stored import stored_states
from .wire import Wire

LOOKS_AT_S = (0.5, 2.0, 5.0, PROOF_WITHIN_S)
"""Seconds after sending at which the cluster is looked at."""
POOLS_THAT_RUN_IT_ANYWAY = frozenset({"threads", "gevent", "eventlet"})
"""They take what a worker has reserved at once, and do not look again before running it."""
OPEN = frozenset({Stage.SENT, Stage.ACKNOWLEDGED, Stage.NOT_CONFIRMED})


def moments(context: Context) -> Iterator[bool]:
    """Yields at each moment to look, True at the last; ends early when the program ends."""
    began = time.monotonic()
    for after_s in LOOKS_AT_S:
        if context.stopping.wait(max(0.0, began + after_s - time.monotonic())):
            return
        yield after_s == LOOKS_AT_S[-1]


class Told:
    """Puts an outcome only when it says something new."""

    def __init__(self, outcomes: Sequence[Outcome], put: Put) -> None:
        self.open = {o.target.id: o for o in outcomes if o.stage in OPEN}
        self._put = put

    def tell(self, task_id: str, stage: Stage, text: str) -> None:
        """The outcome with its new stage and words; a closed one is not followed further."""
        last = self.open[task_id]
        if (stage, text) != (last.stage, last.text):
            last = msgspec.structs.replace(last, stage=stage, text=text, at=time.time())
            self._put(last)
        self.open[task_id] = last
        if stage not in OPEN:
            del self.open[task_id]


# -- revoke ----------------------------------------------------------------------------------


def of_revoke(outcomes: Sequence[Outcome], context: Context, wire: Wire, put: Put) -> None:
    """What the revoked tasks wait for; what no worker explains after 10 s is not confirmed."""
    told = Told(outcomes, put)
    acknowledged = {o.target.id: o.text for o in outcomes}
    for last in moments(context):
        if not told.open:
            return
        ids = list(told.open)
        looked, states = look(wire, context, ids), stored_states(wire, ids)
        remembered = revoked_on(wire, context, ids) if last else {}
        for task_id in ids:
            waits = _waits_for(looked, task_id, context)
            if states.get(task_id) == "SUCCESS":
                told.tell(task_id, Stage.FAILED, "it ran to success, says the result backend")
            elif waits and waits[0] == Stage.ACKNOWLEDGED:
                told.tell(task_id, waits[0], f"{acknowledged[task_id]}; {waits[1]}")
            elif last:
                told.tell(task_id, *_unproven(task_id, waits, remembered, context))


def _waits_for(looked: Looked, task_id: str, context: Context) -> tuple[Stage, str] | None:
    for sighting in looked.on_workers(task_id):
        worker = sighting.worker
        if sighting.state == ACTIVE:
            return Stage.ACKNOWLEDGED, f"it runs on {worker} and goes on; terminate (T) stops it"
        if sighting.state == SCHEDULED:
            return Stage.ACKNOWLEDGED, f"it waits on {worker} for its ETA and is dropped then"
        if sighting.state == RESERVED and context.pool(worker) in POOLS_THAT_RUN_IT_ANYWAY:
            return Stage.NOT_CONFIRMED, f"{worker} has handed it to its pool: it may run anyway"
        return Stage.ACKNOWLEDGED, f"it waits on {worker} for a free slot and is dropped then"
    return None


def _unproven(
    task_id: str,
    waits: tuple[Stage, str] | None,
    remembered: dict[str, list[str]],
    context: Context,
) -> tuple[Stage, str]:
    if waits is not None:
        return waits
    workers = remembered.get(task_id, [])
    if not workers:
        return Stage.NOT_CONFIRMED, "no worker says that it remembers the revoke"
    text = f"{len(workers)} of {len(context.answering())} workers remember it"
    return Stage.NOT_CONFIRMED, f"{text}; nobody has seen it dropped yet"


def revoked_on(wire: Wire, context: Context, ids: Sequence[str]) -> dict[str, list[str]]:
    """Task id -> workers in whose list of revoked ids it stands."""
    wanted, found = set(ids), dict[str, list[str]]()
    for worker, answer in wire.ask("revoked", expected=len(context.answering())).items():
        for task_id in answer if isinstance(answer, list) else ():
            if isinstance(task_id, str) and task_id in wanted:
                found.setdefault(task_id, []).append(worker)
    return found


# -- terminate -------------------------------------------------------------------------------


def of_terminate(outcomes: Sequence[Outcome], context: Context, wire: Wire, put: Put) -> None:
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
        return Stage.NOT_CONFIRMED, f"process {pid} did not die of SIG{signal}: it may run on"
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


# -- retry -----------------------------------------------------------------------------------


def of_retry(outcomes: Sequence[Outcome], context: Context, wire: Wire, put: Put) -> None:
    """Whether the task that was sent is running, has run, or still waits in its queue."""
    told = Told(outcomes, put)
    new_ids = {o.target.id: o.new_id for o in outcomes if o.new_id}
    for last in moments(context):
        if not told.open:
            return
        ids = [new_ids[task_id] for task_id in told.open if task_id in new_ids]
        looked, states = look(wire, context, ids), stored_states(wire, ids)
        for task_id in list(told.open):
            new_id = new_ids.get(task_id)
            verdict = _arrived(new_id, looked, states) if new_id else None
            if verdict is not None:
                told.tell(task_id, *verdict)
            elif last and new_id and not _lies_in_queue(wire, context, new_id):
                told.tell(task_id, Stage.NOT_CONFIRMED, f"{new_id} is not seen anywhere yet")
            elif last and new_id:
                told.tell(task_id, Stage.SENT, f"{new_id} waits in its queue")


def _arrived(new_id: str, looked: Looked, states: dict[str, str]) -> tuple[Stage, str] | None:
    if new_id in states:
        return Stage.SEEN, f"{new_id} is {states[new_id]}, says the result backend"
    sightings = looked.on_workers(new_id)
    if sightings:
        return Stage.SEEN, f"{new_id} is {sightings[0].state} on {sightings[0].worker}, by inspect"
    return None


def _lies_in_queue(wire: Wire, context: Context, task_id: str) -> bool:
    try:
        return wire.broker.find_message(context.queues, task_id) is not None
    except ActionError:
        return False
