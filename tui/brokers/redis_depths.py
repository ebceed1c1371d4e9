"""Depths of the queues found so far, by priority step, and how long their messages wait."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

from ..model.observations import QueueDepth
from ..model.waiting import Waiting
from .redis_catalogue import Catalogue
from .redis_keys import STEPS, list_name, split_quarantine
from .redis_scan import ask_many
from .redis_waiting import ListId, Sampling

UNSEEN_QUEUES = 20


class Depths:
    """Reads LLEN of all lists in one pipeline, and samples some of those that hold messages."""

    def __init__(self, client: Any, prefix: str, catalogue: Catalogue) -> None:
        self._client, self._prefix, self._catalogue = client, prefix, catalogue
        self._turn = 0
        self._lengths: dict[ListId, int] = {}
        self._by_queue: dict[str, dict[int, int]] = {}
        """Queue -> priority step -> messages, as read last."""
        self._refused: set[str] = set()
        """Queues one of whose keys is no list: their depth is not known."""
        self.sampling = Sampling(client, self.key)
        self.shown: frozenset[str] = frozenset()
        """Queues that somebody looks at: sampled first."""

    def key(self, queue: str, step: int) -> str:
        """The list that holds a queue's messages of one priority step."""
        if split_quarantine(queue):
            return f"{self._prefix}{queue}:{step}"
        return f"{self._prefix}{list_name(queue, step, self._catalogue.separator)}"

    @property
    def lists(self) -> int:
        """Keys that ``read`` reads."""
        return sum(len(self._steps(queue)) for queue in self._catalogue.queues)

    def _steps(self, queue: str) -> set[int]:
        seen = self._catalogue.queues[queue]
        return seen if split_quarantine(queue) else seen | {0}

    def _unseen(self) -> Iterator[ListId]:
        """Default priority lists that no SCAN has met yet, of a few queues in turn.

        In a large database a round of SCAN takes minutes; asking for all of them each time
        would cost four times what the depths themselves cost.
        """
        queues = [q for q in self._catalogue.queues if not split_quarantine(q)]
        turn, self._turn = self._turn, (self._turn + UNSEEN_QUEUES) % max(1, len(queues))
        for queue in (queues[turn:] + queues[:turn])[:UNSEEN_QUEUES]:
            yield from ((queue, step) for step in set(STEPS) - self._catalogue.queues[queue])

    def read(self) -> dict[str, QueueDepth]:
        """All queues."""
        queues = self._catalogue.queues
        asked = [(q, step) for q in queues for step in sorted(self._steps(q))]
        asked += self._unseen()
        lengths: dict[str, dict[int, int]] = {queue: {} for queue, _ in asked}
        forbidden = self._catalogue.forbidden
        kept_from_us = {one for one in asked if self.key(*one) in forbidden}
        # A list that no SCAN has met does not exist, whether or not it might be read.
        self._refused = {q for q, step in kept_from_us if step in self._steps(q)}
        asked = [one for one in asked if one not in kept_from_us]
        commands = [("LLEN", self.key(*one)) for one in asked]
        replies = ask_many(self._client, commands, forbidden=forbidden)
        for (queue, step), reply in zip(asked, replies, strict=True):
            if isinstance(reply, int):
                lengths[queue][step] = reply
                if reply and step:
                    queues[queue].add(step)
            elif step in self._steps(queue):
                self._refused.add(queue)
        self._by_queue = lengths
        self._lengths = {
            (queue, step): length
            for queue, by_step in lengths.items()
            if not split_quarantine(queue)
            for step, length in by_step.items()
        }
        self.sampling.read(self._lengths, time.monotonic())
        return self._readings()

    def _readings(self) -> dict[str, QueueDepth]:
        now, at = time.monotonic(), time.time()
        readings = {}
        for queue, by_step in self._by_queue.items():
            waiting = None
            # The others are told of when they are sampled.
            if self.sampling.paused or not any(by_step.values()):
                waiting = self.sampling.waiting(queue, by_step, now, at) or Waiting(at)
            reading = self._reading(queue, waiting)
            if reading.quarantine and not reading.depth:
                self._catalogue.forget(queue)
            else:
                readings[queue] = reading
        return readings

    def _reading(self, queue: str, waiting: Waiting | None) -> QueueDepth:
        by_step = self._by_queue[queue]
        depth = sum(by_step.values()) if queue not in self._refused else None
        quarantine = split_quarantine(queue) is not None
        told = {str(step): length for step, length in by_step.items() if length or not step}
        return QueueDepth(depth, told, quarantine=quarantine, waiting=waiting)

    def sample(self, most: int) -> dict[str, QueueDepth]:
        """Sample at most ``most`` lists: the queues they belong to, read anew."""
        now, at = time.monotonic(), time.time()
        found = self.sampling.sample(self._lengths, self.shown, now, most)
        for (queue, step), length in found.items():
            self._lengths[queue, step] = self._by_queue[queue][step] = length
        readings = {}
        for queue in dict.fromkeys(queue for queue, _ in found):
            waiting = self.sampling.waiting(queue, self._by_queue[queue], now, at)
            readings[queue] = self._reading(queue, waiting)
        return readings
