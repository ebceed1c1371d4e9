"""Queues of numbered messages on a RabbitMQ: made, filled, counted and emptied."""

from __future__ import annotations

import uuid
from typing import Any

from amqp.basic_message import Message

from tests.servers import wait_for


def new(channel: Any, kind: str, **arguments: Any) -> str:
    """The name of an empty, durable queue; ``x-…`` arguments as they are."""
    queue = f"q-{uuid.uuid4()}"
    chosen = {"x-queue-type": kind, **arguments}
    channel.queue_declare(queue, durable=True, auto_delete=False, arguments=chosen)
    return queue


def put(channel: Any, queue: str, count: int, **properties: Any) -> None:
    """Messages 0, 1, 2 …, which are there when it returns."""
    for number in range(count):
        message = Message(str(number), **{"delivery_mode": 2, **properties})
        channel.basic_publish(message, routing_key=queue)
    wait_for(lambda: ready(channel, queue) >= count, "the messages are there")


def ready(channel: Any, queue: str) -> int:
    """How many wait."""
    return int(channel.queue_declare(queue, passive=True).message_count)


def bodies(channel: Any, queue: str) -> list[int]:
    """The numbers of all that wait, which are taken out."""
    found = []
    while (message := channel.basic_get(queue, no_ack=True)) is not None:
        found.append(int(message.body))
    return found
