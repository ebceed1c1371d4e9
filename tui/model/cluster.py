"""The one truth about the cluster: all observations are folded in here, in one thread, no locks."""

from __future__ import annotations

import itertools
from collections import OrderedDict, deque
from collections.abc import Iterable, Iterator
from typing import Any

import msgspec

from . import fleet, lifecycle
from .events import Event
from .observations import (
    EventBatch,
    Observation,
    Prefixes,
    QueueDepths,
    Reply,
    Results,
    RoundEnded,
)
from .queue import Queue, sample
from .rates import PerSecond
from .seam import Act, Health, Link, LogLine, Outcome, Preview, Stage
from .task import (
    FAILURE,
    FINAL,
    INSPECT,
    PENDING,
    RECEIVED,
    RETRY,
    REVOKED,
    STARTED,
    SUCCESS,
    UNKNOWN,
    Task,
)
from .worker import Worker, worker_state

TRANSITIONS_KEPT = 500
LOG_KEPT = 2_000
ABSENT_ROUNDS = 2
"""A task missing from so many ``active`` replies of its worker has left it."""
UNSETTLED_AFTER_S = 3.0
"""Age in seconds from which a task that is not final is looked up in the result backend."""
NOT_CONFIRMED_AFTER_S = 10.0


class Transition(msgspec.Struct, frozen=True, gc=False):
    """One change of state, for the live list; ``at`` is epoch seconds."""

    serial: int
    at: float
    id: str
    name: str
    state: str
    worker: str
    detail: str


class Asked(msgspec.Struct, gc=False):
    """What we asked of a task and how far that is proven."""

    outcome: Outcome
    at: float


class Cluster:
    """Tasks, workers and queues, with the indexes that screens and rules read.

    ``apply`` is O(1) an event. Only the drain calls it; everybody else reads.
    """

    def __init__(self, now: float, max_tasks: int = 50_000, max_failures: int = 10_000) -> None:
        self.attached_at = now
        self.now = now
        self.max_tasks, self.max_failures = max_tasks, max_failures
        self.tasks: dict[str, Task] = {}
        self.workers: dict[str, Worker] = {}
        self.queues: dict[str, Queue] = {}
        self.counts: dict[str, int] = {}
        self.running: dict[str, None] = {}
        self.waiting: dict[str, None] = {}
        """Received or to be retried: on a worker, not started."""
        # Evicted from the front: a plain dict would step over all that left before, each time.
        self.pending: OrderedDict[str, None] = OrderedDict()
        self.unknown: OrderedDict[str, None] = OrderedDict()
        self.failures: OrderedDict[str, None] = OrderedDict()
        self._finished: OrderedDict[str, None] = OrderedDict()
        self.dirty: set[str] = set()
        """Ids of tasks that changed; whoever paints clears it."""
        self.membership = 0
        """Rises whenever a task comes or goes; a view with an old number rebuilds its order."""
        self.transitions: deque[Transition] = deque(maxlen=TRANSITIONS_KEPT)
        self.log: deque[LogLine] = deque(maxlen=LOG_KEPT)
        self.health: dict[str, Health] = {}
        self.previews: dict[str, Preview] = {}
        self.asked: dict[str, Asked] = {}
        """Task id -> the last thing we asked of it."""
        self._resent: dict[str, str] = {}
        """Id of a task that a retry sent -> id of the one it repeats."""
        self.outcomes: deque[tuple[int, Outcome]] = deque(maxlen=1_000)
        """Outcomes with serial numbers, newest last."""
        self.prefixes: tuple[str, ...] = ()
        self.unacked: int | None = None
        self.queues_read_at: float | None = None
        self.rounds: dict[str, RoundEnded] = {}
        self.events_counted = 0
        self.task_events_counted = 0
        self.evicted = 0
        self.malformed: dict[str, int] = {}
        self.events_rate = PerSecond(now)
        self.received_rate = PerSecond(now)
        self.finished_rate = PerSecond(now)
        self.failed_rate = PerSecond(now)
        self.sent_heard = False
        """Whether any ``task-sent`` was heard: else queue names of tasks are not known."""
        self._serial = itertools.count(1)
        self._absent: dict[str, int] = {}

    # -- folding ------------------------------------------------------------------------------

    def apply(self, observation: Observation) -> None:
        """Fold one observation in; what is hostile or odd in it is left out, never raised."""
        if isinstance(observation, EventBatch):
            self._events(observation)
        elif isinstance(observation, Reply):
            self._reply(observation)
        elif isinstance(observation, RoundEnded):
            self._round(observation)
        elif isinstance(observation, QueueDepths):
            self._depths(observation)
        elif isinstance(observation, Results):
            self._results(observation)
        elif isinstance(observation, Health):
            self._health(observation)
        elif isinstance(observation, Outcome):
            self._outcome(observation)
        elif isinstance(observation, Preview):
            self.previews[observation.request.id] = observation
        elif isinstance(observation, Prefixes):
            self.prefixes = observation.found
        else:
            self.log.append(observation)

    def _events(self, batch: EventBatch) -> None:
        self.now = max(self.now, batch.arrived)
        self.events_counted += len(batch.events)
        self.events_rate.add(batch.arrived, len(batch.events))
        for reason, count in batch.malformed.items():
            self.malformed[reason] = self.malformed.get(reason, 0) + count
        for event in batch.events:
            if event.uuid:
                self._task_event(event, batch.arrived)
            elif event.hostname and event.type.startswith("worker-"):
                self._worker_event(event, batch.arrived)

    def _task_event(self, event: Event, arrived: float) -> None:
        assert event.uuid is not None  # noqa: S101  narrows for the type checker only
        self.task_events_counted += 1
        task = self.task(event.uuid, arrived)
        before = task.state
        changed = lifecycle.follow(task, event)
        if event.type == "task-sent":
            self.sent_heard = True
        elif event.hostname and event.type in lifecycle.STATE_OF:
            fleet.heard_task(self.worker(event.hostname, arrived))
        if changed:
            self._changed(task, before, arrived)
        self.dirty.add(task.id)

    def _worker_event(self, event: Event, arrived: float) -> None:
        worker = self.worker(event.hostname, arrived)
        news = fleet.follow(worker, event, arrived)
        if news:
            level = "warn" if "offline" in news or "restarted" in news else "info"
            self.note(arrived, "worker", level, f"{event.hostname} {news}")

    def _reply(self, reply: Reply) -> None:
        self.now = max(self.now, reply.at)
        worker = self.worker(reply.hostname, reply.at)
        if worker.heartbeat is None and reply.at - self.attached_at > worker.silence_allowed_s:
            worker.heartbeat = False
        fleet.answered(worker, reply.question, reply.payload, reply.at)
        if reply.question in ("active", "reserved", "scheduled"):
            self._inspected(worker, reply)
        elif reply.question == "active_queues":
            self._consumers(reply.at)

    def _inspected(self, worker: Worker, reply: Reply) -> None:
        state = STARTED if reply.question == "active" else RECEIVED
        for entry in fleet.requests(reply.question, reply.payload):
            task = self.task(entry["id"], reply.at)
            before = task.state
            if reply.question == "scheduled" and isinstance(entry.get("eta"), str):
                task.eta = entry["eta"]
            if lifecycle.inspected(task, entry, worker.hostname, reply.at, state):
                self._changed(task, before, reply.at)
            self._unheard(worker, task, entry)
            self._absent.pop(task.id, None)
            self.dirty.add(task.id)
        if reply.question == "active":
            self._missing(worker, reply)

    def _unheard(self, worker: Worker, task: Task, entry: dict[str, Any]) -> None:
        """A task began while we listened and no task event of its worker came: events are off."""
        started = lifecycle.moment(entry.get("time_start"))
        if worker.task_events or started is None:
            return
        live = self.live_since("events")
        if live is not None and started > max(live, worker.online_at or 0.0) + 1.0:
            worker.events_enabled = False

    def _missing(self, worker: Worker, reply: Reply) -> None:
        listed = set(worker.running or ())
        for task_id in list(self.running):
            task = self.tasks[task_id]
            if task.worker != worker.hostname or task_id in listed:
                continue
            if task.started_at is not None and task.started_at > reply.asked_at - 1.0:
                continue
            self._absent[task_id] = self._absent.get(task_id, 0) + 1
            if self._absent[task_id] >= ABSENT_ROUNDS:
                del self._absent[task_id]
                before = task.state
                lifecycle.left_its_worker(task, reply.at)
                self._changed(task, before, reply.at)
                self.dirty.add(task_id)

    def _round(self, ended: RoundEnded) -> None:
        self.now = max(self.now, ended.at)
        self.rounds[ended.question] = ended
        if ended.question != "ping":
            return
        for worker in self.workers.values():
            if worker.hostname not in ended.answered and worker.first_seen < ended.asked_at:
                worker.ping_missed_at = ended.asked_at

    def _depths(self, read: QueueDepths) -> None:
        self.now = max(self.now, read.at)
        self.queues_read_at = read.at
        if read.unacked is not None:
            self.unacked = read.unacked
        for name, reading in read.queues.items():
            queue = self.queue(name, read.at)
            queue.depth, queue.by_priority, queue.read_at = (
                reading.depth,
                reading.by_priority,
                read.at,
            )
            queue.consumers, queue.quarantine = reading.consumers, reading.quarantine
            if read.unacked_by_queue is not None:
                queue.unacked = read.unacked_by_queue.get(name, 0)
            sample(queue, read.at)
        for name in read.gone:
            self.queues.pop(name, None)
        self._consumers(read.at)

    def _consumers(self, at: float) -> None:
        for queue in self.queues.values():
            listeners = self.consumers(queue.name)
            if listeners:
                queue.last_consumer, queue.unconsumed_since = listeners[0], None
            elif listeners is not None and queue.unconsumed_since is None:
                queue.unconsumed_since = at

    def _results(self, results: Results) -> None:
        self.now = max(self.now, results.at)
        for meta in results.metas:
            task = self.tasks.get(meta.id)
            if task is None:
                continue
            before = task.state
            if lifecycle.stored(task, meta, results.at):
                self._changed(task, before, results.at)
            self.dirty.add(task.id)

    def _health(self, health: Health) -> None:
        self.now = max(self.now, health.since)
        before = self.health.get(health.source)
        self.health[health.source] = health
        if before is None or before.state == health.state:
            return
        level = "crit" if health.state == Link.LOST else "info"
        words = f"{health.source} link {health.state}" + (
            f": {health.error}" if health.error else ""
        )
        self.note(health.since, "link", level, words)

    def _outcome(self, outcome: Outcome) -> None:
        if self._outdated(outcome):
            return
        self.outcomes.append((next(self._serial), outcome))
        level = "warn" if outcome.stage in (Stage.FAILED, Stage.NOT_CONFIRMED) else "ours"
        subject = outcome.target.id
        self.note(
            outcome.at,
            "act",
            level,
            f"{outcome.request.act} {subject}: {outcome.stage}, {outcome.text}",
        )
        if outcome.target.kind == "task":
            self.asked[outcome.target.id] = Asked(outcome, outcome.request.at)
            self.dirty.add(outcome.target.id)
        if outcome.new_id is not None:
            self._resent[outcome.new_id] = outcome.target.id
            if outcome.new_id in self.tasks:  # its events were faster than the outcome
                self._confirm(outcome.target.id, self.tasks[outcome.new_id], outcome.at)
        if outcome.request.act == Act.EVENTS_ON and outcome.stage == Stage.ACKNOWLEDGED:
            worker = self.workers.get(outcome.target.id)
            if worker is not None:
                worker.events_enabled = True

    def _outdated(self, outcome: Outcome) -> bool:
        """The cluster itself has spoken already; only proof of the contrary still counts."""
        asked = self.asked.get(outcome.target.id)
        if asked is None or asked.outcome.request.id != outcome.request.id:
            return False
        last = asked.outcome.stage
        if last not in (Stage.SEEN, Stage.FAILED, Stage.DONE_ELSEWHERE):
            return False
        return not (last == Stage.SEEN and outcome.stage == Stage.FAILED)

    # -- records ------------------------------------------------------------------------------

    def task(self, task_id: str, at: float) -> Task:
        """The record of a task id, made when it is new."""
        task = self.tasks.get(task_id)
        if task is None:
            task = self.tasks[task_id] = Task(task_id, first_seen=at)
            self.counts[PENDING] = self.counts.get(PENDING, 0) + 1
            self.pending[task_id] = None
            self.membership += 1
            self._evict()
        return task

    def worker(self, hostname: str, at: float) -> Worker:
        """The record of a node name, made when it is new."""
        worker = self.workers.get(hostname)
        if worker is None:
            worker = self.workers[hostname] = Worker(hostname, first_seen=at)
        return worker

    def queue(self, name: str, at: float) -> Queue:
        """The record of a queue, made when it is new."""
        queue = self.queues.get(name)
        if queue is None:
            queue = self.queues[name] = Queue(name, first_seen=at)
        return queue

    def note(self, at: float, kind: str, level: str, text: str) -> None:
        """Write one line into the Log."""
        self.log.append(LogLine(at, kind, level, text))

    def _index(self, state: str) -> dict[str, None]:
        if state == STARTED:
            return self.running
        if state in (RECEIVED, RETRY):
            return self.waiting
        if state == PENDING:
            return self.pending
        if state == UNKNOWN:
            return self.unknown
        return self.failures if state == FAILURE else self._finished

    def _changed(self, task: Task, before: str, at: float) -> None:
        after = task.state
        if after != before:
            self.counts[before] -= 1
            self.counts[after] = self.counts.get(after, 0) + 1
            self._index(before).pop(task.id, None)
            self._index(after)[task.id] = None
            self._count(after, at)
        self._tell(task, at)
        if after in FINAL:
            self._absent.pop(task.id, None)
        if task.id in self.asked and self.asked[task.id].outcome.request.act != Act.RETRY:
            self._confirm(task.id, task, at)
        if task.id in self._resent:
            self._confirm(self._resent[task.id], task, at)

    def _tell(self, task: Task, at: float) -> None:
        """Add to the live list; what inspect finds at first sight has not just happened."""
        if task.source == INSPECT and task.first_seen == at:
            return
        moment, detail = task.as_of or at, transition_detail(task)
        self.transitions.append(
            Transition(
                next(self._serial), moment, task.id, task.name, task.state, task.worker, detail
            )
        )

    def _count(self, state: str, at: float) -> None:
        if state == RECEIVED:
            self.received_rate.add(at)
        elif state in FINAL:
            self.finished_rate.add(at)
            if state == FAILURE:
                self.failed_rate.add(at)

    def _confirm(self, asked_id: str, task: Task, at: float) -> None:
        """An act is SEEN when the cluster itself says what became of its task.

        For a retry ``task`` is the one that was sent, not the one it repeats.
        """
        asked = self.asked.get(asked_id)
        if asked is None:
            return
        last = asked.outcome
        if last.stage not in (Stage.SENT, Stage.ACKNOWLEDGED, Stage.NOT_CONFIRMED):
            return
        proof = confirmation(last.request.act, task)
        if proof is None:
            return
        stage, text = proof
        self._outcome(
            msgspec.structs.replace(last, stage=stage, text=f"{text}, {_by(task)}", at=at)
        )

    def _evict(self) -> None:
        """Forget the oldest finished beyond the bounds; what runs or waits is never evicted."""
        while len(self.failures) > self.max_failures:
            self._forget(self.failures)
        while len(self._finished) > self.max_tasks:
            self._forget(self._finished)
        while len(self.pending) > self.max_tasks:
            self._forget(self.pending)
        while len(self.unknown) > self.max_failures:
            self._forget(self.unknown)

    def _forget(self, index: OrderedDict[str, None]) -> None:
        task_id, _ = index.popitem(last=False)
        task = self.tasks.pop(task_id)
        self.counts[task.state] -= 1
        self.asked.pop(task_id, None)
        self._resent.pop(task_id, None)
        self._absent.pop(task_id, None)
        self.dirty.discard(task_id)
        self.membership += 1
        self.evicted += 1

    # -- reading ------------------------------------------------------------------------------

    def live_since(self, source: str = "events") -> float | None:
        """Epoch seconds since which a source is live, or None."""
        health = self.health.get(source)
        return health.since if health is not None and health.state == Link.LIVE else None

    def state_of(self, worker: Worker, now: float) -> str:
        """The worker's state as ``worker.worker_state`` judges it."""
        return worker_state(worker, now, self.live_since("events"))

    def consumers(self, queue: str) -> list[str] | None:
        """Workers that list the queue and did not say goodbye; None while nobody told."""
        told = [worker for worker in self.workers.values() if worker.queues is not None]
        if not told:
            asked = self.rounds.get("active_queues")
            return [] if asked is not None and not asked.answered else None
        return [w.hostname for w in told if w.offline_at is None and queue in (w.queues or ())]

    def newest(self) -> Iterator[str]:
        """Task ids, the newest seen first."""
        return reversed(self.tasks)

    def unsettled(self, now: float, limit: int) -> list[str]:
        """Ids not final for a few seconds, which the result backend may know more of."""
        found: list[str] = []
        for index in (self.unknown, self.running, self.waiting):
            for task_id in reversed(index):
                if now - self.tasks[task_id].changed_at >= UNSETTLED_AFTER_S:
                    found.append(task_id)
                    if len(found) >= limit:
                        return found
        return found

    def tasks_of(self, ids: Iterable[str]) -> list[Task]:
        """The records of those ids that are still kept."""
        return [self.tasks[task_id] for task_id in ids if task_id in self.tasks]


def transition_detail(task: Task) -> str:
    """The few words that explain a change: exception, who revoked, how long it ran."""
    if task.state in (FAILURE, RETRY):
        return task.exception or ""
    if task.state == REVOKED:
        return "expired" if task.expired else "terminated" if task.terminated else "revoked"
    return ""


def confirmation(act: Act, task: Task) -> tuple[Stage, str] | None:
    """What a task's state proves of an act aimed at it; None: nothing yet."""
    if act == Act.RETRY:
        return (Stage.SEEN, f"seen {task.state.lower()}") if task.state != PENDING else None
    if act not in (Act.REVOKE, Act.TERMINATE):
        return None
    if task.state == REVOKED:
        return Stage.SEEN, "seen revoked"
    if task.state == SUCCESS:
        return Stage.FAILED, "it ran to success all the same"
    if task.state == FAILURE:
        return (
            (Stage.SEEN, "seen failed")
            if act == Act.TERMINATE
            else (Stage.FAILED, "it failed by itself")
        )
    return None


def _by(task: Task) -> str:
    return {"events": "by event", "inspect": "by inspect"}.get(task.source, f"by {task.source}")
