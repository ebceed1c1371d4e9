"""Workers: state words, columns of Home and of the Workers screen."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..model.links import reason
from ..model.seam import Link
from ..model.worker import BLOCKED, LOST, ONLINE, SILENT, STOPPED, UNKNOWN, Worker
from .base import Cell, Column, View
from .gauges import gauge
from .names import cut_middle, literal, node
from .numbers import NOT_APPLICABLE, age, count, duration, known, size, whole
from .numbers import UNKNOWN as UNKNOWN_CELL
from .rows import Head, PlainRows, ordered

STATES: dict[str, tuple[str, str]] = {
    ONLINE: ("✓", "ok"),
    SILENT: ("◌", "warn"),
    BLOCKED: ("!", "warn"),
    LOST: ("✗", "crit"),
    STOPPED: ("⋅", "dim"),
    UNKNOWN: ("?", "dim"),
}
NEWS_S = 300.0
"""So long a restart or a reconnect is news."""
HELD_OLD_S = 20.0
"""Age in seconds from which what a worker holds is not the number of now."""
UNHEARD = (LOST, BLOCKED, SILENT, STOPPED)
"""States that are counted in the head: with one of them not all are heard."""
TROUBLE = (LOST, BLOCKED, SILENT, UNKNOWN, ONLINE, STOPPED)


def state_of(worker: Worker, view: View) -> str:
    """Its state now."""
    return view.cluster.state_of(worker, view.now)


def state_cell(worker: Worker, view: View) -> Cell:
    """Glyph and word."""
    state = state_of(worker, view)
    glyph, style = STATES[state]
    return f"{glyph} {state}", style


def glyph_cell(worker: Worker, view: View) -> Cell:
    """Glyph alone."""
    return STATES[state_of(worker, view)]


def name_cell(worker: Worker, view: View) -> Cell:
    """Node name; bold when it needs somebody."""
    trouble = state_of(worker, view) in (LOST, BLOCKED)
    return node(worker.hostname, view.host_suffix), "bright" if trouble else ""


def _old(worker: Worker, view: View) -> bool:
    return view.stale or state_of(worker, view) in (LOST, UNKNOWN)


def _number(value: int | None, worker: Worker, view: View, style: str = "") -> Cell:
    if value is None:
        return UNKNOWN_CELL
    return (f"({count(value)})", "dim") if _old(worker, view) else (count(value), style)


def busy_cell(worker: Worker, view: View) -> Cell:
    """Slots in use of slots."""
    if worker.busy is None and worker.concurrency is None:
        return UNKNOWN_CELL
    words = f"{_or(worker.busy)}/{_or(worker.concurrency)}"
    return (f"({words})", "dim") if _old(worker, view) else (words, "")


def _or(value: int | None) -> str:
    return "?" if value is None else str(value)


def gauge_drawn(worker: Worker, view: View, width: int) -> Cell:
    """Slots in use as a line on a track."""
    if worker.busy is None or not worker.concurrency or _old(worker, view):
        return "", ""
    full = worker.busy >= worker.concurrency
    part, rest = gauge(worker.busy, worker.concurrency, width, "warn" if full else "data")
    return part[0] + rest[0], f"{len(part[0])} {part[1]}/{rest[1]}"


def events_cell(worker: Worker, view: View) -> Cell:
    """Whether its task events are on; ``?`` until a task has moved on it."""
    if worker.events_enabled is None:
        return UNKNOWN_CELL
    return ("on", "") if worker.events_enabled else ("off", "warn")


def seen_cell(worker: Worker, view: View) -> Cell:
    """Since its last sign of life."""
    state = state_of(worker, view)
    style = {LOST: "crit", BLOCKED: "warn", SILENT: "warn"}.get(state, "dim")
    seen = worker.seen_at if worker.heartbeat is False else worker.heard_at or worker.seen_at
    return age(seen, view, style)


def rss_cell(worker: Worker, view: View) -> Cell:
    """Largest memory of its main process so far."""
    if worker.rss_bytes is None:
        return UNKNOWN_CELL
    return known(worker.rss_bytes, size(worker.rss_bytes), view)


def uptime_cell(worker: Worker, view: View) -> Cell:
    """Since its start."""
    if worker.uptime_s is None or worker.stats_at is None:
        return UNKNOWN_CELL
    if worker.offline_at is not None:
        return NOT_APPLICABLE
    lost = state_of(worker, view) == LOST
    until = worker.seen_at if lost and worker.seen_at is not None else view.now
    seconds = max(0.0, worker.uptime_s + until - worker.stats_at)
    if lost:
        return f"({duration(seconds)})", "dim"
    return known(seconds, duration(seconds), view, "dim")


def queues_cell(worker: Worker, view: View) -> Cell:
    """Queues it consumes."""
    if worker.queues is None:
        return UNKNOWN_CELL
    return literal(", ".join(worker.queues), 300) or "none", "" if worker.queues else "warn"


def note(worker: Worker, view: View) -> str:
    """What is worth saying of it in words."""
    state = state_of(worker, view)
    if state == LOST:
        running = len(ran_when_lost(worker))
        return f"{running} running when lost" if running else "ping unanswered"
    if state == BLOCKED:
        held = worker.ping_held_at is not None and worker.ping_held_at == worker.ping_missed_at
        return "connected, answers nothing" if held else "ping answers, heartbeats stopped"
    if worker.duplicate_name:
        return _twins(worker, view)
    if state == STOPPED:
        return "said goodbye"
    words = (_came(worker, view), _lacks(worker, view), _without(worker))
    return ", ".join(filter(None, words))


def _lacks(worker: Worker, view: View) -> str:
    lacks = view.cluster.registered.lacks(worker.hostname)
    if not lacks:
        return ""
    return f"lacks {_names(lacks, 1)}"


def _names(names: Sequence[str], shown: int) -> str:
    more = len(names) - shown
    words = ", ".join(literal(name, 80) for name in names[:shown])
    return f"{words} and {more} more" if more > 0 else words


def lacks_cell(worker: Worker, view: View) -> Cell:
    """Registered tasks that it lacks and others of its queues know."""
    lacks = view.cluster.registered.lacks(worker.hostname)
    return f"{len(lacks)} that others of its queues know: {_names(lacks, 8)}", "warn"


def conf_cells(worker: Worker, view: View) -> tuple[tuple[str, Cell], ...]:
    """What its configuration says of messages that are not acknowledged."""
    if worker.conf_at is None:
        return (("visibility", UNKNOWN_CELL), ("acks late", UNKNOWN_CELL))
    visibility = view.cluster.visibility(worker.hostname)
    timeout = "none: back at once" if visibility.at_once else duration(visibility.seconds)
    late = "yes" if worker.acks_late else "no, unless a task says so"
    return (("visibility", (timeout, "")), ("acks late", (late, "")))


def ran_when_lost(worker: Worker) -> tuple[str, ...]:
    """Ids of the tasks that ran on it when it was lost."""
    gone = worker.parting is not None and worker.parting.pid == worker.pid
    return worker.parting.running if gone and worker.parting else (worker.running or ())


def _twins(worker: Worker, view: View) -> str:
    pids = worker.processes.living(worker.heard_at or 0.0, worker.freq)
    if len(pids) < 2:
        return "two processes share this name"
    return f"{len(pids)} processes share this name: pids {', '.join(map(str, pids))}"


def _came(worker: Worker, view: View) -> str:
    """How it came, while that is news."""
    if worker.online_at is None or not 0 <= view.now - worker.online_at < NEWS_S:
        return ""
    since = whole(view.now - worker.online_at)
    if worker.reconnected_at == worker.online_at:
        return f"reconnected {since} ago, same process"
    if worker.restarted_from is not None:
        return f"restarted {since} ago (pid {worker.restarted_from} to {worker.pid})"
    return ""


def _without(worker: Worker) -> str:
    return "sends no heartbeats" if worker.heartbeat is False else ""


def note_cell(worker: Worker, view: View) -> Cell:
    """The note."""
    return note(worker, view), "" if state_of(worker, view) in (LOST, BLOCKED) else "dim"


def pool_cell(worker: Worker, view: View) -> Cell:
    """Kind of its pool."""
    return (literal(worker.pool, 40), "") if worker.pool else UNKNOWN_CELL


def autoscale_cell(worker: Worker, view: View) -> Cell:
    """Least and most processes; ``-`` where it was started without autoscale."""
    if worker.autoscale is not None:
        return f"{worker.autoscale[0]} to {worker.autoscale[1]}", ""
    return NOT_APPLICABLE if worker.stats_at is not None else UNKNOWN_CELL


def version_cell(worker: Worker, view: View) -> Cell:
    """Version of its Celery."""
    return (
        (literal(worker.software.rpartition(" ")[2], 40), "dim")
        if worker.software
        else UNKNOWN_CELL
    )


def processed_cell(worker: Worker, view: View) -> Cell:
    """Tasks started since its start."""
    return _number(worker.processed, worker, view)


def lost_cell(worker: Worker, view: View) -> Cell:
    """Tasks whose events were sent and never heard; ``?`` while nobody can tell."""
    lost = worker.loss.lost
    words = f"~{count(lost)}" if lost else "0"
    return known(lost, words, view, "warn" if lost else "")


def held_cell(worker: Worker, view: View) -> Cell:
    """Tasks it has taken and not started; ``~`` where it told of some of them long ago."""
    held, at = worker.held, worker.held_at
    if held and at is not None and view.now - at > HELD_OLD_S and not _old(worker, view):
        return f"~{count(held)}", "dim"
    return _number(held, worker, view)


def load_cell(worker: Worker, view: View) -> Cell:
    """Load of its host over a minute."""
    if worker.loadavg is None:
        return NOT_APPLICABLE
    return known(worker.loadavg[0], f"{worker.loadavg[0]:.1f}", view, "dim")


def _host(worker: Worker, view: View) -> str:
    return worker.hostname


_NAME: Column[Worker] = Column(
    "name", "worker", name_cell, _host, 18, grow=22, cut=cut_middle, sort="n"
)
_BUSY: Column[Worker] = Column(
    "busy", "busy", busy_cell, lambda w, v: w.busy, 5, right=True, sort="b"
)
_GAUGE: Column[Worker] = Column(
    "gauge", "", busy_cell, lambda w, v: w.busy, 10, keep=40, grow=7, drawn=gauge_drawn
)
_HELD: Column[Worker] = Column(
    "held", "held", held_cell, lambda w, v: w.held, 5, right=True, keep=70, sort="h"
)
_SEEN: Column[Worker] = Column(
    "seen", "seen", seen_cell, lambda w, v: w.seen_at, 6, right=True, sort="s"
)
_RSS: Column[Worker] = Column(
    "rss", "rss", rss_cell, lambda w, v: w.rss_bytes, 5, right=True, keep=60, sort="m"
)

HOME: tuple[Column[Worker], ...] = (
    Column("glyph", "", glyph_cell, lambda w, v: state_of(w, v), 1),
    _NAME,
    _BUSY,
    _GAUGE,
    _HELD,
    Column("processed", "done", processed_cell, lambda w, v: w.processed, 7, right=True, keep=50),
    _RSS,
    _SEEN,
)
COLUMNS: tuple[Column[Worker], ...] = (
    Column("state", "state", state_cell, lambda w, v: TROUBLE.index(state_of(w, v)), 9, sort="t"),
    _NAME,
    _BUSY,
    _GAUGE,
    _HELD,
    Column(
        "processed",
        "done",
        processed_cell,
        lambda w, v: w.processed,
        9,
        right=True,
        keep=45,
        sort="d",
    ),
    Column("events", "events", events_cell, lambda w, v: w.events_enabled, 6, keep=65, sort="e"),
    _RSS,
    Column("pool", "pool", pool_cell, lambda w, v: w.pool, 8, keep=35, sort="p"),
    Column("version", "version", version_cell, lambda w, v: w.software, 7, keep=20, sort="v"),
    Column("up", "up", uptime_cell, lambda w, v: w.uptime_s, 6, right=True, keep=30, sort="u"),
    _SEEN,
    Column(
        "queues",
        "queues",
        queues_cell,
        lambda w, v: ",".join(w.queues or ()),
        12,
        keep=10,
        grow=18,
        sort="q",
    ),
    Column("note", "note", note_cell, note, 12, keep=25, grow=40),
)


class WorkerRows(PlainRows):
    """All workers, trouble first, or by a column."""

    def __init__(self, columns: Sequence[Column[Any]], titled: bool) -> None:
        self.columns: Sequence[Column[Any]] = columns
        self.titled = titled
        self.sort: tuple[str, bool] | None = None
        self.filter = ""

    def head(self, view: View) -> Head:
        """How many, how many of them not online."""
        states = [state_of(worker, view) for worker in view.cluster.workers.values()]
        counts = {state: states.count(state) for state in UNHEARD if state in states}
        words = "  ".join(f"{number} {state}" for state, number in counts.items())
        style = "crit" if LOST in counts else "dim" if set(counts) == {STOPPED} else "warn"
        all_heard = self.titled and states and UNKNOWN not in states
        note = words or ("all heard" if all_heard else "")
        if view.stale:
            why = view.cluster.links.acts_off() or "the broker is lost"
            note, style = f"unknown: {why[0].lower()}{why[1:]}", "dim"
        return Head("Workers", str(len(states)), note, style if words or view.stale else "dim", 2)

    def ids(self, view: View) -> Sequence[str]:
        """Node names in order: what troubles moves up once a second, who comes is shown at once."""
        key = (self, self.filter, self.sort, len(view.cluster.workers))
        return view.once(key, lambda: self.settled(self._ordered(view)))

    def _ordered(self, view: View) -> list[str]:
        workers = view.cluster.workers
        names = sorted(name for name in workers if self.filter.casefold() in name.casefold())
        if self.sort is None:
            return sorted(names, key=lambda name: TROUBLE.index(state_of(workers[name], view)))
        column = next(c for c in self.columns if c.id == self.sort[0])
        return ordered(names, {n: column.value(workers[n], view) for n in names}, self.sort[1])

    def record(self, row_id: str, view: View) -> Worker | None:
        """The worker of that node name."""
        return view.cluster.workers.get(row_id)

    def row_style(self, record: Worker, view: View) -> str:
        """Stopped workers are dim."""
        return "dim" if record.offline_at is not None else ""

    def empty(self, view: View) -> tuple[Cell, ...]:
        """Nobody has answered."""
        if self.filter:
            return ((f"no worker matches {literal(self.filter, 60)}", "dim"),)
        return ((_nobody(view), "dim"),)


def unseen(view: View) -> str:
    """Why no worker can be seen, when the broker permits it neither way; empty: one could be."""
    heard, asked = (view.cluster.health.get(name) for name in ("events", "inspect"))
    if heard is None or asked is None or not (heard.state == asked.state == Link.OFF):
        return ""
    if heard.refused and asked.refused:
        return "this user may neither hear nor ask them"
    return literal(heard.error or "they can be neither heard nor asked", 200)


def _nobody(view: View) -> str:
    if why := unseen(view):
        return f"no worker can be seen: {why}"
    asked = view.cluster.health.get("inspect")
    if asked is not None and asked.refused:
        return "no worker is heard; asking them is not permitted"
    if asked is not None and asked.refusal:
        return f"no worker is heard, and none can be asked: {reason(asked)}"
    ping = view.cluster.rounds.get("ping")
    if ping is None:
        return "asking the workers…"
    return "no worker answers: none runs here, or worker_enable_remote_control is off"
