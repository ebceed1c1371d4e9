"""How long messages wait in a queue, what comes and goes, and when it will be empty."""

from __future__ import annotations

import math
from collections.abc import Callable

from ..model.queue import NEVER, Queue
from ..model.waiting import Bracket, Flow
from .base import Cell, View
from .numbers import NOT_APPLICABLE, UNKNOWN, count, duration, known, rate, whole

WIDE = 1.5
"""Seconds between at least and at most, from which an age is told as about so old."""
WIDE_SHARE = 0.2
YOUNG_S = 1.0
"""At least so little is not worth saying."""


def read_at(queue: Queue, view: View) -> float:
    """The moment its age is told of: now, or the last look where the broker is lost."""
    return (queue.read_at or view.now) if view.stale else view.now


def trouble_style(queue: Queue, view: View) -> str:
    """Of what explains the state of its row: nobody listens, or it only grows."""
    names = view.cluster.listeners.of(queue.name)
    if queue.depth and names == [] and not queue.quarantine:
        return "crit"
    return ""


def oldest_cell(queue: Queue, view: View) -> Cell:
    """Age of the oldest message: ``24s``, ``~2m`` between two far looks, ``>5m`` at least."""
    if queue.depth == 0:
        return NOT_APPLICABLE
    if queue.quarantine:
        return ("", "")
    bracket = queue.oldest_s(read_at(queue, view))
    words = age_words(bracket)
    return known(bracket[0], words, view, trouble_style(queue, view)) if words else UNKNOWN


def age_words(bracket: Bracket) -> str:
    """A bracket in at most seven cells; empty: nothing is known that is worth saying."""
    low, high = bracket
    if low is None:
        return ""
    if high is None:
        return f">{whole(low)}" if low >= YOUNG_S else ""
    middle = (low + high) / 2
    if high - low > max(WIDE, WIDE_SHARE * middle):
        return f"~{whole(middle)}"
    return duration(middle)


def oldest_value(queue: Queue, view: View) -> float | None:
    """For sorting: what it is at least."""
    return None if queue.quarantine else queue.oldest_s(read_at(queue, view))[0]


def flow_of(queue: Queue, view: View) -> Flow | None:
    """What comes and goes a second."""
    waiting = queue.waiting
    untold = view.cluster.is_amqp and (waiting is None or waiting.flow is None)
    if queue.quarantine or untold:
        return None
    return queue.flow(read_at(queue, view), view.cluster.listeners.all_told(queue.name))


def in_cell(queue: Queue, view: View) -> Cell:
    """Messages that come in a second."""
    return _rate_cell(queue, view, lambda flow: flow.in_per_s)


def out_cell(queue: Queue, view: View) -> Cell:
    """Messages that workers take a second."""
    return _rate_cell(queue, view, lambda flow: flow.out_per_s)


def _rate_cell(queue: Queue, view: View, of: Callable[[Flow], float]) -> Cell:
    flow = flow_of(queue, view)
    if flow is None:
        return NOT_APPLICABLE if queue.quarantine else UNKNOWN
    if flow.sure:
        return known(1, rate(of(flow)), view)
    if flow.in_per_s <= 0 and flow.out_per_s <= 0:  # an empty queue that nothing was seen in
        return NOT_APPLICABLE
    return known(1, f"~{rate(of(flow))}", view)


def rate_value(name: str) -> Callable[[Queue, View], float | None]:
    """For sorting."""

    def value(queue: Queue, view: View) -> float | None:
        flow = flow_of(queue, view)
        return None if flow is None else getattr(flow, name)

    return value


def drain_of(queue: Queue, view: View) -> float | str | None:
    """Seconds, "never" or None."""
    names = view.cluster.listeners.of(queue.name)
    consumed = None if names is None else bool(names)
    return queue.drain_s(
        read_at(queue, view), consumed, view.cluster.listeners.all_told(queue.name)
    )


def drain_cell(queue: Queue, view: View) -> Cell:
    """When it will be empty, as things go."""
    if queue.quarantine or queue.depth == 0:
        return NOT_APPLICABLE
    drain = drain_of(queue, view)
    if drain is None:
        return UNKNOWN
    if isinstance(drain, str):
        return known(1, NEVER, view, trouble_style(queue, view) or "warn")
    return known(drain, whole(drain), view)


def drain_value(queue: Queue, view: View) -> float | None:
    """For sorting: never is the longest."""
    drain = drain_of(queue, view)
    return math.inf if isinstance(drain, str) else drain


def limbo_cell(queue: Queue, view: View) -> Cell:
    """Unacknowledged and with no worker that could be asked."""
    if queue.quarantine:
        return ("", "")
    if queue.limbo is None:
        return UNKNOWN
    return known(queue.limbo, count(queue.limbo), view, "warn" if queue.limbo else "dim")
