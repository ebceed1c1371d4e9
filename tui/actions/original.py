"""What is known of a task that shall be sent again, from the surest source down."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from ..brokers.base import Found
from ..errors import ActionError, BrokerError
from ..model.observations import ResultMeta
from ..model.redact import redact_text, redact_value
from ..model.seam import Target
from ..model.task import BACKEND, EVENTS, FINAL, INSPECT, Task
from .base import Context
from .look import Sighting, look
from .route import Trace, trace
from .stored import stored
from .wire import Wire

MESSAGE, REPR = "queue message", "events"
MESSAGES_SEARCHED_FOR = 50
"""Each search may read through whole queues: so many in one act."""


@dataclass(frozen=True, slots=True)
class Original:
    """One task as it was sent, as far as it is known.

    ``exact`` says that ``args`` and ``kwargs`` (or the message's body) are what was sent;
    otherwise ``args_text`` and ``kwargs_text`` are a repr that its sender may have cut.
    """

    task_id: str
    name: str
    exact: bool
    source: str
    trace: Trace
    args: list[Any] = field(default_factory=list)
    kwargs: dict[str, Any] = field(default_factory=dict)
    args_text: str = ""
    kwargs_text: str = ""
    priority: int | None = None
    envelope: dict[str, Any] | None = None
    """The whole message, where there is one."""
    embed: dict[str, Any] | None = None
    """Callbacks, errbacks, chain and chord of a message that can be read."""
    repr_shown: tuple[str, str] | None = None
    """(argsrepr, kwargsrepr) of the sender, who may have hidden something by them."""
    waiting: bool = False
    """Whether its message still lies in a queue: sending again makes a second copy."""
    running_on: str = ""


def originals(targets: Sequence[Target], context: Context, wire: Wire) -> dict[str, Original]:
    """Task id -> what is known of it, looked up now."""
    ids = [target.id for target in targets]
    looked, metas = look(wire, context, ids), stored(wire, ids)
    found = {}
    searches = MESSAGES_SEARCHED_FOR
    for task_id in ids:
        task, meta = context.tasks.get(task_id), metas.get(task_id)
        message = None
        if searches and not _over(task, meta):
            searches -= 1
            message = _message(task_id, task, context, wire)
        found[task_id] = original(task_id, message, task, meta, looked.on_workers(task_id))
    return found


def original(
    task_id: str,
    message: Found | None,
    task: Task | None,
    meta: ResultMeta | None,
    sightings: Sequence[Sighting],
) -> Original:
    """The surest: the message itself, then a worker's word, the stored result, the event."""
    if message is not None:
        return _of_message(message, task, sightings)
    for sighting in sightings:
        told = _of_worker(sighting, task)
        if told is not None:
            return told
    return _of_meta(task_id, meta, task) or _of_model(task_id, task, meta)


def _over(task: Task | None, meta: ResultMeta | None) -> bool:
    """A task that has ended left no message behind: the queues need not be searched."""
    return (task is not None and task.state in FINAL) or (meta is not None and meta.state in FINAL)


def _message(task_id: str, task: Task | None, context: Context, wire: Wire) -> Found | None:
    queues = [task.queue] if task is not None and task.queue else list(context.queues)
    try:
        return wire.broker.find_message(queues, task_id)
    except (ActionError, BrokerError):
        return None  # a broker that cannot be searched leaves the other sources


def _of_message(found: Found, task: Task | None, sightings: Sequence[Sighting]) -> Original:
    message = found.message
    properties, headers = message.properties, message.headers
    read = message.arguments()
    args, kwargs, embed = read if read is not None else ([], {}, None)
    texts = (
        (shown(args), shown(kwargs))
        if read is not None
        else tuple(redact_text(str(headers.get(n, "?"))) for n in ("argsrepr", "kwargsrepr"))
    )
    priority = properties.get("priority")
    return Original(
        message.task_id,
        message.name,
        exact=True,
        source=MESSAGE,
        trace=trace(task, properties.get("delivery_info"), found.queue),
        args=args,
        kwargs=kwargs,
        args_text=texts[0],
        kwargs_text=texts[1],
        priority=priority if isinstance(priority, int) else None,
        envelope=message.envelope,
        embed=embed,
        waiting=not found.unacked,
        running_on=_running_on(sightings),
    )


def _running_on(sightings: Sequence[Sighting]) -> str:
    return next((s.worker for s in sightings if s.state == "active"), "")


def _of_worker(sighting: Sighting, task: Task | None) -> Original | None:
    request = sighting.request
    args, kwargs, name = request.get("args"), request.get("kwargs"), request.get("name")
    if not (isinstance(args, list) and isinstance(kwargs, dict) and isinstance(name, str)):
        return None
    info = request.get("delivery_info")
    priority = info.get("priority") if isinstance(info, dict) else None
    return Original(
        str(request.get("id")),
        name,
        exact=True,
        source=INSPECT,
        trace=trace(task, info, worker=sighting.worker),
        args=args,
        kwargs=kwargs,
        args_text=shown(args),
        kwargs_text=shown(kwargs),
        priority=priority if isinstance(priority, int) else None,
        repr_shown=_repr_of(task),
        running_on=_running_on([sighting]),
    )


def _of_meta(task_id: str, meta: ResultMeta | None, task: Task | None) -> Original | None:
    """Exact arguments kept from an earlier inspect, else those of an extended result."""
    name = (task.name if task is not None else "") or (meta.name if meta is not None else "") or ""
    known = task.exact if task is not None else None
    if known is None and meta is not None and meta.args is not None and meta.kwargs is not None:
        args, kwargs, source = meta.args, meta.kwargs, BACKEND
    elif known is not None:
        args, kwargs, source = known.args, known.kwargs, known.source
    else:
        return None
    queue = (meta.queue if meta is not None else None) or ""
    return Original(
        task_id,
        name,
        exact=True,
        source=source,
        trace=trace(task, None, queue),
        args=args,
        kwargs=kwargs,
        args_text=shown(args),
        kwargs_text=shown(kwargs),
        repr_shown=_repr_of(task),
    )


def _repr_of(task: Task | None) -> tuple[str, str] | None:
    if task is None or task.args_source != EVENTS or task.args is None:
        return None
    return task.args, task.kwargs or "{}"


def _of_model(task_id: str, task: Task | None, meta: ResultMeta | None) -> Original:
    """Nothing but the event's repr, which its sender may have cut: never sent unasked."""
    queue = (meta.queue if meta is not None else None) or ""
    return Original(
        task_id,
        (task.name if task is not None else "") or (meta.name if meta is not None else "") or "",
        exact=False,
        source=REPR,
        trace=trace(task, None, queue),
        args_text=redact_text((task.args if task is not None else None) or ""),
        kwargs_text=redact_text((task.kwargs if task is not None else None) or ""),
    )


def shown(value: Any) -> str:
    """Arguments as JSON that can be read back, or a repr where JSON has no word; no secrets."""
    value = redact_value(value)
    try:
        return json.dumps(value, ensure_ascii=False)
    except (TypeError, ValueError, RecursionError):
        return repr(value)
