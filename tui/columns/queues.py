"""Queues: columns and rows; what nobody consumes comes first."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from ..model.queue import Queue
from ..model.times import parse_iso
from ..model.worker import LOST
from .base import Cell, Column, View
from .gauges import sparkline
from .names import cut_middle, literal, node
from .numbers import NOT_APPLICABLE, UNKNOWN, clock, count, known, short_count, stale
from .rows import Head, PlainRows, ordered
from .waits import (
    drain_cell,
    drain_value,
    in_cell,
    limbo_cell,
    oldest_cell,
    oldest_value,
    out_cell,
    rate_value,
)

QUARANTINE_PREFIX = "celery-tui:quarantine:"
TREND_CELLS = 7
SPARKLINE_CELLS = 12
SPARKLINE_SAMPLES = 60
"""Five minutes of them."""
MINUTE = 12
"""Samples in a minute."""
OLD_S = 30.0
"""A depth that was read longer ago is marked: many queues are read in turns."""
YOUNG = 3
"""Of fewer steps no change is told."""


def listeners(queue: Queue, view: View) -> list[str] | None:
    """Workers that consume it; None while nobody told."""
    return view.cluster.listeners.of(queue.name)


def unconsumed(queue: Queue, view: View) -> bool:
    """Messages wait and nobody will take them."""
    return not queue.quarantine and bool(queue.depth) and listeners(queue, view) == []


def deserted(queue: Queue, view: View) -> bool:
    """All that listened are lost: nobody is known to take its messages."""
    names = listeners(queue, view)
    cluster = view.cluster
    return bool(names) and all(
        cluster.state_of(cluster.workers[name], view.now) == LOST for name in names or ()
    )


def growing(queue: Queue) -> bool:
    """Every minute of the last three ended deeper than it began."""
    if not queue.depth:
        return False
    known_depths = queue.history.known(36)
    if len(known_depths) < 24:
        return False
    thirds = [known_depths[i * len(known_depths) // 3] for i in range(3)] + [known_depths[-1]]
    return all(a < b for a, b in pairwise(thirds))


def trouble(queue: Queue, view: View) -> int:
    """Rank in the default order: nobody to take it, growing, busy, idle, ours."""
    if queue.quarantine:
        return 4
    gone = deserted(queue, view)
    if unconsumed(queue, view) or (gone and queue.depth and not queue.quarantine):
        return 0
    if gone:
        return 3
    if growing(queue):
        return 1
    return 2 if queue.depth or listeners(queue, view) else 3


def glyph_cell(queue: Queue, view: View) -> Cell:
    """Glyph of its state."""
    return [("✗", "crit"), ("!", "warn"), ("✓", "ok"), ("⋅", "dim"), ("=", "acc")][
        trouble(queue, view)
    ]


def name_cell(queue: Queue, view: View) -> Cell:
    """Queue name; a quarantine by what it holds and since when."""
    if queue.quarantine:
        held = queue.name.partition(QUARANTINE_PREFIX)[2]
        name, _, when = held.rpartition(":")
        at = parse_iso(when)
        today = at is not None and view.now - at < 86_400
        told = clock(at, view) if at and today else literal(when.partition("T")[0], 20)
        return f"purged {literal(name or held, 200)} {told}", "acc"
    return literal(queue.name, 300), "bright" if unconsumed(queue, view) else ""


def depth_cell(queue: Queue, view: View) -> Cell:
    """Messages that wait."""
    if queue.depth is None:
        return UNKNOWN
    if not view.stale and queue.read_at is not None and view.now - queue.read_at > OLD_S:
        return stale(count(queue.depth), view)
    if queue.doubtful:
        sure = f"{count(queue.depth)}+" if queue.depth else ""
        return known(queue.depth, f"{sure}{count(queue.doubtful)}?", view, "warn")
    return known(queue.depth, count(queue.depth), view, "bright" if unconsumed(queue, view) else "")


def priorities_cell(queue: Queue, view: View) -> Cell:
    """Depth by priority step, where more than one is in use; AMQP tells one sum."""
    if len(queue.by_priority) < 2:
        hidden = queue.depth and view.cluster.is_amqp and not view.cluster.has_management
        return UNKNOWN if hidden else ("", "")
    steps = sorted(queue.by_priority.items(), key=lambda item: (len(item[0]), item[0]))
    words = " ".join(f"{literal(step, 8)}:{count(depth)}" for step, depth in steps)
    return known(1, words, view, "dim")


def unacked_cell(queue: Queue, view: View) -> Cell:
    """Delivered and not acknowledged."""
    if queue.quarantine:
        return NOT_APPLICABLE
    return known(queue.unacked, count(queue.unacked or 0), view)


def trend_cell(queue: Queue, view: View) -> Cell:
    """Change of the depth over the last minute."""
    if queue.quarantine:
        return ("", "")
    slope, sure = queue.history.slope(), ""
    if slope is None:
        slope, sure = _young_slope(queue), "~"
    if slope is None:
        return UNKNOWN
    change = round(slope)
    words = _change(change, sure)
    style = (
        "crit" if change > 0 and unconsumed(queue, view) else "warn" if growing(queue) else "dim"
    )
    return known(change, words, view, style)


def _young_slope(queue: Queue) -> float | None:
    """From less than it takes to be sure, as if it went on so for a minute."""
    recent = queue.history.last(MINUTE)
    told = [(at, depth) for at, depth in enumerate(recent) if depth is not None]
    if not told or told[-1][0] < len(recent) - 1 or told[-1][0] - told[0][0] < YOUNG:
        return None
    return (told[-1][1] - told[0][1]) / (told[-1][0] - told[0][0]) * MINUTE


def _change(change: int, sure: str = "") -> str:
    words = sure + (f"{change:+,}" if change else "0")
    if len(words) <= TREND_CELLS:
        return words
    return f"{sure}{'+' if change > 0 else '-'}{short_count(abs(change))}"


def consumers_cell(queue: Queue, view: View) -> Cell:
    """Who listens."""
    if queue.quarantine:
        if queue.restarted and not queue.only_doubtful:
            return "broker restart", "warn"
        return ("doubtful", "warn") if queue.only_doubtful else ("Z undoes it", "acc")
    names = listeners(queue, view)
    if names is None:
        return UNKNOWN
    if not names:
        return ("none", "crit") if queue.depth else ("none", "dim")
    if deserted(queue, view):
        return f"{len(names)} lost", "crit"
    if len(names) == 1:
        return node(names[0], view.host_suffix), ""
    return f"{len(names)} workers", ""


def use_cell(queue: Queue, view: View) -> Cell:
    """Busy slots of the slots of its consumers; it moves with each of them, so once a second."""
    return view.once(("use", queue.name), lambda: _use(queue, view))


def _use(queue: Queue, view: View) -> Cell:
    """They may serve other queues too."""
    names = listeners(queue, view)
    if queue.quarantine or names is None:
        return NOT_APPLICABLE if queue.quarantine else UNKNOWN
    if deserted(queue, view):
        return UNKNOWN
    workers = [view.cluster.workers[name] for name in names]
    if any(w.busy is None or w.concurrency is None for w in workers):
        return UNKNOWN
    used, slots = sum(w.busy or 0 for w in workers), sum(w.concurrency or 0 for w in workers)
    full = slots and used >= slots and queue.depth
    return known(slots, f"{used}/{slots}", view, "warn" if full else "")


def sparkline_drawn(queue: Queue, view: View, width: int) -> Cell:
    """Depth over five minutes; red only where nobody consumes."""
    style = "crit" if unconsumed(queue, view) else "data"
    return sparkline(queue.history.last(SPARKLINE_SAMPLES), width), style


def _name(queue: Queue, view: View) -> str:
    return queue.name


_COMMON: tuple[Column[Queue], ...] = (
    Column("glyph", "", glyph_cell, trouble, 1, sort="t"),
    Column("name", "", name_cell, _name, 14, grow=24, cut=cut_middle, sort="n"),
    Column("depth", "depth", depth_cell, lambda q, v: q.depth, 9, right=True, sort="d"),
    Column("oldest", "oldest", oldest_cell, oldest_value, 7, right=True, sort="o"),
    Column("in", "in/s", in_cell, rate_value("in_per_s"), 6, right=True, keep=57, sort="i"),
    Column("out", "out/s", out_cell, rate_value("out_per_s"), 6, right=True, keep=55, sort="e"),
    Column("drain", "drain", drain_cell, drain_value, 6, right=True, keep=60, sort="r"),
    Column("use", "use", use_cell, lambda q, v: None, 5, right=True, keep=50),
)
_MINUTES: Column[Queue] = Column(
    "minutes", "5 min", depth_cell, lambda q, v: None, SPARKLINE_CELLS,
    keep=40, grow=24, drawn=sparkline_drawn,
)  # fmt: skip
HOME: tuple[Column[Queue], ...] = (
    *_COMMON,
    Column(
        "consumers", "consumers", consumers_cell, lambda q, v: None, 12, keep=70, cut=cut_middle
    ),
    _MINUTES,
)
COLUMNS: tuple[Column[Queue], ...] = (
    *_COMMON,
    Column(
        "unacked", "unacked", unacked_cell, lambda q, v: q.unacked, 7, right=True, keep=30, sort="u"
    ),
    Column("limbo", "limbo", limbo_cell, lambda q, v: q.limbo, 5, right=True, keep=28, sort="l"),
    Column(
        "consumers",
        "consumers",
        consumers_cell,
        lambda q, v: None,
        14,
        keep=70,
        grow=8,
        cut=cut_middle,
    ),
    Column("priorities", "by priority", priorities_cell, lambda q, v: None, 16, keep=20, grow=16),
    Column("trend", "/min", trend_cell, lambda q, v: None, TREND_CELLS, right=True, keep=15),
    _MINUTES,
)


class QueueRows(PlainRows):
    """All queues, the unconsumed first, or by a column."""

    def __init__(self, columns: Sequence[Column[Any]]) -> None:
        self.columns: Sequence[Column[Any]] = columns
        self.sort: tuple[str, bool] | None = None
        self.filter = ""

    def head(self, view: View) -> Head:
        """How many, how many in quarantine."""
        queues = view.cluster.queues.values()
        held = sum(1 for queue in queues if queue.quarantine)
        note = "frozen" if view.stale else f"{held} in quarantine" if held else _not_all(view)
        return Head("Queues", str(len(queues) - held), note, "acc" if held else "dim", 2)

    def ids(self, view: View) -> Sequence[str]:
        """Names in order: what troubles is judged anew once a second, what comes is shown at once.

        Judging 2,000 queues at each tick would take a tenth of a core.
        """
        key = (self, self.filter, self.sort, len(view.cluster.queues))
        return view.once(key, lambda: self.settled(self._ordered(view)))

    def _ordered(self, view: View) -> list[str]:
        queues = view.cluster.queues
        names = sorted(name for name in queues if self.filter.casefold() in name.casefold())
        if self.sort is None:
            return self._steady(names, view)
        column = next(c for c in self.columns if c.id == self.sort[0])
        return ordered(names, {n: column.value(queues[n], view) for n in names}, self.sort[1])

    def _steady(self, names: list[str], view: View) -> list[str]:
        """Consumed queues keep the order of their names: depths that wobble move no row."""
        queues = view.cluster.queues

        def rank(name: str) -> tuple[int, int, str]:
            troubled = trouble(queues[name], view)
            return troubled, 0 if troubled else -(queues[name].depth or 0), name

        return sorted(names, key=rank)

    def record(self, row_id: str, view: View) -> Queue | None:
        """The queue of that name."""
        return view.cluster.queues.get(row_id)

    def row_style(self, record: Queue, view: View) -> str:
        """Idle queues are dim."""
        return "dim" if trouble(record, view) == 3 else ""

    def empty(self, view: View) -> tuple[Cell, ...]:
        """None found."""
        if self.filter:
            return ((f"no queue matches {literal(self.filter, 60)}", "dim"),)
        if view.cluster.depths.read_at is None:
            health = view.cluster.health.get("queues")
            told = health.error if health is not None and health.error else "reading the queues…"
            return ((literal(told, 200), "dim"),)
        return ((_none_at_all(view), "dim"),)


def _not_all(view: View) -> str:
    """AMQP lists no queues: others may wait unseen."""
    cluster = view.cluster
    return "named only" if cluster.is_amqp and not cluster.has_management else ""


def _none_at_all(view: View) -> str:
    if not view.cluster.is_amqp:
        return "no queue in this database: has anything been sent yet?"
    if view.cluster.has_management:
        return "no queue in this virtual host: has anything been sent yet?"
    return "no worker, client or app names a queue; RabbitMQ lists them with --management-url only"
