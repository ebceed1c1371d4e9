"""What stands above the tables of Home: starting, learning, lost, cannot see, all quiet."""

from __future__ import annotations

from collections.abc import Sequence

from ..columns.base import Cell, View, learning
from ..columns.names import literal
from ..columns.numbers import clock, count, whole
from ..columns.status import online
from ..columns.workers import unseen
from ..model.links import DOWN
from ..model.seam import Finding, Health, Link
from ..refusals import BY_KIND
from ..widgets.lines import BLANK, Line


def notices(
    view: View, findings: Sequence[Finding], starting: Sequence[str], url: str
) -> list[Line]:
    """Lines for the present situation; empty when the attention list says it all."""
    health = view.cluster.links.broker()
    if health is not None and health.state in DOWN:
        return lost(health, view)
    if starting:
        return [Line(((f"starting: {literal(line, 200)}", "dim"),)) for line in starting[-6:]]
    if health is None or health.state == Link.CONNECTING:
        words = f"connecting to {literal(url, 200)}" if url else "loading the Celery app"
        return [Line(((words, "dim"),))]
    if findings:
        return []
    if view.now - view.cluster.attached_at < 3 and not view.cluster.workers:
        return [Line((("asking workers, queues and results…", "dim"),))]
    return [Line(quiet(view)), *_limits(view), *_prefix_hint(view)]


def _limits(view: View) -> list[Line]:
    """What this user may not see: what is not shown must not look like what is not there."""
    refused = view.cluster.links.refused()
    if not refused:
        return []
    said = [(one.error or one.source).partition(" (")[0] for one in refused]
    lines = [Line(((literal(words, 200), ""),)) for words in said]
    return [*lines, Line((("i ", "acc"), ("tells more", "dim")))]


def lost(health: Health, view: View) -> list[Line]:
    """Three lines in a band: what, the error in the broker's words, what follows."""
    wait = whole((health.retry_at or view.now) - view.now + 0.5)
    what = (
        f"below is a picture of {clock(health.since, view)}"
        if view.stale
        else "nothing was seen yet"
    )
    tries = ((f"tries {health.tries}, next in {wait}", "dim"), (" ", ""))
    word = BY_KIND[health.refusal].word if health.refusal else "LOST"
    first = Line(((f" BROKER {word} ", "filled crit"), (f"  {what}", "bright")), tries, "band", 1)
    error = Line(((literal(health.error or "?", 300), "crit"),), (), "band")
    if view.stale:
        hint = "Acts are off. Workers are unknown: they use the same broker."
    else:
        hint = literal(health.hint or "Acts are off until the broker answers.", 300)
    return [first, error, Line(((hint, ""),), (), "band"), BLANK]


def quiet(view: View) -> tuple[Cell, ...]:
    """A green sentence is information."""
    cluster = view.cluster
    failed = len(cluster.failures)
    heard = online(view)
    since = whole(view.now - cluster.attached_at)
    if not heard and unseen(view):
        return (("Workers cannot be seen: ", "warn bold"), (f"{unseen(view)}.", ""))
    if not heard:
        return (
            ("No worker answers. ", "warn bold"),
            ("None runs on this broker, or remote control is off.", ""),
        )
    if learning(view):
        return (("Nothing is wrong so far. ", ""), (f"Learning for {since}.", "dim"))
    failures = f"{count(failed)} failure{'s' if failed != 1 else ''}"
    words = f"{heard} worker{'s' if heard != 1 else ''} heard, {failures} in {since}."
    return (("✓ Nothing needs you.", "ok bold"), (f"  {words}", ""))


def _prefix_hint(view: View) -> list[Line]:
    """Where nothing answers: other key prefixes that were found, on a line of their own."""
    if not view.cluster.prefixes or online(view):
        return []
    found = ", ".join(literal(prefix, 40) for prefix in view.cluster.prefixes[:3])
    return [Line(((f"Keys with the prefix {found} exist: try --key-prefix", "acc"),))]
