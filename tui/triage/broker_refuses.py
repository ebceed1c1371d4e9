"""The broker stands and does not do what it is told: RabbitMQ's alarms, a Redis that is full."""

from __future__ import annotations

from collections.abc import Iterator

from ..model.cluster import Cluster
from ..model.seam import Finding, Level
from ..refusals import BY_KIND, TABLE
from .words import duration, fitted

RULES = frozenset(one.rule for one in TABLE)


def findings(cluster: Cluster, now: float) -> Iterator[Finding]:
    """At most one."""
    health = cluster.links.refusing()
    if health is None:
        return
    refusal = BY_KIND[health.refusal]
    began = cluster.links.refused_since() or health.since
    since = duration(max(0.0, now - began))
    facts = f" ({health.facts})" if health.facts else ""
    yield Finding(
        rule=refusal.rule,
        severity=Level.CRIT,
        subject="broker",
        text=f"{health.error}{facts}, for {since}; {_follows(cluster)}",
        short=fitted(refusal.reason()),
        since=began,
        evidence="home:",
        next=health.hint or refusal.hint,
    )


def _follows(cluster: Cluster) -> str:
    """What it means for who sends and for what we see."""
    if cluster.links.mute():
        return "nobody can send tasks, and workers are not heard"
    return "nobody can send tasks, and workers are not asked: they could not answer"
