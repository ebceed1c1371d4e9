"""What this user may do, asked of RabbitMQ with acts that it refuses or that come to nothing.

Permission is looked at first, so that each answer is either 403 or that it cannot be done.
"""

from __future__ import annotations

import uuid
from typing import Any

from ..links.amqp_link import AmqpLink
from ..links.amqp_refusals import KIND, NO_KIND
from .rabbitmq_receipts import NOT_PERMITTED
from .redis_keys import RECEIPTS


def may_send(link: AmqpLink) -> bool:
    """Whether it may write to the default exchange: a message to no queue is let fall there."""

    def send(channel: Any) -> None:
        from amqp.basic_message import Message

        channel.basic_publish(Message(""), exchange="", routing_key=_nowhere())
        channel.basic_qos(0, 1, False)  # answered after the refusal

    return _permitted(link, send)


def may_take(link: AmqpLink, queue: str) -> bool:
    """Whether it may read that queue: no consumer has a priority that is a word."""

    def consume(channel: Any) -> None:
        channel.basic_consume(queue, arguments={"x-priority": NO_KIND})

    return _permitted(link, consume)


def may_keep_receipts(link: AmqpLink) -> bool:
    """Whether it may make, fill and read a queue of receipts: this kind of queue is never made."""
    queue = _nowhere()

    def declare(channel: Any) -> None:
        channel.queue_declare(queue, durable=True, auto_delete=False, arguments={KIND: NO_KIND})

    return _permitted(link, declare) and may_take(link, queue)


def _nowhere() -> str:
    return f"{RECEIPTS}asks-{uuid.uuid4()}"


def _permitted(link: AmqpLink, act: Any) -> bool:
    try:
        with link.channel() as channel:
            act(channel)
    except link.refused as error:
        return getattr(error, "reply_code", None) != NOT_PERMITTED
    return True
