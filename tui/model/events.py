"""Worker events: wire bytes -> Event. Nobody changes an Event after it was decoded."""

from __future__ import annotations

import json
import math
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


LATEST = 1e11
"""Epoch seconds (the year 5138) beyond which a time is nonsense that no calendar can show."""
DEEPEST = 30
_NOTHING: dict[str, int] = {}
_many = msgspec.json.Decoder(tuple[Event, ...])
_raws = msgspec.json.Decoder(list[msgspec.Raw])
_one = msgspec.json.Decoder(Event)


def decode(body: bytes) -> Decoded:
    """Events in the JSON body of one message: an object, or a list of them (``task.multi``).

    A wrong element never takes its neighbours with it; it is counted in ``malformed``.
    """
    if body[:1] != b"[":
        return _collected([_single(body)])
    try:
        events = _many.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return _each(body)
    if all(event.type in KNOWN_TYPES and not _flaw(event) for event in events):
        return Decoded(events, _NOTHING)
    return _each(body)


Found = tuple[Event | None, str]
"""An event, or why there is none."""


def _each(body: bytes) -> Decoded:
    try:
        return _collected([_single(bytes(raw)) for raw in _raws.decode(body)])
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        pass
    try:  # NaN and Infinity: legal for Celery's encoder, malformed for msgspec
        loaded = json.loads(body.decode("utf-8", "replace"))
    except (ValueError, RecursionError):
        return Decoded((), {"not JSON": 1})
    if not isinstance(loaded, list):
        return Decoded((), {"not an event": 1})
    return _collected([_converted(item) for item in loaded])


def _collected(found: list[Found]) -> Decoded:
    malformed: dict[str, int] = {}
    for _, reason in found:
        if reason:
            malformed[reason] = malformed.get(reason, 0) + 1
    return Decoded(tuple(event for event, _ in found if event is not None), malformed)


def _single(body: bytes) -> Found:
    try:
        event = _one.decode(body)
        if event.type in KNOWN_TYPES:
            return _checked(event)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        pass
    # A second look with the stdlib: NaN, text that is not UTF-8, and types that are not Celery's.
    try:
        return _converted(json.loads(body.decode("utf-8", "replace")))
    except (ValueError, RecursionError):
        return None, "not JSON"


def _converted(loaded: Any) -> Found:
    plain = _plain(loaded)
    try:
        event = msgspec.convert(plain, Event)
    except msgspec.ValidationError as error:
        return None, f"wrong field {_field(error)}"
    if event.type not in KNOWN_TYPES:
        event.extra = plain
    return _checked(event)


def _checked(event: Event) -> Found:
    reason = _flaw(event)
    return (None, reason) if reason else (event, "")


def _flaw(event: Event) -> str:
    """What makes it useless although its fields have the right types; empty: nothing."""
    if not 0 <= event.timestamp < LATEST:
        return "wrong field timestamp"
    if event.runtime is not None and not 0 <= event.runtime < LATEST:
        return "wrong field runtime"
    if event.uuid or (event.type in WORKER_TYPES and event.hostname):
        return ""
    named = event.type not in KNOWN_TYPES and not event.type.startswith("task-")
    return "" if named else "no task id or hostname"


def _plain(value: Any, depth: int = 0) -> Any:
    """Without what breaks whoever shows it: NaN, half characters, bottomless nesting."""
    if depth > DEEPEST:
        return "…"
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode()
    if isinstance(value, dict):
        return {_plain(key): _plain(item, depth + 1) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(item, depth + 1) for item in value]
    return value


def _field(error: msgspec.ValidationError) -> str:
    """The field that msgspec's text names in backticks, as a path or alone; else its words."""
    text = str(error)
    if "`$." in text:
        return text.rpartition("`$.")[2].rstrip("`")
    return text.rpartition("`")[0].rpartition("`")[2] or text[:60]
