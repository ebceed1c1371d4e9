"""Messages wait in a queue that no worker listens to."""

from __future__ import annotations

from collections.abc import Iterator

from ..model.cluster import Cluster
from ..model.queue import Queue
from ..model.seam import Finding, Level
from ..model.worker import LOST, STOPPED, Worker
from .words import fitted, plural

RULE = "no-consumer"
TOLD_WITHIN_S = 10.0
"""A worker that young may not have said yet what it listens to."""
RESTART_S = 15.0
"""A worker that said goodbye so recently is probably being restarted."""


def findings(cluster: Cluster, now: float) -> Iterator[Finding]:
    """One for each queue with messages and nobody to take them."""
    workers = [w for w in cluster.workers.values() if cluster.state_of(w, now) != STOPPED]
    if not _everybody_told(cluster, workers, now):
        return
    for queue in cluster.queues.values():
        if _waits_in_vain(cluster, queue, now):
            yield _finding(cluster, queue, workers, now)


def _everybody_told(cluster: Cluster, workers: list[Worker], now: float) -> bool:
    """Whether what was heard of consumers is all there is to hear."""
    if "active_queues" not in cluster.rounds:
        return False
    silent = [w for w in workers if w.queues is None and cluster.state_of(w, now) != LOST]
    return all(now - max(w.first_seen, w.online_at or 0.0) > TOLD_WITHIN_S for w in silent)


def _waits_in_vain(cluster: Cluster, queue: Queue, now: float) -> bool:
    if not queue.depth or queue.quarantine or queue.consumers:
        return False
    if cluster.listeners.of(queue.name) != []:
        return False
    last = _listened_last(cluster, queue)
    restarting = last is not None and last.offline_at is not None
    return not (restarting and now - (queue.unconsumed_since or 0.0) < RESTART_S)


def _listened_last(cluster: Cluster, queue: Queue) -> Worker | None:
    """The worker that listened last, by what the queue remembers, else by what workers said."""
    if queue.last_consumer in cluster.workers:
        return cluster.workers[queue.last_consumer]
    stopped = [w for w in cluster.workers.values() if queue.name in (w.queues or ())]
    return max(stopped, key=lambda w: w.offline_at or 0.0, default=None)


def _finding(cluster: Cluster, queue: Queue, workers: list[Worker], now: float) -> Finding:
    count = sum(1 for w in workers if cluster.state_of(w, now) != LOST)
    verb = "listens" if count == 1 else "listen"
    listen = f"0 of {plural(count, 'worker')} {verb}" if count else "no worker is online"
    heard = f"0 of {count}" if count else "no worker"
    depth = queue.depth or 0
    untold = sum(1 for worker in workers if worker.queues is None)
    unsure = f", {untold} did not say" if untold else ""
    return Finding(
        rule=RULE,
        severity=Level.CRIT,
        subject=queue.name,
        text=f"nobody consumes it: {plural(depth, 'message')}, {listen}{unsure}",
        short=fitted(f"nobody consumes it: {plural(depth, 'msg')}, {heard}"),
        since=queue.unconsumed_since,
        evidence=f"queue:{queue.name}",
        next=f"start a worker with -Q {queue.name}",
        detail=_last(cluster, queue),
    )


def _last(cluster: Cluster, queue: Queue) -> str:
    last = _listened_last(cluster, queue)
    if last is None:
        since, attached = queue.unconsumed_since, cluster.attached_at
        early = since is not None and since - attached < TOLD_WITHIN_S
        return "it was so when we attached" if early else "no worker was seen listening to it"
    how = "went offline" if last.offline_at is not None else "stopped"
    return f"{last.hostname} listened last and {how}"
