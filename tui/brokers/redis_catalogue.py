"""Which queues a Redis holds and in which lists: bindings, and lists that hold messages."""

from __future__ import annotations

import time
from collections.abc import Iterable
from itertools import islice
from typing import Any

from .message import parse
from .redis_keys import BINDING, SEPARATOR, escaped, split_list, split_quarantine, wanted_queue
from .redis_scan import Forbidden, Walk, ask_many

READ_A_STEP = 100
"""Binding sets, or tails of unknown lists, read in one step."""
REREAD_A_SECOND = 10
LONGEST_REREAD_S = 60.0
"""Bindings hardly ever change, and a queue with messages is found by its list."""
LOOK_AGAIN_AFTER_S = 30.0
"""A list that held no message is a user's own; it is not looked into at each round."""


class Catalogue:
    """The queues under one key prefix, kept up to date by calling ``step()`` again and again."""

    def __init__(self, client: Any, prefix: str, separator: str = SEPARATOR) -> None:
        self._client, self._prefix, self.separator = client, prefix, separator
        self._lists = Walk(client, f"{escaped(prefix)}*", "list")
        self._binding_keys = Walk(client, f"*{BINDING}*", "set")
        self.queues: dict[str, set[int]] = {}
        """Queue or quarantine -> priority steps seen besides 0."""
        self.told: frozenset[str] = frozenset()
        """Queues that workers list or clients named: read whether or not a key of theirs exists."""
        self.forbidden = Forbidden()
        """Keys that this user may not read."""
        self.rounds = 0
        """Rounds over all keys that have ended."""
        self._bindings: dict[str, dict[str, str]] = {}
        """Exchange -> routing key -> queue."""
        self._bound: frozenset[str] = frozenset()
        self._own = False
        """Whether a binding other than for replies, be it of control, stands under our prefix."""
        self._foreign: set[str] = set()
        self._no_messages: dict[str, float] = {}
        self._seen_lists: set[str] = set()
        self._seen_exchanges: set[str] = set()
        self._unread: dict[str, None] = {}
        self._read_again: dict[str, float] = {}
        """Exchange -> when its bindings are read again, monotonic seconds."""
        self._unknown: dict[str, None] | None = None

    # -- reading ------------------------------------------------------------------------------

    def foreign_prefixes(self) -> tuple[str, ...]:
        """Key prefixes of other Celery set-ups, if a whole round found nothing under ours."""
        ours = self._own or bool(self.queues)
        return () if ours or not self.rounds else tuple(sorted(self._foreign))

    def queue_of(self, exchange: str, routing_key: str) -> str:
        """The queue a message went to: by the bindings, else the routing key itself."""
        return self._bindings.get(exchange, {}).get(routing_key, routing_key)

    def forget(self, queue: str) -> None:
        """Somebody saw that a queue is gone."""
        self.queues.pop(queue, None)

    # -- searching ----------------------------------------------------------------------------

    def step(self) -> bool:
        """A bounded piece of the search; True when it ended a round over all keys."""
        for queue in self.told:
            if queue not in self.queues and wanted_queue("", queue):
                self.queues[queue] = set()
        if not (self._lists.ended and self._binding_keys.ended and not self._unread):
            self._note_bindings(self._binding_keys.step())
            self._read_bindings()
            self._note_lists(self._lists.step())
        if not (self._lists.ended and self._binding_keys.ended and not self._unread):
            return False
        # Only now are all prefixes known, and which lists belong to no binding.
        if self._unknown is None:
            self._unknown = dict.fromkeys(self._candidates())
        self._look_into_unknown()
        if self._unknown:
            return False
        self._end_round()
        return True

    def _note_bindings(self, keys: Iterable[str]) -> None:
        now = time.monotonic()
        for key in keys:
            prefix, _, exchange = key.partition(BINDING)
            if prefix != self._prefix:
                self._foreign.add(prefix)
            else:
                # Whoever asks workers binds a queue for the replies, and so do we: no sign of life.
                self._own = self._own or not exchange.startswith("reply.")
                self._seen_exchanges.add(exchange)
                if self._read_again.get(exchange, 0.0) <= now:
                    self._unread[exchange] = None

    def _read_bindings(self) -> None:
        exchanges = list(islice(self._unread, READ_A_STEP))
        for exchange in exchanges:
            del self._unread[exchange]
        again = time.monotonic() + min(LONGEST_REREAD_S, len(self._bindings) / REREAD_A_SECOND)
        self._read_again |= dict.fromkeys(exchanges, again)
        names = [
            name
            for name in exchanges
            if wanted_queue(name, name or "-")
            and f"{self._prefix}{BINDING}{name}" not in self.forbidden
        ]
        if not names:
            return
        asked = [("SMEMBERS", f"{self._prefix}{BINDING}{name}") for name in names]
        replies = ask_many(self._client, asked, forbidden=self.forbidden)
        for exchange, members in zip(names, replies, strict=True):
            self._bindings[exchange] = dict(_bindings(exchange, members or (), self.separator))
        self._bound = frozenset(q for by_key in self._bindings.values() for q in by_key.values())
        for queue in self._bound:
            self.queues.setdefault(queue, set())

    def _note_lists(self, keys: Iterable[str]) -> None:
        for key in keys:
            name = key[len(self._prefix) :]
            self._seen_lists.add(name)
            queue, step = placed(name, self.separator)
            if queue in self._bound or queue in self.queues or split_quarantine(name):
                self.queues.setdefault(queue, set()).add(step)

    def _candidates(self) -> list[str]:
        now = time.monotonic()
        others = tuple(p for p in self._foreign if len(p) > len(self._prefix))
        return [
            name
            for name in self._seen_lists
            if placed(name, self.separator)[0] not in self.queues
            and wanted_queue("", name)
            and self._no_messages.get(name, 0.0) <= now
            and not f"{self._prefix}{name}".startswith(others)
            and f"{self._prefix}{name}" not in self.forbidden
        ]

    def _look_into_unknown(self) -> None:
        assert self._unknown is not None  # noqa: S101  narrows for the type checker only
        names = list(islice(self._unknown, READ_A_STEP))
        asked = [("LINDEX", f"{self._prefix}{name}", -1) for name in names]
        replies = ask_many(self._client, asked, forbidden=self.forbidden)
        for name, tail in zip(names, replies, strict=True):
            del self._unknown[name]
            if isinstance(tail, bytes) and parse(tail) is not None:
                queue, step = placed(name, self.separator)
                self.queues.setdefault(queue, set()).add(step)
            else:
                self._no_messages[name] = time.monotonic() + LOOK_AGAIN_AFTER_S

    def _end_round(self) -> None:
        with_lists = {placed(name, self.separator)[0] for name in self._seen_lists}
        for exchange in self._read_again.keys() - self._seen_exchanges:
            del self._read_again[exchange]
            self._bindings.pop(exchange, None)
        self._bound = frozenset(q for by_key in self._bindings.values() for q in by_key.values())
        for queue in self.queues.keys() - self._bound - with_lists - self.told:
            self.forget(queue)
        kept = self._seen_lists
        self._no_messages = {n: at for n, at in self._no_messages.items() if n in kept}
        self.rounds += 1
        self._seen_lists, self._seen_exchanges, self._unknown = set(), set(), None
        self._lists.again()
        self._binding_keys.again()


def placed(name: str, separator: str = SEPARATOR) -> tuple[str, int]:
    """(queue or quarantine, priority step) of a list."""
    quarantine = split_quarantine(name)
    if quarantine is not None:
        return quarantine[0], quarantine[3] or 0
    return split_list(name, separator)


def _bindings(exchange: str, members: Iterable[bytes], separator: str) -> Iterable[tuple[str, str]]:
    for member in members:
        parts = member.decode("utf-8", "replace").split(separator, 2)
        if len(parts) == 3 and wanted_queue(exchange, parts[2]) and "\ufffd" not in parts[2]:
            yield parts[0], parts[2]
