"""Looks into the lists of a queue: pages from either end, and a sample of what they hold."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Collection, Iterator
from typing import Any

from ..model.peeked import End, Peeked, Sampled
from .message import parse
from .redis_keys import STEPS
from .redis_scan import ask, ask_many, page_size
from .seen import seen

MOST_BYTES = 2 * 1024 * 1024
"""Of one page: then it ends, whatever was asked for."""
TOO_LARGE_BYTES = 16 * 1024 * 1024
"""Messages that are that large on average are not fetched to be looked at."""
LONGEST_NAME = 300
SAMPLE_PARTS = 3
"""Both ends and the middle."""

Span = tuple[str, int, int, int]
"""(list, its priority step, first, last) of LRANGE, counted from the newest."""


class Peek:
    """Reads with LRANGE only, so that nothing is moved; bounded by count and by bytes."""

    def __init__(self, client: Any, key: Callable[[str, int], str]) -> None:
        self._client, self._key = client, key

    def page(self, queue: str, end: End, offset: int, count: int, steps: Collection[int]) -> Peeked:
        """``count`` messages behind the first ``offset`` from that end."""
        lengths = self._lengths(queue, steps)
        total = sum(lengths.values())
        offset = max(0, min(offset, total - 1))
        payloads: list[tuple[int, bytes]] = []
        octets = 0
        for span in self._spans(queue, lengths, end, offset, count):
            for step, payload in self._read(span, end):
                payloads.append((step, payload))
                octets += len(payload)
            if octets > MOST_BYTES:
                break
        found = tuple(
            seen(payload, step, offset + number + 1 if end is End.HEAD else total - offset - number)
            for number, (step, payload) in enumerate(payloads[:count])
        )
        cut = len(found) < min(count, total - offset)
        return Peeked(time.time(), queue, end, offset, found, total, cut)

    def _lengths(self, queue: str, steps: Collection[int]) -> dict[int, int]:
        """Length of each list, in the order in which workers take from them."""
        order = sorted({0, *STEPS, *steps})
        asked = [("LLEN", self._key(queue, step)) for step in order]
        replies = ask_many(self._client, asked)
        return {step: length for step, length in zip(order, replies, strict=True) if length}

    def _spans(
        self, queue: str, lengths: dict[int, int], end: End, offset: int, count: int
    ) -> Iterator[Span]:
        """Ranges that hold those messages, in order, each small enough to be fetched at once."""
        order = list(lengths.items()) if end is End.HEAD else list(reversed(lengths.items()))
        for step, length in order:
            if offset >= length:
                offset -= length
                continue
            key = self._key(queue, step)
            size = page_size(self._client, key, length, count, TOO_LARGE_BYTES)
            while size and count > 0 and offset < length:
                part = min(size, count, length - offset)
                first = length - offset - part if end is End.HEAD else offset
                yield key, step, first, first + part - 1
                offset, count = offset + part, count - part
            offset = 0
            if not size or count <= 0:
                return

    def _read(self, span: Span, end: End) -> list[tuple[int, bytes]]:
        key, step, first, last = span
        page = ask(self._client.lrange, key, first, last) or []
        return [(step, payload) for payload in (reversed(page) if end is End.HEAD else page)]

    # -- sample -------------------------------------------------------------------------------

    def sample(self, queue: str, count: int, steps: Collection[int]) -> Sampled:
        """Task names of about ``count`` messages, from each list as many as its share."""
        lengths = self._lengths(queue, steps)
        total = sum(lengths.values())
        names: Counter[str] = Counter()
        for step, length in lengths.items():
            share = min(length, max(1, count * length // total))
            for payload in self._some(self._key(queue, step), length, share):
                message = parse(payload)
                names[message.name[:LONGEST_NAME] if message is not None else ""] += 1
        return Sampled(time.time(), queue, dict(names), names.total(), total)

    def _some(self, key: str, length: int, count: int) -> Iterator[bytes]:
        count = min(count, page_size(self._client, key, length, count, TOO_LARGE_BYTES))
        if count >= length:
            yield from ask(self._client.lrange, key, 0, -1) or ()
            return
        part = max(1, count // SAMPLE_PARTS)
        middle = (length - part) // 2
        for first in sorted({0, middle, length - part})[: max(1, count)]:
            yield from ask(self._client.lrange, key, first, first + part - 1) or ()
