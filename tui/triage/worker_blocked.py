"""A worker's connection stands, and it neither beats nor answers: stopped, stuck, or one slot."""

from __future__ import annotations

from collections.abc import Iterator

from ..model.cluster import Cluster
from ..model.seam import Finding, Level
from ..model.worker import BLOCKED, Worker
from .words import duration, fitted

RULE = "worker-blocked"
ONE_SLOT = "a solo pool is silent while its task runs"


def findings(cluster: Cluster, now: float) -> Iterator[Finding]:
    """One for each blocked worker."""
    for worker in cluster.workers.values():
        if cluster.state_of(worker, now) == BLOCKED:
            yield _finding(worker, now)


def _finding(worker: Worker, now: float) -> Finding:
    since = worker.heard_at or worker.seen_at or worker.first_seen
    pid = "" if worker.pid is None else f", pid {worker.pid}"
    solo = worker.pool == "solo"
    why = ONE_SLOT if solo else "its connection stands: stopped, or stuck"
    return Finding(
        rule=RULE,
        severity=Level.WARN,
        subject=worker.hostname,
        text=f"no heartbeat for {duration(now - since)}{pid}; {why}",
        short=fitted(f"silent {duration(now - since)}{pid}, {'busy?' if solo else 'blocked'}"),
        since=since,
        evidence=f"worker:{worker.hostname}",
        next="wait for its task" if solo else "look at its process: stopped, or out of CPU?",
        detail=ONE_SLOT if solo else "",
    )
