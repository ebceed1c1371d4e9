"""On which side messages are that a kill or a fault has left between a file and the broker."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

from ..links.amqp_link import AmqpLink
from .rabbitmq_file import Journal
from .rabbitmq_receipts import FIRST, GONE_WITHIN_S, forget, has_died_in, left_behind, token_of
from .rabbitmq_standing import Standing
from .redis_keys import RECEIPTS

CLOCK_S = 5.0
"""So much earlier than it says a copy may have expired: the broker takes its time from us."""


def settle(link: AmqpLink, journal: Journal, wait_s: float = GONE_WITHIN_S) -> None:
    """Ask the receipts; what they do not prove stays torn."""
    standing, digest = journal.standing, journal.path.stem
    if not standing.torn or (standing.flying and not standing.traced):
        return
    found = left_behind(link, digest, wait_s)
    if found is None:
        return
    tokens = [token_of(message) for message in found]
    if standing.flying:
        if FIRST not in tokens or not isinstance(link.declare(standing.queue), tuple):
            return  # receipts do not stay there, or a copy tells nothing of the queue
        if any(has_died_in(one, standing.queue) for one in found):
            return  # dead-lettered by a policy: more copies than messages were sent
        copies = [one for one, token in zip(found, tokens, strict=True) if token is None]
        journal.write(_sent(journal, copies, time.time()))
    elif standing.acking in tokens:
        journal.write({"acked": standing.acking})
    elif standing.acked in tokens:  # the one before goes with the next one's commit
        journal.write({"acking": standing.acked})
    else:
        return
    forget(link, f"{RECEIPTS}{digest}")


def _sent(journal: Journal, copies: Sequence[Any], now: float) -> dict[str, Any]:
    """What the copies tell of a batch: one publish goes to both queues, in the file's order."""
    standing = journal.standing
    gone = _may_be_gone(journal, now)
    stay = [number for number in standing.flying if number not in gone]
    taken = sum(not expired(one.properties, standing.since, now) for one in copies)
    came = _up_to(standing, stay[taken - 1]) if taken else 0
    first_not = standing.flying.index(stay[taken]) if taken < len(stay) else len(standing.flying)
    unsure = set(standing.flying[came:first_not])
    if standing.refused:  # a copy does not tell that the queue has taken it, too
        unsure.update(standing.flying[:came])
    again = standing.flying[first_not:]
    return {"sent": True, "again": again, "unsure": sorted(unsure - standing.taken)}


def _up_to(standing: Standing, number: int) -> int:
    return standing.flying.index(number) + 1


def _may_be_gone(journal: Journal, now: float) -> set[int]:
    """Messages whose copies may have expired: with time to live of their own."""
    standing = journal.standing
    return {
        number
        for number, record, _ in journal.messages(standing.flying)
        if expired(record["properties"], standing.since, now)
    }


def expired(properties: dict[str, Any], since: float, now: float) -> bool:
    """Whether a message that was sent since then may have expired by now; epoch seconds."""
    word = properties.get("expiration")
    if word is None:
        return False
    lives_s = int(word) / 1000 if str(word).isdigit() else 0.0
    return not since <= now < since + lives_s - CLOCK_S
