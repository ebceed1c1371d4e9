"""Queue depths, waiting times and unacknowledged messages, polled within a fixed budget."""

from __future__ import annotations

import logging
import time
from collections.abc import Collection, Mapping
from contextlib import closing
from typing import TYPE_CHECKING

from ..brokers import open_broker, why_not
from ..model.observations import Prefixes, QueueDepth, QueueDepths, Unacknowledged
from .base import Source
from .inbox import Inbox

if TYPE_CHECKING:
    from ..brokers.base import Broker
    from ..links.redis_vitals import Refused
    from ..settings import Settings

DEPTHS_EVERY_S = 1.0
LISTS_AT_ONCE = 500
LISTS_A_SECOND = 350
"""Of more lists than are read each second; the answers of large fleets cost the broker, too."""
DEPTHS_AT_LEAST_EVERY_S = 25.0
FIRST_ROUND_STEP_S = 0.01
LATER_STEP_S = 0.2
ROUND_PAUSE_S = 1.0
NEW_LISTS_AFTER_S = 0.25
NEW_LISTS_A_SECOND = 2_000
"""While many lists are being found, all of them are not read again at each step."""
SEARCH_S = 0.05
"""Longest search among the unacknowledged at each reading of depths."""
ALL_UNACKED_EACH_SECOND = 100
UNACKED_ROUND_S = 5.0
SAMPLES_EVERY_S = 1.0
MOST_SAMPLES, LEAST_SAMPLES = 200, 30
"""Lists a second whose newest message is looked at."""
COMMANDS_A_SECOND = 500
"""What depths leave of it goes into samples, of three commands each."""
log = logging.getLogger(__name__)


class QueueSource(Source):
    """Discovers queues in small steps and reads their depths."""

    name = "queues"
    refusal = "reading queues is not permitted"

    def __init__(self, inbox: Inbox, settings: Settings) -> None:
        super().__init__(inbox)
        self.settings = settings
        self.told: set[str] = set()
        """Queues told of, also on a former connection."""
        self.former: Broker | None = None
        """The connection before this one: what it learnt of waiting times."""
        self.known: Collection[str] = ()
        self.shown: Collection[str] = ()
        self.read: frozenset[str] | None = None
        """Queues that were known at the last reading of depths; None: there was none."""
        self.sought: tuple[str, ...] = ()
        """Tasks whose messages are looked for among the unacknowledged; set by the monitor."""

    def want(self, known: Collection[str], shown: Collection[str]) -> None:
        """Queues to read besides those found, and those on screen. From any thread."""
        self.known, self.shown = known, shown

    @property
    def has_answered(self) -> bool:
        """Also of the queues that others named meanwhile."""
        return super().has_answered and (self.read is None or self.read.issuperset(self.known))

    def session(self) -> None:
        """One connection's life."""
        broker = open_broker(self.settings)
        if broker is None:
            self.off(why_not(self.settings))
            return
        with closing(broker):
            latency_ms = broker.ping()
            if self.former is not None:
                broker.carry_on(self.former)
            self.former = broker
            Poll(broker, self).run(latency_ms)


class Poll:
    """What is due when, on one connection; times are monotonic seconds."""

    def __init__(self, broker: Broker, source: QueueSource) -> None:
        self._broker, self._source = broker, source
        self._depths_due = self._discover_due = self._count_due = self._sample_due = 0.0
        self._first_round, self._whole = True, False
        self._known = 0
        self._read_at = 0.0
        self._prefixes: tuple[str, ...] = ()
        self._no_ages = ""
        self._seeking = False

    def run(self, latency_ms: float) -> None:
        """Poll until the source is to stop; live is told when something was permitted."""
        stopping = self._source.stopping
        told: tuple[str, Refused | None] | None = None
        while not stopping.is_set():
            now = time.monotonic()
            known = frozenset(self._source.known)
            self._broker.want(known, self._source.shown)
            if now >= self._discover_due:
                self._discover()
            if now >= self._depths_due:
                self._read(known)
            elif now >= self._sample_due:
                self._sample()
            state = self._broker.limit, self._broker.refused()
            if state != told:
                told = state
                self._source.live(latency_ms, *state)
            if self._whole:
                self._source.answered()
            due = min(self._depths_due, self._discover_due, self._sample_due)
            stopping.wait(max(0.0, due - time.monotonic()))

    def _discover(self) -> None:
        ended = self._broker.discover()
        now = time.monotonic()
        if ended:
            self._first_round = False
            self._tell_prefixes()
        pause = FIRST_ROUND_STEP_S if self._first_round else LATER_STEP_S
        self._discover_due = now + (ROUND_PAUSE_S if ended else pause)
        before, self._known = self._known, self._broker.lists
        if self._known > before:  # what is new must not wait for the next poll
            pause = max(NEW_LISTS_AFTER_S, self._known / NEW_LISTS_A_SECOND)
            self._depths_due = min(self._depths_due, self._read_at + pause)

    def _read(self, known: frozenset[str]) -> None:
        broker = self._broker
        depths = broker.depths()
        if time.monotonic() >= self._sample_due:
            depths |= self._samples()
        unacked = broker.unacked()
        by_queue = self._by_queue(unacked)
        if unacked is not None:
            self._seek()
        at = time.time()
        told = QueueDepths(
            at, depths, self._gone(depths), unacked, by_queue, no_ages=self._broker.no_ages
        )
        self._source.inbox.put(told)
        self._source.read = known
        self._whole = not self._first_round
        self._read_at = time.monotonic()
        self._depths_due = self._read_at + period_s(broker.lists)

    def _samples(self) -> dict[str, QueueDepth]:
        self._sample_due = time.monotonic() + SAMPLES_EVERY_S
        readings = self._broker.sample(samples_a_second(self._broker.lists))
        if self._broker.no_ages != self._no_ages:
            self._no_ages = self._broker.no_ages
            if self._no_ages:
                log.warning("ages of waiting messages are not known: %s", self._no_ages)
        return readings

    def _sample(self) -> None:
        readings = self._samples()
        if readings:
            no_ages = self._broker.no_ages
            told = QueueDepths(time.time(), readings, sampled=True, no_ages=no_ages)
            self._source.inbox.put(told)

    def _gone(self, depths: dict[str, QueueDepth]) -> tuple[str, ...]:
        """Queues told of before that are no more; nobody knows before a round is over."""
        told = self._source.told
        gone = () if self._first_round else tuple(told - depths.keys())
        told.difference_update(gone)
        told.update(depths)
        return gone

    def _by_queue(self, unacked: int | None) -> Mapping[str, int | None] | None:
        now = time.monotonic()
        if unacked is None or now < self._count_due:
            return None
        counts = self._broker.unacked_by_queue()
        if counts is not None and unacked > ALL_UNACKED_EACH_SECOND:
            self._count_due = now + UNACKED_ROUND_S
        return counts

    def _seek(self) -> None:
        until = time.monotonic() + SEARCH_S
        while (self._source.sought or self._seeking) and not self._source.stopping.is_set():
            told = self._broker.delivered(self._source.sought)
            self._seeking = told is None
            if told is not None:
                at = time.time()
                self._source.inbox.put(Unacknowledged(at, told.found, told.missing))
                break
            if time.monotonic() >= until:
                break

    def _tell_prefixes(self) -> None:
        found = self._broker.prefixes()
        if found != self._prefixes:
            self._prefixes = found
            self._source.inbox.put(Prefixes(time.time(), found))


def period_s(lists: int) -> float:
    """Seconds between two readings of so many lists."""
    if lists <= LISTS_AT_ONCE:
        return DEPTHS_EVERY_S
    return min(lists / LISTS_A_SECOND, DEPTHS_AT_LEAST_EVERY_S)


def samples_a_second(lists: int) -> int:
    """How many lists are sampled where so many are read."""
    left = COMMANDS_A_SECOND - lists / period_s(lists)
    return int(max(LEAST_SAMPLES, min(MOST_SAMPLES, left / 3)))
