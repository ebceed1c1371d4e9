"""Where RabbitMQ takes a message that is published with an exchange and keys. Pure.

Only what is sure is told: an exchange of a type that is not known here, one that no client may
publish to, an alternate exchange that a policy may set make the answer None, never "nowhere".
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any

import msgspec

from .rabbitmq_match import Binding, lets_through, may_meet

KINDS = ("direct", "topic", "fanout", "headers")


class Exchange(msgspec.Struct, frozen=True):
    """What matters of one."""

    kind: str
    internal: bool = False
    """Whether only the broker itself publishes to it."""
    alternate: str | None = None
    """Gets what no binding lets through, where it was declared so."""
    has_policy: bool = False
    """A policy may name an alternate, too; which one is told to its makers only."""


class Routes:
    """All exchanges and bindings of one virtual host, as they were told at one moment."""

    def __init__(self, exchanges: Mapping[str, Exchange], bindings: Iterable[Binding]) -> None:
        self._exchanges = exchanges
        self._from: dict[str, list[Binding]] = {}
        for one in bindings:
            self._from.setdefault(one.source, []).append(one)

    @property
    def by_headers(self) -> bool:
        """Whether there is a binding that looks at them."""
        kinds = {name: one.kind for name, one in self._exchanges.items()}
        return any(kinds.get(name) == "headers" for name in self._from)

    def queues(
        self, exchange: str, keys: Collection[str], headers: Mapping[str, Any]
    ) -> frozenset[str] | None:
        """All that a message would come to, once each; None: that is not sure."""
        first = self._exchanges.get(exchange)
        if first is None or first.internal:
            return None
        found: set[str] = set()
        seen, todo = {exchange}, [exchange]
        while todo:
            ways = self._ways(todo.pop(), keys, headers)
            if ways is None:
                return None
            found.update(name for to_queue, name in ways if to_queue)
            more = {name for to_queue, name in ways if not to_queue} - seen
            seen |= more
            todo += more
        return frozenset(found)

    def _ways(
        self, name: str, keys: Collection[str], headers: Mapping[str, Any]
    ) -> set[tuple[bool, str]] | None:
        exchange = self._exchanges.get(name)
        if exchange is None or exchange.kind not in KINDS:
            return None
        ways = set()
        for binding in self._from.get(name, ()):
            taken = lets_through(exchange.kind, binding, keys, headers)
            if taken is None:
                return None
            if taken:
                ways.add(binding.goes_to)
        return ways or _otherwise(exchange)

    def alone(self, queue: str) -> bool:
        """Whether every message of one key that came by bindings came to this queue only."""
        leading = self._leading_to(queue)
        wanted = {(True, queue), *((False, name) for name in leading)}
        return all(self._parts(name, wanted) for name in leading)

    def _parts(self, name: str, wanted: Collection[tuple[bool, str]]) -> bool:
        """Whether no message goes out of that exchange to a wanted place and another one."""
        exchange = self._exchanges.get(name)
        if exchange is None or exchange.internal or exchange.kind not in KINDS:
            return False
        ways = self._from.get(name, [])
        return not any(
            one.goes_to != other.goes_to and may_meet(exchange.kind, one, other)
            for one in ways
            if one.goes_to in wanted
            for other in ways
        )

    def _leading_to(self, queue: str) -> set[str]:
        """Exchanges from which a message may come to it, through others too."""
        into: dict[tuple[bool, str], set[str]] = {}
        for place, source in self._steps():
            into.setdefault(place, set()).add(source)
        found: set[str] = set()
        todo = list(into.get((True, queue), ()))
        while todo:
            name = todo.pop()
            if name not in found:
                found.add(name)
                todo += into.get((False, name), ())
        return found

    def _steps(self) -> Iterator[tuple[tuple[bool, str], str]]:
        """(where to, from which exchange)."""
        for bindings in self._from.values():
            yield from ((one.goes_to, one.source) for one in bindings)
        for name, exchange in self._exchanges.items():
            if exchange.alternate is not None:
                yield (False, exchange.alternate), name


def _otherwise(exchange: Exchange) -> set[tuple[bool, str]] | None:
    """Where what nothing lets through goes to."""
    if exchange.alternate is not None:
        return {(False, exchange.alternate)}
    return None if exchange.has_policy else set()
