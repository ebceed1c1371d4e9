"""Purge that can be undone on RabbitMQ: messages are taken into a file, and sent again."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

from ..errors import BrokerError
from ..links.amqp_link import AmqpLink
from .base import Progress, Quarantined
from .rabbitmq_confirms import Confirms
from .rabbitmq_file import Journal, Standing, as_record, is_worked_on, standing_of
from .rabbitmq_receipts import GONE_WITHIN_S, NOT_PERMITTED, Receipts, forget, left_behind, token_of
from .redis_keys import RECEIPTS, split_quarantine

BATCH_MESSAGES = 200
"""So much is out of the queue and not yet safe at a time."""
BATCH_BYTES = 4_000_000
"""So much of the file is sent at a time, or one message."""
QUIET_S = 0.5
"""When nothing comes for so long, workers have taken the rest."""
log = logging.getLogger(__name__)


def folder() -> Path:
    """``$XDG_STATE_HOME/celery-tui/quarantine``, or what this system has for it."""
    from platformdirs import user_state_path

    return user_state_path("celery-tui", appauthor=False) / "quarantine"


class Quarantine:
    """The files of one virtual host."""

    def __init__(self, link: AmqpLink) -> None:
        self._link = link
        self._known: dict[Path, tuple[tuple[int, int, int], Standing]] = {}
        """File -> (its number, time and size, what it said then)."""

    # -- taking -------------------------------------------------------------------------------

    def set_aside(
        self, queue: str, name: str, at: float, progress: Progress | None = None
    ) -> Quarantined:
        """Take as many messages as wait now: written, fsynced, and only then acknowledged."""
        ready, _ = self._link.sure_of(queue, "Cannot purge")
        self._sweep()
        if not ready:
            return Quarantined(name, 0, queue, at)
        path = self._new_path(name)
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

    def _new_path(self, name: str) -> Path:
        digest = hashlib.sha256(f"{self._link.place}\n{name}".encode("utf-8", "replace"))
        stamp = name.rpartition(":")[2]
        return folder() / f"{stamp}-{digest.hexdigest()[:16]}.jsonl"

    def _take_all(self, journal: Journal, ready: int, progress: Progress | None) -> None:
        standing = journal.standing
        with self._link.channel() as channel:
            receipts = Receipts(self._link, channel, journal.path.stem)
            channel.tx_select()
            while (left := ready - standing.acked) > 0:
                if not _take(channel, standing.queue, journal, receipts, left):
                    break
                if progress is not None and progress(standing.acked) is False:
                    break
        receipts.remove(self._link)

    # -- giving back --------------------------------------------------------------------------

    def move_back(self, name: str, progress: Progress | None, doubtful: bool = False) -> int:
        """Send everything again that is surely here only, and confirmed by the broker."""
        path = self._path_of(name)
        if path is None:
            return 0
        with closing(Journal.opened(path)) as journal:
            standing = journal.standing
            self._settle(journal)
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
        path = self._path_of(name)
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

    def _path_of(self, name: str) -> Path | None:
        parts = split_quarantine(name)
        if parts is None or parts[3] is not None:
            raise BrokerError(f"{name!r} is not the name of a quarantine", "Take one from Queues.")
        found = [(path, one) for path, one in self._read() if one.name == name and self._ours(one)]
        found.sort(key=lambda pair: self._elsewhere(pair[1]) != "")
        return found[0][0] if found else None

    def _send(self, journal: Journal, progress: Progress | None) -> int:
        standing, total, foreign = journal.standing, 0, _Foreign(self._link.login[0])
        with self._link.channel() as channel:
            self._link.sure_of(standing.queue, "Nothing can be brought back into")
            receipts = Receipts(self._link, channel, journal.path.stem)
            confirms = Confirms(channel, receipts.queue if receipts.kept else "")
            for batch in _batches(journal, foreign):
                total += self._send_batch(journal, batch, receipts, confirms)
                if progress is not None and progress(total) is False:
                    break
        receipts.remove(self._link)
        foreign.tell()
        return total

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
        journal.write({"sent": True, "again": refused, "refused": bool(refused)})
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
            rest = standing.flying[tokens.count(None) :]
            journal.write({"sent": True, "again": rest, "refused": False})
        elif standing.acking in tokens:
            journal.write({"acked": standing.acking})
        else:
            journal.write({"acking": standing.acked})
        forget(self._link, f"{RECEIPTS}{digest}")

    def settled(self) -> list[Quarantined]:
        """All, after the broker was asked of what a kill left open."""
        for path, standing in self._read():
            if standing.torn and self._ours(standing) and not is_worked_on(path):
                with suppress(BrokerError), closing(Journal.opened(path)) as journal:
                    self._settle(journal, 0.0)
        return self.listed()

    def _sweep(self) -> None:
        """Remove files out of which everything has gone back already."""
        for path, standing in self._read():
            if self._ours(standing) and not standing.left and not standing.doubtful:
                with suppress(BrokerError, OSError), closing(Journal.opened(path)) as journal:
                    if not journal.standing.left and not journal.standing.doubtful:
                        self._end(journal)

    def _end(self, journal: Journal) -> None:
        """Nothing of it is needed any more, here or in the broker."""
        journal.remove()
        forget(self._link, f"{RECEIPTS}{journal.path.stem}")

    # -- listing ------------------------------------------------------------------------------

    def listed(self) -> list[Quarantined]:
        """All of this virtual host, oldest first."""
        found = []
        for path, one in self._read():
            if self._ours(one):
                doubtful = one.doubtful
                if one.torn and is_worked_on(path):  # under way, not killed
                    doubtful = len(one.unsure)
                held = (one.name, len(one.left), one.queue, one.at, doubtful)
                found.append(Quarantined(*held, self._elsewhere(one)))
        return sorted(found, key=lambda one: one.at)

    def _read(self) -> Iterator[tuple[Path, Standing]]:
        """What each file says; of one that has grown only what is new is read."""
        known, self._known = self._known, {}
        for path in sorted(folder().glob("*.jsonl")):
            try:
                stat = path.stat()
                mark = (stat.st_ino, stat.st_mtime_ns, stat.st_size)
                before = known.get(path)
                if before is None or before[0][0] != mark[0] or before[1].damaged:
                    standing = standing_of(path)
                elif before[0] != mark:
                    standing = standing_of(path, before[1])
                else:
                    standing = before[1]
            except OSError:
                continue
            self._known[path] = (mark, standing)
            yield path, standing

    def _ours(self, one: Standing) -> bool:
        """Purged at this address, or from a broker of this name at another one."""
        link = self._link
        same = one.cluster and (one.cluster, one.vhost) == (link.cluster, link.vhost)
        return bool(one.name) and (one.place == link.place or bool(same))

    def _elsewhere(self, one: Standing) -> str:
        """Neither is proof alone: two brokers may bear one name, or one address lead to two."""
        link = self._link
        if one.place == link.place and one.cluster in ("", link.cluster):
            return ""
        return f"{one.cluster} at {one.place}" if one.cluster else one.place


def _take(channel: Any, queue: str, journal: Journal, receipts: Receipts, most: int) -> bool:
    """One batch; False when the queue has no more.

    By a consumer, not one by one: a quorum queue is then told of all with one acknowledgement.
    Many are sent to it bit by bit, and those not sent yet are lost when the channel ends. Each
    message is written as it comes: never more than one is held here, however large they are.
    """
    tags: list[int] = []

    def came(message: Any) -> None:
        journal.append(as_record(message))
        tags.append(message.delivery_tag)

    wanted = min(most, BATCH_MESSAGES)
    channel.basic_qos(0, wanted, False)
    tag = channel.basic_consume(queue, callback=came)
    while len(tags) < wanted:
        try:
            channel.connection.drain_events(timeout=QUIET_S)
        except TimeoutError:
            break
    channel.basic_cancel(tag)  # answered after everything that was delivered
    if not tags:
        return False
    journal.write({"acking": journal.standing.written})
    receipts.put(journal.standing.written)
    channel.basic_ack(tags[-1], multiple=True)
    channel.tx_commit()
    journal.write({"acked": journal.standing.written})
    return True


def _batches(journal: Journal, foreign: _Foreign) -> Iterator[list[tuple[int, dict[str, Any]]]]:
    """What is left in it, bit by bit, in the file's order."""
    batch: list[tuple[int, dict[str, Any]]] = []
    size = 0
    for number, record, length in journal.messages(journal.standing.left):
        if foreign.is_one(record):
            continue
        if batch and (len(batch) == BATCH_MESSAGES or size + length > BATCH_BYTES):
            yield batch
            batch, size = [], 0
        batch.append((number, record))
        size += length
    if batch:
        yield batch


class _Foreign:
    """Messages that name another user as their sender: RabbitMQ takes them from that one only."""

    def __init__(self, user: str) -> None:
        self._user = user
        self._found: dict[str, int] = {}

    def is_one(self, record: dict[str, Any]) -> bool:
        """Whether it would be refused, and the channel with it."""
        name = record["properties"].get("user_id", "")
        if name in ("", self._user):
            return False
        self._found[name] = self._found.get(name, 0) + 1
        return True

    def tell(self) -> None:
        """Raises BrokerError if there were any."""
        if self._found:
            names = ", ".join(sorted(self._found))
            count = sum(self._found.values())
            raise BrokerError(
                f"{count:,} message{'s' if count > 1 else ''} can be sent again by their own user "
                f"only ({names}), and stay in quarantine",
                f"Connect as {names} for them.",
            )
