"""Whether tasks that a retry sent have arrived: on a worker, in the result backend, in a queue."""

from __future__ import annotations

from collections.abc import Sequence

from ..errors import ActionError
from ..model.seam import Outcome, Stage
from .base import Context, Put
from .look import Looked, look
from .proof import Told, moments
from .stored import stored_states
from .wire import Wire


def follow(outcomes: Sequence[Outcome], context: Context, wire: Wire, put: Put) -> None:
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
