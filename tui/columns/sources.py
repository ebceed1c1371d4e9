"""What is known from where: each link's state, what it has told, and what it could not. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping

from ..model.links import DOWN, Links
from ..model.loss import Gap, coverage
from ..model.seam import Health, Link
from ..refusals import BY_KIND
from .base import Cell, View
from .names import literal
from .numbers import UNKNOWN, clock, count, duration, rate, share, whole
from .status import Standing

TITLES = {
    "events": ("Events", "what workers say: heartbeats, tasks as they move"),
    "inspect": ("Answers", "what workers answer when asked"),
    "queues": ("Queues", "depths and messages, read from the broker"),
    "results": ("Results", "what the result backend keeps"),
}
"""Source -> its title, and what it tells of, in the order of the page."""
TOLD = {"events": "events", "inspect": "answers", "queues": "readings", "results": "results"}
GAPS_SHOWN = 5
_WHO = re.compile(r"^The (broker|result backend) \S+ ")
Labelled = tuple[str, Cell | str]


def state(health: Health | None, view: View) -> tuple[Cell, ...]:
    """``✓ live 3m12s``, ``✗ LOST 31s``, ``! live, in part``, ``⋅ off``."""
    if health is None or health.state == Link.CONNECTING:
        return (("◌ connecting", "warn"),)
    age = whole(max(0.0, view.now - health.since))
    if health.state == Link.REFUSING:
        word = BY_KIND[health.refusal].word if health.refusal else "REFUSING"
        found: tuple[Cell, ...] = ((f" ✗ {word} {age} ", "filled crit"),)
        return found + _retry(health, view)
    if health.state == Link.LIVE and health.refusal:
        return ((f"! live, and {BY_KIND[health.refusal].word.lower()}", "crit"),)
    if health.state == Link.LIVE:
        return (("! live, in part", "warn"),) if health.refused else ((f"✓ live {age}", "ok"),)
    if health.state == Link.OFF:
        return (("✗ not permitted", "warn"),) if health.refused else (("⋅ off", "dim"),)
    lost: tuple[Cell, ...] = ((f" ✗ LOST {age} ", "filled crit"),)
    return lost + _retry(health, view)


def _retry(health: Health, view: View) -> tuple[Cell, ...]:
    if health.retry_at is None:
        return ()
    wait = whole(max(0.0, health.retry_at - view.now + 0.5))
    return ((f"retry {health.tries} in {wait}", "bold"),)


def facts(name: str, view: View, standing: Standing) -> list[Labelled]:
    """Since when, when last heard, how slow, and what it has told."""
    links = view.cluster.links
    health = links.health.get(name)
    if health is None or health.state == Link.OFF:
        return []
    found: list[Labelled] = [(_since(health), clock(health.since, view))]
    heard = links.heard_at.get(name)
    found.append(("last heard", _age(heard, view) if heard is not None else ("nothing yet", "dim")))
    if name != "results" and health.state == Link.LIVE:
        found.append(("latency", _latency(health)))
    found.append(("told", f"{count(links.told.get(name, 0))} {TOLD[name]}"))
    if name == "events":
        found += _of_events(view, standing)
    search = view.cluster.results_search
    if name == "results" and search is not None and search.done and search.note:
        found.append(("history", (literal(search.note, 100), "dim")))
    return found


def _since(health: Health) -> str:
    words = {Link.LIVE: "attached since", Link.LOST: "lost since", Link.REFUSING: "refuses since"}
    return words.get(health.state, "since")


def _age(at: float, view: View) -> Cell:
    return f"{duration(max(0.0, view.now - at))} ago", "" if view.now - at < 10 else "bold"


def _latency(health: Health) -> Cell:
    if health.latency_ms is None:
        return UNKNOWN
    return (f"{health.latency_ms:.1f} ms" if health.latency_ms < 10 else
            f"{health.latency_ms:.0f} ms"), ""  # fmt: skip


def _of_events(view: View, standing: Standing) -> list[Labelled]:
    """Rate, lag, what of all was heard, what was lost and left out."""
    cluster = view.cluster
    per_second = cluster.rates.events.per_second(view.now)
    books = [worker.loss for worker in cluster.workers.values()]
    part, lost = coverage(books), [one.lost for one in books if one.lost is not None]
    found: list[Labelled] = [
        ("now", f"{rate(per_second)}/s" if per_second is not None else UNKNOWN),
        ("lag", (duration(standing.lag_s), "warn" if standing.lag_s >= 0.5 else "")),
        ("heard", share(part) if part is not None else UNKNOWN),
        ("lost", _lost(sum(lost)) if lost else UNKNOWN),
    ]
    if standing.shed:
        found.append(("left out", (count(standing.shed), "warn")))
    return found


def _lost(starts: int) -> Cell:
    return (f"~{count(starts)} tasks", "warn") if starts else ("0", "")


def losers(view: View) -> list[Labelled]:
    """Workers of which events were lost, the most first."""
    books = {w.hostname: w.loss.lost or 0 for w in view.cluster.workers.values()}
    worst = sorted((name for name, lost in books.items() if lost), key=lambda name: -books[name])
    return [(f"lost of {literal(n, 60)}", (f"~{count(books[n])}", "warn")) for n in worst[:8]]


def unreadable(malformed: Mapping[str, int]) -> list[Labelled]:
    """Why messages could not be read, and how many."""
    found = malformed.items()
    return [(f"unreadable: {literal(why, 60)}", (count(n), "warn")) for why, n in found]


def trouble(health: Health | None) -> tuple[Cell, ...]:
    """What is wrong, and what to do about it."""
    if health is None or not health.error:
        return ()
    bad = health.state in DOWN or bool(health.refusal)
    words = "crit" if bad else "warn" if health.refused else "dim"
    facts = f" ({health.facts})" if health.facts else ""
    return (literal(health.error + facts, 400), words), (literal(health.hint or "", 300), "")


def gaps(links: Links, name: str) -> list[Gap]:
    """The newest times it did not stand, the newest first."""
    return list(links.gaps.get(name, ()))[: -GAPS_SHOWN - 1 : -1]


def gap(one: Gap, view: View) -> tuple[Cell, ...]:
    """``14:09:31 to 14:09:33  1.4s  the broker closed the connection``."""
    until = clock(one.until, view) if one.until is not None else "now"
    took = duration((one.until or view.now) - one.since)
    return (
        (f"{clock(one.since, view)} to {until}", ""),
        (f"  {took:>6}  ", "bold"),
        (literal(_WHO.sub("", one.reason), 200), "dim"),
    )
