"""Whether revoked tasks are dropped: what they wait for, and who remembers the revoke."""

from __future__ import annotations

from collections.abc import Sequence

from ..errors import ActionError
from ..model.seam import Outcome, Stage
from .base import Context, Put
from .look import ACTIVE, RESERVED, SCHEDULED, Looked, look
from .proof import Told, moments
from .stored import stored_states
from .wire import Wire
from .words import count

POOLS_THAT_RUN_IT_ANYWAY = frozenset({"threads", "gevent", "eventlet"})
"""They take what a worker has reserved at once, and do not look again before running it."""
QUEUES_SEARCHED_FOR = 20
"""So many tasks at most are looked for in the queues."""


def follow(outcomes: Sequence[Outcome], context: Context, wire: Wire, put: Put) -> None:
    """What the revoked tasks wait for; what nobody explains after 10 s is not confirmed."""
    told = Told(outcomes, put)
    acknowledged = {o.target.id: o.text for o in outcomes}
    for last in moments(context):
        if not told.open:
            return
        ids = list(told.open)
        looked, states = look(wire, context, ids), stored_states(wire, ids)
        remembered = revoked_on(wire, context, ids) if last else None
        for task_id in ids:
            if states.get(task_id) == "SUCCESS":
                told.tell(task_id, Stage.FAILED, "it ran to success, says the result backend")
                continue
            waits = _on_worker(looked, task_id, context, remembered)
            if waits is None and last:
                waits = _in_queue(task_id, len(ids), context, wire)
            if waits is not None and waits[0] == Stage.ACKNOWLEDGED:
                told.tell(task_id, waits[0], f"{acknowledged[task_id]}; {waits[1]}")
            elif remembered is not None:
                told.tell(task_id, *(waits or _unproven(task_id, remembered, context)))


def _on_worker(
    looked: Looked, task_id: str, context: Context, remembered: dict[str, list[str]] | None
) -> tuple[Stage, str] | None:
    for sighting in looked.on_workers(task_id):
        worker, state = sighting.worker, sighting.state
        if state == ACTIVE:
            return Stage.ACKNOWLEDGED, f"it runs on {worker} and goes on; terminate (T) stops it"
        if state == RESERVED and context.pool(worker) in POOLS_THAT_RUN_IT_ANYWAY:
            return Stage.NOT_CONFIRMED, f"{worker} has handed it to its pool: it may run anyway"
        if remembered is not None and worker not in remembered.get(task_id, ()):
            return Stage.NOT_CONFIRMED, f"{worker} holds it and does not remember the revoke"
        until = "its ETA" if state == SCHEDULED else "a free slot"
        return Stage.ACKNOWLEDGED, f"it waits on {worker} for {until} and is dropped then"
    return None


def _in_queue(task_id: str, number: int, context: Context, wire: Wire) -> tuple[Stage, str] | None:
    if number > QUEUES_SEARCHED_FOR:
        return None
    task = context.tasks.get(task_id)
    queues = [task.queue] if task is not None and task.queue else list(context.queues)
    try:
        found = wire.broker.find_message(queues, task_id)
    except ActionError:
        return None
    if found is None or found.unacked:
        return None
    return Stage.ACKNOWLEDGED, f"it waits in {found.queue} and is dropped when a worker takes it"


def _unproven(
    task_id: str, remembered: dict[str, list[str]], context: Context
) -> tuple[Stage, str]:
    workers = remembered.get(task_id, [])
    if not workers:
        return Stage.NOT_CONFIRMED, "no worker says that it remembers the revoke"
    of = count(max(len(context.answering()), len(workers)), "worker")
    text = f"{len(workers)} of {of} remember it; nobody has seen it dropped yet"
    return Stage.NOT_CONFIRMED, text


def revoked_on(wire: Wire, context: Context, ids: Sequence[str]) -> dict[str, list[str]]:
    """Task id -> workers in whose list of revoked ids it stands."""
    wanted, found = set(ids), dict[str, list[str]]()
    for worker, answer in wire.ask("revoked", expected=len(context.answering())).items():
        for task_id in answer if isinstance(answer, list) else ():
            if isinstance(task_id, str) and task_id in wanted:
                found.setdefault(task_id, []).append(worker)
    return found
