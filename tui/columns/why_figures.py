"""Where the header's key figures come from, by formula, source and age. Pure."""

from __future__ import annotations

from ..model.rates import WINDOW_S
from ..model.worker import Worker
from .base import View
from .facts import Fact
from .status import figures, working
from .why import BROKER, Origin, Part, oldest, told, unacked_by, unacked_need, unknown

NO_EVENTS = "no task event was heard: events are off, or no task has moved yet"
NOT_READ = "the queues were not read yet, or may not be"
RATES = {
    "in": f"task-received of the last {WINDOW_S} s",
    "out": f"ends of tasks in the last {WINDOW_S} s: succeeded, failed, revoked, rejected",
    "err": f"failed of all that ended in the last {WINDOW_S} s",
}
WIDEST = 200
"""A header with room for all of them."""


def part(view: View) -> Part:
    """The figures as the header shows them."""
    return Part("Figures", tuple(_origin(fact, view) for fact in figures(view, WIDEST)))


def _origin(fact: Fact, view: View) -> Origin:
    what, cell = fact.cells[0][0].strip(), fact.cells[1]
    source, at, note, need = _MADE_OF[what](view) if what not in RATES else _rate(what, view)
    if cell[0] == "?":
        return unknown(what, need)
    return told(what, cell, source, at, note)


_Made = tuple[str, float | None, str, str]
"""Source, age, formula, and what it takes to know it."""


def _rate(what: str, view: View) -> _Made:
    there = [w for w in view.cluster.workers.values() if w.offline_at is None]
    heard = sum(1 for worker in there if worker.events_enabled)
    note = f"{RATES[what]}; {heard} of {len(there)} workers are heard to send events"
    return "task events", view.cluster.links.heard_at.get("events"), note, NO_EVENTS


def _busy(view: View) -> _Made:
    there = working(view)
    at = oldest(*(_newest(worker) for worker in there if worker.busy is not None))
    note = "tasks that run now of the slots of all workers that are not lost"
    need = "no worker has told: heartbeats do, and inspect active and stats"
    return "heartbeats, inspect stats", at, note, need


def _newest(worker: Worker) -> float | None:
    moments = [at for at in (worker.heard_at, worker.running_at) if at is not None]
    return max(moments, default=None)


def _backlog(view: View) -> _Made:
    read = [queue for queue in view.cluster.queues.values() if queue.depth is not None]
    count = sum(1 for queue in read if not queue.quarantine)
    note = f"sum of what waits in {count:,} queues; what workers hold is not in it"
    return BROKER, view.cluster.depths.read_at, note, NOT_READ


def _held(view: View) -> _Made:
    told_ = [worker for worker in working(view) if worker.held is not None]
    note = f"taken and not started, an ETA included; sum over {len(told_):,} workers"
    need = "no worker has answered inspect reserved and scheduled"
    return "inspect reserved, scheduled", oldest(*(w.held_at for w in told_)), note, need


def _unacked(view: View) -> _Made:
    note = "taken by a worker and not acknowledged, over all queues"
    return unacked_by(view), view.cluster.depths.read_at, note, unacked_need(view)


_MADE_OF = {"busy": _busy, "backlog": _backlog, "held": _held, "unacked": _unacked}
