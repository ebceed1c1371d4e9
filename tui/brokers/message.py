"""A Celery message as it lies in a broker: parsed, never executed."""

from __future__ import annotations

import json
from typing import Any

import msgspec

from .body import Body, read_body


class Message(msgspec.Struct, frozen=True):
    """Task protocol 2 in kombu's JSON envelope; ``envelope`` is the whole of it, unchanged."""

    task_id: str
    name: str
    envelope: dict[str, Any]

    @property
    def headers(self) -> dict[str, Any]:
        """Task headers: lang, task, id, eta, retries, argsrepr and the sender's own."""
        headers: dict[str, Any] = self.envelope["headers"]
        return headers

    @property
    def properties(self) -> dict[str, Any]:
        """correlation_id, reply_to, priority, delivery_info, delivery_tag, body_encoding."""
        properties: dict[str, Any] = self.envelope["properties"]
        return properties

    def body(self) -> Body:
        """Serializer, compression and arguments, as far as they can be read safely."""
        return read_body(self.envelope)

    def arguments(self) -> tuple[list[Any], dict[str, Any], dict[str, Any]] | None:
        """(args, kwargs, embed) of a JSON body, exact; None where it cannot be read safely.

        Pickle is never loaded. kombu's ``__type__`` objects stay dicts: sent again, they are
        what they were.
        """
        body = self.body()
        return body.parts if body.serializer == "json" else None


def parse(payload: bytes | str) -> Message | None:
    """The message in a list element, or None when that is something else.

    What tells a message from a user's own list or an ``rpc://`` reply: headers with an id, and
    properties.
    """
    try:
        return of_envelope(json.loads(payload))
    except (ValueError, RecursionError):
        return None


def of_envelope(envelope: Any) -> Message | None:
    """The same for an envelope that is already decoded."""
    if not isinstance(envelope, dict) or not isinstance(envelope.get("properties"), dict):
        return None
    headers = envelope.get("headers")
    if not isinstance(headers, dict) or not isinstance(headers.get("id"), str) or not headers["id"]:
        return None
    name = headers.get("task")
    return Message(headers["id"], name if isinstance(name, str) else "", envelope)
