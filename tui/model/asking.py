"""What to ask of which workers besides what is asked of all in turn: their configuration, and
which tasks they know to be revoked. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import islice

from .seam import Act, Outcome
from .worker import ONLINE, Worker

CONF_A_TICK = 20
"""Workers asked for their configuration at once: an answer has some 5 kB."""
CONF_AGAIN_S = 30.0
REVOKED_EVERY_S, REVOKED_AFTER_ACT_S = 60.0, 2.0
REVOKED_MANY, REVOKED_MANY_EVERY_S = 5_000, 600.0
"""Ids a worker remembers as revoked, from which on it is asked seldom: it sends all of them."""
FEW_SCHEDULED = 1_000
"""So many tasks that wait for their ETA may be listed as often as reserved ones."""


class Asking:
    """Remembers what was asked when."""

    def __init__(self) -> None:
        self._conf: dict[str, float] = {}
        self._revoked: dict[str, float] = {}

    def due(
        self, workers: Mapping[str, Worker], states: Mapping[str, str], now: float, acted_at: float
    ) -> Iterator[tuple[str, tuple[str, ...]]]:
        """(question, node names); ``acted_at``: when we last asked for something to be revoked."""
        there = [worker for name, worker in workers.items() if states.get(name) == ONLINE]
        unknown = [w.hostname for w in there if self._conf_due(w, now)]
        if names := tuple(islice(unknown, CONF_A_TICK)):
            self._conf.update(dict.fromkeys(names, now))
            yield "conf", names
        if names := tuple(w.hostname for w in there if self._revoked_due(w, now, acted_at)):
            self._revoked.update(dict.fromkeys(names, now))
            yield "revoked", names

    def _conf_due(self, worker: Worker, now: float) -> bool:
        told = worker.conf_at
        if told is not None and told >= (worker.online_at or 0.0):
            return False
        return now - self._conf.get(worker.hostname, 0.0) >= CONF_AGAIN_S

    def _revoked_due(self, worker: Worker, now: float, acted_at: float) -> bool:
        if not worker.scheduled:
            return False
        asked = self._revoked.get(worker.hostname, 0.0)
        every = REVOKED_EVERY_S if worker.revoked < REVOKED_MANY else REVOKED_MANY_EVERY_S
        again = asked < acted_at + REVOKED_AFTER_ACT_S <= now
        return again or now - asked >= every


def few_scheduled(workers: Mapping[str, Worker]) -> bool:
    """Whether listing all that waits for its ETA is cheap."""
    return sum(len(worker.scheduled or ()) for worker in workers.values()) <= FEW_SCHEDULED


def revoke_asked_at(outcomes: Iterator[Outcome]) -> float:
    """When something was last asked to be revoked; ``outcomes`` are the newest first."""
    for outcome in outcomes:
        if outcome.request.act in (Act.REVOKE, Act.TERMINATE):
            return outcome.request.at
    return 0.0
