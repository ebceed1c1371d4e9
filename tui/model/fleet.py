"""How worker events and inspect replies change what we know of one worker. Pure."""

from __future__ import annotations

import sys
from typing import Any

from .events import Event
from .loss import Beat, Lost
from .worker import Worker

LARGEST = 1e15
"""No count, time or size in a reply is larger; what is was sent by mistake or malice."""
RESTART_SILENCE_INTERVALS = 2
"""A pid that was silent for so many heartbeats was replaced; one that still speaks is a twin."""


def beat(worker: Worker, event: Event, arrived: float) -> Lost | None:
    """What a worker event proves to have been lost on its way."""
    if event.type == "worker-online":  # it had lost its own broker: events wait and come late
        worker.loss.begin(event.pid, None)
    elif event.type == "worker-heartbeat" and event.processed is not None:
        worker.loss.threads = worker.pool not in (None, "prefork", "solo")
        return worker.loss.beat(event.pid, Beat(event.processed, event.timestamp, arrived))
    return None


def follow(worker: Worker, event: Event, arrived: float) -> str | None:
    """Fold a worker event in; the news in words when somebody should know.

    After a broker outage a worker first delivers its buffered ``worker-offline``, half a minute
    old: a goodbye older than the last sign of life is ignored.
    """
    if event.type == "worker-offline":
        return _offline(worker, event)
    news = _came(worker, event, arrived)
    worker.heard_at, worker.signed_at = arrived, max(worker.signed_at, event.timestamp)
    if event.type == "worker-heartbeat" or event.freq is not None:
        worker.heartbeat = True
    worker.freq = event.freq if event.freq and event.freq > 0 else worker.freq
    _numbers(worker, event)
    return news


def _offline(worker: Worker, event: Event) -> str | None:
    if event.timestamp < worker.signed_at or worker.offline_at is not None:
        return None
    if event.pid is not None and worker.pid is not None and event.pid != worker.pid:
        return None
    worker.offline_at = event.timestamp
    worker.signed_at = event.timestamp
    return "went offline"


def _came(worker: Worker, event: Event, arrived: float) -> str | None:
    """Online, back, restarted, or one of two that share the name."""
    returned = worker.offline_at is not None and event.timestamp > worker.offline_at
    first = worker.heard_at is None and event.type == "worker-online"
    news = "came online" if first or returned else None
    if returned:
        worker.offline_at = None
        worker.online_at = arrived
    if event.pid is not None and event.pid != worker.pid:
        news = _new_pid(worker, event.pid, arrived) or news
    return news


def _new_pid(worker: Worker, pid: int, arrived: float) -> str | None:
    former = worker.pid
    heard_before = worker.other_pids.get(pid)
    if former is not None:
        worker.other_pids[former] = worker.heard_at or arrived
        while len(worker.other_pids) > 8:
            worker.other_pids.pop(next(iter(worker.other_pids)))
    worker.pid = pid
    limit = RESTART_SILENCE_INTERVALS * worker.freq * 2
    if former is not None and heard_before is not None and arrived - heard_before <= limit:
        worker.duplicate_name = True
        return None
    worker.duplicate_name = False
    if former is None:
        return None
    worker.events_enabled, worker.task_events = None, 0
    worker.processed = worker.processed_pid = None
    worker.online_at = arrived
    return f"restarted (pid {former} to {pid})"


def _numbers(worker: Worker, event: Event) -> None:
    # The heartbeat that answers a heartbeat broadcast lacks these: keep the last known.
    if event.active is not None:
        worker.active = event.active
    if event.processed is not None:
        _judge_events(worker, event)
        worker.processed, worker.processed_pid = event.processed, event.pid
    if event.loadavg is not None:
        worker.loadavg = event.loadavg
    if event.sw_ident and event.sw_ver:
        worker.software = sys.intern(f"{event.sw_ident} {event.sw_ver}")
    worker.system = event.sw_sys or worker.system


def _judge_events(worker: Worker, event: Event) -> None:
    """``processed`` rises although no task event was heard: its events are off."""
    before = worker.processed
    if before is None or worker.processed_pid != event.pid or event.processed is None:
        return
    if event.processed > before and worker.task_events == 0:
        worker.events_enabled = False


def heard_task(worker: Worker, event: Event) -> None:
    """A worker-side task event of it arrived. It must not revive a worker that said goodbye."""
    if event.type == "task-started":
        worker.loss.start(event.timestamp)
    worker.task_events += 1
    worker.events_enabled = True


def answered(worker: Worker, question: str, payload: Any, at: float) -> None:
    """Fold one inspect reply in; anything of an unexpected shape is left out."""
    worker.ping_answered_at = max(worker.ping_answered_at or 0.0, at)
    if worker.offline_at is not None and at > worker.offline_at + worker.silence_allowed_s:
        worker.offline_at = None
    if question == "stats" and isinstance(payload, dict):
        _stats(worker, payload, at)
    elif question == "active_queues" and isinstance(payload, list):
        names = (queue.get("name") for queue in payload if isinstance(queue, dict))
        worker.queues = tuple(sorted(name for name in names if isinstance(name, str)))
        worker.queues_at = at
    elif question == "registered" and isinstance(payload, list):
        worker.registered = tuple(sorted(_bare(name) for name in payload if isinstance(name, str)))
    elif question in ("active", "reserved", "scheduled") and isinstance(payload, list):
        _tasks(worker, question, payload, at)


def _bare(name: str) -> str:
    # Celery appends attributes: "pay.charge [rate_limit=1/m]".
    return name.partition(" [")[0]


def _tasks(worker: Worker, question: str, payload: list[Any], at: float) -> None:
    ids = tuple(entry["id"] for entry in requests(question, payload))
    if question == "active":
        worker.running, worker.running_at = ids, at
    elif question == "reserved":
        worker.reserved, worker.held_at = ids, at
    else:
        worker.scheduled, worker.held_at = ids, at


def requests(question: str, payload: Any) -> list[dict[str, Any]]:
    """The request dicts of an active, reserved or scheduled reply that carry a task id."""
    if not isinstance(payload, list):
        return []
    entries = [entry for entry in payload if isinstance(entry, dict)]
    if question == "scheduled":
        entries = [_with_eta(entry) for entry in entries if isinstance(entry.get("request"), dict)]
    return [entry for entry in entries if isinstance(entry.get("id"), str) and entry["id"]]


def _with_eta(entry: dict[str, Any]) -> dict[str, Any]:
    return {**entry["request"], "eta": entry.get("eta")}


def _stats(worker: Worker, payload: dict[str, Any], at: float) -> None:
    pool = payload.get("pool") if isinstance(payload.get("pool"), dict) else {}
    assert isinstance(pool, dict)  # noqa: S101  narrows for the type checker only
    worker.pool = pool_name(pool.get("implementation")) or worker.pool
    processes = pool.get("processes")
    size = len(processes) if isinstance(processes, list) else pool.get("max-concurrency")
    worker.concurrency = _int(size, worker.concurrency)
    worker.prefetch = _int(payload.get("prefetch_count"), worker.prefetch)
    worker.pid = worker.pid if worker.pid is not None else _int(payload.get("pid"), None)
    uptime = number(payload.get("uptime"))
    worker.uptime_s = uptime if uptime is not None else worker.uptime_s
    usage = payload.get("rusage")
    rss_kb = number(usage.get("maxrss")) if isinstance(usage, dict) else None
    worker.rss_bytes = int(rss_kb) * 1024 if rss_kb is not None else worker.rss_bytes
    totals = payload.get("total")
    if isinstance(totals, dict):
        worker.totals = {
            str(name): count for name, count in totals.items() if number(count) is not None
        }
        if not worker.heartbeat:
            worker.processed = sum(worker.totals.values())
    worker.stats_at = at


def number(value: Any) -> float | None:
    """A number that can be reckoned with; None for NaN, infinity and what is nonsense as any."""
    if not isinstance(value, (int, float)) or isinstance(value, bool):
        return None
    return float(value) if abs(value) < LARGEST else None


def _int(value: Any, otherwise: int | None) -> int | None:
    return value if isinstance(value, int) and number(value) is not None else otherwise


def pool_name(implementation: Any) -> str | None:
    """Celery's word for a pool class path such as ``celery.concurrency.prefork:TaskPool``."""
    if not isinstance(implementation, str):
        return None
    module = implementation.partition(":")[0].rpartition(".")[2]
    return {"thread": "threads"}.get(module, module) or None
