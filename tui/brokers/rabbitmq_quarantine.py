"""Purge that can be undone on RabbitMQ: messages are taken into a file, and sent again."""

from __future__ import annotations

import logging
from contextlib import closing, suppress
from typing import Any

from ..errors import BrokerError
from ..links.amqp_link import AmqpLink
from .base import Forecast, Progress, Quarantined
from .rabbitmq_batches import Foreign, batches, take
from .rabbitmq_confirms import Confirms
from .rabbitmq_file import Journal, is_worked_on, messages_in, standing_of
from .rabbitmq_forecast import before_undo
from .rabbitmq_receipts import (
    GONE_WITHIN_S,
    NOT_PERMITTED,
    Receipts,
    forget,
    has_died_in,
    left_behind,
    token_of,
)
from .rabbitmq_returns import Returns
from .rabbitmq_shelf import Shelf
from .rabbitmq_ways import Unasked, WaysTo
from .redis_keys import RECEIPTS

NOT_BACK = "Nothing can be brought back into"
log = logging.getLogger(__name__)


class Quarantine:
    """The files of one virtual host."""

    def __init__(self, link: AmqpLink, ways_to: WaysTo) -> None:
        self._link, self._ways_to = link, ways_to
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
            return Quarantined(name, standing.acked, queue, at, len(standing.torn), "", trouble)

    def _head(self, queue: str, name: str, at: float) -> dict[str, Any]:
        link = self._link
        place = {"place": link.place, "cluster": link.cluster, "vhost": link.vhost}
        return {"quarantine": name, "queue": queue, "at": at, **place}

    def _take_all(self, journal: Journal, ready: int, progress: Progress | None) -> None:
        standing = journal.standing
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
            self._settle(journal)
            if standing.torn:
                journal.write({"unsure": standing.torn})
            if doubtful and standing.unsure:
                journal.write({"anyway": True})
            total = self._send(journal, progress, elsewhere) if standing.left else 0
            if not standing.left and not standing.doubtful:
                self._end(journal)
            return total

    def throw_away(self, name: str) -> int:
        """Remove a file whose messages are all doubtful."""
        path = self._shelf.path_of(name)
        if path is None:
            return 0
        with closing(Journal.opened(path)) as journal:
            self._settle(journal)
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
            left_out = (Foreign(self._link.login[0]), Unasked(ways, elsewhere))
            receipts = Receipts(self._link, channel, journal.path.stem, ways.leave_copies)
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
        journal.write({"sending": max(standing.sending, numbers[-1] + 1), "flying": numbers})
        try:
            refused = confirms.publish(standing.queue, batch)
        except self._link.refusals as error:
            if getattr(error, "reply_code", None) == NOT_PERMITTED:  # and no other was taken
                journal.write({"sent": True, "again": confirms.unsettled, "refused": False})
            raise
        if not isinstance(self._link.declare(standing.queue), tuple):
            journal.write({"unsure": numbers})
            raise BrokerError(
                f"{standing.queue} was deleted meanwhile: of {len(numbers)} messages nobody can "
                "tell whether they were in it",
                "They are kept, and are shown on Queues with a question mark.",
            )
        back, unsure = returns.of(batch)
        sent = {"sent": True, "again": [*refused, *back], "refused": bool(refused)}
        journal.write({**sent, "unsure": unsure} if unsure else sent)
        if back or unsure:
            raise BrokerError(
                f"{standing.queue} cannot be reached any more as its messages came: "
                f"{len(back) + len(unsure)} of them found no queue",
                "They are kept. Are its bindings being changed? Undo goes on from there.",
            )
        if refused:
            raise BrokerError(
                f"{standing.queue} refused messages: {len(standing.left)} of them are "
                "still in quarantine",
                "Is the queue full, or gone? Undo goes on from there.",
            )
        return len(numbers)

    # -- after a kill -------------------------------------------------------------------------

    def _settle(self, journal: Journal, wait_s: float = GONE_WITHIN_S) -> None:
        """Ask the receipts on which side the messages are that a kill left between."""
        standing, digest = journal.standing, journal.path.stem
        if not standing.torn:
            return
        found = left_behind(self._link, digest, wait_s)
        if found is None:
            return
        tokens = [token_of(message) for message in found]
        if standing.flying:
            there = isinstance(self._link.declare(standing.queue), tuple)
            if not there or standing.refused:  # a copy does not tell what the queue has taken
                return
            if any(has_died_in(message, standing.queue) for message in found):
                return  # by a policy: there are more copies than messages were sent
            rest = standing.flying[tokens.count(None) :]
            journal.write({"sent": True, "again": rest, "refused": False})
        elif standing.acking in tokens:
            journal.write({"acked": standing.acking})
        else:
            journal.write({"acking": standing.acked})
        forget(self._link, f"{RECEIPTS}{digest}")

    def settled(self) -> list[Quarantined]:
        """All, after the broker was asked of what a kill left open."""
        for path, standing in self._shelf.read():
            if standing.torn and not is_worked_on(path):
                with suppress(BrokerError), closing(Journal.opened(path)) as journal:
                    self._settle(journal, 0.0)
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
