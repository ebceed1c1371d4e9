"""A worker neither sends heartbeats nor answers a ping."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from ..model.cluster import Cluster
from ..model.seam import Finding, Level
from ..model.task import Task
from ..model.worker import LOST, Worker
from .words import duration, fitted, names, plural

RULE = "worker-lost"
WITHOUT_HEARTBEAT_S = 15.0
"""A worker judged by ping alone may just be busy: one missed answer proves nothing."""


def findings(cluster: Cluster, now: float) -> Iterator[Finding]:
    """One for each lost worker, with what ran on it."""
    lost = [w for w in cluster.workers.values() if cluster.state_of(w, now) == LOST]
    lost = [w for w in lost if w.heartbeat or now - _seen(w) > WITHOUT_HEARTBEAT_S]
    if not lost:
        return
    ran = _what_ran(cluster, {w.hostname for w in lost})
    for worker in lost:
        yield _finding(worker, ran[worker.hostname], now)


def _seen(worker: Worker) -> float:
    return worker.seen_at if worker.seen_at is not None else worker.first_seen


def _what_ran(cluster: Cluster, hostnames: set[str]) -> defaultdict[str, list[Task]]:
    ran: defaultdict[str, list[Task]] = defaultdict(list)
    for task_id in cluster.running:
        task = cluster.tasks[task_id]
        if task.worker in hostnames and task.started_at is not None:
            ran[task.worker].append(task)
    return ran


def _finding(worker: Worker, ran: list[Task], now: float) -> Finding:
    held = worker.held or 0
    since = _seen(worker)
    pid = "" if worker.pid is None else f", pid {worker.pid}"
    what = f"{plural(len(ran), 'task')} ran on it" if ran else "nothing known ran on it"
    which = f": {names([_named(task) for task in ran])}" if ran else ""
    return Finding(
        rule=RULE,
        severity=Level.CRIT if ran or held else Level.WARN,
        subject=worker.hostname,
        text=f"silent for {duration(now - since)} and no answer to a ping{pid}; {what}{which}",
        short=fitted(f"lost {duration(now - since)}{pid}, {plural(len(ran), 'task')} ran"),
        since=since,
        evidence=f"worker:{worker.hostname}",
        next="look at its process and host, then start it again",
        detail=_fate(ran, held),
    )


def _named(task: Task) -> str:
    return f"{task.name or '?'} {task.id[:8]}"


def _fate(ran: list[Task], held: int) -> str:
    """Whether the messages come back; nothing tells a task's acks_late from outside."""
    words = []
    if ran:
        words.append("tasks that ran come back only with acks_late")
    if held:
        words.append(f"{held:,} held come back after the visibility timeout (1 h by default)")
    return "; ".join(words)
