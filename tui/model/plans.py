"""What a message says will be sent after its task: chains, callbacks and chords. Pure."""

from __future__ import annotations

from itertools import islice
from typing import Any

import msgspec

LONGEST_PLAN = 200
LONGEST_ID = 300

NEXT, CALLBACK, ERRBACK, CHORD = "next", "callback", "errback", "chord"
"""Why a task is to be sent: a chain's next link, ``link``, ``link_error``, a chord's body."""


class Planned(msgspec.Struct, frozen=True, gc=False):
    """A task that is to be sent when another one has ended; the id is empty if not yet given."""

    id: str
    name: str
    relation: str


def planned(task_id: str, embed: Any) -> dict[str, tuple[Planned, ...]]:
    """What a message says will be sent after its task: sender -> what it sends.

    ``embed`` is the third part of the body (callbacks, errbacks, chain, chord) and hostile input.
    """
    if not isinstance(embed, dict):
        return {}
    plans: dict[str, list[Planned]] = {}
    senders = [task_id]
    chain = embed.get("chain")
    # The next link stands last.
    for signature in islice(reversed(chain if isinstance(chain, list) else []), LONGEST_PLAN):
        senders = _link(plans, senders, signature)
    for key, relation in (("callbacks", CALLBACK), ("errbacks", ERRBACK)):
        listed = embed.get(key)
        for signature in islice(listed if isinstance(listed, list) else (), LONGEST_PLAN):
            _send(plans, [task_id], signature, relation)
    if isinstance(embed.get("chord"), dict):
        _send(plans, [task_id], embed["chord"], CHORD)
    return {sender: tuple(followers) for sender, followers in plans.items()}


def _link(plans: dict[str, list[Planned]], senders: list[str], signature: Any) -> list[str]:
    """Add one link of a chain; who sends the next one."""
    if not isinstance(signature, dict):
        return senders
    kwargs = signature.get("kwargs")
    kwargs = kwargs if isinstance(kwargs, dict) else {}
    if signature.get("task") == "celery.group":
        return _all(plans, senders, kwargs.get("tasks"))
    if signature.get("task") == "celery.chord":
        header = kwargs.get("header")
        if isinstance(header, dict) and isinstance(header.get("kwargs"), dict):
            header = header["kwargs"].get("tasks")
        heads = _all(plans, senders, header)
        return _send(plans, heads, kwargs.get("body"), CHORD) or heads
    return _send(plans, senders, signature, NEXT) or senders


def _all(plans: dict[str, list[Planned]], senders: list[str], signatures: Any) -> list[str]:
    found: list[str] = []
    for signature in islice(signatures if isinstance(signatures, list) else (), LONGEST_PLAN):
        found += _send(plans, senders, signature, NEXT)
    return found or senders


def _send(
    plans: dict[str, list[Planned]], senders: list[str], signature: Any, relation: str
) -> list[str]:
    if not isinstance(signature, dict) or not isinstance(signature.get("task"), str):
        return []
    options = signature.get("options")
    found = options.get("task_id") if isinstance(options, dict) else None
    task_id = found if isinstance(found, str) and len(found) <= LONGEST_ID else ""
    follower = Planned(task_id, signature["task"][:LONGEST_ID], relation)
    for sender in senders if len(senders) == 1 or relation == CHORD else senders[:1]:
        plans.setdefault(sender, []).append(follower)
    return [task_id] if task_id else []
