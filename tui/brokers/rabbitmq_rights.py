"""What this user may read and make, asked of RabbitMQ with acts that it refuses in any case.

Permission is looked at first, so that each answer is either 403 or that it cannot be done.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

from ..links.amqp_link import NOT_PERMITTED, AmqpLink
from ..links.amqp_refusals import KIND, NO_KIND
from .redis_keys import RECEIPTS


def may_take(link: AmqpLink, queue: str) -> bool:
    """Whether it may read that queue: no consumer has a priority that is a word."""

    def consume(channel: Any) -> None:
        channel.basic_consume(queue, arguments={"x-priority": NO_KIND})

    return _permitted(link, consume)


def may_keep_receipts(link: AmqpLink) -> bool:
    """Whether it may make and read a queue of receipts: one of this kind is never made."""
    queue = f"{RECEIPTS}asks-{uuid.uuid4()}"

    def declare(channel: Any) -> None:
        channel.queue_declare(queue, durable=True, auto_delete=False, arguments={KIND: NO_KIND})

    return _permitted(link, declare) and may_take(link, queue)


def _permitted(link: AmqpLink, act: Callable[[Any], None]) -> bool:
    try:
        with link.channel() as channel:
            act(channel)
    except link.refused as error:
        return getattr(error, "reply_code", None) != NOT_PERMITTED
    return True
