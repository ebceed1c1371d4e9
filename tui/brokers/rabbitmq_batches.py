"""A quarantine's messages in batches: taken out of a queue, and read from a file to be sent."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Protocol

from ..errors import BrokerError
from .rabbitmq_file import Journal
from .rabbitmq_receipts import Receipts
from .rabbitmq_record import as_record

BATCH_MESSAGES = 200
"""So much is out of the queue and not yet safe at a time."""
BATCH_BYTES = 4_000_000
"""So much of the file is sent at a time, or one message."""
QUIET_S = 0.5
"""When nothing comes for so long, workers have taken the rest."""


def take(channel: Any, queue: str, journal: Journal, receipts: Receipts, most: int) -> bool:
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
    journal.sure_to_stay()
    journal.write({"acking": journal.standing.written})
    receipts.put(journal.standing.written)
    channel.basic_ack(tags[-1], multiple=True)
    channel.tx_commit()
    journal.write({"acked": journal.standing.written})
    return True


class LeftOut(Protocol):
    """Messages that are not sent now, for one reason."""

    def is_one(self, record: dict[str, Any]) -> bool:
        """Whether this is one of them; it is counted."""

    def tell(self) -> None:
        """Raises BrokerError if there were any."""


def batches(journal: Journal, *left_out: LeftOut) -> Iterator[list[tuple[int, dict[str, Any]]]]:
    """What is left in it, bit by bit, in the file's order."""
    batch: list[tuple[int, dict[str, Any]]] = []
    size = 0
    for number, record, length in journal.messages(journal.standing.left):
        if any(some.is_one(record) for some in left_out):
            continue
        if batch and (len(batch) == BATCH_MESSAGES or size + length > BATCH_BYTES):
            yield batch
            batch, size = [], 0
        batch.append((number, record))
        size += length
    if batch:
        yield batch


class Foreign:
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
