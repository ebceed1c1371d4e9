"""Purge that can be undone on RabbitMQ: messages are taken into a file, and sent again."""

from __future__ import annotations

import hashlib
import logging
import time
from collections.abc import Callable, Iterable
from contextlib import closing
from itertools import islice
from pathlib import Path
from typing import Any

from ..errors import BrokerError
from ..links.amqp_link import AmqpLink
from .base import Quarantined
from .rabbitmq_file import Journal, Standing, as_record, body_and_properties, standing_of
from .redis_keys import split_quarantine

BATCH_MESSAGES = 200
"""So much is out of the queue and not yet safe at a time."""
QUIET_S = 0.5
"""When nothing comes for so long, workers have taken the rest."""
CONFIRMED_WITHIN_S = 30.0
NOT_PERMITTED = 403
log = logging.getLogger(__name__)


def folder() -> Path:
    """``$XDG_STATE_HOME/celery-tui/quarantine``, or what this system has for it."""
    from platformdirs import user_state_path

    return user_state_path("celery-tui", appauthor=False) / "quarantine"


class Quarantine:
    """The files of one virtual host."""

    def __init__(self, link: AmqpLink) -> None:
        self._link = link
        self._known: dict[Path, tuple[tuple[int, int], Standing]] = {}
        """File -> (time and size, what it said then)."""

    def _path(self, name: str) -> Path:
        digest = hashlib.sha256(f"{self._link.place}\n{name}".encode("utf-8", "replace"))
        stamp = name.rpartition(":")[2]
        return folder() / f"{stamp}-{digest.hexdigest()[:16]}.jsonl"

    # -- taking -------------------------------------------------------------------------------

    def set_aside(self, queue: str, name: str, at: float) -> Quarantined:
        """Take as many messages as wait now: written, fsynced, and only then acknowledged."""
        ready, _ = self._link.sure_of(queue, "Cannot purge")
        if not ready:
            return Quarantined(name, 0, queue, at)
        head = {"quarantine": name, "queue": queue, "place": self._link.place, "at": at}
        journal = Journal.new(self._path(name), head)
        try:
            with self._link.channel() as channel:
                while (left := ready - journal.standing.written) > 0:
                    if not _take(channel, queue, journal, left):
                        break
            return Quarantined(name, journal.standing.acked, queue, at)
        finally:
            if not journal.standing.acking:  # no message has left the queue
                journal.remove()
            journal.close()

    # -- giving back --------------------------------------------------------------------------

    def move_back(self, name: str, progress: Callable[[int], None] | None) -> int:
        """Send everything again that is surely here only, and confirmed by the broker."""
        parts = split_quarantine(name)
        if parts is None or parts[3] is not None:
            raise BrokerError(f"{name!r} is not the name of a quarantine", "Take one from Queues.")
        path = self._path(name)
        if not path.exists():
            return 0
        with closing(Journal.opened(path)) as journal:
            if torn := journal.standing.torn:
                journal.write([{"unsure": torn}])
            total = self._send(journal, progress)
            if not journal.standing.unsure:
                journal.remove()
            else:
                count = len(journal.standing.unsure)
                log.warning("%s: %d messages may be in the queue or not; kept there", path, count)
            return total

    def _send(self, journal: Journal, progress: Callable[[int], None] | None) -> int:
        standing, total = journal.standing, 0
        with self._link.channel() as channel:
            confirms = Confirms(channel)
            messages = journal.messages(standing.left)
            while batch := list(islice(messages, BATCH_MESSAGES)):
                self._link.sure_of(standing.queue, "Nothing can be brought back into")
                numbers = {number for number, _ in batch}
                upto = max(standing.sending, max(numbers) + 1)
                journal.write([{"sending": upto, "again": sorted(numbers & {*standing.again})}])
                try:
                    refused = confirms.publish(standing.queue, batch)
                except Exception as error:
                    if getattr(error, "reply_code", None) == NOT_PERMITTED:  # for all alike
                        again = sorted({*confirms.unsettled, *standing.again})
                        journal.write([{"sent": upto, "again": again}])
                    raise
                still = sorted({*refused, *standing.again})
                journal.write([{"sent": upto, "again": still}])
                total += len(batch) - len(refused)
                if progress is not None:
                    progress(total)
                if refused:
                    raise BrokerError(
                        f"{standing.queue} refused messages: {len(standing.left)} of them are "
                        "still in quarantine",
                        "Is the queue full, or gone? Undo goes on from there.",
                    )
        return total

    # -- listing ------------------------------------------------------------------------------

    def listed(self) -> list[Quarantined]:
        """All of this virtual host, oldest first."""
        place, found = self._link.place, []
        known, self._known = self._known, {}
        for path in sorted(folder().glob("*.jsonl")):
            try:
                stat = path.stat()
                mark = (stat.st_mtime_ns, stat.st_size)
                before = known.get(path)
                standing = before[1] if before and before[0] == mark else standing_of(path)
            except OSError:
                continue
            self._known[path] = (mark, standing)
            if standing.place == place:
                count = len(standing.left)
                found.append(Quarantined(standing.name, count, standing.queue, standing.at))
        return sorted(found, key=lambda one: one.at)


def _take(channel: Any, queue: str, journal: Journal, most: int) -> bool:
    """One batch; False when the queue has no more.

    By a consumer, not one by one: a quorum queue is then told of all with one acknowledgement.
    Many are sent to it bit by bit, and those not sent yet are lost when the channel ends.
    """
    came: list[Any] = []
    wanted = min(most, BATCH_MESSAGES)
    channel.basic_qos(0, wanted, False)
    tag = channel.basic_consume(queue, callback=came.append)
    while len(came) < wanted:
        try:
            channel.connection.drain_events(timeout=QUIET_S)
        except TimeoutError:
            break
    channel.basic_cancel(tag)  # answered after everything that was delivered
    if not came:
        return False
    journal.write(map(as_record, came))
    journal.write([{"acking": journal.standing.written}])
    channel.basic_ack(came[-1].delivery_tag, multiple=True)
    channel.basic_qos(0, 0, False)  # answered when the acknowledgement has been taken
    journal.write([{"acked": journal.standing.written}])
    return True


class Confirms:
    """Publishes on a channel and waits for the broker's word on each message."""

    def __init__(self, channel: Any) -> None:
        self._channel = channel
        self._next = 1
        self._open: dict[int, int] = {}
        self._refused: list[int] = []
        channel.confirm_select()
        channel.events["basic_ack"].add(self._acked)
        channel.events["basic_nack"].add(self._nacked)
        channel.events["basic_return"].add(self._returned)
        self._returns: list[Any] = []

    def publish(self, queue: str, batch: Iterable[tuple[int, dict[str, Any]]]) -> list[int]:
        """Numbers of the messages that the broker did not take; all others it has."""
        from amqp.basic_message import Message

        self._refused, self._returns, sent = [], [], {}
        for number, record in batch:
            body, properties = body_and_properties(record)
            sent[number] = record
            self._open[self._next] = number
            self._next += 1
            message = Message(body, **properties)
            self._channel.basic_publish(message, exchange="", routing_key=queue, mandatory=True)
        until = time.monotonic() + CONFIRMED_WITHIN_S
        while self._open:
            left_s = until - time.monotonic()
            if left_s <= 0:
                raise TimeoutError
            self._channel.connection.drain_events(timeout=left_s)
        return sorted({*self._refused, *self._unroutable(sent)})

    def _unroutable(self, sent: dict[int, dict[str, Any]]) -> list[int]:
        """Which of them came back: the queue was deleted meanwhile."""
        found, candidates = [], dict(sent)
        for returned in self._returns:
            record = {**as_record(returned), "from": None}
            for number, one in candidates.items():
                if {**one, "from": None} == record:
                    found.append(number)
                    del candidates[number]
                    break
        return found

    @property
    def unsettled(self) -> list[int]:
        """Numbers of the messages of which the broker has said nothing."""
        return list(self._open.values())

    def _settle(self, tag: int, multiple: bool) -> list[int]:
        tags = [one for one in self._open if one <= tag] if multiple else [tag]
        return [self._open.pop(one) for one in tags if one in self._open]

    def _acked(self, tag: int, multiple: bool) -> None:
        self._settle(tag, multiple)

    def _nacked(self, tag: int, multiple: bool) -> None:
        self._refused += self._settle(tag, multiple)

    def _returned(self, error: Any, exchange: str, routing_key: str, message: Any) -> None:
        message.delivery_info = {"exchange": exchange, "routing_key": routing_key}
        self._returns.append(message)
