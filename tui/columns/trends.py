"""What the charts show: backlog, failures and one queue over 20 minutes, and why they rose."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import islice

from ..model.history import SPAN_S, STEP_S, History
from ..model.links import DOWN
from ..model.queue import Queue
from ..model.seam import Finding, Link
from .base import View
from .charts import Cause, Chart
from .happened import JUST_ATTACHED_S, NAME, happened
from .names import cut_middle, exception_class, literal, tail
from .numbers import count, duration, rate, short_count

BAD_SHARE = 0.05
"""From this share of failures on they are a trouble."""
MINUTE = 60 // STEP_S
CALM_SAMPLES = 6
"""A trouble that pauses for less is the same one."""
FAILURES_READ = 300
MOST_CAUSES = 2


def backlog_chart(view: View, findings: Sequence[Finding]) -> Chart:
    """Messages that wait in all queues."""
    past = view.cluster.past
    troubles = [f for f in findings if f.evidence.startswith("queue:")]
    return Chart(
        "Backlog", "20 min", past.backlog.samples(), _end(view), short_count,
        _untold_depths(view), slope_words(past.backlog), _causes(view, troubles),
        _earliest(troubles),
    )  # fmt: skip


def queue_chart(view: View, queue: Queue, findings: Sequence[Finding]) -> Chart:
    """Messages that wait in one queue."""
    troubles = [f for f in findings if f.evidence == f"queue:{queue.name}"]
    name = cut_middle(literal(queue.name), 40, view.cut)
    return Chart(
        "Backlog", f"of {name}, 20 min", queue.history.samples(), _end(view), short_count,
        _untold_depths(view), _drain_words(queue, bool(troubles)),
        _causes(view, troubles, queue.name), _earliest(troubles),
    )  # fmt: skip


def failures_chart(view: View) -> Chart:
    """Failed tasks a second."""
    past = view.cluster.past
    since = failing_since(past.failures, past.ends)
    began = (Cause(since, _exception_since(view, since)),) if since is not None else ()
    return Chart(
        "Failures", "per second", past.failures.samples(), _end(view), _rate_label,
        "not known: no task event was heard", "", _most(view, (*began, *happened(view))), since,
    )  # fmt: skip


def _end(view: View) -> float:
    """Charts end with the newest sample, so that a cell begun anew is not a gap."""
    step = view.cluster.past.backlog.step
    return float(step * STEP_S) if step else view.now


def _rate_label(value: float) -> str:
    return rate(value) if value < 99.95 else short_count(value)


def _untold_depths(view: View) -> str:
    health = view.cluster.health.get("queues")
    if health is not None and health.state in (*DOWN, Link.OFF):
        return f"not known: {literal(health.error, 200)}" if health.error else "not known"
    return "reading the queues…"


# -- how it moves -------------------------------------------------------------------------------


def slope_words(history: History) -> str:
    """``+3,840/min``, or that it is steady; empty while that is not known."""
    slope = history.slope()
    if slope is None:
        return ""
    newest = history.known(1)[-1]
    if abs(slope) < max(3.0, newest / 50):
        return f"steady, {count(round(newest))} now"
    return f"{'+' if slope > 0 else '-'}{count(round(abs(slope)))}/min"


def _drain_words(queue: Queue, unconsumed: bool) -> str:
    words, slope = slope_words(queue.history), queue.history.slope()
    if not words or not queue.depth or slope is None:
        return words
    if unconsumed:
        return f"{words}, drains never"
    falls = not words.startswith("steady") and slope < 0
    return f"{words}, drains in {duration(queue.depth / -slope * 60)}" if falls else words


# -- why it rose --------------------------------------------------------------------------------


def _earliest(findings: Iterable[Finding]) -> float | None:
    return min((f.since for f in findings if f.since is not None), default=None)


def _causes(view: View, findings: Sequence[Finding], queue: str = "") -> tuple[Cause, ...]:
    """What the findings began with, then what the Log tells."""
    found = [
        Cause(f.since, _consumer_words(view, f.evidence.partition(":")[2]))
        for f in sorted(findings, key=lambda f: f.since or 0.0)
        if f.since is not None and f.since - view.cluster.attached_at > JUST_ATTACHED_S
    ]
    told = [c for c in happened(view, queue) if all(abs(c.at - f.at) > 60 for f in found)]
    return _most(view, (*found, *told))


def _most(view: View, causes: tuple[Cause, ...]) -> tuple[Cause, ...]:
    """The gravest; and why there is nothing to the left, where we have not watched for long."""
    return (*causes[:MOST_CAUSES], Cause(view.cluster.attached_at, "attached"))


def _consumer_words(view: View, name: str) -> str:
    """Who listened last and is not there any more."""
    queue = view.cluster.queues.get(name)
    worker = view.cluster.workers.get(queue.last_consumer) if queue is not None else None
    if worker is None:
        return f"{cut_middle(literal(name), NAME, view.cut)} unconsumed"
    short = tail(worker.hostname, view.cluster.workers, view.host_suffix)
    gone = "gone" if worker.offline_at is not None else "stopped listening"
    return f"{cut_middle(short, NAME, view.cut)} {gone}"


def failing_since(failures: History, ends: History) -> float | None:
    """Epoch seconds since which more of what ends fails than should; None: it does not now."""
    newest = failures.known(MINUTE), ends.known(MINUTE)
    if not sum(newest[0]) or sum(newest[0]) < BAD_SHARE * sum(newest[1]):
        return None
    of, failed = dict(ends.samples()), dict(failures.samples())
    began: int | None = None
    calm = 0
    for step in range(failures.step, failures.step - SPAN_S // STEP_S, -1):
        bad = failed.get(step, 0.0) > 0 and failed[step] >= BAD_SHARE * of.get(step, 0.0)
        began, calm = (step, 0) if bad else (began, calm + 1)
        if calm > CALM_SAMPLES and began is not None:
            break
    return (began - 1.0) * STEP_S if began is not None else None


def _exception_since(view: View, since: float) -> str:
    """The exception that most of what failed since then died of."""
    cluster = view.cluster
    newest = cluster.tasks_of(islice(reversed(cluster.failures), FAILURES_READ))
    names = Counter(
        exception_class(task.exception or "?")
        for task in newest
        if (task.ended_at or 0.0) >= since - STEP_S
    )
    return cut_middle(literal(names.most_common(1)[0][0]), 24, view.cut) if names else "failures"
