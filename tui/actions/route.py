"""Where a task has to be sent so that it reaches the queue it came from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ..errors import ActionError
from ..model.task import Task
from .base import Context
from .wire import Wire


@dataclass(frozen=True, slots=True)
class Route:
    """An address as Celery publishes to it; ``queue`` is its name for people."""

    exchange: str
    routing_key: str
    queue: str


@dataclass(frozen=True, slots=True)
class Trace:
    """What the sources say of the way a task came; empty is not known."""

    exchange: str = ""
    routing_key: str = ""
    queue: str = ""
    worker: str = ""


def trace(task: Task | None, delivery: Any, queue: str = "", worker: str = "") -> Trace:
    """The newest facts first: the message's or the worker's, then what events told.

    ``delivery`` is kombu's ``delivery_info`` of the message or of inspect's request.
    """
    info = delivery if isinstance(delivery, dict) else {}
    key = info.get("routing_key")
    exchange = info.get("exchange")
    if not isinstance(key, str) and task is not None:
        key, exchange = task.routing_key, task.exchange
    return Trace(
        exchange if isinstance(exchange, str) else "",
        key if isinstance(key, str) else "",
        queue or (task.queue if task is not None and task.queue else ""),
        worker or (task.worker if task is not None else ""),
    )


def route_of(known: Trace, context: Context, wire: Wire) -> Route:
    """The address to send to.

    Through the same exchange where that leads to one queue, else straight to the queue by
    name. Raises ActionError if the queue cannot be told; nothing is guessed.
    """
    if known.routing_key and not known.exchange:
        # The default exchange delivers to the queue that bears the routing key's name.
        return Route("", known.routing_key, known.routing_key)
    if known.routing_key and known.exchange:
        bound = bound_queues(wire, known.exchange, known.routing_key)
        if len(bound) == 1:
            return Route(known.exchange, known.routing_key, bound[0])
    if known.queue:
        return Route("", known.queue, known.queue)
    worker = context.workers.get(known.worker)
    if worker is not None and worker.queues is not None and len(worker.queues) == 1:
        return Route("", worker.queues[0], worker.queues[0])
    raise ActionError(
        "The queue of this task is not known: no task-sent event was heard, and "
        + (f"{known.worker} reads several queues" if known.worker else "no worker holds it"),
        "Switch task_send_sent_event on in the sender, or send it from there.",
    )


def bound_queues(wire: Wire, exchange: str, routing_key: str) -> list[str]:
    """Queues that kombu would deliver to; only where it keeps the bindings itself (Redis)."""
    channel = wire.connection.default_channel
    if not hasattr(channel, "get_table"):
        return []
    rows = channel.get_table(exchange)
    return sorted({row[2] for row in rows if len(row) == 3 and row[0] == routing_key})
