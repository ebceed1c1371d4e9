"""The link to the broker is down: all other values are those of before."""

from __future__ import annotations

from collections.abc import Iterator

from ..model.cluster import Cluster
from ..model.seam import Finding, Health, Level, Link
from .words import duration, fitted

RULE = "broker-lost"
LINKS = ("events", "queues", "inspect")
"""The sources that talk to the broker; results are another server's."""


def findings(cluster: Cluster, now: float) -> Iterator[Finding]:
    """At most one, for the link that was lost first."""
    healths = [cluster.health[name] for name in LINKS if name in cluster.health]
    lost = [one for one in healths if one.state == Link.LOST]
    if lost:
        yield _finding(min(lost, key=lambda health: health.since), now)


def _finding(health: Health, now: float) -> Finding:
    wait_s = (health.retry_at or now) - now
    soon = "now" if wait_s < 1 else f"in {duration(wait_s + 0.5)}"
    error = health.error or "the connection is gone"
    return Finding(
        rule=RULE,
        severity=Level.CRIT,
        subject="broker",
        text=f"{error}; lost for {duration(now - health.since)}, tries again {soon}; "
        "values are the last ones known",
        short=fitted(f"lost {duration(now - health.since)}, tries again {soon}"),
        since=health.since,
        evidence="home:",
        next=health.hint or "start the broker; we come back alone",
        detail=f"attempt {health.tries + 1} {soon}" if health.tries else "",
    )
