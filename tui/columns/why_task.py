"""Where each fact of a task comes from, by the sources that spoke of it. Pure."""

from __future__ import annotations

from ..model.fates import Fate
from ..model.ledger import Asked
from ..model.peeked import MESSAGE
from ..model.redact import redact_text
from ..model.task import (
    BACKEND,
    BROKER,
    EVENTS,
    FAILURE,
    FINAL,
    INSPECT,
    PENDING,
    RECEIVED,
    REJECTED,
    RETRY,
    REVOKED,
    STARTED,
    SUCCESS,
    Task,
)
from ..model.task import UNKNOWN as STATE_UNKNOWN
from .base import Cell, View, cut_tail
from .numbers import clock, duration, known
from .tasks import (
    args_text,
    name_cell,
    process_cell,
    queue_cell,
    run_cell,
    shown_state,
    state_cell,
    tries_known,
    verdict,
    worker_cell,
)
from .why import (
    OUR_ACT,
    UNACKED,
    WORKED_OUT,
    Origin,
    Part,
    by_inspect,
    text,
    told,
    unknown,
)

EVENT_OF = {
    PENDING: "task-sent",
    RECEIVED: "task-received",
    STARTED: "task-started",
    RETRY: "task-retried",
    REJECTED: "task-rejected",
    REVOKED: "task-revoked",
    FAILURE: "task-failed",
    SUCCESS: "task-succeeded",
}
SHOWN = 120
"""Characters of args, result and exception: the task's page shows all of them."""
SENT_EVENTS = "task-sent events are off at its sender (task_send_sent_event)"
SENT_NOT_HEARD = "no task-sent of it was heard (task_send_sent_event), or it is from before"
NOT_HEARD = "no event of it was heard: it was before we attached, or task events were off"
ONLY_EXTENDED = "the result backend tells it only with result_extended"


def parts(task: Task, view: View) -> list[Part]:
    """What is known of a task, and what is not: state, place, times, what it carries, kin."""
    found = [
        Part("State", tuple(_state(task, view))),
        Part("Where", tuple(_where(task, view))),
        Part("When", tuple(_when(task, view))),
        Part("What", tuple(_what(task, view))),
        Part("Family", tuple(_kin(task, view))),
    ]
    return [part for part in found if part.origins]


# -- who told, and when -----------------------------------------------------------------------


def teller(task: Task, source: str, view: View, event: str = "") -> str:
    """A source in words: ``event task-started``, ``inspect active of w1``."""
    if source == EVENTS:
        return f"event {event or EVENT_OF.get(task.state, 'of the task')}"
    if source == INSPECT:
        return by_inspect(_listed(task, view)[0], task.worker, view)
    if source == MESSAGE:
        return f"message in {text(task.queue, 60)}" if task.queue else "message in its queue"
    return source


def heard_at(task: Task, source: str, view: View) -> float | None:
    """Epoch seconds at which a source told what does not change; None: that is not kept."""
    if source == EVENTS:
        received = next((one.received_at for one in task.attempts if one.received_at), None)
        return task.received_at or received or task.sent_at or task.as_of or None
    if source == INSPECT:
        at = _listed(task, view)[1]
        return at if at is not None else _spoke_last(task, INSPECT)
    if source == MESSAGE:
        page = view.cluster.peeks.pages.get(task.queue or "")
        if page is not None and any(message.id == task.id for message in page.messages):
            return page.at
    stored_at = task.ended_at if source == BACKEND else None
    return _spoke_last(task, source) or stored_at


def _spoke_last(task: Task, source: str) -> float | None:
    judged = task.verdict is not None and source in (EVENTS, INSPECT)  # by us, at another time
    return task.as_of or None if task.source == source and not judged else None


def _listed(task: Task, view: View) -> tuple[str, float | None]:
    """The question whose answer lists it now, and when that was given."""
    worker = view.cluster.workers.get(task.worker)
    if worker is not None:
        for question, ids, at in (
            ("active", worker.running, worker.running_at),
            ("reserved", worker.reserved, worker.reserved_at),
            ("scheduled", worker.scheduled, worker.scheduled_at),
        ):
            if ids is not None and task.id in ids:
                return question, at
    return ("active" if task.started_at is not None else "reserved"), None


def _describes(task: Task) -> bool:
    """Whether an event was heard that tells what it is: the others name only id and worker."""
    return (
        task.sent_at is not None
        or task.received_at is not None
        or any(one.received_at is not None for one in task.attempts)
    )


def _describing(task: Task) -> str:
    """The newest event heard that tells what it is."""
    if task.received_at is not None or any(one.received_at for one in task.attempts):
        return EVENT_OF[RECEIVED]
    return EVENT_OF[PENDING] if task.sent_at is not None else "of the task"


def _first(task: Task, *could: str) -> str:
    """Of the sources that could tell, the one that spoke first: its word stands."""
    spoke = [source for source in task.sources if source in could]
    if EVENTS in spoke and len(spoke) > 1 and not _describes(task):
        spoke.remove(EVENTS)
    return spoke[0] if spoke else task.source


def _by(task: Task, what: str, value: Cell | str, view: View, *could: str) -> Origin:
    source = _first(task, *could)
    words = teller(task, source, view, _describing(task))
    return told(what, value, words, heard_at(task, source, view))


# -- state ------------------------------------------------------------------------------------


def _state(task: Task, view: View) -> list[Origin]:
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
    if task.state == STATE_UNKNOWN and task.source == INSPECT:
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
    source = _first(task, EVENTS, MESSAGE, BACKEND)
    tries = len(task.attempts)
    note = f"{tries} earlier {'try was' if tries == 1 else 'tries were'} heard" if tries else ""
    at = heard_at(task, source, view)
    cell = known(task.retries, str(task.retries), view)
    return told("retries", cell, teller(task, source, view, "task-received"), at, note)


# -- place ------------------------------------------------------------------------------------


def _where(task: Task, view: View) -> list[Origin]:
    found = [_name(task, view), _queue(task, view), _worker(task, view), _pid(task, view)]
    if task.client:
        found.append(told("sender", text(task.client, 120), "event task-sent", task.sent_at))
    return found


def _name(task: Task, view: View) -> Origin:
    if not task.name:
        need = "task-received or task-sent tells it, a list of its worker, or result_extended"
        return unknown("task", need)
    return _by(task, "task", name_cell(task, view)[0], view, EVENTS, INSPECT, MESSAGE, BACKEND)


def _queue(task: Task, view: View) -> Origin:
    cell = queue_cell(task, view)
    if task.queue and task.sent_at is not None:
        return told("queue", cell, "event task-sent", task.sent_at)
    if task.queue:
        return _by(task, "queue", cell, view, MESSAGE, BACKEND)
    need = SENT_NOT_HEARD if view.cluster.sent_heard else SENT_EVENTS
    if task.routing_key:
        source = teller(task, INSPECT, view)
        note = f"its routing key (delivery_info): most likely the queue's name; {need}"
        return told("queue", cell, source, heard_at(task, INSPECT, view), note)
    return unknown("queue", need)


def _worker(task: Task, view: View) -> Origin:
    if not task.worker:
        waits = task.state == PENDING
        need = "no worker has told that it received it" if waits else ONLY_EXTENDED
        return unknown("worker", need)
    cell = worker_cell(task, view)
    if task.source in (EVENTS, INSPECT) and not task.verdict:
        return told("worker", cell, teller(task, task.source, view), task.as_of)
    source = next((one for one in task.sources if one in (EVENTS, INSPECT)), BACKEND)
    event = EVENT_OF[STARTED if task.started_at is not None else RECEIVED]
    at = task.started_at or task.received_at if source == EVENTS else heard_at(task, source, view)
    return told("worker", cell, teller(task, source, view, event), at)


def _pid(task: Task, view: View) -> Origin:
    cell = process_cell(task, view)
    if task.pid is None:
        ran = task.state != PENDING
        return unknown("pid", "inspect active tells it while it runs" if ran else "it has not run")
    worker = view.cluster.workers.get(task.worker)
    if worker is not None and task.pid in worker.main_pids:
        note = "the worker's main process; which of its pool ran it nobody told in time"
        if task.state in (RECEIVED, STARTED):
            note = "the worker's main process; inspect active tells the one that runs it"
        return told("pid", cell, "event", heard_at(task, EVENTS, view), note)
    source = _first(task, INSPECT, EVENTS, BACKEND)
    words = by_inspect("active", task.worker, view) if source == INSPECT else source
    return told("pid", cell, words, heard_at(task, source, view))


# -- times ------------------------------------------------------------------------------------


def _when(task: Task, view: View) -> list[Origin]:
    found = [_sent(task, view)]
    if task.received_at is not None:
        found.append(_moment("received", task.received_at, "event task-received", view))
    elif task.state != PENDING:
        found.append(unknown("received", NOT_HEARD))
    if task.sent_at is not None and task.received_at is not None and not task.attempts:
        waited = task.received_at - task.sent_at
        note = "received less sent, each by its own clock"
        cell = known(waited, duration(waited), view)
        found.append(told("waited", cell, WORKED_OUT, task.received_at, note))
    found += _run(task, view)
    for what, value in (("eta", task.eta), ("expires", task.expires)):
        if value:
            found.append(_by(task, what, text(value, 40), view, EVENTS, MESSAGE, INSPECT))
    return found


def _moment(what: str, at: float, source: str, view: View, note: str = "") -> Origin:
    return told(what, clock(at, view, parts=True), source, at, note)


def _sent(task: Task, view: View) -> Origin:
    if task.sent_at is not None:
        return _moment("sent", task.sent_at, "event task-sent", view)
    return unknown("sent", "task-sent tells it, and none of it was heard")


def _run(task: Task, view: View) -> list[Origin]:
    """Its start, its end and how long it took."""
    never = task.state in (PENDING, RECEIVED) or task.state == REVOKED
    if task.started_at is None:
        found = [] if never else [unknown("started", NOT_HEARD)]
    else:
        found = [_started(task, view)]
    if task.ended_at is not None:
        found.append(_ended(task, view))
    if task.started_at is not None or task.runtime_s is not None:
        found.append(_runtime(task, view))
    return found


def _started(task: Task, view: View) -> Origin:
    assert task.started_at is not None  # noqa: S101  narrows for the type checker only
    source, note = "event task-started", ""
    if EVENTS not in task.sources or (task.source == INSPECT and not task.verdict):
        source = by_inspect("active", task.worker, view)
        note = "time_start, by the worker's clock"
    elif INSPECT in task.sources:
        note = "or time_start of inspect active, where that was told first"
    return _moment("started", task.started_at, source, view, note)


def _ended(task: Task, view: View) -> Origin:
    assert task.ended_at is not None  # noqa: S101  narrows for the type checker only
    source, note = teller(task, EVENTS, view), ""
    if task.source == BACKEND:
        source, note = BACKEND, "date_done, by the worker's clock"
    elif task.state not in FINAL and task.state != RETRY:
        source = "event"
    return _moment("ended", task.ended_at, source, view, note)


def _runtime(task: Task, view: View) -> Origin:
    cell = run_cell(task, view)
    if task.state == STARTED:
        return told("runs for", cell, WORKED_OUT, task.as_of, "now less its start")
    if task.runtime_s is not None and task.state == SUCCESS and task.source == EVENTS:
        return told("ran", cell, "event task-succeeded", task.ended_at, "measured by its worker")
    if task.runtime_so_far(view.now) is not None:
        return told("ran", cell, WORKED_OUT, task.ended_at or task.as_of, "its end less its start")
    return unknown("ran", "its end was not heard")


# -- what it carries --------------------------------------------------------------------------


def _what(task: Task, view: View) -> list[Origin]:
    found = [_args(task, view)]
    end = _end_by(task, view)
    if task.result is not None:
        cut = "a repr, cut by its worker where it is long" if task.source == EVENTS else ""
        found.append(told("result", _plain(task.result, view), *end, cut))
    elif task.state == SUCCESS:
        need = "not stored (ignore_result, or expired), and not in the event"
        found.append(unknown("result", need))
    if task.exception:
        found.append(told("exception", _plain(task.exception, view), *end))
    elif task.state in (FAILURE, RETRY):
        found.append(unknown("exception", "neither an event nor the result backend told it"))
    if task.traceback:
        lines = len(task.traceback.splitlines())
        found.append(told("traceback", f"{lines:,} lines", *end))
    return found


def _end_by(task: Task, view: View) -> tuple[str, float | None]:
    """Who told how it ended, or the try before."""
    if task.state in (PENDING, RECEIVED, STARTED) and task.attempts:
        return "event task-retried, the try before", task.attempts[-1].ended_at
    if task.source in (EVENTS, BACKEND) and not (task.source == EVENTS and task.verdict):
        return teller(task, task.source, view), task.as_of
    source = EVENTS if EVENTS in task.sources else BACKEND
    return teller(task, source, view), task.ended_at


def _plain(words: str, view: View) -> str:
    return cut_tail(text(redact_text(words[:600])), SHOWN, view.cut)


def _args(task: Task, view: View) -> Origin:
    shown = cut_tail(args_text(task), SHOWN, view.cut) or "none"
    if task.exact is not None:
        source = task.exact.source
        words = teller(task, source, view)
        return told("args", shown, words, heard_at(task, source, view), "exact: they can be sent")
    if task.args is None and task.kwargs is None:
        return unknown("args", "no event, list of a worker, message or result told them")
    source = task.args_source or task.source
    words, at = teller(task, source, view, _describing(task)), heard_at(task, source, view)
    return told("args", shown, words, at, "as text, cut by their sender where they are long")


def _kin(task: Task, view: View) -> list[Origin]:
    found: list[Origin] = []
    if task.root_id:
        own = task.root_id == task.id
        value = "itself" if own else text(task.root_id, 80)
        found.append(_by(task, "root", value, view, EVENTS, MESSAGE))
    elif task.sources:
        found.append(unknown("root", "task-received and task-sent tell it, or its message"))
    if task.parent_id:
        value = text(task.parent_id, 80)
        found.append(_by(task, "parent", value, view, EVENTS, MESSAGE, BACKEND))
    if task.group_id:
        found.append(_by(task, "group", text(task.group_id, 80), view, MESSAGE, BACKEND))
    return found
