"""Sends a quarantine's messages again, batch by batch; each is confirmed, or stays in the file."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from ..errors import BrokerError
from ..links.amqp_link import AmqpLink
from . import rabbitmq_batches
from .base import Progress
from .rabbitmq_batches import Foreign, batches
from .rabbitmq_confirms import Confirms
from .rabbitmq_file import Journal
from .rabbitmq_onward import Nature, may_drop, room_in
from .rabbitmq_receipts import Receipts, Room
from .rabbitmq_record import body_bytes
from .rabbitmq_returns import Returned, Returns, with_returned
from .rabbitmq_standing import Standing
from .rabbitmq_ways import Unasked, WaysTo

NOT_BACK = "Nothing can be brought back into"
OVERFLOW, NOT_FOUND = "x-overflow", 404
REFUSES = "reject-publish"
"""So begins what a queue does that says no when it is full."""


class Sending:
    """One undo of one file, which is open and locked."""

    def __init__(
        self, link: AmqpLink, journal: Journal, ways_to: WaysTo, overflow: Callable[[str], str]
    ) -> None:
        self._link, self._journal = link, journal
        self._ways_to, self._overflow = ways_to, overflow

    def run(self, progress: Progress | None, elsewhere: bool) -> int:
        """All that is surely in the file; how many came back. Raises BrokerError."""
        journal, standing, total = self._journal, self._journal.standing, 0
        with self._link.channel() as channel:
            self._link.sure_of(standing.queue, NOT_BACK)
            ways = self._ways_to(standing.queue)
            if not ways.through_others:
                self._link.sure_to_write()
            if self._may_refuse(standing.queue):
                journal.write({"refused": True})
            if not elsewhere:
                self._ask_first(ways.nature)
            left_out = (Foreign(self._link.login[0]), Unasked(ways, elsewhere))
            room = _room(journal) if ways.leave_copies else None
            receipts = Receipts(self._link, channel, journal.path.stem, room)
            confirms = Confirms(channel, receipts.queue if receipts.kept else "", ways.as_it_came)
            returns = Returns(channel)
            for batch in batches(journal, *left_out):
                fits = self._fitting(batch, ways.nature)
                if fits:
                    total += self._send_batch(fits, receipts, confirms, returns)
                if progress is not None and progress(total) is False:
                    break
                if len(fits) < len(batch):
                    receipts.remove(self._link)
                    raise _no_room(standing, ways.nature)
        receipts.remove(self._link)
        for some in left_out:
            some.tell()
        return total

    def _ask_first(self, nature: Nature) -> None:
        """Raises BrokerError where others may be dropped for these, and nobody was told so."""
        if nature.most_bytes is None:
            return
        queue, left = self._journal.standing.queue, self._journal.standing.left
        ready, _ = self._link.sure_of(queue, NOT_BACK)
        octets = sum(body_bytes(record) for _, record, _ in self._journal.messages(left))
        if may_drop(nature, ready, octets):
            raise BrokerError(
                f"{queue} holds {nature.most_bytes:,} bytes at most and drops its oldest for a new "
                "one: nothing was sent",
                "Z asks for it.",
            )

    def _fitting(
        self, batch: list[tuple[int, dict[str, Any]]], nature: Nature
    ) -> list[tuple[int, dict[str, Any]]]:
        """Those for which the queue drops no other message, as far as that can be known."""
        if nature.most is None:
            return batch
        ready, _ = self._link.sure_of(self._journal.standing.queue, NOT_BACK)
        return batch[: room_in(nature, ready)]

    def _may_refuse(self, queue: str) -> bool:
        """Whether a full queue says so to the sender. True where that cannot be known of it; a
        policy is told by the management API only."""
        _, told = self._link.nature(queue, (OVERFLOW,))
        words = (
            str(told.get(OVERFLOW, "")) if told is not None else REFUSES,
            self._overflow(queue),
        )
        return any(word.startswith(REFUSES) for word in words)

    def _send_batch(
        self,
        batch: list[tuple[int, dict[str, Any]]],
        receipts: Receipts,
        confirms: Confirms,
        returns: Returns,
    ) -> int:
        journal, standing = self._journal, self._journal.standing
        numbers = [number for number, _ in batch]
        self._link.sure_of(standing.queue, NOT_BACK)
        receipts.clear()
        sending = max(standing.sending, numbers[-1] + 1)
        flying = {"sending": sending, "flying": numbers, "since": time.time()}
        journal.write({**flying, "traced": receipts.kept})
        try:
            confirms.publish(standing.queue, batch)
        except BaseException:
            with suppress(BrokerError):
                journal.write(with_returned(confirms.broken_off(), returns.of(batch)))
            raise
        if self._link.declare(standing.queue) == NOT_FOUND:
            journal.write({"unsure": numbers})
            raise BrokerError(
                f"{standing.queue} was deleted meanwhile: of {len(numbers)} messages nobody can "
                "tell whether they were in it",
                "They are kept, and are shown on Queues with a question mark.",
            )
        self._link.sure_of(standing.queue, "It cannot be told what came back into")
        self._note(confirms, returns.of(batch), proven=_proven(batch, receipts))
        return len(numbers)

    def _note(
        self,
        confirms: Confirms,
        returned: Returned,
        proven: Callable[[], bool],
    ) -> None:
        """What came of a batch. Raises BrokerError if not all of it is in the queue."""
        journal, standing = self._journal, self._journal.standing
        nacked = confirms.nacked
        if any(returned):
            sent = {"sent": True, "again": nacked, "refused": bool(nacked)}
            journal.write(with_returned(sent, returned))
            raise BrokerError(
                f"{standing.queue} cannot be reached any more as its messages came: "
                f"{sum(map(len, returned))} of them found no queue",
                "They are kept. Are its bindings being changed? Undo goes on from there.",
            )
        if not nacked:
            journal.write({"sent": True, "again": []})
        elif proven():
            journal.write({"sent": True, "again": nacked, "refused": True})
            raise BrokerError(
                f"{standing.queue} refused messages: {len(standing.left)} of them are "
                "still in quarantine",
                "Is the queue full, or gone? Undo goes on from there.",
            )
        else:
            journal.write({"sent": True, "again": [], "unsure": nacked, "refused": True})
            raise BrokerError(
                f"{standing.queue}, or the queue of receipts, refused {len(nacked)} messages: "
                "nobody can tell which",
                "They are kept, and are shown on Queues with a question mark.",
            )


def _no_room(standing: Standing, nature: Nature) -> BrokerError:
    stay = len(standing.left)
    return BrokerError(
        f"{standing.queue} holds {nature.most:,} messages at most and drops its oldest for a new "
        f"one: {stay:,} message{' stays' if stay == 1 else 's stay'} in quarantine",
        "Z goes on from there once there is room.",
    )


def _room(journal: Journal) -> Room:
    """What of a batch is in the receipts at most; one large message may be more."""
    messages = min(len(journal.standing.left), rabbitmq_batches.BATCH_MESSAGES)
    octets = min(journal.path.stat().st_size, rabbitmq_batches.BATCH_BYTES)
    return messages + 1, octets


def _proven(batch: list[tuple[int, dict[str, Any]]], receipts: Receipts) -> Callable[[], bool]:
    """Whether it was the queue that refused messages.

    A copy that is refused has its message refused, too, even if that is in its queue already: only
    where each copy came, or none was made, it was not for the copies.
    """
    return lambda: not receipts.kept or receipts.come_to(len(batch))
