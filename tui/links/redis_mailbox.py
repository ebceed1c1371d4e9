"""Replies through Redis, in two keys that expire by themselves."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from .asking import Answer, Asking, read
from .kombu_link import redis_client
from .site import Site

if TYPE_CHECKING:
    from kombu.connection import Connection

BINDING_TTL_MS, LIST_TTL_MS = 15_000, 25_000
"""Longer than the pauses between two questions. The binding goes first, so that no late reply
can make the list anew without an expiry."""
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.004, 0.05
IDLE_LOOK_EVERY_S = 1.0
LAST = b"end"
"""Keeps the list alive, and with it the expiry that a worker's LPUSH would not set."""


class RedisMailbox(Asking):
    """Replies through a list that we read ourselves, because BRPOP would empty it.

    Redis deletes an empty list, and its expiry with it; the next worker's LPUSH would make one
    that stays for ever if we were killed just then. So the last element always stays.
    """

    def __init__(self, connection: Connection, site: Site, oid: str) -> None:
        super().__init__(connection, site, oid)
        # An exchange of our own: its binding table may expire without hurting other clients.
        self.reply_exchange = f"reply.{self.oid}.{site.control_exchange}.pidbox"
        queue = f"{self.oid}.{self.reply_exchange}"
        prefix = self.channel.global_keyprefix
        self._client = redis_client(self.channel)
        self._list = f"{prefix}{queue}"
        self._binding = f"{prefix}{self.channel.keyprefix_queue % self.reply_exchange}"
        self._member = self.channel.sep.join((self.oid, "", queue))
        self._looked = 0.0
        self._pause_s = FIRST_PAUSE_S
        self._make_client = self.channel._create_client
        self.channel._create_client = self._counting

    def _counting(self, *args: Any, **rest: Any) -> Any:
        """A client of the channel that notes how many connections a broadcast reached."""
        made = self._make_client(*args, **rest)
        publish = made.publish

        def counted(*args: Any, **rest: Any) -> Any:
            self.receivers = publish(*args, **rest)
            return self.receivers

        made.publish = counted
        return made

    def ask(
        self,
        question: str,
        ticket: str,
        workers: Sequence[str] = (),
        arguments: Mapping[str, Any] | None = None,
    ) -> None:
        """Make sure that replies have somewhere to go, and can be put there, then broadcast.

        Each time: a worker of Celery 5.7 that cannot answer, because Redis is full or a replica,
        ends itself.
        """
        self._pause_s = FIRST_PAUSE_S
        self._refresh()
        super().ask(question, ticket, workers, arguments)

    def answers(self, wait_s: float, urgent: bool) -> Iterator[Answer]:
        """Look at once, then in growing pauses while a question is out; seldom otherwise."""
        pause_s = min(wait_s, self._pause_s) if urgent else wait_s
        time.sleep(pause_s)
        self._pause_s = min(self._pause_s * 1.5, LONGEST_PAUSE_S)
        if urgent or time.monotonic() - self._looked >= IDLE_LOOK_EVERY_S:
            self._looked = time.monotonic()
            yield from map(self._read, self._fetch())

    def standing(self, workers: Iterable[str]) -> frozenset[str] | None:
        """Not told. But who has not answered a Redis that takes no answers is not to blame."""
        if workers:
            self._refresh()
        return None

    def close(self) -> None:
        """Delete both keys."""
        self._client.delete(self._binding, self._list)

    def _fetch(self) -> list[bytes]:
        if self._client.llen(self._list) < 2:
            return []
        with self._client.pipeline(transaction=True) as pipe:
            pipe.lrange(self._list, 0, -2)
            pipe.ltrim(self._list, -1, -1)
            found: list[bytes] = pipe.execute()[0]
        return found[::-1]

    def _refresh(self) -> None:
        """Make or prolong both keys; whatever waits in the list stays."""
        with self._client.pipeline(transaction=True) as pipe:
            pipe.lrem(self._list, -1, LAST)
            pipe.rpush(self._list, LAST)
            pipe.pexpire(self._list, LIST_TTL_MS)
            pipe.sadd(self._binding, self._member)
            pipe.pexpire(self._binding, BINDING_TTL_MS)
            pipe.execute()

    def _read(self, raw: bytes) -> Answer:
        try:
            message = self.channel.Message(json.loads(raw), channel=self.channel)
        except (ValueError, LookupError, TypeError, AttributeError) as error:
            return Answer("", {}, type(error).__name__)
        return read(message)
