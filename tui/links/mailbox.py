"""Celery's remote control protocol from the asking side: broadcast a question, collect replies.

Celery's own client makes a reply queue for each question; on Redis that is a shared binding
and a list which stay for ever when the client is killed while it waits. Here one reply queue
lives as long as the connection, under a reply exchange of our own, and on Redis both of its
keys expire by themselves.
"""

from __future__ import annotations

import contextlib
import uuid
from collections import deque
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from .asking import ACCEPT, Answer, Asking, Mailbox, read
from .redis_mailbox import RedisMailbox
from .site import Site

if TYPE_CHECKING:
    from kombu.connection import Connection

REPLY_QUEUE_EXPIRES_S = 10.0
EXCLUSIVE = 405
"""The refusal of a queue that belongs to another connection, which stands."""

_free_oids: deque[str] = deque()


@contextlib.contextmanager
def lent_oid() -> Iterator[str]:
    """A mailbox's name that nobody else in this process uses meanwhile; used again after.

    Not after an error: the broker may hold on to the lost link's queue for a while.
    """
    try:
        oid = _free_oids.pop()
    except IndexError:
        oid = str(uuid.uuid4())
    yield oid
    _free_oids.append(oid)


@contextlib.contextmanager
def mailbox(connection: Connection, site: Site, oid: str) -> Iterator[Mailbox]:
    """The mailbox called ``oid`` for that broker; at the end nothing of it is left there.

    One at a time may use an ``oid``. Workers remember each reply exchange they were told of:
    use few of them (``lent_oid``).
    """
    is_redis = connection.transport.driver_type == "redis"
    kind = RedisMailbox if is_redis else QueueMailbox
    box = kind(connection, site, oid)
    lost = False
    try:
        yield box
    except OSError:  # a broker that hangs would not answer to a farewell; AMQP needs none
        lost = True
        raise
    finally:
        if not lost:
            with contextlib.suppress(*connection.connection_errors, *connection.channel_errors):
                box.close()


class QueueMailbox(Asking):
    """Replies through an ordinary queue that the broker deletes with our connection."""

    def __init__(self, connection: Connection, site: Site, oid: str) -> None:
        from kombu.entity import Exchange, Queue
        from kombu.messaging import Consumer

        super().__init__(connection, site, oid)
        exchange = Exchange(self.reply_exchange, "direct", durable=False, delivery_mode="transient")
        queue = Queue(
            f"{self.oid}.{self.reply_exchange}",
            exchange=exchange,
            routing_key=self.oid,
            durable=False,
            exclusive=True,
            auto_delete=True,
            expires=REPLY_QUEUE_EXPIRES_S,
        )
        self._came: list[Answer] = []
        self._consumer: Any = Consumer(
            self.channel, [queue], no_ack=True, accept=list(ACCEPT), on_message=self._take
        )
        self._consumer.consume()

    def answers(self, wait_s: float, urgent: bool) -> Iterator[Answer]:
        """Wait for one message and hand on all that came."""
        with contextlib.suppress(TimeoutError):
            self.connection.drain_events(timeout=wait_s)
        came, self._came = self._came, []
        yield from came

    def standing(self, workers: Iterable[str]) -> frozenset[str]:
        """Those from whose mailbox somebody takes: RabbitMQ deletes it with its connection."""
        return frozenset(name for name in workers if self._takes(name))

    def _takes(self, hostname: str) -> bool:
        queue = f"{hostname}.{self.control_exchange}.pidbox"
        channel: Any = self.connection.channel()
        try:
            return bool(channel.queue_declare(queue, passive=True).consumer_count)
        except self.connection.channel_errors as error:
            return getattr(error, "reply_code", None) == EXCLUSIVE
        finally:
            if channel.is_open:
                channel.close()

    def close(self) -> None:
        """Stop listening and delete the queue."""
        self._consumer.cancel()
        self._consumer.queues[0].delete()

    def _take(self, message: Any) -> None:
        self._came.append(read(message))
