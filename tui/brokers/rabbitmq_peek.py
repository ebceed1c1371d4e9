"""Looks into a RabbitMQ queue, which cannot be done without taking its messages out."""

from __future__ import annotations

import base64
import time
from typing import Any

from ..links.amqp_link import AmqpLink
from ..model.peeked import End, Peeked
from .rabbitmq_record import as_raw, senders_own
from .seen import seen_envelope

MOST_TAKEN = 500
MOST_BYTES = 8 * 1024 * 1024
"""So many messages and bytes are out of the queue while it is looked at."""
WHAT_IT_DOES = (
    "Looking into a RabbitMQ queue takes its messages out and puts them back: they stay marked as "
    "redelivered, and no worker gets them meanwhile"
)
COUNTED = (
    "A quorum queue counts it, and may change their order: a message that was put back {often} "
    "is dropped or dead-lettered"
)
NOT_KNOWN = "Its kind cannot be told, and a quorum queue drops what was put back too often"


class Peek:
    """Takes messages on a channel of its own, whose end puts all of them back."""

    def __init__(self, link: AmqpLink) -> None:
        self._link = link

    def page(
        self,
        queue: str,
        end: End,
        offset: int,
        count: int,
        asked: int,
        kind: str = "",
        limit: int | None = None,
    ) -> Peeked:
        """A page, if it was asked for often enough; else what that would do.

        ``limit``: how often a message may be put back there, where that is known.
        """
        kind = kind or self._link.kind(queue)
        refused = _refusal(kind, asked, limit)
        if refused is not None:
            error, hint, asks = refused
            return Peeked(
                time.time(), queue, end, offset, error=error, hint=hint, asks=asks, marks=True
            )
        total, _ = self._link.sure_of(queue, "Cannot look into")
        offset = max(0, min(offset, total - 1))
        first = offset if end is End.HEAD else max(0, total - offset - count)
        last = min(total, offset + count) if end is End.HEAD else total - offset
        if last > MOST_TAKEN:
            error = f"Only the {MOST_TAKEN} oldest of {total:,} messages are taken out to be shown"
            hint = "o shows the oldest first." if end is End.TAIL else ""
            return Peeked(time.time(), queue, end, offset, error=error, hint=hint, marks=True)
        taken, cut = self._take(queue, last)
        shown = [_seen(message, place + 1) for place, message in enumerate(taken) if place >= first]
        if end is End.TAIL:
            shown.reverse()
        return Peeked(time.time(), queue, end, offset, tuple(shown), total, cut, marks=True)

    def _take(self, queue: str, count: int) -> tuple[list[Any], bool]:
        taken: list[Any] = []
        octets = 0
        with self._link.channel() as channel:
            while len(taken) < count:
                message = channel.basic_get(queue)
                if message is None:
                    break
                taken.append(message)
                octets += len(message.body)
                if octets > MOST_BYTES:
                    return taken, True
        return taken, False


def counted(limit: int | None) -> str:
    """What a quorum queue does about messages that are put back."""
    often = "too often" if limit is None else f"{limit} times, its delivery limit,"
    return COUNTED.format(often=often)


def _refusal(kind: str, asked: int, limit: int | None) -> tuple[str, str, int] | None:
    """(why not, what then, how often it is to be asked) for somebody who asked so often."""
    if kind == "stream":
        return "A stream is read from its start, and holds no tasks of Celery", "", 0
    if asked >= (1 if kind == "classic" else 2):
        return None
    if not asked:
        also = {"classic": "", "quorum": f". {counted(limit)}"}.get(kind, f". {NOT_KNOWN}")
        return f"{WHAT_IT_DOES}{also}", "r does it all the same, once.", 1
    return counted(limit) if kind == "quorum" else NOT_KNOWN, "r again: it is done, once.", 2


def _seen(message: Any, place: int) -> Any:
    properties = senders_own(message.properties)
    headers = properties.get("application_headers")
    raw = as_raw(message.body)
    priority = properties.get("priority") or 0
    envelope = {
        "body": base64.b64encode(raw).decode(),
        "content-type": properties.get("content_type"),
        "content-encoding": properties.get("content_encoding"),
        "headers": headers if isinstance(headers, dict) else {},
        "properties": {
            "priority": priority,
            "correlation_id": properties.get("correlation_id"),
            "reply_to": properties.get("reply_to"),
            "body_encoding": "base64",
            "delivery_info": {"redelivered": message.delivery_info.get("redelivered")},
        },
    }
    return seen_envelope(envelope, raw, priority, place)
