"""Purge that can be undone on RabbitMQ: messages are taken into a file, and sent again."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import closing, suppress
from typing import Any

from ..errors import BrokerError
from ..links.amqp_link import AmqpLink
from . import rabbitmq_batches
from .base import Progress, Quarantined
from .rabbitmq_batches import Foreign, batches, take
from .rabbitmq_confirms import Confirms
from .rabbitmq_file import Journal, is_worked_on
from .rabbitmq_receipts import Receipts, Room, forget
from .rabbitmq_settle import settle
from .rabbitmq_shelf import Shelf
from .rabbitmq_since import mark, unmark
from .redis_keys import RECEIPTS

OVERFLOW, NOT_FOUND = "x-overflow", 404


class Quarantine:
    """The files of one virtual host."""

    def __init__(self, link: AmqpLink, overflow: Callable[[str], str] = lambda queue: "") -> None:
        """``overflow``: what a policy says that a full queue does, where that can be known."""
        self._link, self._overflow = link, overflow
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

    def move_back(self, name: str, progress: Progress | None, doubtful: bool = False) -> int:
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
                journal.write({"anyway": True})
            total = self._send(journal, progress) if standing.left else 0
            if not standing.left and not standing.doubtful:
                self._end(journal)
            return total

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

    def _send(self, journal: Journal, progress: Progress | None) -> int:
        standing, total, foreign = journal.standing, 0, Foreign(self._link.login[0])
        with self._link.channel() as channel:
            self._link.sure_of(standing.queue, "Nothing can be brought back into")
            self._link.sure_to_write()
            if self._may_refuse(standing.queue):
                journal.write({"refused": True})
            receipts = Receipts(self._link, channel, journal.path.stem, _room(journal))
            confirms = Confirms(channel, receipts.queue if receipts.kept else "")
            for batch in batches(journal, foreign):
                total += self._send_batch(journal, batch, receipts, confirms)
                if progress is not None and progress(total) is False:
                    break
        receipts.remove(self._link)
        foreign.tell()
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
    ) -> int:
        standing, numbers = journal.standing, [number for number, _ in batch]
        self._link.sure_of(standing.queue, "Nothing can be brought back into")
        receipts.clear()
        sending = max(standing.sending, numbers[-1] + 1)
        journal.write({"sending": sending, "flying": numbers, "since": time.time()})
        try:
            confirms.publish(standing.queue, batch)
        except BaseException:
            with suppress(BrokerError):
                journal.write(confirms.broken_off())
            raise
        if self._link.declare(standing.queue) == NOT_FOUND:
            journal.write({"unsure": numbers})
            raise BrokerError(
                f"{standing.queue} was deleted meanwhile: of {len(numbers)} messages nobody can "
                "tell whether they were in it",
                "They are kept, and are shown on Queues with a question mark.",
            )
        self._link.sure_of(standing.queue, "It cannot be told what came back into")
        self._note(journal, confirms, proven=_proven(batch, receipts))
        return len(numbers)

    def _note(self, journal: Journal, confirms: Confirms, proven: Callable[[], bool]) -> None:
        """What came of a batch. Raises BrokerError if not all of it is in the queue."""
        standing, nacked = journal.standing, confirms.nacked
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
