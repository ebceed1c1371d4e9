"""A task's state: who told it, what was worked out, what we asked, where its message is. Pure."""

from __future__ import annotations

from ..model.fates import Fate
from ..model.ledger import Asked
from ..model.peeked import MESSAGE
from ..model.task import BACKEND, BROKER, EVENTS, INSPECT, RECEIVED, UNKNOWN, Task
from .base import View
from .numbers import clock, known
from .tasks import shown_state, state_cell, tries_known, verdict
from .why import OUR_ACT, UNACKED, WORKED_OUT, Origin, by_inspect, text, told, unknown
from .why_task_told import first, heard_at, teller


def facts(task: Task, view: View) -> list[Origin]:
    """Its state, then whatever makes it one that no event told."""
    found = [_state_itself(task, view)]
    asked = view.cluster.asked.get(task.id)
    if asked is not None:
        found.append(_asked(asked))
    if task.verdict:
        source, note = _how_judged(task, view)
        found.append(told("verdict", verdict(task, view), source, task.as_of, note))
    fate = view.cluster.reconciler.fates.get(task.id)
    if fate is not None:
        found += _message(task, fate, view)
    if task.retries or task.sources:
        found.append(_retries(task, view))
    return found


def _state_itself(task: Task, view: View) -> Origin:
    value, shown = state_cell(task, view), shown_state(task, view)
    asked = view.cluster.asked.get(task.id)
    if shown in ("REVOKE?", "NOT CONFIRMED") and asked is not None:
        note = f"{task.state.lower()} before that, by {teller(task, task.source, view)}; "
        note += "it is revoked once the cluster says so"
        return told("state", value, OUR_ACT, asked.at, note)
    if not task.sources:
        need = "no source has spoken of it: no event, no list of a worker, no result"
        return unknown("state", need, value)
    if task.verdict:
        source, note = _how_judged(task, view)
        return told("state", value, source, task.as_of, note)
    if shown == "ETA":
        source = teller(task, task.source, view)
        return told("state", value, source, task.as_of, "received, and its ETA is still ahead")
    return told("state", value, teller(task, task.source, view), task.as_of)


def _how_judged(task: Task, view: View) -> tuple[str, str]:
    """Of a state that no event told: what it is worked out from."""
    reconciler = view.cluster.reconciler
    if task.id in reconciler.fates:
        return WORKED_OUT, "its process left (heartbeats, pings), and nobody told an end of it"
    if task.source == BROKER:
        note = "its queue is empty, no worker lists it"
        if not view.cluster.is_amqp:
            note += ", it is not unacknowledged"
        stored = view.cluster.live_since("results") is not None
        return WORKED_OUT, note + (" and has no result" if stored else "; results: not readable")
    if task.state == UNKNOWN and task.source == INSPECT:
        return WORKED_OUT, "no list of its worker names it any more, and no event told its end"
    if task.source == INSPECT and task.state == RECEIVED:
        return by_inspect("revoked", task.worker, view), "it waits for its ETA to be dropped"
    if task.source == BACKEND:
        return BACKEND, ""
    return WORKED_OUT, f"from {', '.join(task.sources)}"


def _asked(asked: Asked) -> Origin:
    outcome = asked.outcome
    words = text(f"{outcome.request.act} {outcome.stage}: {outcome.text}")
    return told("we asked", (words, "acc"), OUR_ACT, outcome.at or asked.at)


def _message(task: Task, fate: Fate, view: View) -> list[Origin]:
    """Whether its message is still unacknowledged, and when it comes back."""
    if fate.went_back:
        note = "RabbitMQ takes back what is not acknowledged when a connection closes"
        return [told("message", "in its queue again", WORKED_OUT, fate.parting.at, note)]
    if fate.unacked is None and view.cluster.is_amqp:
        need = "its worker did not tell whether it was acknowledged: RabbitMQ does not"
        return [unknown("message", need)]
    if fate.unacked is None:
        return [unknown("message", "the unacked hash of the broker is not looked through yet")]
    if fate.parting.acknowledged.get(task.id):
        source = by_inspect("active", task.worker, view)
        return [told("message", "acknowledged", source, fate.parting.at, "told before it left")]
    words = "unacknowledged" if fate.unacked else "not unacknowledged any more"
    found = [told("message", words, UNACKED, task.as_of)]
    if fate.unacked and fate.back_at is not None:
        note = "its delivery and the visibility timeout"
        timeout = view.cluster.visibility(fate.parting.hostname)
        note += f" of {timeout.seconds:g} s" + ("" if timeout.told else ", the default")
        found.append(told("comes back", clock(fate.back_at, view), WORKED_OUT, task.as_of, note))
    return found


def _retries(task: Task, view: View) -> Origin:
    if not tries_known(task):
        return unknown("retries", "inspect does not tell it; task-received and its message do")
    source = first(task, EVENTS, MESSAGE, BACKEND)
    tries = len(task.attempts)
    note = f"{tries} earlier {'try was' if tries == 1 else 'tries were'} heard" if tries else ""
    at = heard_at(task, source, view)
    cell = known(task.retries, str(task.retries), view)
    return told("retries", cell, teller(task, source, view, "task-received"), at, note)
