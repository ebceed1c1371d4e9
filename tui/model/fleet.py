"""How worker events and inspect replies change what we know of one worker. Pure."""

from __future__ import annotations

import sys
from typing import Any

from .events import Event
from .loss import Beat, Lost
from .observations import Reply
from .worker import Gathered, Worker

WARNINGS = ("offline", "restarted", "is the name of")
"""Words of news that somebody should look at."""
LARGEST = 1e15
"""No count, time or size in a reply is larger; what is was sent by mistake or malice."""
MOST_TWINS = 8
TWICE_HOLDS_S = 25.0
"""So long after two answers to one question its name is taken to be given twice."""


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
    """Online, back, restarted, or one of several that share the name."""
    returned = worker.offline_at is not None and event.timestamp > worker.offline_at
    greets = event.type == "worker-online"
    news = "came online" if greets and worker.heard_at is None else None
    same = worker.pid is None or event.pid == worker.pid
    if same and (returned or (greets and worker.heard_at is not None)):
        news = _reconnected(worker, arrived)
    if event.pid is not None:
        news = _spoke(worker, event.pid, arrived, returned) or news
    if returned:
        worker.offline_at = None
    return news


def _reconnected(worker: Worker, arrived: float) -> str:
    """It had lost its broker: what it held it has dropped, what it ran runs on."""
    worker.online_at = worker.reconnected_at = arrived
    worker.running = worker.reserved = worker.scheduled = None
    pid = "" if worker.pid is None else f" {worker.pid}"
    return f"reconnected (same process{pid}), nothing is lost with it"


def _spoke(worker: Worker, pid: int, arrived: float, returned: bool) -> str | None:
    twins = worker.duplicate_name
    former = worker.processes.heard(pid, arrived, worker.freq, worker.offline_at is not None)
    living = worker.processes.living(arrived, worker.freq)
    twice = worker.answered_twice_at
    answers_twice = twice is not None and arrived - twice < TWICE_HOLDS_S
    worker.duplicate_name = len(living) > 1 or answers_twice
    if len(living) > 1 and not twins:
        return f"is the name of {len(living)} processes: pids {', '.join(map(str, living))}"
    if former is None:
        return None
    if twins:
        return f"is the name of pid {pid} alone: {former} went silent"
    _restarted(worker, former, arrived)
    return f"restarted (pid {former} to {pid})"


def _restarted(worker: Worker, former: int, arrived: float) -> None:
    """Nothing that the old process said is true of the new one."""
    worker.restarted_from, worker.online_at, worker.reconnected_at = former, arrived, None
    worker.events_enabled, worker.task_events = None, 0
    worker.active = worker.processed = worker.processed_pid = None
    worker.uptime_s = worker.stats_at = worker.rss_bytes = worker.totals = None
    worker.concurrency = worker.prefetch = worker.autoscale = None
    worker.running = worker.reserved = worker.scheduled = None
    worker.gathering = {}


def _numbers(worker: Worker, event: Event) -> None:
    # The heartbeat that answers a heartbeat broadcast lacks these: keep the last known.
    worker.processes.told(event)
    if worker.duplicate_name:
        _numbers_of_all(worker)
    elif event.pid is None or event.pid == worker.pid:
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


def _numbers_of_all(worker: Worker) -> None:
    """Of processes that share a name each tells its own numbers: together they do not jump."""
    living = worker.processes.living(worker.heard_at or 0.0, worker.freq)
    told = [worker.processes.known[pid] for pid in living]
    active = [one.active for one in told]
    processed = [one.processed for one in told]
    worker.active = sum(n for n in active if n is not None) if None not in active else None
    worker.processed = sum(n for n in processed if n is not None) if None not in processed else None


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


def answered(worker: Worker, reply: Reply, one_mailbox: bool = False) -> bool:
    """Fold one inspect reply in; True if it completes what its name says to that question.

    Anything of an unexpected shape is left out. ``one_mailbox``: of several processes with its
    name only one gets each question.
    """
    question, payload, at = reply.question, reply.payload, reply.at
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
    elif question == "conf" and isinstance(payload, dict):
        _conf(worker, payload, at)
    elif question in ("active", "reserved", "scheduled") and isinstance(payload, list):
        if one_mailbox and worker.duplicate_name:
            _half_told(worker, reply.at)
            return False
        return _tasks(worker, reply)
    return True


def _half_told(worker: Worker, at: float) -> None:
    """One of several told its tasks, nobody knows which: what its name holds is not known."""
    worker.running = worker.reserved = worker.scheduled = None
    _alone_again(worker, at)


def _conf(worker: Worker, payload: dict[str, Any], at: float) -> None:
    options = payload.get("broker_transport_options")
    timeout = number(options.get("visibility_timeout")) if isinstance(options, dict) else None
    worker.visibility_s = timeout if timeout is not None and timeout >= 0 else None
    late = payload.get("task_acks_late")
    worker.acks_late = late if isinstance(late, bool) else None
    worker.conf_at = at


def _bare(name: str) -> str:
    # Celery appends attributes: "pay.charge [rate_limit=1/m]".
    return name.partition(" [")[0]


def _tasks(worker: Worker, reply: Reply) -> bool:
    listed = {
        entry["id"]: entry.get("acknowledged") is True
        for entry in requests(reply.question, reply.payload)
    }
    complete = _gathered(worker, reply, listed)
    if complete is None:
        return False
    ids = tuple(complete)
    if reply.question == "active":
        worker.running, worker.running_at, worker.acknowledged = ids, reply.at, complete
    elif reply.question == "reserved":
        worker.reserved, worker.reserved_at = ids, reply.at
    else:
        worker.scheduled, worker.scheduled_at = ids, reply.at
    return True


def _gathered(worker: Worker, reply: Reply, listed: dict[str, bool]) -> dict[str, bool] | None:
    """What all processes of this name say together; None while another's answer may come."""
    before = worker.gathering.get(reply.question)
    if before is not None and before.asked_at == reply.asked_at:
        before.ids |= listed
        before.answers += 1
        worker.answered_twice_at, worker.duplicate_name = reply.at, True
        return before.ids
    worker.gathering[reply.question] = Gathered(reply.asked_at, dict(listed))
    if not worker.duplicate_name:
        return listed
    _alone_again(worker, reply.at)
    return before.ids if before is not None and before.answers == 1 else None


def _alone_again(worker: Worker, at: float) -> None:
    """Nobody answers in its name a second time any more, nor do two beat."""
    twice = worker.answered_twice_at
    beats = len(worker.processes.living(worker.heard_at or 0.0, worker.freq))
    if beats < 2 and (twice is None or at - twice > TWICE_HOLDS_S):
        worker.duplicate_name = False


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
    worker.concurrency = _slots(worker, payload.get("pid"), _int(size, worker.concurrency), at)
    worker.prefetch = _int(payload.get("prefetch_count"), worker.prefetch)
    if worker.pid is None:
        worker.processes.pid = _int(payload.get("pid"), None)
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
    worker.autoscale = _autoscale(payload.get("autoscaler"))
    worker.stats_at = at


def _slots(worker: Worker, pid: Any, size: int | None, at: float) -> int | None:
    """Of processes that share a name: those of all that told."""
    if isinstance(pid, int) and size is not None:
        slots = worker.processes.slots
        slots[pid] = size
        while len(slots) > MOST_TWINS:
            del slots[next(iter(slots))]
        if worker.duplicate_name:
            living = worker.processes.living(at, worker.freq)
            return sum(slots[one] for one in (living if len(living) > 1 else slots) if one in slots)
    return size


def _autoscale(told: Any) -> tuple[int, int] | None:
    if not isinstance(told, dict):
        return None
    least, most = _int(told.get("min"), None), _int(told.get("max"), None)
    return None if least is None or most is None else (least, most)


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
