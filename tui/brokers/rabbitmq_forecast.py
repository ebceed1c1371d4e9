"""What a dialog says before a purge or an undo on RabbitMQ: rights, ways back, delivery limits."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any

from ..links.amqp_link import AmqpLink
from .base import Forecast
from .rabbitmq_batches import BATCH_MESSAGES
from .rabbitmq_onward import Nature, Onward, may_drop, room_in
from .rabbitmq_peek import NOT_KNOWN, counted
from .rabbitmq_record import body_bytes, came_by
from .rabbitmq_rights import may_keep_receipts, may_take
from .rabbitmq_ways import Way, Ways

BY_THEIR_KEY = "{queue} dead-letters messages by their own key"
NOT_TOLD = "Whether {queue} dead-letters messages by their own key cannot be told"
OTHER_KEY = "{what}. Z gives them the queue's name as key: they may go on to another place{but}."
PROVEN_ONLY = ", but for those with one proven way back"
ASK_THE_API = ": --management-url tells the way they came"
FINAL = (
    "The user {user} may not write to the default exchange: only another user could undo this "
    "purge, from this machine."
)
NO_RECEIPTS = (
    "The user {user} may make no queue of receipts: a kill in between leaves some doubtful."
)
TOO_MANY = (
    "{queue} holds {most:,} messages at most and drops its oldest for a new one: {stay:,} of these "
    "stay in quarantine until there is room."
)
DROPS_BYTES = (
    "{queue} holds {most:,} bytes at most and drops its oldest for a new one: what waits there, or "
    "some of these, may be dropped."
)
NO_COPIES = f"They leave no receipts: a kill in between leaves up to {BATCH_MESSAGES} doubtful."


def before_purge(link: AmqpLink, ways: Ways) -> Forecast:
    """Whether it can be undone, by whom, and with what change."""
    user, queue = link.login[0], ways.queue
    if not may_take(link, queue):
        return Forecast(
            blocked=f"The user {user} may not read {queue}: its messages cannot be taken out."
        )
    final = not link.may_write()
    changed = "" if final else _change(ways)
    warnings = [FINAL.format(user=user)] if final else [changed] if changed else []
    if not final and not may_keep_receipts(link):
        warnings.append(NO_RECEIPTS.format(user=user))
    warnings += _counting(ways.nature)
    return Forecast(warnings=tuple(warnings), sure=final or bool(changed), final=final)


def _change(ways: Ways) -> str:
    """That an undo may send messages on to another place; empty: it does not."""
    nature, queue = ways.nature, ways.queue
    if nature.onward in (Onward.NOTHING, Onward.PERHAPS):
        return ""
    if nature.sure and ways.alone():
        return ""
    known = nature.onward is Onward.PLACE
    what = (BY_THEIR_KEY if known else NOT_TOLD).format(queue=queue)
    return OTHER_KEY.format(what=what, but=PROVEN_ONLY if nature.sure else ASK_THE_API)


def _counting(nature: Nature) -> Iterator[str]:
    """What becomes of messages in our hands when it breaks off."""
    if nature.kind in ("", "quorum"):
        words = counted(nature.limit) if nature.kind else NOT_KNOWN
        yield f"Broken off, it puts up to {BATCH_MESSAGES} messages back. {words}."


def before_undo(
    link: AmqpLink, ways: Ways, records: Iterable[dict[str, Any]], ready: int = 0
) -> Forecast:
    """Which ways its messages go, and whether this user may send them there.

    ``ready``: so many wait in the queue now.
    """
    found: Counter[Way] = Counter()
    own: dict[str, str] = {}
    octets = 0
    for record in records:
        octets += body_bytes(record)
        way = ways.of(record)
        found[way] += 1
        if way is Way.AS_IT_CAME:
            exchange, keys, _ = came_by(record)
            own[exchange] = keys[0]
    nature, count = ways.nature, found.total()
    drops = may_drop(nature, ready, octets)
    bounds = [DROPS_BYTES.format(queue=ways.queue, most=nature.most_bytes)] if drops else []
    return Forecast(
        facts=tuple(_returning(found, ways)),
        warnings=(*_changes(found, ways), *_bounded(ways, ready, count), *bounds),
        sure=bool(found[Way.ELSEWHERE] or drops),
        blocked=_unwritable(link, found, own),
    )


def _returning(found: Counter[Way], ways: Ways) -> Iterator[str]:
    if number := found[Way.AS_IT_CAME]:
        yield f"{_messages(number)} as they came: through their own exchange, with their own key."
    if not ways.leave_copies:
        yield NO_COPIES
    if ways.nature.expires:
        yield f"How long they may stay in {ways.queue} begins anew."


def _changes(found: Counter[Way], ways: Ways) -> Iterator[str]:
    queue, api = ways.queue, "" if ways.nature.sure else ASK_THE_API
    if number := found[Way.ELSEWHERE]:
        known = ways.nature.onward is Onward.PLACE
        what = (BY_THEIR_KEY if known else NOT_TOLD).format(queue=queue)
        yield (
            f"{_messages(number)} with the queue's name as their key, and may go on to another "
            f"place then. {what}{api}."
        )
    if number := found[Way.UNTOLD]:
        yield (
            f"{_messages(number)} with the queue's name as their key, not their own: by a policy "
            f"{queue} may dead-letter them to another place then. That cannot be told{api}."
        )


def _bounded(ways: Ways, ready: int, count: int) -> Iterator[str]:
    """How many find no room in a queue that would drop others for them."""
    room = room_in(ways.nature, ready)
    if room is not None and room < count:
        yield TOO_MANY.format(queue=ways.queue, most=ways.nature.most, stay=count - room)


def _messages(number: int) -> str:
    return f"{number:,} message{' goes' if number == 1 else 's go'} back"


def _unwritable(link: AmqpLink, found: Counter[Way], own: dict[str, str]) -> str:
    by_name = sum(found.values()) > found[Way.AS_IT_CAME]
    refused = ["the default exchange"] if by_name and not link.may_write() else []
    refused += [exchange for exchange, key in own.items() if not link.may_write(exchange, key)]
    if not refused:
        return ""
    user = f"The user {link.login[0]}"
    return f"{user} may not write to {refused[0]}: another user has to bring them back."
