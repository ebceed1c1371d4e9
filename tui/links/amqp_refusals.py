"""What RabbitMQ tells of a queue when it refuses to declare it once more with something else.

A queue is declared with a kind that does not exist, which never makes one. The refusal of an
existing queue names the first thing that differs, and what it is there.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from typing import Any, NamedTuple

KIND = "x-queue-type"
NO_KIND = "celery-tui-asks"
NUMBERS = frozenset({"x-max-length", "x-max-length-bytes"})
NO_NUMBER = -7
"""What no queue has: one that differs from what is asked in its type is told without it."""
MOST_ARGUMENTS = 16
_ARGUMENT = re.compile(
    r"inequivalent arg '(?P<name>x-[^']+)' .* but current is "
    r"(?:none|(?:the value )?'(?P<value>.*?)'(?: of type '(?P<type>\w+)')?)$"
)
Value = str | int | bool | None


class Asked(NamedTuple):
    """How a queue is declared to be refused."""

    durable: bool
    auto_delete: bool
    arguments: dict[str, Any]


def told_by(
    refusal_of: Callable[[Asked], str], names: Collection[str] = ()
) -> tuple[str, dict[str, Value] | None]:
    """A queue's kind, and arguments that it has, all of these names; "", None: not told.

    ``refusal_of`` declares the queue so and returns the broker's words.
    """
    no_such = {name: NO_NUMBER if name in NUMBERS else NO_KIND for name in (*names, KIND)}
    asked = Asked(True, False, no_such)
    kind, told = "", dict[str, Value]()
    for _ in range(MOST_ARGUMENTS):
        refusal = refusal_of(asked)
        kind = kind or kind_told(refusal)
        one = argument_told(refusal)
        if one is not None and one[0] not in (KIND, *told):
            name, told[one[0]] = one[0], _typed(one[1], asked.arguments.get(one[0]))
            _same(asked.arguments, name, told[name])
        elif "arg 'durable'" in refusal and asked.durable:
            asked = asked._replace(durable=False)
        elif "arg 'auto_delete'" in refusal and not asked.auto_delete:
            asked = asked._replace(auto_delete=True)
        else:
            known = one is not None and one[0] == KIND and told.keys() >= set(names)
            return kind, {k: v for k, v in told.items() if v is not None} if known else None
    return kind, None


def _same(arguments: dict[str, Any], name: str, value: Value) -> None:
    arguments.pop(name, None)
    if value is not None:
        arguments[name] = value


def _typed(value: Value, asked: Value) -> Value:
    """What was told of a number that was asked for as one."""
    number = isinstance(asked, int) and isinstance(value, str) and value.isdigit()
    return int(str(value)) if number else value


def kind_told(refusal: str) -> str:
    """The kind of queue in such a refusal, if it tells that."""
    if f"inequivalent arg '{KIND}'" in refusal:
        for kind in ("quorum", "stream", "classic"):
            if refusal.endswith(f"current is '{kind}'"):
                return kind
        return "classic" if refusal.endswith("current is none") else ""
    # Quorum queues and streams are always durable and never deleted by themselves.
    only = ("'durable'", "'auto_delete'", "'exclusive'", "'x-max-priority'")
    return "classic" if any(f"inequivalent arg {word}" in refusal for word in only) else ""


def argument_told(refusal: str) -> tuple[str, Value] | None:
    """The argument that such a refusal names, and its value; None: the queue has none."""
    match = _ARGUMENT.search(refusal)
    if match is None:
        return None
    value, kind = match["value"], match["type"] or "longstr"
    if kind == "bool":
        return match["name"], value == "true"
    number = value is not None and kind != "longstr" and value.isdigit()
    return match["name"], int(value) if number else value
