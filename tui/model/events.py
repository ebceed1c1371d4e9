"""Worker events: wire bytes -> Event. Nobody changes an Event after it was decoded."""

from __future__ import annotations

import json
from typing import Any

import msgspec

TASK_TYPES = frozenset(
    {
        "task-sent",
        "task-received",
        "task-started",
        "task-succeeded",
        "task-failed",
        "task-retried",
        "task-revoked",
        "task-rejected",
        "task-cancelled",
    }
)
WORKER_TYPES = frozenset({"worker-online", "worker-heartbeat", "worker-offline"})
KNOWN_TYPES = TASK_TYPES | WORKER_TYPES


class Event(msgspec.Struct, gc=False):
    """One worker event as Celery sends it; fields that its type lacks are None.

    Field names and meanings are Celery's own (userguide "Monitoring", event reference).
    ``timestamp`` is epoch seconds of the sender's clock; ``runtime`` is seconds.
    ``args``, ``kwargs``, ``result`` and ``exception`` are reprs cut at about 1,024 characters.
    """

    type: str
    timestamp: float
    hostname: str = ""
    utcoffset: int | float | None = None
    pid: int | None = None
    clock: int | None = None
    uuid: str | None = None
    name: str | None = None
    args: str | None = None
    kwargs: str | None = None
    root_id: str | None = None
    parent_id: str | None = None
    retries: int | None = None
    eta: str | None = None
    expires: str | int | float | None = None
    queue: str | None = None
    exchange: str | None = None
    routing_key: str | None = None
    result: str | None = None
    runtime: float | None = None
    exception: str | None = None
    traceback: str | None = None
    terminated: bool | None = None
    signum: int | str | None = None
    expired: bool | None = None
    requeue: bool | None = None
    freq: float | None = None
    active: int | None = None
    processed: int | None = None
    loadavg: tuple[float, float, float] | None = None
    sw_ident: str | None = None
    sw_ver: str | None = None
    sw_sys: str | None = None
    extra: dict[str, Any] | None = None
    """All fields of an event whose type is not Celery's own; None for known types."""


class Decoded(msgspec.Struct, gc=False):
    """What one message held: its events, and how many could not be read, by reason."""

    events: tuple[Event, ...]
    malformed: dict[str, int]


_NOTHING: dict[str, int] = {}
_many = msgspec.json.Decoder(tuple[Event, ...])
_raws = msgspec.json.Decoder(list[msgspec.Raw])
_one = msgspec.json.Decoder(Event)


def decode(body: bytes) -> Decoded:
    """Events in the JSON body of one message: an object, or a list of them (``task.multi``).

    A wrong element never takes its neighbours with it; it is counted in ``malformed``.
    """
    if body[:1] == b"[":
        try:
            events = _many.decode(body)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            return _each(body)
        if all(event.type in KNOWN_TYPES for event in events) and _named(events):
            return Decoded(events, _NOTHING)
        return _each(body)
    return _collect([body])


def _each(body: bytes) -> Decoded:
    try:
        return _collect([bytes(raw) for raw in _raws.decode(body)])
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        pass
    try:  # NaN and Infinity: legal for Celery's encoder, malformed for msgspec
        loaded = json.loads(body)
    except (ValueError, RecursionError):
        return Decoded((), {"not JSON": 1})
    if not isinstance(loaded, list):
        return Decoded((), {"not an event": 1})
    return _collect([json.dumps(_finite(item)).encode() for item in loaded])


def _collect(bodies: list[bytes]) -> Decoded:
    events: list[Event] = []
    malformed: dict[str, int] = {}
    for body in bodies:
        event, reason = _single(body)
        if event is not None:
            events.append(event)
        if reason:
            malformed[reason] = malformed.get(reason, 0) + 1
    return Decoded(tuple(events), malformed)


def _single(body: bytes) -> tuple[Event | None, str]:
    try:
        event = _one.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return _tolerant(body)
    return _checked(event, body)


def _tolerant(body: bytes) -> tuple[Event | None, str]:
    """A second look with the stdlib: NaN becomes None, text that is not UTF-8 is replaced."""
    try:
        loaded = _finite(json.loads(body.decode("utf-8", "replace")))
        event = msgspec.convert(loaded, Event)
    except msgspec.ValidationError as error:
        return None, f"wrong field {_field(error)}"
    except (ValueError, RecursionError):
        return None, "not JSON"
    return _checked(event, json.dumps(loaded).encode())


def _checked(event: Event, body: bytes) -> tuple[Event | None, str]:
    if event.type in KNOWN_TYPES:
        return (event, "") if _named((event,)) else (None, "no task id or hostname")
    if event.type.startswith("task-") and not event.uuid:
        return None, "no task id or hostname"
    event.extra = msgspec.json.decode(body, type=dict[str, Any])
    return event, ""


def _named(events: tuple[Event, ...]) -> bool:
    return all(event.uuid or (event.hostname and event.type in WORKER_TYPES) for event in events)


def _finite(value: Any) -> Any:
    if isinstance(value, float) and (value != value or value in (float("inf"), float("-inf"))):
        return None
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_finite(item) for item in value]
    return value


def _field(error: msgspec.ValidationError) -> str:
    text = str(error)
    return text.rpartition("`$.")[2].rstrip("`") if "`$." in text else text[:60]
