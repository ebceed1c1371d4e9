"""Messages that found no queue: RabbitMQ gives them back, and confirms them all the same."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

from .rabbitmq_record import as_raw, body_and_properties, came_by

Mark = tuple[str, str, bytes, str, str]
"""By what one is known again: exchange, key, body, correlation id, message id."""
Returned = tuple[list[int], list[int]]
"""Numbers of messages that came back, and of those that perhaps did."""


class Returns:
    """Those of one channel on which messages are published as mandatory."""

    def __init__(self, channel: Any) -> None:
        self._came: Counter[Mark] = Counter()
        channel.events["basic_return"].add(self._back)

    def _back(self, _reason: Exception, exchange: str, key: str, message: Any) -> None:
        self._came[_mark(exchange, key, as_raw(message.body), message.properties)] += 1

    def of(self, batch: Iterable[tuple[int, dict[str, Any]]]) -> Returned:
        """Those of a batch that was published; each is told once.

        Several that cannot be told from each other are in doubt, if only some of them came.
        """
        alike: dict[Mark, list[int]] = {}
        for number, record in batch if self._came else ():
            (exchange, keys, _), (body, properties) = came_by(record), body_and_properties(record)
            alike.setdefault(_mark(exchange, keys[0], body, properties), []).append(number)
        back = [
            (self._came[mark] == len(numbers), numbers)
            for mark, numbers in alike.items()
            if mark in self._came
        ]
        self._came.clear()
        return _joined(back, sure=True), _joined(back, sure=False)


def with_returned(noted: dict[str, Any], returned: Returned) -> dict[str, Any]:
    """What a file notes of a batch, knowing of these: they were confirmed as well."""
    back, perhaps = returned
    if not back and not perhaps:
        return noted
    again = {*noted.get("again", ()), *back}
    unsure = {*noted.get("unsure", ()), *perhaps} - again
    return {**noted, "again": sorted(again), "unsure": sorted(unsure)}


def _joined(found: Sequence[tuple[bool, list[int]]], *, sure: bool) -> list[int]:
    return sorted(number for known, numbers in found if known is sure for number in numbers)


def _mark(exchange: str, key: str, body: bytes, properties: dict[str, Any]) -> Mark:
    ids = (str(properties.get(name, "")) for name in ("correlation_id", "message_id"))
    first, second = ids
    return exchange, key, body, first, second
