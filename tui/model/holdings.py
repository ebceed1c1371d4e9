"""Which queues the messages come from that workers hold, by what they answer when asked."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any

import msgspec

from .observations import Reply

QUESTIONS = ("active", "reserved", "scheduled")
FRESH_S = 15.0
"""Answers older than this are not set against what is unacknowledged now."""
SURE_AFTER = 3
"""Looks within one freshness of which the least difference is believed: messages move meanwhile."""
LONGEST_NAME = 1_000


class Held(msgspec.Struct, gc=False):
    """One worker's answer to one question."""

    at: float
    by_queue: dict[str, int]
    """Unacknowledged messages by queue; of running tasks those that acknowledge late."""
    whole: bool
    """Whether it told of every task if it is acknowledged."""


class Difference(msgspec.Struct, gc=False):
    """How the least difference of one queue stands."""

    asked: float
    least: int
    looks: int


class Holdings:
    """Folds the answers of all workers; reads what they hold of one queue."""

    def __init__(self) -> None:
        self._held: dict[str, dict[str, Held]] = {}
        self._routes: dict[tuple[str, str], str] = {}
        """(exchange, routing key) -> queue, as workers declare their queues."""
        self._differences: dict[str, Difference] = {}

    def fold(self, reply: Reply) -> None:
        """What is hostile or odd in it is left out."""
        if not isinstance(reply.payload, list):
            return
        if reply.question == "active_queues":
            for entry in reply.payload:
                self._route(entry)
        elif reply.question in QUESTIONS:
            answers = self._held.setdefault(reply.hostname, {})
            answers[reply.question] = self._counted(reply)

    def _route(self, entry: Any) -> None:
        if not isinstance(entry, dict):
            return
        exchange, key, name = entry.get("exchange"), entry.get("routing_key"), entry.get("name")
        exchange = exchange.get("name") if isinstance(exchange, dict) else exchange
        if all(
            isinstance(word, str) and len(word) < LONGEST_NAME for word in (exchange, key, name)
        ):
            self._routes[str(exchange), str(key)] = str(name)

    def _counted(self, reply: Reply) -> Held:
        counts: Counter[str] = Counter()
        whole = True
        for entry in reply.payload:
            request = entry
            if reply.question == "scheduled" and isinstance(entry, dict):
                request = entry.get("request")
            if not isinstance(request, dict):
                continue
            acknowledged = request.get("acknowledged")
            queue = self.queue_of(request.get("delivery_info"))
            whole = whole and isinstance(acknowledged, bool) and queue is not None
            if acknowledged is not True and queue is not None:
                counts[queue] += 1
        return Held(reply.at, dict(counts), whole)

    def queue_of(self, route: Any) -> str | None:
        """The queue a message came from, by the delivery_info of its request."""
        if not isinstance(route, dict):
            return None
        exchange, key = route.get("exchange") or "", route.get("routing_key")
        if not isinstance(exchange, str) or not isinstance(key, str):
            return None
        return self._routes.get((exchange, key), key) if exchange else key

    # -- reading ------------------------------------------------------------------------------

    def held(self, queue: str, hostnames: Iterable[str]) -> int | None:
        """Messages of a queue that wait in these workers; None until each has told."""
        return self._sum(queue, hostnames, ("reserved", "scheduled"))

    def _sum(self, queue: str, hostnames: Iterable[str], questions: Iterable[str]) -> int | None:
        total = 0
        for hostname in hostnames:
            answers = self._held.get(hostname, {})
            for question in questions:
                if question not in answers:
                    return None
                total += answers[question].by_queue.get(queue, 0)
        return total

    def limbo(
        self, queue: str, unacked: int, hostnames: list[str], now: float, known: int | None
    ) -> int | None:
        """Unacknowledged messages that no worker lists; ``known`` where it cannot be told now.

        Workers' answers and the count are never of one moment. Messages in limbo stay, the
        others move: the least of several differences is what stays.
        """
        asked = self._oldest_answer(hostnames, now)
        accounted = self._sum(queue, hostnames, QUESTIONS)
        if asked is None or accounted is None:
            return known
        difference = max(0, unacked - accounted)
        before = self._differences.get(queue)
        if before is None or now - before.asked > FRESH_S:
            before = self._differences[queue] = Difference(asked, difference, 0)
        before.least, before.looks = min(before.least, difference), before.looks + 1
        if not before.least or before.looks >= SURE_AFTER:
            return before.least
        return known

    def _oldest_answer(self, hostnames: list[str], now: float) -> float | None:
        """When the oldest answer was given, if all are whole and fresh."""
        oldest = now
        for hostname in hostnames:
            answers = self._held.get(hostname, {})
            for question in QUESTIONS:
                answer = answers.get(question)
                if answer is None or not answer.whole or now - answer.at > FRESH_S:
                    return None
                oldest = min(oldest, answer.at)
        return oldest
