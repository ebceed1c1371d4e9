"""The broker stands and takes no messages: RabbitMQ's alarms of memory and disk."""

from __future__ import annotations

from collections.abc import Iterator

from ..model.cluster import Cluster
from ..model.seam import Finding, Level
from .words import duration, fitted

RULE = "broker-blocked"


def findings(cluster: Cluster, now: float) -> Iterator[Finding]:
    """At most one."""
    health = cluster.links.blocked()
    if health is None:
        return
    since = duration(now - health.since)
    yield Finding(
        rule=RULE,
        severity=Level.CRIT,
        subject="broker",
        text=f"{health.error}, for {since}; nobody can send tasks, and workers are not heard",
        short=fitted(f"takes no messages for {since}"),
        since=health.since,
        evidence="home:",
        next=health.hint or "free its memory or disk",
    )
