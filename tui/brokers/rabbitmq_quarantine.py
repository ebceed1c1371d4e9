"""Purge that can be undone on RabbitMQ: messages are taken into a file, and sent again."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import closing, suppress
from typing import Any

from ..errors import BrokerError
from ..links.amqp_link import AmqpLink
from . import rabbitmq_batches
from .base import Forecast, Progress, Quarantined
from .rabbitmq_batches import Foreign, batches, take
from .rabbitmq_confirms import Confirms
from .rabbitmq_file import Journal, is_worked_on, messages_in, standing_of
from .rabbitmq_forecast import before_undo
from .rabbitmq_receipts import Receipts, Room, forget
from .rabbitmq_returns import Returned, Returns, with_returned
from .rabbitmq_settle import settle
from .rabbitmq_shelf import Shelf
from .rabbitmq_since import mark, unmark
from .rabbitmq_ways import Unasked, WaysTo
from .redis_keys import RECEIPTS

NOT_BACK = "Nothing can be brought back into"
OVERFLOW, NOT_FOUND = "x-overflow", 404


class Quarantine:
    """The files of one virtual host."""

    def __init__(
        self,
        link: AmqpLink,
        ways_to: WaysTo,
        overflow: Callable[[str], str] = lambda queue: "",
    ) -> None:
        """``overflow``: what a policy says that a full queue does, where that can be known."""
        self._link, self._ways_to, self._overflow = link, ways_to, overflow
        self._shelf = Shelf(link)

    # -- taking -------------------------------------------------------------------------------

    def set_aside(
        self, queue: str, name: str, at: float, progress: Progress | None = None
    ) -> Quarantined:
        """Take as many messages as wait now: written, fsynced, and only then acknowledged."""
        ready, _ = self._link.sure_of(queue, "Cannot purge")
        self._sweep()
        if not ready:
            return Quarantined(name, 0, queue, at)
        path = self._shelf.new_path(name)
        with closing(Journal.new(path, self._head(queue, name, at))) as journal:
            standing, trouble = journal.standing, ""
            try:
                with self._link.told():
                    self._take_all(journal, ready, progress)
            except BrokerError as error:
                if not standing.acking:  # no message has left the queue
                    raise
                trouble = str(error)
            finally:
                if not standing.acking:
                    self._end(journal)
            held = (name, standing.acked, queue, at, len(standing.torn))
            return Quarantined(*held, trouble=trouble)

    def _head(self, queue: str, name: str, at: float) -> dict[str, Any]:
        link = self._link
        place = {"place": link.place, "cluster": link.cluster, "vhost": link.vhost}
        return {"quarantine": name, "queue": queue, "at": at, **place}

    def _take_all(self, journal: Journal, ready: int, progress: Progress | None) -> None:
        standing = journal.standing
        if mark(self._link, journal.path.stem):
            journal.write({"marked": True})
        with self._link.channel() as channel:
            receipts = Receipts(self._link, channel, journal.path.stem)
            channel.tx_select()
            while (left := ready - standing.acked) > 0:
                if not take(channel, standing.queue, journal, receipts, left):
                    break
                if progress is not None and progress(standing.acked) is False:
                    break
        receipts.remove(self._link)

    # -- giving back --------------------------------------------------------------------------

    def foreseen(self, name: str, doubtful: bool) -> Forecast:
        """What giving them back would do."""
        path = self._shelf.path_of(name)
        if path is None:
            return Forecast()
        standing = standing_of(path)
        self._link.sure_of(standing.queue, NOT_BACK)
        wanted = [*standing.left, *(standing.unsure if doubtful else ())]
        records = (record for _, record, _ in messages_in(path, wanted))
        return before_undo(self._link, self._ways_to(standing.queue), records)

    def move_back(
        self,
        name: str,
        progress: Progress | None,
        doubtful: bool = False,
        elsewhere: bool = False,
    ) -> int:
        """Send everything again that is surely here only, and confirmed by the broker."""
        path = self._shelf.path_of(name)
        if path is None:
            return 0
        with closing(Journal.opened(path)) as journal:
            standing = journal.standing
            settle(self._link, journal)
            if standing.torn:
                journal.write({"unsure": standing.torn})
            if doubtful and standing.unsure:
                self._ask_before(journal, elsewhere)
                journal.write({"anyway": True})
            total = self._send(journal, progress, elsewhere) if standing.left else 0
            if not standing.left and not standing.doubtful:
                self._end(journal)
            return total

    def _ask_before(self, journal: Journal, elsewhere: bool) -> None:
        """Raises BrokerError where doubtful ones would not be sent: they are to stay so."""
        unasked = Unasked(self._ways_to(journal.standing.queue), elsewhere)
        for _, record, _ in journal.messages(journal.standing.unsure):
            unasked.is_one(record)
        unasked.tell()

    def throw_away(self, name: str) -> int:
        """Remove a file whose messages are all doubtful."""
        path = self._shelf.path_of(name)
        if path is None:
            return 0
        with closing(Journal.opened(path)) as journal:
            settle(self._link, journal)
            standing = journal.standing
            if standing.left:
                words = f"{len(standing.left):,} messages of it are nowhere else: nothing removed"
                raise BrokerError(words, "Z sends them again first.")
            count = standing.doubtful
            self._end(journal)
            return count

    def _send(self, journal: Journal, progress: Progress | None, elsewhere: bool) -> int:
        standing, total = journal.standing, 0
        with self._link.channel() as channel:
            self._link.sure_of(standing.queue, NOT_BACK)
            ways = self._ways_to(standing.queue)
            if not ways.through_others:
                self._link.sure_to_write()
            if self._may_refuse(standing.queue):
                journal.write({"refused": True})
            left_out = (Foreign(self._link.login[0]), Unasked(ways, elsewhere))
            room = _room(journal) if ways.leave_copies else None
            receipts = Receipts(self._link, channel, journal.path.stem, room)
            confirms = Confirms(channel, receipts.queue if receipts.kept else "", ways.as_it_came)
            returns = Returns(channel)
            for batch in batches(journal, *left_out):
                total += self._send_batch(journal, batch, receipts, confirms, returns)
                if progress is not None and progress(total) is False:
                    break
        receipts.remove(self._link)
        for some in left_out:
            some.tell()
        return total

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
        journal: Journal,
        batch: list[tuple[int, dict[str, Any]]],
        receipts: Receipts,
        confirms: Confirms,
        returns: Returns,
    ) -> int:
        standing, numbers = journal.standing, [number for number, _ in batch]
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
        self._note(journal, confirms, returns.of(batch), proven=_proven(batch, receipts))
        return len(numbers)

    def _note(
        self,
        journal: Journal,
        confirms: Confirms,
        returned: Returned,
        proven: Callable[[], bool],
    ) -> None:
        """What came of a batch. Raises BrokerError if not all of it is in the queue."""
        standing, nacked = journal.standing, confirms.nacked
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

    # -- after a kill -------------------------------------------------------------------------

    def settled(self) -> list[Quarantined]:
        """All, after the broker was asked of what a kill left open."""
        for path, standing in self._shelf.read():
            if standing.torn and not is_worked_on(path):
                with suppress(BrokerError), closing(Journal.opened(path)) as journal:
                    settle(self._link, journal, 0.0)
        return self.listed()

    def listed(self) -> list[Quarantined]:
        """All of this virtual host, oldest first."""
        return self._shelf.listed()

    def _sweep(self) -> None:
        """Remove files out of which everything has gone back already."""
        for path, standing in self._shelf.read():
            if not standing.left and not standing.doubtful:
                with suppress(BrokerError, OSError), closing(Journal.opened(path)) as journal:
                    if not journal.standing.left and not journal.standing.doubtful:
                        self._end(journal)

    def _end(self, journal: Journal) -> None:
        """Nothing of it is needed any more, here or in the broker."""
        journal.remove()
        forget(self._link, f"{RECEIPTS}{journal.path.stem}")
        unmark(self._link, journal.path.stem)


REFUSES = "reject-publish"
"""So begins what a queue does that says no when it is full."""


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
