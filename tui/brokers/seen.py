"""An element of a queue as people look at it: a message, or what it is instead."""

from __future__ import annotations

from typing import Any

from ..model.peeked import MESSAGE, WaitingMessage, sender_repr
from ..model.plans import planned
from ..model.task import Exact
from .message import Message, of_envelope, parse

LONGEST_REPR = 4_000
EXACT_BYTES = 256 * 1024
"""Arguments of larger messages are shown as text only."""
SHOWN_BYTES = 120
"""Of what is no message."""
LONGEST_WORD = 300


def seen(payload: bytes, step: int, place: int) -> WaitingMessage:
    """Whatever it is; nothing in it is executed or believed."""
    return _seen(parse(payload), payload, step, place)


def seen_envelope(envelope: dict[str, Any], body: bytes, step: int, place: int) -> WaitingMessage:
    """The same for what came in parts, and whose body is this."""
    return _seen(of_envelope(envelope), body, step, place)


def _seen(message: Message | None, payload: bytes, step: int, place: int) -> WaitingMessage:
    if message is None:
        start = payload[:SHOWN_BYTES].decode("utf-8", "backslashreplace")
        return WaitingMessage(place, step, len(payload), note=f"no task message: {start}")
    return _message(message, step, place, len(payload))


def _message(message: Message, step: int, place: int, size_bytes: int) -> WaitingMessage:
    headers, properties = message.headers, message.properties
    body = message.body()
    args = kwargs = exact = None
    if body.parts is not None:
        args, kwargs = (_shortly(tuple(body.parts[0])), _shortly(body.parts[1]))
        plain = body.serializer == "json" and size_bytes <= EXACT_BYTES
        exact = Exact(body.parts[0], body.parts[1], MESSAGE) if plain else None
    route = properties.get("delivery_info")
    return WaitingMessage(
        place,
        step,
        size_bytes,
        id=message.task_id[:LONGEST_WORD],
        name=message.name[:LONGEST_WORD],
        args=args if args is not None else sender_repr(headers, "argsrepr", LONGEST_REPR),
        kwargs=kwargs if kwargs is not None else sender_repr(headers, "kwargsrepr", LONGEST_REPR),
        exact=exact,
        eta=_word(headers.get("eta")),
        expires=_word(headers.get("expires")),
        retries=_count(headers.get("retries")),
        priority=_count(properties.get("priority")),
        root_id=_word(headers.get("root_id")),
        parent_id=_word(headers.get("parent_id")),
        group_id=_word(headers.get("group")),
        plans=planned(message.task_id[:LONGEST_WORD], body.parts[2] if body.parts else None),
        origin=_word(headers.get("origin")) or "",
        redelivered=isinstance(route, dict) and route.get("redelivered") is True,
        serializer=body.serializer,
        compression=body.compression,
        note=body.why,
    )


def _shortly(value: Any) -> str | None:
    """A repr, cut; None where values are nested too deep for one."""
    try:
        return repr(_typed(value))[:LONGEST_REPR]
    except RecursionError:
        return None


class Typed:
    """What JSON has no word for, as kombu spells it: ``datetime('2026-11-20T12:10:00')``."""

    def __init__(self, kind: str, value: Any) -> None:
        self._kind, self._value = kind, value

    def __repr__(self) -> str:
        return f"{self._kind}({self._value!r})"


def _typed(value: Any) -> Any:
    if isinstance(value, dict):
        if value.keys() == {"__type__", "__value__"} and isinstance(value["__type__"], str):
            return Typed(value["__type__"], value["__value__"])
        return {key: _typed(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(map(_typed, value))
    return value


def _word(value: Any) -> str | None:
    return value[:LONGEST_WORD] if isinstance(value, str) and value else None


def _count(value: Any) -> int | None:
    whole = isinstance(value, int) and not isinstance(value, bool)
    return value if whole and abs(value) < 10**9 else None
