"""A worker neither sends heartbeats nor answers a ping."""

from __future__ import annotations

from collections.abc import Iterator

from ..model.cluster import Cluster
from ..model.fates import Fate, span
from ..model.reconcile import is_lost
from ..model.seam import Finding, Level
from ..model.task import STARTED, Task
from ..model.worker import LOST, Parting, Worker
from .words import duration, fitted, names, plural

RULE = "worker-lost"


def findings(cluster: Cluster, now: float) -> Iterator[Finding]:
    """One for each lost worker, with what ran on it and what becomes of that."""
    for worker in cluster.workers.values():
        if cluster.state_of(worker, now) == LOST and is_lost(worker, now):
            yield _finding(cluster, worker, now)


def _finding(cluster: Cluster, worker: Worker, now: float) -> Finding:
    ran = _what_ran(cluster, worker)
    held = _held(cluster, worker)
    since = worker.seen_at if worker.seen_at is not None else worker.first_seen
    pid = "" if worker.pid is None else f", pid {worker.pid}"
    what = f"{plural(len(ran), 'task')} ran on it" if ran else "nothing known ran on it"
    which = f": {names([_named(task) for task in ran])}" if ran else ""
    fates = [cluster.reconciler.fates.get(task.id) for task in ran]
    known = _told(fates, now)
    becomes = f"; {known}" if known else ""
    return Finding(
        rule=RULE,
        severity=Level.CRIT if ran or held else Level.WARN,
        subject=worker.hostname,
        text=f"silent for {duration(now - since)} and no answer to a ping{pid}; "
        f"{what}{which}{becomes}",
        short=fitted(f"lost {duration(now - since)}{pid}, {plural(len(ran), 'task')} ran"),
        since=since,
        evidence=f"worker:{worker.hostname}",
        next="look at its process and host, then start it again",
        detail=_detail(cluster, worker, fates, held, now),
    )


def _gone(worker: Worker) -> Parting | None:
    """How its present process left, once that was judged."""
    parting = worker.parting
    return parting if parting is not None and parting.pid == worker.pid else None


def _what_ran(cluster: Cluster, worker: Worker) -> list[Task]:
    """Tasks that ran on it and of which nothing better is known."""
    parting = _gone(worker)
    if parting is None:
        there = cluster.tasks_of(cluster.reconciler.places.on(worker.hostname))
        return [task for task in there if task.state == STARTED and task.started_at is not None]
    fates = cluster.reconciler.fates
    ran = cluster.tasks_of(parting.running)
    return [
        task
        for task in ran
        if task.id in fates or (task.state == STARTED and task.worker == worker.hostname)
    ]


def _held(cluster: Cluster, worker: Worker) -> int:
    parting = _gone(worker)
    if parting is None:
        return worker.held or 0
    fates = cluster.reconciler.fates
    return sum(1 for i in parting.held if i in fates) or len(parting.held) or worker.held or 0


def _named(task: Task) -> str:
    return f"{task.name or '?'} {task.id[:8]}"


def _told(fates: list[Fate | None], now: float) -> str:
    """What is known of the messages of the tasks that ran."""
    known = [fate for fate in fates if fate is not None]
    gone = sum(1 for fate in known if fate.unacked is False and not fate.went_back)
    again = sum(1 for fate in known if fate.went_back)
    back = [fate for fate in known if fate.unacked]
    words = []
    if gone:
        words.append(f"{gone} acknowledged early and {'is' if gone == 1 else 'are'} gone")
    if back:
        words.append(f"{len(back)} {'comes' if len(back) == 1 else 'come'} back{_when(back, now)}")
    if again:
        words.append(f"{again} went back to {'its queue' if again == 1 else 'their queues'}")
    return ", ".join(words)


def _when(back: list[Fate], now: float) -> str:
    times = [fate.back_at for fate in back if fate.back_at is not None]
    if not times:
        return " after the visibility timeout"
    return f" in {duration(min(times) - now)}" if min(times) > now else " any moment"


def _detail(
    cluster: Cluster, worker: Worker, fates: list[Fate | None], held: int, now: float
) -> str:
    """Whether the messages come back; that a task acknowledges late is not always known."""
    words = []
    visibility = cluster.visibility(worker.hostname)
    if any(fate is None or fate.unacked is None for fate in fates):
        verb = "went" if visibility.at_once else "come"
        words.append(f"tasks that ran {verb} back only with acks_late")
    if held and visibility.at_once:
        words.append(f"{held:,} held went back to {'its queue' if held == 1 else 'their queues'}")
    elif held:
        parting = _gone(worker)
        known = [cluster.reconciler.fates.get(i) for i in (parting.held if parting else ())]
        back = [fate for fate in known if fate is not None and fate.back_at is not None]
        timeout = f"{span(visibility.seconds)}{'' if visibility.told else ' by default'}"
        when = _when(back, now) if back else f" after the visibility timeout ({timeout})"
        words.append(f"{held:,} held come back{when}")
    return "; ".join(words)
