"""Where each number of a worker comes from: heartbeats, its answers, what we counted. Pure."""

from __future__ import annotations

from ..model.fates import span
from ..model.worker import BLOCKED, LOST, ONLINE, SILENT, STOPPED, Worker
from . import workers as words
from .base import Cell, View
from .numbers import clock, count, known
from .why import WORKED_OUT, Origin, Part, ago, text, told, unknown

BEAT = "heartbeat"
STATS, CONF = "inspect stats", "inspect conf"
NOT_ASKED = "it has not answered inspect {} since it came"


def parts(worker: Worker, view: View) -> list[Part]:
    """Whether it lives, what it does, what it is."""
    return [
        Part("State", tuple(_state(worker, view))),
        Part("Work", tuple(_work(worker, view))),
        Part("Process", tuple(_process(worker, view))),
        Part("Set up", tuple(_set_up(worker, view))),
    ]


# -- whether it lives -------------------------------------------------------------------------


def _state(worker: Worker, view: View) -> list[Origin]:
    cell = words.state_cell(worker, view)
    note, at = _why_so(worker, view)
    found = [told("state", cell, WORKED_OUT, at, note), _seen(worker, view)]
    if worker.ping_answered_at is not None:
        at = worker.ping_answered_at
        found.append(told("answers", f"last {clock(at, view)}", "inspect, any question", at))
    else:
        found.append(unknown("answers", "it has not answered anything yet"))
    if worker.ping_missed_at is not None:
        at = worker.ping_missed_at
        found.append(told("silent to", f"a ping {clock(at, view)}", "inspect ping", at))
    if worker.online_at is not None:
        at = worker.online_at
        found.append(told("came", clock(at, view), _came(worker), at))
    if worker.parting is not None:
        ran, held = len(worker.parting.running), len(worker.parting.held)
        value = f"{worker.parting.how}: {ran:,} ran, {held:,} held"
        note = "what events and its lists named on it when it left"
        found.append(told("left", value, WORKED_OUT, worker.parting.at, note))
    return found


def _why_so(worker: Worker, view: View) -> tuple[str, float | None]:
    """How its state is judged, and when what it is judged by was told."""
    state, limit = words.state_of(worker, view), f"{worker.silence_allowed_s:g} s"
    beat, answer = worker.heard_at, worker.ping_answered_at
    if state == ONLINE and worker.heartbeat is False:
        return "it sends no heartbeats; it answers what is asked", answer
    if state == ONLINE:
        return f"an event of it within {limit} (three heartbeats)", worker.seen_at
    if state == SILENT:
        return f"no heartbeat for more than {limit}; a ping is still out", beat
    if state == BLOCKED:
        held = worker.ping_held_at is not None and worker.ping_held_at == worker.ping_missed_at
        why = "a ping was delivered to it and not answered" if held else "it answered a ping since"
        return f"no heartbeat for more than {limit}; {why}", worker.ping_held_at if held else answer
    if state == LOST:
        return "no heartbeat, and a ping that nobody took was not answered", worker.ping_missed_at
    if state == STOPPED:
        return "event worker-offline: it said goodbye", worker.offline_at
    off = view.cluster.links.acts_off() or "the broker is lost"
    return f"{off[0].lower()}{off[1:]}: it cannot be told", worker.seen_at


def _came(worker: Worker) -> str:
    if worker.reconnected_at == worker.online_at:
        return "event worker-online, same pid"
    if worker.restarted_from is not None:
        return f"another pid under its name (before: {worker.restarted_from})"
    return "event worker-online"


def _seen(worker: Worker, view: View) -> Origin:
    cell = words.seen_cell(worker, view)
    if worker.heard_at is not None and worker.heartbeat is not False:
        note = f"one each {worker.freq:g} s; by our clock, when it arrived"
        return told("seen", cell, "its last event", worker.heard_at, note)
    if worker.ping_answered_at is not None:
        return told("seen", cell, "its last answer", worker.ping_answered_at)
    return unknown("seen", "neither an event nor an answer of it has come")


# -- what it does -----------------------------------------------------------------------------


def _work(worker: Worker, view: View) -> list[Origin]:
    return [
        _busy(worker, view),
        _held(worker, view),
        _done(worker, view),
        _events(worker, view),
        _lost(worker, view),
        _answered(worker, "queues", words.queues_cell(worker, view), worker.queues_at, view),
    ]


def _busy(worker: Worker, view: View) -> Origin:
    cell, twins = words.busy_cell(worker, view), ""
    if worker.busy is None:
        return unknown("busy", "a heartbeat or inspect active tells it")
    if worker.duplicate_name:
        twins = "; of all processes with this name together"
    slots = "; slots ?: inspect stats tells them"
    if worker.concurrency is not None:
        slots = f"; slots by inspect stats {ago(worker.stats_at, view)}"
    source, at = f"{BEAT}, its active", worker.heard_at
    heard, asked = worker.heard_at or 0.0, worker.running_at or 0.0
    if worker.running is not None and not (worker.active is not None and heard > asked):
        source, at = "inspect active", worker.running_at
    note = f"the newer of heartbeat and inspect{slots}{twins}"
    return told("busy", cell, source, at, note)


def _held(worker: Worker, view: View) -> Origin:
    cell = words.held_cell(worker, view)
    if worker.held is None:
        return unknown("held", NOT_ASKED.format("reserved and scheduled"))
    note = f"{len(worker.reserved or ()):,} reserved + {len(worker.scheduled or ()):,} with an ETA"
    return told("held", cell, "inspect reserved, scheduled", worker.held_at, note)


def _done(worker: Worker, view: View) -> Origin:
    cell = words.processed_cell(worker, view)
    if worker.processed is None:
        return unknown("done", "heartbeats tell it, or inspect stats where none are sent")
    if not worker.heartbeat:
        return told("done", cell, STATS, worker.stats_at, "total, over all task types")
    note = "tasks that this process has started"
    return told("done", cell, f"{BEAT}, its processed", worker.heard_at, note)


def _events(worker: Worker, view: View) -> Origin:
    cell = words.events_cell(worker, view)
    if worker.events_enabled is None:
        return unknown("events", "no task has moved on it yet; nothing in stats or conf tells")
    if worker.events_enabled:
        note = f"{count(worker.task_events)} task events heard of it"
        return told("events", cell, WORKED_OUT, worker.heard_at, note)
    note = "its heartbeats count tasks, and no task event came; E switches them on"
    return told("events", cell, WORKED_OUT, worker.heard_at, note)


def _lost(worker: Worker, view: View) -> Origin:
    cell, loss = words.lost_cell(worker, view), worker.loss
    if loss.lost is None:
        return unknown("lost", "it takes heartbeats with a task start heard between them")
    judged = loss.last.arrived if loss.last is not None else worker.heard_at
    note = f"processed of its heartbeats less starts heard ({count(loss.heard)}), since we attached"
    return told("lost", cell, WORKED_OUT, judged, note)


# -- what it is -------------------------------------------------------------------------------


def _process(worker: Worker, view: View) -> list[Origin]:
    found = [_pid(worker)]
    if worker.duplicate_name:
        others = ", ".join(str(pid) for pid in worker.other_pids) or "?"
        note = "other processes with this name: they beat, or answer the same question"
        if view.cluster.is_amqp:
            note = "they share one mailbox: each question and each command reaches one of them"
        found.append(told("twins", (others, "warn"), WORKED_OUT, worker.heard_at, note))
    up = words.uptime_cell(worker, view)
    note = "since its start by itself, and the time since it answered"
    found.append(_by_stats("up", up, worker.uptime_s, worker, note))
    note = "the most that its main process took so far (rusage)"
    found.append(_by_stats("rss", words.rss_cell(worker, view), worker.rss_bytes, worker, note))
    if worker.loadavg is not None:
        note = "of its host, over a minute"
        found.append(told("load", words.load_cell(worker, view), BEAT, worker.heard_at, note))
    else:
        found.append(unknown("load", "heartbeats tell it where the system has one"))
    if worker.software:
        found.append(told("software", text(worker.software, 60), BEAT, worker.heard_at))
    else:
        found.append(unknown("software", "heartbeats tell it"))
    return found


def _pid(worker: Worker) -> Origin:
    if worker.pid is None:
        return unknown("pid", "a heartbeat or inspect stats tells it")
    if worker.heard_at is not None:
        return told("pid", str(worker.pid), BEAT, worker.heard_at)
    return told("pid", str(worker.pid), STATS, worker.stats_at)


def _by_stats(what: str, cell: Cell, value: object, worker: Worker, note: str = "") -> Origin:
    if value is None:
        need = NOT_ASKED.format("stats")
        if worker.stats_at is not None:
            need = "its answer to inspect stats does not tell it"
        return unknown(what, need)
    return told(what, cell, STATS, worker.stats_at, note)


def _answered(worker: Worker, what: str, cell: Cell, at: float | None, view: View) -> Origin:
    if worker.queues is None:
        return unknown(what, NOT_ASKED.format("active_queues"))
    return told(what, cell, "inspect active_queues", at)


def _set_up(worker: Worker, view: View) -> list[Origin]:
    at = worker.stats_at
    slots = known(worker.concurrency, str(worker.concurrency), view)
    found = [
        _by_stats("pool", words.pool_cell(worker, view), worker.pool, worker),
        _by_stats("slots", slots, worker.concurrency, worker, "processes or threads of its pool"),
        _by_stats(
            "prefetch", known(worker.prefetch, str(worker.prefetch), view), worker.prefetch, worker
        ),
    ]
    if worker.autoscale is not None:
        note = "least and most processes"
        found.append(told("autoscale", words.autoscale_cell(worker, view), STATS, at, note))
    found.append(_registered(worker, view))
    if view.cluster.registered.lacks(worker.hostname):
        note = "registered of the other workers of its queues, less its own"
        cell, since = words.lacks_cell(worker, view), _registered_at(worker, view)
        found.append(told("lacks", cell, WORKED_OUT, since, note))
    return [*found, _late(worker), _timeout(worker, view)]


def _registered(worker: Worker, view: View) -> Origin:
    if worker.registered is None:
        return unknown("registered", NOT_ASKED.format("registered"))
    at = _registered_at(worker, view)
    names = f"{len(worker.registered):,} task types"
    return told("registered", known(1, names, view), "inspect registered", at)


def _registered_at(worker: Worker, view: View) -> float | None:
    return view.cluster.links.answered_at.get((worker.hostname, "registered"))


def _late(worker: Worker) -> Origin:
    if worker.conf_at is None:
        return unknown("acks late", NOT_ASKED.format("conf"))
    note = "task_acks_late" if worker.acks_late is not None else "it sets none: Celery's default"
    note += "; a task may say otherwise of itself"
    return told("acks late", "yes" if worker.acks_late else "no", CONF, worker.conf_at, note)


def _timeout(worker: Worker, view: View) -> Origin:
    visibility = view.cluster.visibility(worker.hostname)
    if visibility.at_once:
        note = "RabbitMQ takes back what is not acknowledged when a connection closes"
        return told("visibility", "none: back at once", "the broker's kind", None, note)
    value = span(visibility.seconds)
    if worker.conf_at is not None:
        note = "" if worker.visibility_s is not None else "it sets none: the default of kombu"
        return told("visibility", value, CONF, worker.conf_at, note)
    if visibility.told:
        note = "visibility_timeout of the app that we were started with"
        return told("visibility", value, "the app given with -A", view.cluster.attached_at, note)
    need = "it has not answered inspect conf; taken to be the default of kombu"
    return unknown("visibility", need, (f"~{value}", "dim"))
