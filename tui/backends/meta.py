"""A stored result (Celery's task meta) as bytes -> ResultMeta; nothing in it is ever executed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import msgspec

from ..compressed import COMPRESSIONS, decompressed
from ..model.observations import ResultMeta
from ..model.task import FAILURE, FINAL, PENDING, RETRY, REVOKED, STARTED, STATES, UNKNOWN, Progress

LONGEST_TEXT = 64 * 1024
"""Characters kept of a result's repr."""
LONGEST_WORD = 60
COMPRESSED = b"\x00celery-compressed\x00"
"""How Celery 5.7 marks what ``result_compression`` packed; its kind and another zero follow."""
LARGEST_UNPACKED_BYTES = 8 * 1024 * 1024
MOST_CHILDREN = 1_000
CELERYS_OWN = frozenset({*STATES, "IGNORED"})
"""Any other state is one that the task gave itself."""


def read(task_id: str, stored: bytes) -> ResultMeta:
    """The meta of one task. What is not JSON is said to be so; pickle is never loaded."""
    meta = value_of(stored)
    if isinstance(meta, Unreadable):
        return ResultMeta(task_id, UNKNOWN, result=repr(meta))
    if not isinstance(meta, dict) or not isinstance(meta.get("status"), str):
        return ResultMeta(task_id, UNKNOWN, result="not readable: no task result")
    return _meta(task_id, meta)


class Unreadable(msgspec.Struct, frozen=True):
    """Stands where a value is stored in a way that is not read; its repr says so."""

    why: str

    def __repr__(self) -> str:
        return f"not readable: {self.why}"


SERIALIZED = ("result", "args", "kwargs", "children")
"""Columns of a database in which Celery's serializer writes, each for itself."""


def of_row(
    task_id: str, row: Mapping[str, Any], opened: Mapping[str, Any] | None = None
) -> ResultMeta:
    """The meta of one task whose fields lie in columns of a database, named as in Celery's meta.

    ``opened`` are those that no serializer wrote. What is pickled stays closed; the other columns
    of such a row are shown all the same.
    """
    plain = opened or {}
    read_here = {
        name: value_of(row[name])
        for name in SERIALIZED
        if name not in plain and row.get(name) is not None
    }
    return _meta(
        task_id, {**row, "status": _text(row.get("status")) or UNKNOWN, **read_here, **plain}
    )


def value_of(stored: Any) -> Any:
    """One serialized value, or why it is not read."""
    raw = stored.encode("utf-8", "replace") if isinstance(stored, str) else bytes(stored)
    if raw.startswith(COMPRESSED):
        kind, _, packed = raw[len(COMPRESSED) :].partition(b"\0")
        return _unpacked(packed, kind.decode("utf-8", "replace"))
    try:
        return loads(raw)
    except (ValueError, RecursionError):
        return Unreadable(_serializer(raw))


def _unpacked(packed: bytes, kind: str) -> Any:
    """What ``result_compression`` packed, once: nobody packs it twice but to harm."""
    name = COMPRESSIONS.get(kind, kind[:LONGEST_WORD])
    try:
        raw = decompressed(packed, kind, LARGEST_UNPACKED_BYTES)
    except ImportError:
        return Unreadable(f"{name} is not installed here")
    if raw is None or raw.startswith(COMPRESSED):
        return Unreadable(f"its {name} cannot be unpacked")
    return value_of(raw)


def loads(text: bytes | str) -> Any:
    """JSON with kombu's ``__type__`` objects decoded; those it cannot decode stay as they are.

    Raises ValueError or RecursionError.
    """
    return json.loads(text, object_hook=_typed)


def _typed(found: dict[str, Any]) -> Any:
    if found.keys() != {"__type__", "__value__"}:
        return found
    from kombu.utils.json import object_hook

    try:
        return object_hook(found)
    except (ValueError, TypeError, ArithmeticError, AttributeError):
        return found


def _serializer(stored: bytes) -> str:
    if stored[:1] == b"\x80" and stored[1:2] in (b"\x02", b"\x03", b"\x04", b"\x05"):
        return "pickle"
    if 0x80 <= (stored[:1] or b" ")[0] <= 0x8F or stored[:1] in (b"\xde", b"\xdf"):
        return "msgpack"
    return "yaml" if b"status: " in stored[:4096] else "not JSON"


def _meta(task_id: str, meta: dict[str, Any]) -> ResultMeta:
    state, result = meta["status"], meta.get("result")
    failed = state in (FAILURE, RETRY, REVOKED)
    where = result if state == STARTED and isinstance(result, dict) else {}
    args, kwargs = _arguments(meta)
    return ResultMeta(
        id=task_id,
        state=state,
        result=shown(result) if not failed and state not in (PENDING, STARTED) else None,
        exception=_exception(result, _text(meta.get("traceback"))) if failed else None,
        traceback=_text(meta.get("traceback")),
        # Databases date every change, not only the end.
        date_done=_epoch(meta.get("date_done")) if state in FINAL else None,
        name=_text(meta.get("name")),
        args=args,
        kwargs=kwargs,
        args_text=_cut(meta.get("args")),
        kwargs_text=_cut(meta.get("kwargs")),
        worker=_text(meta.get("worker")) or _text(where.get("hostname")),
        pid=_whole(where.get("pid")),
        queue=_text(meta.get("queue")),
        retries=_whole(meta.get("retries")),
        parent_id=_text(meta.get("parent_id")),
        group_id=_text(meta.get("group_id")),
        children=_children(meta.get("children")),
        progress=_progress(state, result) if state not in CELERYS_OWN else None,
    )


def _progress(state: str, result: Any) -> Progress:
    """What a task told of itself: ``update_state(state="PROGRESS", meta={"current": 3 …})``."""
    told = result if isinstance(result, dict) else {}
    text = "" if result is None else shown(result)
    return Progress(state, _number(told.get("current")), _number(told.get("total")), text)


def _arguments(meta: dict[str, Any]) -> tuple[list[Any] | None, dict[str, Any] | None]:
    args, kwargs = meta.get("args"), meta.get("kwargs")
    if isinstance(args, list) and isinstance(kwargs, dict):
        return args, kwargs
    return None, None


def _cut(arguments: Any) -> str | None:
    """Arguments that are stored as text: django-celery-results keeps their repr only."""
    return arguments[:LONGEST_TEXT] if isinstance(arguments, str) else None


def shown(value: Any) -> str:
    """The value's repr for people, cut when it is very long."""
    try:
        text = repr(value)
    except (ValueError, RecursionError):  # an int of 10,000 digits, or nested too deep
        return "not readable: too large"
    if len(text) <= LONGEST_TEXT:
        return text
    return f"{text[:LONGEST_TEXT]}… ({len(text) - LONGEST_TEXT:,} characters more)"


def _exception(result: Any, traceback: str | None) -> str | None:
    """``DeclinedError('card declined')`` from Celery's {exc_type, exc_message, exc_module}.

    Of one that is not readable the traceback's last line tells.
    """
    if result is None:
        return None
    if isinstance(result, Unreadable) and traceback and traceback.strip():
        return traceback.strip().rsplit("\n", 1)[-1].strip()[:LONGEST_TEXT]
    if not isinstance(result, dict) or not isinstance(result.get("exc_type"), str):
        return shown(result)
    message = result.get("exc_message")
    words = message if isinstance(message, list) else [] if message is None else [message]
    return f"{result['exc_type']}({', '.join(map(shown, words))})"


def _children(children: Any) -> tuple[str, ...]:
    """Ids of tasks in Celery's nested result tuples ``[[id, parent], members of a group]``."""
    found: list[str] = []
    waiting = list(reversed(children)) if isinstance(children, list) else []
    while waiting and len(found) < MOST_CHILDREN:
        child = waiting.pop()
        if not isinstance(child, list) or not child:
            continue
        if len(child) > 1 and isinstance(child[1], list) and child[1]:
            waiting += reversed(child[1])  # a group is no task
            continue
        head = child[0][0] if isinstance(child[0], list) and child[0] else child[0]
        if isinstance(head, str):
            found.append(head)
    return tuple(found)


def _epoch(date_done: Any) -> float | None:
    if isinstance(date_done, datetime):
        moment = date_done
    elif isinstance(date_done, str):
        try:
            moment = datetime.fromisoformat(date_done)
        except ValueError:
            return None
    else:
        return None
    try:
        # Without a zone it is UTC: Celery stores no other local time.
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):
        return None


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None


def _number(value: Any) -> float | None:
    """Not negative, not a bool, nothing that an int of 400 digits could break."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return value if 0 <= value < 1e15 else None


def _whole(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None
