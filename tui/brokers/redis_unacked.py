"""Unacknowledged messages on Redis: how many, for which queues, and one of them by task id."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Collection, Mapping
from typing import Any

from .base import Delivered
from .message import Message, of_envelope
from .redis_scan import ask_many, page_size

UNACKED, INDEX = "unacked", "unacked_index"
MOST_A_STEP = 500


class Search:
    """A walk in search of the messages of certain tasks."""

    def __init__(self, ids: Collection[str]) -> None:
        self.ids = frozenset(ids)
        self.cursor = 0
        self.tags: dict[str, bytes] = {}

    def look(self, page: Mapping[bytes, bytes]) -> None:
        """Look through one page of the hash."""
        for tag, value in page.items():
            entry = _entry(value)
            message = of_envelope(entry[0]) if entry is not None else None
            if message is not None and message.task_id in self.ids:
                self.tags[message.task_id] = tag


class Unacked:
    """Walks the hash ``unacked`` with HSCAN, a page at each step; never HVALS."""

    def __init__(self, client: Any, prefix: str, queue_of: Callable[[str, str], str]) -> None:
        self._client, self._prefix, self._queue_of = client, prefix, queue_of
        self.key = f"{prefix}{UNACKED}"
        self._cursor = 0
        self._found: dict[bytes, str] = {}
        self._search: Search | None = None

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

    def search(self, ids: Collection[str]) -> Delivered | None:
        """One page of a search for these tasks' messages; what was found when it is over."""
        search = self._search = self._search or Search(ids)
        page: Mapping[bytes, bytes]
        search.cursor, page = self._client.hscan(self.key, search.cursor, count=self._page())
        search.look(page)
        if search.cursor:
            return None
        self._search = None
        tags = [("ZSCORE", f"{self._prefix}{INDEX}", tag) for tag in search.tags.values()]
        scores = ask_many(self._client, tags) if tags else []
        times = [float(score) if score is not None else None for score in scores]
        found = dict(zip(search.tags, times, strict=True))
        return Delivered(found, tuple(search.ids - found.keys()))

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
