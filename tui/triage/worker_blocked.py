"""A worker's connection stands, and it neither beats nor answers: stopped, stuck, or one slot."""

from __future__ import annotations

from collections.abc import Iterator

from ..model.cluster import Cluster
from ..model.seam import Finding, Level
from ..model.task import STARTED
from ..model.worker import BLOCKED, Worker
from .words import duration, fitted, names, plural

RULE = "worker-blocked"
ONE_SLOT = "a solo pool is silent while its task runs"


def findings(cluster: Cluster, now: float) -> Iterator[Finding]:
    """One for each blocked worker."""
    for worker in cluster.workers.values():
        if cluster.state_of(worker, now) == BLOCKED:
            yield _finding(cluster, worker, now)


def _finding(cluster: Cluster, worker: Worker, now: float) -> Finding:
    since = worker.heard_at or worker.seen_at or worker.first_seen
    pid = "" if worker.pid is None else f", pid {worker.pid}"
    solo = worker.pool == "solo"
    there = cluster.tasks_of(cluster.reconciler.places.on(worker.hostname))
    runs = [f"{task.name or '?'} {task.id[:8]}" for task in there if task.state == STARTED]
    runs_what = f"; it runs {plural(len(runs), 'task')}: {names(runs)}" if runs else ""
    why = ONE_SLOT if solo else "its connection stands: stopped, or stuck"
    return Finding(
        rule=RULE,
        severity=Level.WARN,
        subject=worker.hostname,
        text=f"no heartbeat for {duration(now - since)}{pid}; {why}{runs_what}",
        short=fitted(f"silent {duration(now - since)}{pid}, {'busy?' if solo else 'blocked'}"),
        since=since,
        evidence=f"worker:{worker.hostname}",
        next="wait for its task" if solo else "look at its process: stopped, or out of CPU?",
        detail=ONE_SLOT if solo else "",
    )
