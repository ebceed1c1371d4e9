"""Questions and commands as Celery's workers understand them, and what they answer."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

import msgspec

from .site import Site

if TYPE_CHECKING:
    from kombu.connection import Connection

ACCEPT = ("json", "msgpack", "yaml")
"""Never pickle: an answer is somebody else's text."""
ANSWER_WITHIN_S = 10.0
"""A worker that reads the question later need not answer."""


class Answer(msgspec.Struct):
    """One reply message: worker -> payload; ``error`` when it could not be read."""

    ticket: str
    replies: dict[str, Any]
    error: str = ""


class Mailbox(Protocol):
    """Where questions go out and answers come in."""

    receivers: int | None

    def ask(
        self,
        question: str,
        ticket: str,
        workers: Sequence[str] = (),
        arguments: Mapping[str, Any] | None = None,
    ) -> None:
        """Broadcast a question or a command, to all workers or those named.

        Answers will carry the ticket."""

    def standing(self, workers: Iterable[str]) -> frozenset[str] | None:
        """Which of these the broker still delivers questions to; None where it does not tell."""

    def answers(self, wait_s: float, urgent: bool) -> Iterator[Answer]:
        """What comes within about ``wait_s``; ``urgent`` while a question is out."""


class Asking:
    """Sends a question as ``kombu.pidbox.Mailbox`` does, with a reply address of ours."""

    receivers: int | None = None
    """Connections that the last broadcast reached, where the broker tells."""

    def __init__(self, connection: Connection, site: Site, oid: str) -> None:
        from kombu.entity import Exchange
        from kombu.messaging import Producer

        self.connection = connection
        self.channel: Any = connection.default_channel
        self.oid = oid
        self._serializer = site.serializer
        self.control_exchange = site.control_exchange
        self._exchange = Exchange(
            f"{site.control_exchange}.pidbox", "fanout", durable=False, delivery_mode="transient"
        )
        self._producer: Any = Producer(self.channel, auto_declare=False)
        self.reply_exchange = f"reply.{site.control_exchange}.pidbox"

    def ask(
        self,
        question: str,
        ticket: str,
        workers: Sequence[str] = (),
        arguments: Mapping[str, Any] | None = None,
    ) -> None:
        """Publish on the control exchange: every worker hears it, those named heed it."""
        message = {
            "method": question,
            "arguments": dict(arguments or {}),
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
            serializer=self._serializer,
            retry=False,
        )

    def standing(self, workers: Iterable[str]) -> frozenset[str] | None:
        """Not told."""
        return None


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
