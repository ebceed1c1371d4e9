"""Where each number of a queue comes from: readings, samples, and what workers answer. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from ..model.history import STEP_S
from ..model.holdings import FRESH_S
from ..model.queue import FLOW_OLD_S, NEVER, Queue
from ..model.waiting import WINDOW_S
from ..model.worker import Worker
from . import queues as words
from . import waits
from .base import View
from .names import node
from .numbers import UNKNOWN, count, duration, known, stale
from .why import (
    BROKER,
    MANAGEMENT,
    WORKED_OUT,
    Origin,
    Part,
    management_need,
    oldest,
    text,
    told,
    unacked_by,
    unacked_need,
    unknown,
)

STEPS = "one list for each step"
NOT_READ = "the queue was not read yet, or may not be"
RESTARTED = "the broker was restarted since: if it was killed, it may have some of them, too"
WHO = "who listens is not known: no worker has answered inspect active_queues"


def parts(queue: Queue, view: View) -> list[Part]:
    """What waits, how it moves, who takes it; of a quarantine what it holds."""
    if queue.quarantine:
        note = "we moved them here when we purged; Z moves them back"
        if queue.doubtful:
            note += "; ? a killed dashboard left open whether these are in their queue, too"
        if queue.restarted:
            note += f"; {RESTARTED}"
        return [Part("Quarantine", (_depth(queue, view, note),))]
    return [
        Part("Waits", tuple(_waits(queue, view))),
        Part("Moves", tuple(_moves(queue, view))),
        Part("Taken", tuple(_taken(queue, view))),
    ]


# -- what waits -------------------------------------------------------------------------------


def _waits(queue: Queue, view: View) -> list[Origin]:
    found = [_depth(queue, view)]
    cell = words.priorities_cell(queue, view)
    if cell == UNKNOWN:
        found.append(unknown("priorities", management_need(view)))
    elif len(queue.by_priority) > 1:
        source, note = (MANAGEMENT, "") if view.cluster.is_amqp else (BROKER, STEPS)
        found.append(told("priorities", cell, source, queue.read_at, note))
    found.append(_oldest(queue, view))
    sample = view.cluster.peeks.samples.get(queue.name)
    if sample is not None:
        types = sum(bool(name) for name in sample.names)
        kinds = f"{types:,} task type{'s' if types != 1 else ''}"
        note = f"names in {count(sample.sampled)} of {count(sample.total)} messages"
        found.append(told("in it", kinds, "messages read", sample.at, note))
    return found


def _depth(queue: Queue, view: View, note: str = "") -> Origin:
    if queue.depth is None:
        return unknown("waiting", NOT_READ)
    how = "messages ready" if view.cluster.is_amqp else "the lengths of its lists"
    note = note or f"{how}; what workers have taken is not in it"
    return told("waiting", words.depth_cell(queue, view), BROKER, queue.read_at, note)


def _oldest(queue: Queue, view: View) -> Origin:
    cell = waits.oldest_cell(queue, view)
    if queue.depth == 0:
        return told("oldest", cell, BROKER, queue.read_at, "nothing waits")
    low, high = queue.oldest_s(waits.read_at(queue, view))
    at = queue.waiting.at if queue.waiting is not None else None
    if low is None:
        need = (
            text(view.cluster.depths.no_ages, 200) or "messages carry no time: it takes two looks"
        )
        return unknown("oldest", need)
    if high is None:
        note = f"at least {duration(low)}: it waited already when we first looked"
        need = "how long before that nobody knows: messages carry no time"
        if cell == UNKNOWN:
            return unknown("oldest", f"{note}, {need}")
        return told("oldest", cell, WORKED_OUT, at, f"{note}; {need}")
    bounds = f"at least {duration(low)}, at most {duration(high)}"
    note = f"{bounds}: two looks between which it came"
    return told("oldest", cell, WORKED_OUT, at, note)


# -- how it moves -----------------------------------------------------------------------------


def _moves(queue: Queue, view: View) -> list[Origin]:
    return [
        _flow(queue, view, "in"),
        _flow(queue, view, "out"),
        _drain(queue, view),
        _trend(queue, view),
    ]


def _flow(queue: Queue, view: View, what: str) -> Origin:
    cell = (waits.in_cell if what == "in" else waits.out_cell)(queue, view)
    flow = waits.flow_of(queue, view)
    waiting = queue.waiting
    if flow is None:
        old = waiting is not None and view.now - waiting.at > FLOW_OLD_S
        need = "its last look is too old" if old else "it takes two looks at its newest message"
        if view.cluster.is_amqp:
            return unknown(f"{what}/s", management_need(view))
        return unknown(f"{what}/s", text(view.cluster.depths.no_ages, 200) or need)
    if view.cluster.is_amqp and waiting is not None and waiting.flow is not None:
        note = f"what is {'published' if what == 'in' else 'delivered'}, by RabbitMQ's own count"
        return told(f"{what}/s", cell, MANAGEMENT, waiting.at, note)
    at = waiting.at if waiting is not None else queue.read_at
    seconds = f"of the last {WINDOW_S:g} s"
    if flow.sure and what == "in":
        note = f"arrivals {seconds}, by sampling the newest message"
    elif flow.sure:
        note = f"arrivals {seconds} less the change of its depth"
    else:
        note = f"{seconds[3:]}, at least: what came and went between two looks is not seen"
        if queue.sent is not None or queue.taken is not None:
            note += "; task-sent and task-received tell of some of it"
    return told(f"{what}/s", cell, WORKED_OUT, at, note)


def _drain(queue: Queue, view: View) -> Origin:
    cell, drain = waits.drain_cell(queue, view), waits.drain_of(queue, view)
    if queue.depth == 0:
        return told("drain", cell, WORKED_OUT, queue.read_at, "nothing waits")
    if drain is None:
        need = "depth / (out - in): its depth is steady, or watched for too short"
        return unknown("drain", need)
    if drain != NEVER:
        note = "depth / (out - in), by its depths of 90 s; one that turns over soon: depth / out"
    elif words.listeners(queue, view) == []:
        note = "nobody consumes it"
    else:
        note = "depth / (out - in): more comes than goes"
    return told("drain", cell, WORKED_OUT, queue.read_at, note)


def _trend(queue: Queue, view: View) -> Origin:
    cell = words.trend_cell(queue, view)
    if cell == UNKNOWN:
        return unknown("/min", f"it takes a few depths, one each {STEP_S:g} s")
    young = " so far, as if it went on for a minute" if cell[0].lstrip("(")[:1] == "~" else ""
    note = f"change of its depth in a minute, by readings {STEP_S:g} s apart{young}"
    return told("/min", cell, WORKED_OUT, queue.read_at, note)


# -- who takes it -----------------------------------------------------------------------------


def _taken(queue: Queue, view: View) -> list[Origin]:
    found = [_consumers(queue, view)]
    if queue.consumers is not None:
        note = "consumers, by the broker's own count: each worker that takes from it is one"
        found.append(told("counted", count(queue.consumers), BROKER, queue.read_at, note))
    found += [_use(queue, view), _held(queue, view)]
    found += [_unacked(queue, view), _limbo(queue, view)]
    if queue.last_consumer and queue.unconsumed_since is not None:
        name = node(queue.last_consumer, view.host_suffix)
        note = "the last that listed it, until then"
        found.append(told("last", name, "inspect active_queues", queue.unconsumed_since, note))
    return found


def _listening(queue: Queue, view: View) -> list[Worker]:
    return [view.cluster.workers[name] for name in words.listeners(queue, view) or ()]


def _consumers(queue: Queue, view: View) -> Origin:
    if words.listeners(queue, view) is None:
        return unknown("consumers", WHO)
    there = [w for w in view.cluster.workers.values() if w.offline_at is None]
    answered = [worker for worker in there if worker.queues is not None]
    source = f"active_queues of {len(answered)} of {len(there)} workers"
    at = oldest(*(w.queues_at for w in _listening(queue, view) or answered))
    round_ = view.cluster.rounds.get("active_queues")
    at = at if at is not None or round_ is None else round_.at
    missing = len(there) - len(answered)
    note = f"{missing} did not answer: they may listen" if missing else ""
    return told("consumers", words.consumers_cell(queue, view), source, at, note)


def _use(queue: Queue, view: View) -> Origin:
    names = words.listeners(queue, view)
    if names is None:
        return unknown("use", WHO)
    if not names:
        return told("use", "-", WORKED_OUT, queue.read_at, "nobody consumes it: it has no slots")
    cell = words.use_cell(queue, view)
    if cell == UNKNOWN:
        lost = words.deserted(queue, view)
        need = "all that consume it are lost" if lost else "not all consumers told busy and slots"
        return unknown("use", need)
    note = "busy of slots of its consumers, which may serve other queues too"
    at = oldest(*(_busy_at(worker) for worker in _listening(queue, view)))
    return told("use", cell, "heartbeats, inspect stats", at, note)


def _busy_at(worker: Worker) -> float | None:
    moments = [at for at in (worker.heard_at, worker.running_at) if at is not None]
    return max(moments, default=None)


def _held(queue: Queue, view: View) -> Origin:
    held = view.cluster.queue_news.held(queue.name)
    if held is None:
        no_names = words.listeners(queue, view) is None
        return unknown("held", WHO if no_names else _not_all("reserved and scheduled"))
    at = _answered_at(_listening(queue, view), ("reserved", "scheduled"))
    note = "its messages that wait in workers, an ETA included, by their routing"
    cell = known(held, count(held), view)
    return told("held", cell, "inspect reserved, scheduled", at or queue.read_at, note)


def _not_all(question: str) -> str:
    return f"not all its consumers have answered inspect {question}"


def _answered_at(workers: Iterable[Worker], questions: tuple[str, ...]) -> float | None:
    moments = []
    for worker in workers:
        told_at = {
            "active": worker.running_at,
            "reserved": worker.reserved_at,
            "scheduled": worker.scheduled_at,
        }
        moments += [told_at[question] for question in questions]
    return oldest(*moments)


def _unacked(queue: Queue, view: View) -> Origin:
    if queue.unacked is None:
        return unknown("unacked", unacked_need(view))
    note = "taken by a worker and not acknowledged"
    note += "" if view.cluster.is_amqp else ", by routing key"
    cell = words.unacked_cell(queue, view)
    return told("unacked", cell, unacked_by(view), queue.read_at, note)


def _limbo(queue: Queue, view: View) -> Origin:
    if queue.limbo is None:
        if queue.unacked is None:
            return unknown("limbo", "it takes what is unacknowledged of it")
        if words.listeners(queue, view) is None:
            return unknown("limbo", WHO)
        need = f"it takes answers of all its consumers within {FRESH_S:g} s, three times"
        return unknown("limbo", need)
    at = _answered_at(_listening(queue, view), ("active", "reserved", "scheduled"))
    note = "unacked - running that hold theirs - reserved - ETA; the least of several looks"
    cell = stale(count(queue.limbo), view) if view.stale else waits.limbo_cell(queue, view)
    return told("limbo", cell, WORKED_OUT, at or queue.read_at, note)
