"""Celery's remote control protocol from the asking side: broadcast a question, collect replies.

Celery's own client makes a reply queue for each question; on Redis that is a shared binding
and a list which stay for ever when the client is killed while it waits. Here one reply queue
lives as long as the connection, under a reply exchange of our own, and on Redis both of its
keys expire by themselves.
"""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Protocol

import msgspec

from .kombu_link import redis_client
from .site import Site

if TYPE_CHECKING:
    from kombu.connection import Connection

ACCEPT = ("json", "msgpack", "yaml")
"""Never pickle: an answer is somebody else's text."""
ANSWER_WITHIN_S = 10.0
"""A worker that reads the question later need not answer."""
REPLY_QUEUE_EXPIRES_S = 10.0
BINDING_TTL_MS, LIST_TTL_MS = 15_000, 25_000
"""Longer than the pauses between two questions. The binding goes first, so that no late reply
can make the list anew without an expiry."""
REFRESH_EVERY_S = 5.0
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.004, 0.05
IDLE_LOOK_EVERY_S = 1.0
LAST = b"end"
"""Keeps the list alive, and with it the expiry that a worker's LPUSH would not set."""


class Answer(msgspec.Struct):
    """One reply message: worker -> payload; ``error`` when it could not be read."""

    ticket: str
    replies: dict[str, Any]
    error: str = ""


class Mailbox(Protocol):
    """Where questions go out and answers come in."""

    def ask(self, question: str, ticket: str, workers: tuple[str, ...]) -> None:
        """Broadcast a question; answers will carry the ticket."""

    def answers(self, wait_s: float, urgent: bool) -> Iterator[Answer]:
        """What comes within about ``wait_s``; ``urgent`` while a question is out."""


@contextlib.contextmanager
def mailbox(connection: Connection, site: Site, oid: str) -> Iterator[Mailbox]:
    """The mailbox called ``oid`` for that broker; at the end nothing of it is left there.

    Workers remember each reply exchange they were told of: use one ``oid`` a process.
    """
    is_redis = connection.transport.driver_type == "redis"
    kind = RedisMailbox if is_redis else QueueMailbox
    box = kind(connection, site, oid)
    try:
        yield box
    finally:
        with contextlib.suppress(*connection.connection_errors, *connection.channel_errors):
            box.close()


class _Asking:
    """Sends a question as ``kombu.pidbox.Mailbox`` does, with a reply address of ours."""

    def __init__(self, connection: Connection, site: Site, oid: str) -> None:
        from kombu.entity import Exchange
        from kombu.messaging import Producer

        self.connection = connection
        self.channel: Any = connection.default_channel
        self.oid = oid
        self._exchange = Exchange(
            f"{site.control_exchange}.pidbox", "fanout", durable=False, delivery_mode="transient"
        )
        self._producer: Any = Producer(self.channel, auto_declare=False)
        self.reply_exchange = f"reply.{site.control_exchange}.pidbox"

    def ask(self, question: str, ticket: str, workers: tuple[str, ...]) -> None:
        """Publish on the control exchange; every worker's mailbox hears it."""
        message = {
            "method": question,
            "arguments": {},
            "destination": list(workers) or None,
            "pattern": None,
            "matcher": None,
            "ticket": ticket,
            "reply_to": {"exchange": self.reply_exchange, "routing_key": self.oid},
        }
        self._producer.publish(
            message,
            exchange=self._exchange.name,
            declare=[self._exchange],
            headers={"clock": 0, "expires": time.time() + ANSWER_WITHIN_S},
            serializer="json",
            retry=False,
        )


class QueueMailbox(_Asking):
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

    def close(self) -> None:
        """Stop listening and delete the queue."""
        self._consumer.cancel()
        self._consumer.queues[0].delete()

    def _take(self, message: Any) -> None:
        self._came.append(read(message))


class RedisMailbox(_Asking):
    """Replies through a list that we read ourselves, because BRPOP would empty it.

    Redis deletes an empty list, and its expiry with it; the next worker's LPUSH would make one
    that stays for ever if we were killed just then. So the last element always stays.
    """

    def __init__(self, connection: Connection, site: Site, oid: str) -> None:
        super().__init__(connection, site, oid)
        # An exchange of our own: its binding table may expire without hurting other clients.
        self.reply_exchange = f"reply.{self.oid}.{site.control_exchange}.pidbox"
        queue = f"{self.oid}.{self.reply_exchange}"
        prefix = self.channel.global_keyprefix
        self._client = redis_client(self.channel)
        self._list = f"{prefix}{queue}"
        self._binding = f"{prefix}{self.channel.keyprefix_queue % self.reply_exchange}"
        self._member = self.channel.sep.join((self.oid, "", queue))
        self._refreshed, self._looked = float("-inf"), 0.0
        self._pause_s = FIRST_PAUSE_S

    def ask(self, question: str, ticket: str, workers: tuple[str, ...]) -> None:
        """Make sure that replies have somewhere to go, then broadcast."""
        self._pause_s = FIRST_PAUSE_S
        self._refresh()
        super().ask(question, ticket, workers)

    def answers(self, wait_s: float, urgent: bool) -> Iterator[Answer]:
        """Look at once, then in growing pauses while a question is out; seldom otherwise."""
        pause_s = min(wait_s, self._pause_s) if urgent else wait_s
        time.sleep(pause_s)
        self._pause_s = min(self._pause_s * 1.5, LONGEST_PAUSE_S)
        if urgent or time.monotonic() - self._looked >= IDLE_LOOK_EVERY_S:
            self._looked = time.monotonic()
            yield from map(self._read, self._fetch())

    def close(self) -> None:
        """Delete both keys."""
        self._client.delete(self._binding, self._list)

    def _fetch(self) -> list[bytes]:
        if self._client.llen(self._list) < 2:
            return []
        with self._client.pipeline(transaction=True) as pipe:
            pipe.lrange(self._list, 0, -2)
            pipe.ltrim(self._list, -1, -1)
            found: list[bytes] = pipe.execute()[0]
        return found[::-1]

    def _refresh(self) -> None:
        """Make or prolong both keys; whatever waits in the list stays."""
        if time.monotonic() - self._refreshed < REFRESH_EVERY_S:
            return
        self._refreshed = time.monotonic()
        with self._client.pipeline(transaction=True) as pipe:
            pipe.lrem(self._list, -1, LAST)
            pipe.rpush(self._list, LAST)
            pipe.pexpire(self._list, LIST_TTL_MS)
            pipe.sadd(self._binding, self._member)
            pipe.pexpire(self._binding, BINDING_TTL_MS)
            pipe.execute()

    def _read(self, raw: bytes) -> Answer:
        try:
            message = self.channel.Message(json.loads(raw), channel=self.channel)
        except (ValueError, LookupError, TypeError, AttributeError) as error:
            return Answer("", {}, type(error).__name__)
        return read(message)


def read(message: Any) -> Answer:
    """The replies in one message: ``{hostname: payload}``, whatever else somebody sent."""
    from kombu.exceptions import KombuError

    ticket = str((message.headers or {}).get("ticket", ""))
    if message.errors:
        return Answer(ticket, {}, "broken compression")
    message.accept = _content_types()
    try:
        body = message.payload
    except (KombuError, ValueError, LookupError, TypeError, RecursionError) as error:
        return Answer(ticket, {}, f"{type(error).__name__}, {message.content_type}")
    if not isinstance(body, dict):
        return Answer(ticket, {}, "not a reply")
    return Answer(ticket, {str(hostname): payload for hostname, payload in body.items()})


def _content_types() -> set[str]:
    from kombu.serialization import prepare_accept_content

    return set(prepare_accept_content(ACCEPT))
