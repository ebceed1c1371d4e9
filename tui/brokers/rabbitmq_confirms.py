"""Publishing messages of a quarantine: each is confirmed by the broker, and leaves a receipt."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

from .rabbitmq_record import COPIES, body_and_properties, came_by

CONFIRMED_WITHIN_S = 30.0
HIDDEN_COPIES = "BCC"
"""The same as ``CC``, and RabbitMQ takes it off."""

AsItCame = Callable[[dict[str, Any]], bool]


class Confirms:
    """Publishes on a channel and waits for the broker's word on each message."""

    def __init__(self, channel: Any, receipts: str, as_it_came: AsItCame | None = None) -> None:
        """``receipts``: the queue that gets a copy of each message; empty: none.

        ``as_it_came``: whether a message goes through its own exchange; then there are none.
        """
        self._channel, self._receipts = channel, receipts
        self._as_it_came = as_it_came or (lambda record: False)
        self._next = 1
        self._open: dict[int, int] = {}
        self.unsent: list[int] = []
        """Numbers that were not handed over; of a batch that broke off."""
        self.taken: list[int] = []
        """What of the batch was confirmed."""
        self.nacked: list[int] = []
        """What of it a queue refused: the message's own, or the one of the copies."""
        channel.confirm_select()
        channel.events["basic_ack"].add(self._acked)
        channel.events["basic_nack"].add(self._nacked)

    def publish(self, queue: str, batch: Sequence[tuple[int, dict[str, Any]]]) -> None:
        """Send them; returns once each is ``taken`` or ``nacked``."""
        from amqp.basic_message import Message

        numbers = [number for number, _ in batch]
        # All at once: the end of the channel is read between any two of them.
        self._open = dict(enumerate(numbers, self._next))
        self._next += len(batch)
        self.taken, self.nacked = [], []
        for place, (_, record) in enumerate(batch):
            self.unsent = numbers[place:]
            body, properties = body_and_properties(record)
            if self._as_it_came(record):
                exchange, keys, _ = came_by(record)
                to: dict[str, Any] = {"exchange": exchange, "routing_key": keys[0]}
                self._channel.basic_publish(Message(body, **properties), mandatory=True, **to)
                continue
            message = Message(body, **self._routed(properties))
            self.unsent = numbers[place + 1 :]
            self._channel.basic_publish(message, exchange="", routing_key=queue)
        until = time.monotonic() + CONFIRMED_WITHIN_S
        while self._open:
            left_s = until - time.monotonic()
            if left_s <= 0:
                raise TimeoutError("the broker does not confirm what was sent")
            self._channel.connection.drain_events(timeout=left_s)

    def _routed(self, properties: dict[str, Any]) -> dict[str, Any]:
        """With a copy to the receipts, and without further ones to where they went before."""
        headers = dict(properties.get("application_headers") or {})
        if not self._receipts and COPIES not in headers:
            return properties
        headers.pop(COPIES, None)
        if self._receipts:
            headers[HIDDEN_COPIES] = [self._receipts]
        return {**properties, "application_headers": headers}

    @property
    def unsettled(self) -> list[int]:
        """Numbers of the messages of which the broker has said nothing."""
        return list(self._open.values())

    def broken_off(self) -> dict[str, Any]:
        """What a file notes of a batch that was not sent to its end."""
        refused = bool(self.nacked)
        if self._receipts:  # which tell of the rest
            return {"broken": self.unsent, "taken": self.taken, "refused": refused}
        unsure = sorted(set(self.unsettled) - set(self.unsent))
        again = [*self.nacked, *self.unsent]
        return {"sent": True, "again": again, "unsure": unsure, "refused": refused}

    def _settle(self, tag: int, multiple: bool) -> list[int]:
        tags = [one for one in self._open if one <= tag] if multiple else [tag]
        return [self._open.pop(one) for one in tags if one in self._open]

    def _acked(self, tag: int, multiple: bool) -> None:
        self.taken += self._settle(tag, multiple)

    def _nacked(self, tag: int, multiple: bool) -> None:
        self.nacked += self._settle(tag, multiple)
