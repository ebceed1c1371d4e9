"""Why a finding stands: its rule in words, what it looks at, and what clears it. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from ..model.links import DOWN
from ..model.seam import Finding, Level
from ..model.worker import STOPPED
from ..refusals import TABLE
from . import why_queue, why_worker
from . import workers as worker_words
from .base import View
from .names import node
from .numbers import clock, duration
from .why import WORKED_OUT, Origin, Part, text, told, unknown

OUR_LINK = "our own connection"


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule of the attention list, for people."""

    says: str
    """When it finds something."""
    clears: str
    """What ends the finding."""
    rows: tuple[str, ...] = ()
    """The facts of its evidence that it looks at; empty: all."""


RULES = {
    "no-consumer": Rule(
        "messages wait in a queue, every worker has said what it consumes, and none lists it",
        "a worker that lists the queue in active_queues, or an empty queue",
        ("waiting", "oldest", "consumers", "last"),
    ),
    "dead-consumer": Rule(
        "messages wait, workers list the queue when asked, and the broker counts no consumer "
        "of it for 5 s: a worker that answers and takes nothing",
        "a consumer that the broker counts, or an empty queue; restart the worker",
        ("waiting", "consumers", "counted"),
    ),
    "worker-lost": Rule(
        "no heartbeat for three intervals (at least 6 s), and a ping that nobody took "
        "was not answered",
        "a heartbeat or an answer under its name, or a goodbye of it",
        ("state", "seen", "answers", "silent to", "left", "pid", "busy", "held"),
    ),
    "worker-blocked": Rule(
        "no heartbeat for three intervals (at least 6 s), but its connection stands: "
        "a ping was delivered to it, or answered",
        "its next heartbeat",
        ("state", "seen", "answers", "silent to", "pid", "pool", "busy"),
    ),
    "events-off": Rule(
        "a worker counts tasks in its heartbeats, and no task event of it comes",
        "the first task event of each such worker; E switches them on",
    ),
    "broker-blocked": Rule(
        "RabbitMQ tells us, as everybody who has sent something, that it takes no more messages: "
        "it is below its limit of free memory or disk",
        "a connection of ours that it does not block; we try alone, r tries at once",
    ),
    "broker-lost": Rule(
        "one of our connections to the broker broke and could not be made again",
        "the connection stands again; we try alone, r tries at once",
    ),
}
"""Rule id -> what it is in words."""
for _one in TABLE:
    RULES.setdefault(
        _one.rule,
        Rule(
            f"Redis answers {' or '.join(_one.codes or _one.texts)} to what it is told, "
            "or its INFO says that it would",
            "it does what it is told again; we try alone, r tries at once",
        ),
    )
UNWORDED = Rule("see its text", "what it tells of is over")


def parts(finding: Finding, stands: bool, view: View) -> list[Part]:
    """The finding, its rule, and the facts that it was made of."""
    rule = RULES.get(finding.rule, UNWORDED)
    found = [
        Part("Finding", tuple(_itself(finding, stands, view))),
        Part("Rule", tuple(_rule(finding, rule, stands, view))),
    ]
    evidence = [one for one in _evidence(finding, view) if not rule.rows or one.what in rule.rows]
    return [*found, Part("Evidence", tuple(evidence))] if evidence else found


def _itself(finding: Finding, stands: bool, view: View) -> list[Origin]:
    crit = finding.severity == Level.CRIT
    cell = ("✗ critical", "crit") if crit else ("! warning", "warn")
    note = "looked at again each second" if stands else "it does not stand any more"
    found = [told("it is", cell if stands else ("over", "dim"), WORKED_OUT, view.now, note)]
    found.append(told("says", text(finding.text), WORKED_OUT, view.now))
    if finding.detail:
        found.append(told("besides", text(finding.detail), WORKED_OUT, view.now))
    if finding.since is None:
        return [*found, unknown("since", "it was so when we first could tell")]
    value = f"{clock(finding.since, view)}, for {duration(view.now - finding.since)}"
    note = "when its evidence began, or when we first saw it"
    return [*found, told("since", value, WORKED_OUT, finding.since, note)]


def _rule(finding: Finding, rule: Rule, stands: bool, view: View) -> list[Origin]:
    found = [told("rule", text(finding.rule, 40), "ours", view.now, rule.says)]
    found.append(told("clears it", "not yet" if stands else "done", "ours", view.now, rule.clears))
    if finding.next:
        found.append(told("next", text(finding.next), "ours", view.now))
    return found


def _evidence(finding: Finding, view: View) -> list[Origin]:
    if finding.rule == "events-off":
        return _events(view)
    kind, _, name = finding.evidence.partition(":")
    if kind == "queue" and name in view.cluster.queues:
        found = why_queue.parts(view.cluster.queues[name], view)
    elif kind == "worker" and name in view.cluster.workers:
        found = why_worker.parts(view.cluster.workers[name], view)
    else:
        return _links(view)
    return [origin for part in found for origin in part.origins]


def _events(view: View) -> list[Origin]:
    """Of each worker that is there, whether its events come."""
    there = [w for w in view.cluster.workers.values() if w.offline_at is None]
    there = [w for w in there if worker_words.state_of(w, view) != STOPPED]
    there.sort(key=lambda worker: (worker.events_enabled is not False, worker.hostname))
    found = []
    for worker in there[:12]:
        name = node(worker.hostname, view.host_suffix)
        if worker.events_enabled is None:
            found.append(unknown("events", f"{name}: no task has moved on it yet"))
            continue
        cell = worker_words.events_cell(worker, view)
        note = f"{name}: {worker.task_events:,} task events heard"
        found.append(told("events", cell, WORKED_OUT, worker.heard_at, note))
    return found


def _links(view: View) -> list[Origin]:
    """How our connections are."""
    found = []
    for name, health in sorted(view.cluster.health.items()):
        style = "crit" if health.state in DOWN or health.refusal else ""
        note = text(health.error)
        value = (str(health.state), style)
        found.append(told(name, value, OUR_LINK, health.at or health.since, note))
    return found
