"""Receipts: what the broker itself keeps of a batch under way, to be asked after a kill.

A queue of our own holds them while a purge or an undo runs. A purge acknowledges a batch and
publishes its receipt in one transaction: the broker has both or neither. An undo publishes each
message with a copy to the receipts (BCC, which RabbitMQ takes off again): one publish, both queues.
Whoever works listens to that queue on the same channel, so that its end is known to be over.
Receipts tell only while they stay: a policy may bound every queue, ours too. It is tried first
whether as much as is needed stays there, and ``FIRST`` is there as long as nothing has gone.
"""

from __future__ import annotations

import base64
import contextlib
import time
from collections.abc import Iterator
from typing import Any

from ..errors import BrokerError
from ..links.amqp_link import AmqpLink
from .rabbitmq_confirms import Confirms
from .redis_keys import RECEIPTS

KEPT_MS = 30 * 86_400_000
"""Unused for so long, the queue of receipts of a killed dashboard is deleted by the broker."""
GONE_WITHIN_S = 10.0
"""So long a killed one may still count as connected."""
COME_WITHIN_S = 2.0
OURS = "celery-tui:receipt"
FIRST, TRIED = 0, -1
"""Numbers on receipts that stand for no message."""
Room = tuple[int, int]
"""Messages and bytes."""
NOT_PERMITTED = 403
REFUSED = (NOT_PERMITTED, 405, 406)
"""No permission, a name that is taken, no more queues in this virtual host."""


class Receipts:
    """The queue of receipts of one quarantine, on the channel that does the work."""

    def __init__(
        self, link: AmqpLink, channel: Any, digest: str, room: Room | None = (2, 2)
    ) -> None:
        """Begins anew: what was left of an earlier one must have been asked before.

        ``room``: as much is in it at a time; None: there shall be none.
        """
        self._channel = channel
        self.queue = f"{RECEIPTS}{digest}"
        if room is None:
            forget(link, self.queue)
        self.kept = room is not None and _made(link, self.queue, room)
        """False: not wanted or not permitted, or nothing stays in it; a kill then leaves doubtful
        messages."""
        if not self.kept:
            return
        channel.basic_qos(0, 1, False)  # one receipt is enough to know that we listen
        channel.basic_consume(self.queue, exclusive=True, callback=lambda message: None)
        self.put(FIRST)

    def put(self, number: int) -> None:
        """Publish one; where the channel has transactions, with the next commit."""
        if self.kept:
            self._channel.basic_publish(_receipt(number), routing_key=self.queue)

    def clear(self) -> None:
        """What is there of the batch before tells nothing of the next."""
        if self.kept:
            self._channel.queue_purge(self.queue)

    def come_to(self, count: int) -> bool:
        """Whether so many are there. They may come a moment later: a question overtakes them."""
        until = time.monotonic() + COME_WITHIN_S
        while self._count() != count:
            if time.monotonic() > until:
                return False
            time.sleep(0.02)
        return True

    def _count(self) -> int:
        return int(self._channel.queue_declare(self.queue, passive=True).message_count)

    def remove(self, link: AmqpLink) -> None:
        """Nothing is open any more."""
        if self.kept:
            forget(link, self.queue)


def forget(link: AmqpLink, queue: str) -> None:
    """Delete a queue of receipts; where that fails the broker does it in a month."""
    with contextlib.suppress(*link.refusals), link.channel() as channel:
        channel.queue_delete(queue)


def left_behind(link: AmqpLink, digest: str, wait_s: float = GONE_WITHIN_S) -> list[Any] | None:
    """Messages in the receipts of one that was killed; None: there are none to be asked.

    Raises BrokerError while that one still counts as connected.
    """
    queue = f"{RECEIPTS}{digest}"
    until = time.monotonic() + wait_s
    while isinstance(told := link.declare(queue), tuple) and told[1]:
        if time.monotonic() > until:
            raise BrokerError(
                "The broker still counts the one that was killed as connected",
                "Try again in half a minute.",
            )
        time.sleep(0.1)
    if not isinstance(told, tuple):
        return None
    with link.channel() as channel:  # they go back when it closes
        return list(_all(channel, queue))


def token_of(message: Any) -> int | None:
    """The number on a receipt; None: it is the copy of a message."""
    if message.properties.get("type") != OURS:
        return None
    return int(message.body)


def has_died_in(message: Any, queue: str) -> bool:
    """Whether it is a dead letter of that queue: a copy of a copy, made by the broker."""
    headers = message.properties.get("application_headers")
    deaths = headers.get("x-death") if isinstance(headers, dict) else None
    last = deaths[0] if isinstance(deaths, list) and deaths else None
    return isinstance(last, dict) and last.get("queue") == queue


def _all(channel: Any, queue: str) -> Iterator[Any]:
    while (message := channel.basic_get(queue)) is not None:
        yield message


def _receipt(number: int) -> Any:
    from amqp.basic_message import Message

    return Message(str(number), type=OURS, delivery_mode=2)


def _made(link: AmqpLink, queue: str, room: Room) -> bool:
    """A new queue of that name, on a channel of its own: a refusal closes it."""
    try:
        if not link.may_write():
            return False
        with link.channel() as channel:
            channel.queue_delete(queue)
            # Overflow: an argument stands above a policy. A full one says so and drops nothing.
            arguments = {"x-queue-type": "classic", "x-expires": KEPT_MS, **FULL_REFUSES}
            channel.queue_declare(queue, durable=True, auto_delete=False, arguments=arguments)
            channel.queue_purge(queue)  # whether we may read it
            stays = _stays(channel, queue, room)
    except link.refusals as error:
        if getattr(error, "reply_code", None) not in REFUSED:
            raise
        return False
    if not stays:
        forget(link, queue)
    return stays


FULL_REFUSES = {"x-overflow": "reject-publish"}


def _stays(channel: Any, queue: str, room: Room) -> bool:
    """Whether so much is taken there and still there afterwards."""
    messages, octets = room
    body = base64.b64encode(str(TRIED).encode().ljust(octets // messages)).decode()
    tried = {"body": body, "properties": {"type": OURS, "delivery_mode": 2}}
    confirms = Confirms(channel, "")
    confirms.publish(queue, [(TRIED, tried)] * messages)
    return int(channel.queue_purge(queue)) == messages
