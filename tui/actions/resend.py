"""Builds and sends the message of a retry: a new task id, the rest as it was."""

from __future__ import annotations

import base64
import binascii
import json
import os
import socket
import uuid
from datetime import UTC, datetime
from typing import Any

from ..errors import ActionError
from ..links.confirmed import confirming
from .original import Original
from .route import Route
from .wire import Wire

RETRIED_FROM = "x-retried-from"
"""Header that names the task this one repeats."""
KEPT = frozenset({"reply_to", "delivery_mode", "message_id", "timestamp", "type", "app_id"})
"""Properties that the new message has too. The delivery tag is none of them: two messages with
one tag would count as one."""

Edited = tuple[list[Any], dict[str, Any]] | None


def send(original: Original, route: Route, edited: Edited, wire: Wire) -> str:
    """Send it again; the new task id.

    Raises ActionError, before anything is sent, when that cannot be done faithfully.
    """
    new_id = str(uuid.uuid4())
    if original.envelope is not None:
        _send_message(original, route, edited, new_id, wire)
    else:
        _send_built(original, route, edited, new_id, wire)
    return new_id


def _origin() -> str:
    # As celery.utils.nodenames names clients; the new message's sender is this process.
    return f"gen{os.getpid()}@{socket.gethostname()}"


# -- from the message ------------------------------------------------------------------------


def headers_again(headers: dict[str, Any], new_id: str, now: datetime) -> dict[str, Any]:
    """The message's headers for a new task: every custom one stays, the ETA does not."""
    again = {
        **headers,
        "id": new_id,
        "root_id": new_id,
        "parent_id": None,
        "eta": None,
        "retries": 0,
        "origin": _origin(),
        RETRIED_FROM: headers.get("id"),
    }
    if expired(headers.get("expires"), now):
        again["expires"] = None
    return again


def expired(expires: Any, now: datetime) -> bool:
    """Whether a message with this header would be thrown away on arrival."""
    try:
        moment = datetime.fromisoformat(expires)
    except (TypeError, ValueError):
        return False
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)) <= now


def _send_message(
    original: Original, route: Route, edited: Edited, new_id: str, wire: Wire
) -> None:
    envelope = original.envelope or {}
    headers = headers_again(envelope["headers"], new_id, datetime.now(UTC))
    properties = {name: v for name, v in envelope["properties"].items() if name in KEPT}
    body = _body(envelope) if edited is None else _edited_body(original, edited, headers)
    _publish(
        wire,
        route,
        body,
        headers=headers,
        content_type=_word(envelope, "content-type"),
        content_encoding=_word(envelope, "content-encoding"),
        priority=original.priority,
        correlation_id=new_id,
        **properties,
    )


def _word(envelope: dict[str, Any], name: str) -> str:
    word = envelope.get(name)
    if not isinstance(word, str) or not word:
        raise ActionError(f"The message has no {name}", "It cannot be sent again as it is.")
    return word


def _body(envelope: dict[str, Any]) -> bytes:
    """The body as its sender made it: not read, not made anew."""
    body = envelope.get("body")
    text = body if isinstance(body, str) else ""
    try:
        if envelope["properties"].get("body_encoding") == "base64":
            return base64.b64decode(text, validate=True)
    except binascii.Error:
        raise ActionError("The message's body is damaged", "It cannot be sent again.") from None
    return text.encode()


def _edited_body(original: Original, edited: Edited, headers: dict[str, Any]) -> bytes:
    if original.embed is None:
        raise ActionError(
            "The message's body cannot be read here, so it cannot be edited",
            "Send it as it is, or from your own project.",
        )
    args, kwargs = edited or (original.args, original.kwargs)
    headers.update(argsrepr=repr(tuple(args)), kwargsrepr=repr(kwargs))
    headers.pop("compression", None)
    return json.dumps([args, kwargs, original.embed]).encode()


# -- from arguments alone --------------------------------------------------------------------


def _send_built(original: Original, route: Route, edited: Edited, new_id: str, wire: Wire) -> None:
    if not original.name:
        raise ActionError(f"The name of task {original.task_id} is not known")
    args, kwargs = edited or (original.args, original.kwargs)
    shown = original.repr_shown if edited is None else None
    message = wire.app.amqp.as_task_v2(
        new_id,
        original.name,
        args=args,
        kwargs=kwargs,
        root_id=new_id,
        origin=_origin(),
        argsrepr=shown[0] if shown else None,
        kwargsrepr=shown[1] if shown else None,
    )
    _publish(
        wire,
        route,
        message.body,
        headers={**message.headers, RETRIED_FROM: original.task_id},
        serializer=wire.app.conf.task_serializer,
        priority=original.priority,
        **message.properties,
    )


def _publish(wire: Wire, route: Route, body: Any, **properties: Any) -> None:
    """Once, never tried again by itself: a retry that is sent twice runs twice.

    Raises ActionError where it was surely not sent, the driver's errors where that is open.
    """
    from kombu.exceptions import EncodeError
    from kombu.messaging import Producer

    to = {"exchange": route.exchange, "routing_key": route.routing_key}
    try:
        with confirming(wire.connection, one_queue=not route.exchange) as (channel, how):
            producer: Any = Producer(channel, auto_declare=False)
            producer.publish(body, retry=False, **to, **how, **properties)
    except EncodeError as error:
        raise ActionError(f"Its arguments cannot be sent: {error}") from None
