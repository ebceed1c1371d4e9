"""Which messages a binding lets through, by the type of its exchange. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from functools import cache
from typing import Any

import msgspec

ANY_WORD, ANY_WORDS = "*", "#"
NULL = "undefined"
"""How the management API writes null."""


class Binding(msgspec.Struct, frozen=True):
    """One way out of an exchange, to a queue or on to another exchange."""

    source: str
    destination: str
    to_queue: bool
    key: str
    arguments: dict[str, Any] = {}

    @property
    def goes_to(self) -> tuple[bool, str]:
        """Queues and exchanges may bear the same name."""
        return self.to_queue, self.destination


def lets_through(
    kind: str, binding: Binding, keys: Collection[str], headers: Mapping[str, Any]
) -> bool | None:
    """Whether a message takes it; None: that cannot be told."""
    if kind == "fanout":
        return True
    if kind == "direct":
        return binding.key in keys
    if kind == "topic":
        return _topic(binding.key, keys)
    return _headers(binding.arguments, headers) if kind == "headers" else None


def may_meet(kind: str, one: Binding, other: Binding) -> bool:
    """Whether there may be a message of one key that takes both."""
    if kind == "direct":
        return one.key == other.key
    if kind == "topic":
        return _meet(_words(one.key), _words(other.key))
    return True


def _topic(pattern: str, keys: Collection[str]) -> bool | None:
    split = [_words(key) for key in keys]
    if any(ANY_WORD in words or ANY_WORDS in words for words in split):
        return None  # in a message's key they are no wildcards, and odd
    return any(_meet(_words(pattern), words) for words in split)


def _words(key: str) -> tuple[str, ...]:
    return tuple(key.split(".")) if key else ()


def _meet(one: tuple[str, ...], other: tuple[str, ...]) -> bool:
    """Whether there are words that both describe."""

    @cache
    def from_here(a: int, b: int) -> bool:
        if a < len(one) and one[a] == ANY_WORDS:
            return from_here(a + 1, b) or (b < len(other) and from_here(a, b + 1))
        if b < len(other) and other[b] == ANY_WORDS:
            return from_here(a, b + 1) or (a < len(one) and from_here(a + 1, b))
        if a == len(one) or b == len(other):
            return a == len(one) and b == len(other)
        same = one[a] == other[b] or ANY_WORD in (one[a], other[b])
        return same and from_here(a + 1, b + 1)

    return from_here(0, 0)


def _headers(arguments: Mapping[str, Any], headers: Mapping[str, Any]) -> bool | None:
    """What starts with ``x-`` does not count, but in kinds of match that came later."""
    how = arguments.get("x-match", "all")
    wanted = {name: value for name, value in arguments.items() if not name.startswith("x-")}
    found = {name: headers.get(name, "") for name in wanted}
    plain = all(type(one) in (str, int, bool) for one in (*wanted.values(), *found.values()))
    if how not in ("all", "any") or not plain or NULL in wanted.values():
        return None
    equal = [
        name in headers and (type(found[name]), found[name]) == (type(value), value)
        for name, value in wanted.items()
    ]
    return all(equal) if how == "all" else any(equal)
