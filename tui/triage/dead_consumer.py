"""Workers say that they listen to a queue, and the broker counts nobody who does."""

from __future__ import annotations

from collections.abc import Iterator

from ..model.cluster import Cluster
from ..model.queue import Queue
from ..model.seam import Finding, Level
from ..model.worker import LOST
from .words import fitted, plural

RULE = "dead-consumer"
STANDS_S = 5.0
"""A worker that connects anew declares its consumers within that time."""


def findings(cluster: Cluster, now: float) -> Iterator[Finding]:
    """One for each queue with messages whose consumers are dead; brokers that count them tell."""
    for queue in cluster.queues.values():
        listeners = _listeners(cluster, queue, now)
        if listeners:
            yield _finding(queue, listeners)


def _listeners(cluster: Cluster, queue: Queue, now: float) -> list[str]:
    """Who said so after the broker had counted nobody, and is not lost itself."""
    since, asked = queue.uncounted_since, cluster.rounds.get("active_queues")
    if not queue.depth or queue.quarantine or since is None or now - since < STANDS_S:
        return []
    if asked is None or asked.asked_at <= since:
        return []
    names = cluster.listeners.of(queue.name) or ()
    return [
        name
        for name in names
        if name in asked.answered and cluster.state_of(cluster.workers[name], now) != LOST
    ]


def _finding(queue: Queue, listeners: list[str]) -> Finding:
    depth, many = queue.depth or 0, len(listeners) > 1
    who = plural(len(listeners), "worker") if many else listeners[0]
    return Finding(
        rule=RULE,
        severity=Level.CRIT,
        subject=queue.name,
        text=f"{who} {'say' if many else 'says'} to consume it, the broker counts no consumer: "
        f"{plural(depth, 'message')}",
        short=fitted(f"dead consumer: {plural(depth, 'msg')}"),
        since=queue.uncounted_since,
        evidence=f"queue:{queue.name}",
        next=f"restart {'these workers' if many else listeners[0]}",
        detail=f"listening by their own word: {', '.join(listeners[:5])}",
    )
