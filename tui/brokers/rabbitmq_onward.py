"""What a queue does with its messages: where they go on to from it, by which key, what it drops.

The management API tells arguments and policies. Without it the broker's refusal to declare a
queue with other arguments tells these, but no policy.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from typing import Any

import msgspec

from ..links.amqp_link import AmqpLink
from .rabbitmq_topology import Topology, inside

EXCHANGE, KEY = "dead-letter-exchange", "dead-letter-routing-key"
TTL, LIMIT = "message-ttl", "delivery-limit"
MOST, MOST_BYTES, OVERFLOW = "max-length", "max-length-bytes", "overflow"
DROPS = "drop-head"
"""What a full queue does where nothing else is said."""
ASKED = tuple(f"x-{name}" for name in (EXCHANGE, KEY, MOST, MOST_BYTES, OVERFLOW))
"""Arguments that refusals tell of each kind of queue; policies have them without ``x-``."""


class Onward(enum.Enum):
    """What a message's own key decides when it leaves the queue other than to a worker."""

    NOTHING = enum.auto()
    """It goes nowhere, or by a key that the queue names."""
    PERHAPS = enum.auto()
    """By its arguments the queue dead-letters nowhere; a policy may say otherwise."""
    PLACE = enum.auto()
    """The queue dead-letters by the message's own key."""
    UNKNOWN = enum.auto()
    """Nothing of it is known."""


class Nature(msgspec.Struct, frozen=True):
    """What a queue does with its messages."""

    onward: Onward = Onward.UNKNOWN
    kind: str = ""
    """``classic``, ``quorum`` or ``stream``; empty: not known."""
    expires: bool | None = None
    """Whether messages leave it by their age; None: not known."""
    limit: int | None = None
    """How often a message may come back before it is dropped, where one is known."""
    sure: bool = False
    """Whether policies are known, too."""
    most: int | None = None
    """Messages above which it drops its oldest, as far as that is known."""
    most_bytes: int | None = None
    """The same, of their bodies."""


def nature(link: AmqpLink, topology: Topology | None, queue: str) -> Nature:
    """What is known of a queue now."""
    told = topology.queue(queue) if topology is not None else None
    if told is not None:
        arguments = inside(told.get("arguments"))
        policy = inside(told.get("effective_policy_definition"))
        return _nature(str(told.get("type") or ""), arguments, policy)
    kind, found = link.nature(queue, ASKED)
    return Nature(kind=kind) if found is None else _nature(kind, found, None)


def _nature(kind: str, arguments: Mapping[str, Any], policy: Mapping[str, Any] | None) -> Nature:
    def says(name: str) -> Any:
        """An argument comes before a policy."""
        return arguments.get(f"x-{name}", (policy or {}).get(name))

    known = policy is not None
    drops = str(says(OVERFLOW) or DROPS) == DROPS
    return Nature(
        _onward(says(EXCHANGE) is not None, says(KEY) is not None, known),
        kind,
        True if says(TTL) is not None else False if known else None,
        limit_of(arguments, policy or {}),
        known,
        _least(MOST, arguments, policy or {}) if drops else None,
        _least(MOST_BYTES, arguments, policy or {}) if drops else None,
    )


def _onward(exchange: bool, key: bool, policy_known: bool) -> Onward:
    if key:
        return Onward.NOTHING
    if exchange:
        return Onward.PLACE
    return Onward.NOTHING if policy_known else Onward.PERHAPS


def room_in(nature: Nature, ready: int) -> int | None:
    """For how many more there is room before older ones are dropped; None: for all, as told."""
    return None if nature.most is None else max(0, nature.most - ready)


def may_drop(nature: Nature, ready: int, octets: int) -> bool:
    """Whether bodies of so many bytes may push others out: what waits there is counted only."""
    return nature.most_bytes is not None and bool(ready or octets > nature.most_bytes)


def limit_of(arguments: Mapping[str, Any], policy: Mapping[str, Any]) -> int | None:
    """How often a message may come back, as far as that is told."""
    return _least(LIMIT, arguments, policy)


def _least(name: str, arguments: Mapping[str, Any], policy: Mapping[str, Any]) -> int | None:
    """The lower of what a queue was declared with and what a policy says."""
    both = (arguments.get(f"x-{name}"), policy.get(name))
    known = [one for one in both if isinstance(one, int) and not isinstance(one, bool)]
    return min(known, default=None)
