"""Where a task is: its name, queue, worker, process and sender, and who told each. Pure."""

from __future__ import annotations

from ..model.peeked import MESSAGE
from ..model.task import BACKEND, EVENTS, INSPECT, PENDING, RECEIVED, STARTED, Task
from .base import View
from .tasks import name_cell, process_cell, queue_cell, worker_cell
from .why import Origin, by_inspect, text, told, unknown
from .why_task_told import EVENT_OF, first, heard_at, teller, told_by

SENT_EVENTS = "task-sent events are off at its sender (task_send_sent_event)"
SENT_NOT_HEARD = "no task-sent of it was heard (task_send_sent_event), or it is from before"
ONLY_EXTENDED = "the result backend tells it only with result_extended"


def facts(task: Task, view: View) -> list[Origin]:
    """What is unknown of its place says what it takes to know it."""
    found = [_name(task, view), _queue(task, view), _worker(task, view), _pid(task, view)]
    if task.client:
        found.append(told("sender", text(task.client, 120), "event task-sent", task.sent_at))
    return found


def _name(task: Task, view: View) -> Origin:
    if not task.name:
        need = "task-received or task-sent tells it, a list of its worker, or result_extended"
        return unknown("task", need)
    return told_by(task, "task", name_cell(task, view)[0], view, EVENTS, INSPECT, MESSAGE, BACKEND)


def _queue(task: Task, view: View) -> Origin:
    cell = queue_cell(task, view)
    if task.queue and task.sent_at is not None:
        return told("queue", cell, "event task-sent", task.sent_at)
    if task.queue:
        return told_by(task, "queue", cell, view, MESSAGE, BACKEND)
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
    source = first(task, INSPECT, EVENTS, BACKEND)
    words = by_inspect("active", task.worker, view) if source == INSPECT else source
    return told("pid", cell, words, heard_at(task, source, view))
