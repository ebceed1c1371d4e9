"""Unacknowledged messages on Redis: how many, for which queues, and one of them by task id."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from typing import Any

from .message import Message, of_envelope
from .redis_scan import page_size

UNACKED = "unacked"
MOST_A_STEP = 500


class Unacked:
    """Walks the hash ``unacked`` with HSCAN, a page at each step; never HVALS."""

    def __init__(self, client: Any, prefix: str, queue_of: Callable[[str, str], str]) -> None:
        self._client, self._queue_of = client, queue_of
        self.key = f"{prefix}{UNACKED}"
        self._cursor = 0
        self._found: dict[bytes, str] = {}

    def count(self) -> int:
        """How many messages are delivered and not acknowledged."""
        count: int = self._client.hlen(self.key)
        return count

    def step(self) -> dict[str, int] | None:
        """The next page; the counts by queue when it was the last, else None."""
        self._cursor, page = self._client.hscan(self.key, self._cursor, count=self._page())
        for tag, value in page.items():
            route = _route(value)
            if route is not None:
                self._found[tag] = self._queue_of(*route)
        if self._cursor:
            return None
        counts, self._found = dict(Counter(self._found.values())), {}
        return counts

    def find(self, task_id: str) -> tuple[Message, str] | None:
        """The message of a task and the queue it came from."""
        wanted = json.dumps(task_id).encode()
        cursor = None
        while cursor != 0:
            cursor, page = self._client.hscan(self.key, cursor or 0, count=self._page())
            for value in page.values():
                if wanted in value and (found := self._message(value, task_id)):
                    return found
        return None

    def _message(self, value: bytes, task_id: str) -> tuple[Message, str] | None:
        entry = _entry(value)
        if entry is None or (message := of_envelope(entry[0])) is None:
            return None
        return (message, self._queue_of(entry[1], entry[2])) if message.task_id == task_id else None

    def _page(self) -> int:
        return page_size(self._client, self.key, self.count(), MOST_A_STEP)


def _route(value: bytes) -> tuple[str, str] | None:
    entry = _entry(value)
    return None if entry is None else (entry[1], entry[2])


def _entry(value: bytes) -> tuple[Any, str, str] | None:
    """(envelope, exchange, routing key) of one value of the hash; None for anything else."""
    try:
        envelope, exchange, routing_key = json.loads(value)
    except (ValueError, TypeError, RecursionError):
        return None
    if not isinstance(routing_key, str) or not isinstance(exchange, str | None):
        return None
    return envelope, exchange or "", routing_key
