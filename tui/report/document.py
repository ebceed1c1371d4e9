"""The status document (schema 1): what is true now, as JSON values; unknown is None, never 0."""

from __future__ import annotations

import math
from itertools import islice
from typing import TYPE_CHECKING, Any

from ..model.links import reason
from ..model.loss import Loss, coverage
from ..model.redact import redact_text, redact_value
from ..model.seam import Finding, Health, Link
from ..model.task import Task
from ..model.worker import Worker

if TYPE_CHECKING:
    from ..model.cluster import Cluster
    from ..model.queue import Queue
    from ..monitor import Monitor

SCHEMA = 1
MOST_ACTIVE = 1_000
MOST_RECENT = 100
BROKER_LINKS = ("events", "queues", "inspect")
NOT_KNOWN_YET = None
"""Part of the schema, not observed by this version."""


def document(monitor: Monitor) -> dict[str, Any]:
    """The whole document, secrets hidden. Fields may be added to it, never renamed."""
    cluster, now = monitor.cluster, monitor.clock()
    found = {
        "schema": SCHEMA,
        "taken_at": now,
        "watched_s": now - cluster.attached_at,
        "broker": broker(cluster, monitor.broker_url),
        "result_backend": result_backend(cluster, monitor.backend_url),
        "attached_at": cluster.attached_at,
        "events": events(cluster, now, monitor.shed),
        "unread": unread(cluster),
        "workers": [worker(cluster, one, now) for one in cluster.workers.values()],
        "queues": [queue(cluster, one, now) for one in cluster.queues.values()],
        "tasks": tasks(cluster, now),
        "failures": NOT_KNOWN_YET,
        "schedule": NOT_KNOWN_YET,
        "findings": [finding(one) for one in monitor.findings],
    }
    plain: dict[str, Any] = finite(found)
    return plain


def broker(cluster: Cluster, url: str | None) -> dict[str, Any]:
    """The link to the broker: lost when any source has lost it, refusing when any is refused.

    Of a broker that answers ``error`` is what this user may not do there.
    """
    links = [cluster.health[name] for name in BROKER_LINKS if name in cluster.health]
    lost = [health for health in links if health.state == Link.LOST]
    refusing = None if lost else cluster.links.refusing()
    worst = lost[0] if lost else refusing or cluster.links.broker()
    state = Link.REFUSING if refusing else worst.state if worst else Link.CONNECTING
    kept = [health.error for health in links if health.refused and health.error]
    latencies = [health.latency_ms for health in links if health.latency_ms is not None]
    return {
        "url": url,
        "transport": scheme(url),
        "state": str(state),
        "error": _error(worst) if lost or refusing or not kept else redact_text("; ".join(kept)),
        "refuses": refusing.refusal if refusing else None,
        "facts": refusing.facts or None if refusing else None,
        "latency_ms": min(latencies) if latencies and not lost else None,
    }


def result_backend(cluster: Cluster, url: str | None) -> dict[str, Any]:
    """The link to the result backend; ``off`` says in ``error`` why it is not read."""
    health = cluster.health.get("results")
    state = str(Link.REFUSING if health.refusal else health.state) if health else None
    return {
        "url": url,
        "kind": scheme(url),
        "state": state,
        "error": _error(health),
        "refuses": health.refusal or None if health else None,
        "facts": health.facts or None if health else None,
        "recent": looked_through(cluster),
    }


def unread(cluster: Cluster) -> dict[str, str | None]:
    """Why ``queues`` and ``workers`` may lack what is there; None: they were read."""
    return {"queues": _unread_queues(cluster), "workers": _unheard(cluster)}


def _unread_queues(cluster: Cluster) -> str | None:
    health = cluster.health.get("queues")
    if health is not None and health.state == Link.LIVE:
        return None if cluster.depths.read_at is not None else "they are still being read"
    return _why_not(health)


def _unheard(cluster: Cluster) -> str | None:
    """Where they can be neither heard nor asked."""
    heard, asked = (cluster.health.get(name) for name in ("events", "inspect"))
    if any(one is not None and one.state == Link.LIVE for one in (heard, asked)):
        return None
    return _why_not(heard)


def _why_not(health: Health | None) -> str:
    if health is None:
        return "the link does not stand yet"
    return reason(health) or _error(health) or "the link does not stand yet"


def looked_through(cluster: Cluster) -> dict[str, Any] | None:
    """What the search for recent results brought; None until it is over."""
    search = cluster.results_search
    if search is None or not search.done:
        return None
    return {
        "keys": search.keys,
        "of": search.of,
        "told": search.told,
        "unread": dict(search.unread),
        "error": search.note or None,
    }


def scheme(url: str | None) -> str | None:
    """``redis`` of ``redis://…``."""
    return url.partition("://")[0] if url else None


def _error(health: Health | None) -> str | None:
    return redact_text(health.error) if health is not None and health.error else None


def events(cluster: Cluster, now: float, shed: dict[str, int]) -> dict[str, Any]:
    """What came in, and what did not."""
    books = [worker.loss for worker in cluster.workers.values()]
    return {
        "counted": cluster.events_counted,
        "per_s": cluster.rates.events.per_second(now) if _hears(cluster) else None,
        "lost": _lost(books),
        "coverage": coverage(books),
        "shed": shed,
        "evicted": cluster.evicted,
        "malformed": dict(cluster.malformed),
        "gaps": gaps(cluster, "events"),
    }


def _hears(cluster: Cluster) -> bool:
    health = cluster.health.get("events")
    return health is None or health.state != Link.OFF


def _lost(books: list[Loss]) -> int | None:
    known = [one.lost for one in books if one.lost is not None]
    return sum(known) if known else None


def gaps(cluster: Cluster, source: str) -> list[list[Any]]:
    """``[from, to, why]`` for each time the link did not stand; ``to`` None: it still does not."""
    found = cluster.links.gaps.get(source, ())
    return [[one.since, one.until, redact_text(one.reason)] for one in found]


def worker(cluster: Cluster, one: Worker, now: float) -> dict[str, Any]:
    """One worker."""
    heard = one.heard_at if one.heartbeat else None
    return {
        "hostname": one.hostname,
        "state": cluster.state_of(one, now),
        "pid": one.pid,
        "pids": one.processes.living(one.heard_at or 0.0, one.freq) or None,
        "pool": one.pool,
        "concurrency": one.concurrency,
        "active": one.busy,
        "reserved": _count(one.reserved),
        "scheduled": _count(one.scheduled),
        "processed": one.processed,
        "queues": _list(one.queues),
        "events_enabled": one.events_enabled,
        "heartbeat": one.heartbeat,
        "heartbeat_age_s": now - heard if heard is not None else None,
        "lost_events": one.loss.lost,
        "duplicate_name": one.duplicate_name,
        "software": one.software,
        "prefetch": one.prefetch,
        "registered": None if one.registered is None else len(one.registered),
        "lacks": None if one.registered is None else list(cluster.registered.lacks(one.hostname)),
        "visibility_timeout_s": _visibility_s(cluster, one),
        "acks_late": one.acks_late,
        "autoscale": list(one.autoscale) if one.autoscale is not None else None,
        "uptime_s": one.uptime_s + now - one.stats_at
        if one.uptime_s is not None and one.stats_at is not None
        else None,
        "rss_bytes": one.rss_bytes,
        "restarted_from": one.restarted_from,
        "online_at": one.online_at,
        "left": left(one),
    }


def _visibility_s(cluster: Cluster, one: Worker) -> float | None:
    """Null where it was not told, and where the broker has no such timeout."""
    visibility = cluster.visibility(one.hostname)
    return visibility.seconds if one.conf_at and not visibility.at_once else None


def left(one: Worker) -> dict[str, Any] | None:
    """How its last process left, with the tasks that it ran and held then."""
    parting = one.parting
    if parting is None:
        return None
    return {
        "how": parting.how,
        "pid": parting.pid,
        "at": parting.at,
        "running": list(parting.running[:MOST_RECENT]),
        "held": list(parting.held[:MOST_RECENT]),
    }


def _count(ids: tuple[str, ...] | None) -> int | None:
    return None if ids is None else len(ids)


def _list(names: tuple[str, ...] | None) -> list[str] | None:
    return None if names is None else list(names)


def queue(cluster: Cluster, one: Queue, now: float) -> dict[str, Any]:
    """One queue; a quarantine says so. Rates that may have missed something are not told."""
    listeners = None if one.quarantine else cluster.listeners.of(one.name)
    consumers = one.consumers if one.consumers is not None else _count_of(listeners)
    told = cluster.listeners.all_told(one.name)
    flow = one.flow(now, told)
    sure = flow if flow is not None and flow.sure else None
    return {
        "name": one.name,
        "depth": one.depth,
        "by_priority": dict(one.by_priority),
        "unacked": one.unacked,
        "consumers": consumers,
        "oldest_age_s": list(one.oldest_s(now)),
        "in_per_s": sure.in_per_s if sure else None,
        "out_per_s": sure.out_per_s if sure else None,
        "drain_s": one.drain_s(now, None if consumers is None else consumers > 0, told),
        "held": False,
        "held_by_workers": cluster.queue_news.held(one.name),
        "limbo": one.limbo,
        "quarantine": one.quarantine,
        "doubtful": one.doubtful,
    }


def _count_of(names: list[str] | None) -> int | None:
    return None if names is None else len(names)


def tasks(cluster: Cluster, now: float) -> dict[str, Any]:
    """Counts by state, what runs, and what happened last."""
    running = cluster.tasks_of(islice(cluster.running, MOST_ACTIVE))
    ended = (t for task_id in cluster.newest() if (t := cluster.tasks[task_id]).final)
    return {
        "counts": {state: count for state, count in cluster.counts.items() if count},
        "active": [active(task, now) for task in running],
        "recent": [recent(task) for task in islice(ended, MOST_RECENT)],
        "unknown": [
            recent(t) for t in cluster.tasks_of(islice(reversed(cluster.unknown), MOST_RECENT))
        ],
        "left_behind": left_behind(cluster),
    }


def left_behind(cluster: Cluster) -> list[dict[str, Any]]:
    """Tasks of workers that left; ``back_at``: when the message will be given out again."""
    fates = cluster.reconciler.fates
    return [
        {**recent(task), "back_at": fates[task.id].back_at}
        for task in cluster.tasks_of(islice(reversed(fates), MOST_RECENT))
    ]


def active(task: Task, now: float) -> dict[str, Any]:
    """One running task."""
    return {
        "id": task.id,
        "name": task.name or None,
        "worker": task.worker or None,
        "args": _hidden(task.args),
        "kwargs": _hidden(task.kwargs),
        "args_exact": task.exact is not None,
        "runtime_s": task.runtime_so_far(now),
        "pid": task.pid,
        "source": task.source,
        "as_of": task.as_of,
        "verdict": task.verdict,
    }


def recent(task: Task) -> dict[str, Any]:
    """One task that has ended, or that has left its worker and nobody says how it ended."""
    return {
        "id": task.id,
        "name": task.name or None,
        "state": task.state,
        "worker": task.worker or None,
        "queue": task.queue,
        "source": task.source,
        "as_of": task.as_of,
        "verdict": task.verdict,
        "runtime_s": task.runtime_s,
        "exception": _hidden(task.exception),
    }


def _hidden(text: str | None) -> str | None:
    return None if text is None else redact_text(text)


def finding(one: Finding) -> dict[str, Any]:
    """One line of the attention list."""
    hidden: dict[str, Any] = redact_value(
        {
            "rule": one.rule,
            "severity": str(one.severity),
            "subject": one.subject,
            "text": one.text,
            "since": one.since,
            "evidence": one.evidence,
            "next": one.next,
        }
    )
    return hidden


def finite(value: Any) -> Any:
    """NaN and infinity, which JSON has not, as None; they come from hostile clocks."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {key: finite(item) for key, item in value.items()}
    return [finite(item) for item in value] if isinstance(value, list) else value
