"""Purge that can be undone on RabbitMQ: messages are taken into a file, and sent again."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing, suppress
from typing import Any

from ..errors import BrokerError
from ..links.amqp_link import AmqpLink
from .base import Forecast, Progress, Quarantined
from .rabbitmq_batches import take
from .rabbitmq_file import Journal, is_worked_on, messages_in, standing_of
from .rabbitmq_forecast import before_undo
from .rabbitmq_receipts import Receipts, forget
from .rabbitmq_sending import NOT_BACK, Sending
from .rabbitmq_settle import settle
from .rabbitmq_shelf import Shelf
from .rabbitmq_since import mark, unmark
from .rabbitmq_ways import Unasked, WaysTo
from .redis_keys import RECEIPTS


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
            if not (standing.acked or standing.torn or trouble):
                trouble = self._kept_from_us(queue)
            held = (name, standing.acked, queue, at, len(standing.torn))
            return Quarantined(*held, trouble=trouble)

    def _kept_from_us(self, queue: str) -> str:
        """Why nothing came, where messages wait all the same; empty: workers were faster."""
        told = self._link.declare(queue)
        if not isinstance(told, tuple) or not told[0]:
            return ""

        return f"{told[0]:,} wait there and none came to us, as where a single consumer is active"

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
        ready, _ = self._link.sure_of(standing.queue, NOT_BACK)
        wanted = [*standing.left, *(standing.unsure if doubtful else ())]
        records = (record for _, record, _ in messages_in(path, wanted))
        return before_undo(self._link, self._ways_to(standing.queue), records, ready)

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
            sending = Sending(self._link, journal, self._ways_to, self._overflow)
            total = sending.run(progress, elsewhere) if standing.left else 0
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
