"""The header's facts: who and how fresh (line 1), the key figures (line 2). Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ..model.seam import Finding, Health, Level, Link
from ..model.worker import LOST, ONLINE, Worker
from ..refusals import BY_KIND
from .base import LEARNING_S, Cell, View, learning
from .facts import FOREVER, Fact, taken
from .gauges import gauge
from .names import literal
from .numbers import clock, count, duration, known, rate, share, short_count, whole
from .trends import slope_words

SLOW_LINE_S = 1.0
"""A terminal further behind than that is worth a word: the screen is painted once a second."""

ROOM_FOR_SLOPE = 120
"""Width from which the second line says how the backlog moves."""


LIMITED = {"events": "hearing", "inspect": "asking", "queues": "queues", "results": "results"}
"""Source -> what is not permitted when it is not."""
PART, MANAGEMENT = "some keys", "management API"
LEFT_NEEDS = 32
"""Cells of line 1 for the profile, and for a link that is live or in short lost."""


@dataclass(frozen=True, slots=True)
class Standing:
    """What the header says of the program itself."""

    name: str
    """What this cluster is called."""
    broker_url: str
    """Without its password, as the next."""
    backend_url: str
    read_only: bool
    lag_s: float
    """Age of the oldest event not folded in."""
    findings: tuple[Finding, ...]
    shed: int = 0
    """Events left out because too many waited."""
    line_lag_s: float = 0.0
    """How far the terminal is behind."""


def plain_url(url: str) -> str:
    """A URL without its scheme's punctuation, for narrow headers: ``redis 10.0.3.7/0``."""
    scheme, _, rest = url.partition("://")
    host = rest.rpartition("@")[2].replace(":6379", "").replace(":5672", "")
    return f"{scheme} {host}" if rest else url


def identity(view: View, broker_url: str, backend_url: str, name: str, width: int) -> list[Fact]:
    """Left part of line 1: profile, broker, link, events, results."""
    url = literal(broker_url, 80) if width >= 140 else literal(plain_url(broker_url), 40)
    facts = [Fact(((name, "bright"),)), Fact(((url, "dim"),), 40), link(view)]
    if not view.stale:
        facts.append(Fact(events(view), 30))
    if backend_url or view.cluster.health.get("results"):
        facts.append(Fact(results(view), 20))
    return facts


def link(view: View) -> Fact:
    """Whether the broker answers, since when it does not, when we try again."""
    health = view.cluster.links.broker()
    now = view.now
    refused = view.cluster.links.refusing()
    if refused is not None and (health is None or health.state != Link.LOST):
        word = BY_KIND[refused.refusal].word
        since = view.cluster.links.refused_since() or now
        return Fact(((f" ✗ {word} {whole(max(0.0, now - since))} ", "filled crit"),))
    if health is None or health.state == Link.CONNECTING:
        return Fact((("◌ ", "warn"), ("connecting", "warn")))
    if health.state == Link.LOST:
        cells: tuple[Cell, ...] = ((f" ✗ LOST {whole(now - health.since)} ", "filled crit"),)
        if health.retry_at is not None:
            wait = whole(health.retry_at - now + 0.5)
            cells += ((f"  retry {health.tries} in {wait}", "bold"),)
        return Fact(cells)
    if health.state == Link.OFF:
        return Fact((("not permitted", "warn"),) if health.refused else (("off", "dim"),))
    if now - health.since < LEARNING_S and learning(view):
        return Fact(
            (("✓ ", "ok"), (f"learning {int(now - view.cluster.attached_at)}s", "")), slot=12
        )
    quiet = now - view.cluster.now
    return Fact((("✓ ", "ok"), (f"live {whole(max(1.0, quiet))}", "")), slot=9)


def events(view: View) -> tuple[Cell, ...]:
    """Events a second, or on how many workers they are off."""
    health = view.cluster.health.get("events")
    if health is not None and health.state == Link.OFF:
        return (("events ", "dim"), ("not permitted", "warn") if health.refused else ("off", "dim"))
    workers = [w for w in view.cluster.workers.values() if w.offline_at is None]
    off = sum(1 for worker in workers if worker.events_enabled is False)
    if off:
        return (("events ", "dim"), (f"off on {off} of {len(workers)}", "warn"))
    per_second = view.cluster.rates.events.per_second(view.now)
    if per_second is None or not view.cluster.events_counted:
        return (("events ", "dim"), ("?", "dim"))
    return (("events ", "dim"), (f"{rate(per_second)}/s", ""))


def results(view: View) -> tuple[Cell, ...]:
    """State of the result backend."""
    health = view.cluster.health.get("results")
    if health is None or health.state == Link.CONNECTING:
        return (("results ", "dim"), ("?", "dim"))
    if health.state == Link.OFF:
        none = ("not permitted", "warn") if health.refused else ("none", "dim")
        return (("results ", "dim"), none)
    if health.state == Link.LOST:
        return (("results ", "dim"), ("✗ lost", "crit"))
    if health.refusal:
        return (("results ", "dim"), (f"✗ {BY_KIND[health.refusal].word.lower()}", "crit"))
    search = view.cluster.results_search
    if search is not None and not search.done and search.of:
        return (("results ", "dim"), (f"{100 * search.keys // search.of:2}%", ""))
    return (("results ", "dim"), ("✓", "ok"))


def situation(view: View, standing: Standing, width: int) -> list[Fact]:
    """Right part of line 1: what went wrong with events, lag, mode, alerts, clock."""
    facts = list(view.once("shortfall", lambda: shortfall(view, standing)))
    if what := limits(view):
        words = (("limited", "dim"),) if width < 100 else (("limited: ", "dim"), (what, ""))
        facts.append(Fact(words, 10))
    if view.stale or view.cluster.links.refusing() is not None:
        facts.append(Fact((("acts off", "dim"),)))
    elif standing.read_only:
        facts.append(Fact((("read-only", "bold"),)))
    facts.append(Fact(alerts(view, standing.findings)))
    facts.append(Fact(((clock(view.now, view, width >= 90) + ("Z" if view.utc else ""), "dim"),)))
    return _beside(facts, width)


def _beside(facts: list[Fact], width: int) -> list[Fact]:
    """Those that leave room for who and how fresh; `i` tells the rest."""
    room, gap = width - LEFT_NEEDS, 3 if width >= 90 else 2
    loose = sorted((one for one in facts if one.keep < FOREVER), key=lambda one: one.keep)
    for one in loose:
        if taken(facts, gap) <= room:
            break
        facts = [kept for kept in facts if kept is not one]
    return facts


def shortfall(view: View, standing: Standing) -> list[Fact]:
    """Events left out under load, unreadable, waiting for us; and a terminal that waits for us."""
    facts: list[Fact] = []
    lost = sum(worker.loss.lost or 0 for worker in view.cluster.workers.values())
    if lost:
        facts.append(Fact(((f"~{short_count(lost)} lost", "warn"),), 30))
    if standing.shed:
        facts.append(Fact(((f"{short_count(standing.shed)} events left out", "warn"),)))
    unread = sum(view.cluster.malformed.values())
    if unread:
        facts.append(Fact(((f"{short_count(unread)} unreadable", "warn"),), 20))
    if standing.lag_s >= 0.5:
        facts.append(Fact(((f"lag {duration(standing.lag_s)}", "warn"),)))
    if standing.line_lag_s >= SLOW_LINE_S:
        facts.append(Fact(((f"slow line {duration(standing.line_lag_s)}", "warn"),)))
    return facts


def limits(view: View) -> str:
    """What the broker does not let this user do, in few words; empty: nothing."""
    return ", ".join(
        _part(health, view)
        if health.state == Link.LIVE
        else LIMITED.get(health.source, health.source)
        for health in view.cluster.links.refused()
    )


def _part(health: Health, view: View) -> str:
    """What of it is not permitted, of a link that stands."""
    if not view.cluster.is_amqp:
        return PART
    return MANAGEMENT if MANAGEMENT in (health.error or "") else "some queues"


def alerts(view: View, findings: Sequence[Finding]) -> tuple[Cell, ...]:
    """``2 crit`` filled, ``1 warn``; or that it is quiet, once workers are heard."""
    crit = sum(1 for finding in findings if finding.severity == Level.CRIT)
    warn = len(findings) - crit
    cells: list[Cell] = []
    if crit:
        cells.append((f" {crit} crit ", "filled crit"))
    if warn:
        cells.append((f"{' ' if crit else ''}{warn} warn", "warn bold"))
    if not cells:
        calm = ("✓ quiet", "ok bold") if online(view) else ("no worker", "warn bold")
        cells.append(("learning", "dim") if learning(view) else calm)
    return tuple(cells)


def figures(view: View, width: int) -> list[Fact]:
    """Line 2: in, out, err, busy, backlog and how it moves, held, unacked."""
    cluster, now = view.cluster, view.now
    heard = any(worker.events_enabled for worker in cluster.workers.values())
    heard = heard and not cluster.links.mute()  # workers cannot send events then
    arriving = cluster.rates.received.per_second(now) if heard else None
    leaving = cluster.rates.finished.per_second(now) if heard else None
    facts = [
        _figure("in", arriving, "/s", view, 90, 9),
        _figure("out", leaving, "/s", view, 90, 10),
    ]
    facts.append(Fact((("err ", "dim"), _error_share(view, leaving)), 80, 9))
    facts.append(busy(view))
    backlog: tuple[Cell, ...] = (("backlog ", "dim"), _backlog(view))
    if width >= ROOM_FOR_SLOPE:
        facts.append(Fact((*backlog, (f" {_slope(view)}", "dim")), 95, 27))
    else:
        facts.append(Fact(backlog, 95, 15))
    held = [w.held for w in working(view) if w.held is not None]
    facts.append(Fact((("held ", "dim"), _number(sum(held) if held else None, view)), 40, 10))
    facts.append(Fact((("unacked ", "dim"), _number(cluster.depths.unacked, view)), 30, 13))
    return facts


def _figure(label: str, value: float | None, unit: str, view: View, keep: int, slot: int) -> Fact:
    words = f"{rate(value)}{unit}" if value is not None else ""
    return Fact(((f"{label} ", "dim"), known(value, words, view, "bold")), keep, slot)


def _number(value: int | None, view: View) -> Cell:
    return known(value, count(value) if value is not None else "", view, "")


def _error_share(view: View, finished: float | None) -> Cell:
    failed = view.cluster.rates.failed.per_second(view.now)
    if finished is None or failed is None:
        return ("?", "dim")
    if not finished:
        return known(0.0, "-", view, "dim")
    part = failed / finished
    return known(part, share(part), view, "crit" if part >= 0.05 else "bold")


def _backlog(view: View) -> Cell:
    depths = [
        q.depth for q in view.cluster.queues.values() if not q.quarantine and q.depth is not None
    ]
    return known(len(depths) or None, count(sum(depths)), view, "bold")


def _slope(view: View) -> str:
    """``+3,840/min`` or ``steady``; empty while that is not known."""
    return "" if view.stale else slope_words(view.cluster.past.backlog).partition(", ")[0]


def working(view: View) -> list[Worker]:
    """Workers that count for capacity: alive, or not known to be dead."""
    cluster = view.cluster
    return [
        worker
        for worker in cluster.workers.values()
        if worker.offline_at is None and cluster.state_of(worker, view.now) != LOST
    ]


def busy(view: View) -> Fact:
    """Slots in use of all slots, with a gauge."""
    workers = working(view)
    slots = [w.concurrency for w in workers if w.concurrency is not None]
    used = [w.busy for w in workers if w.busy is not None]
    if not used:
        return Fact((("busy ", "dim"), ("?", "dim")), 85, 16)
    total = sum(slots) if len(slots) == len(workers) else None
    words = f"{sum(used)}/{total if total is not None else '?'}"
    cell = known(sum(used), words, view, "bold")
    full = total is not None and sum(used) >= total > 0
    bar = gauge(sum(used), total or 0, 8, "warn" if full else "data")
    return Fact((("busy ", "dim"), cell, (" " * max(1, 6 - len(words)), ""), *bar), 85, 19)


def online(view: View) -> int:
    """How many workers are online."""
    cluster = view.cluster
    return sum(1 for w in cluster.workers.values() if cluster.state_of(w, view.now) == ONLINE)
