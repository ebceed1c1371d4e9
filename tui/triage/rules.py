"""All rules together: which findings stand now, since when, and which only follow from others."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from ..model.cluster import Cluster
from ..model.seam import Finding, Level
from . import (
    broker_lost,
    broker_refuses,
    dead_consumer,
    events_off,
    no_consumer,
    worker_blocked,
    worker_lost,
)

ABOUT_WORKERS = (worker_lost, worker_blocked, events_off, dead_consumer)
"""Not judged while the broker is lost or refuses: nobody can be heard then."""
CALM_S = 10.0
"""A finding that comes back within this time is the same one, as old as before."""


class Memory:
    """Since when each finding stands, across evaluations. One per Cluster."""

    def __init__(self) -> None:
        self._since: dict[str, float] = {}
        self._stood: dict[str, float] = {}

    def aged(self, found: Finding, now: float) -> Finding:
        """The finding with a ``since`` that does not jump."""
        self._stood[found.key] = now
        told = found.since if found.since is not None else now
        since = self._since[found.key] = min(self._since.get(found.key, told), told)
        return found if found.since == since else msgspec.structs.replace(found, since=since)

    def forget_cleared(self, now: float) -> None:
        """Drop what has not stood for a while."""
        for key in [key for key, at in self._stood.items() if now - at > CALM_S]:
            del self._stood[key], self._since[key]


def evaluate(cluster: Cluster, now: float, memory: Memory | None = None) -> tuple[Finding, ...]:
    """What is wrong at ``now`` (epoch seconds): the critical first, then the oldest."""
    memory = memory or Memory()
    found = [memory.aged(finding, now) for finding in _all(cluster, now)]
    memory.forget_cleared(now)
    return tuple(sorted(found, key=_order))


def _all(cluster: Cluster, now: float) -> Iterator[Finding]:
    lost = [*broker_lost.findings(cluster, now), *broker_refuses.findings(cluster, now)]
    yield from lost
    yield from no_consumer.findings(cluster, now)
    if not lost:
        for rule in ABOUT_WORKERS:
            yield from rule.findings(cluster, now)


def _order(finding: Finding) -> tuple[bool, bool, float, str]:
    # What the broker itself suffers from comes first: the others are read in its light.
    return (
        finding.rule != broker_lost.RULE and finding.rule not in broker_refuses.RULES,
        finding.severity != Level.CRIT,
        finding.since or 0.0,
        finding.key,
    )
