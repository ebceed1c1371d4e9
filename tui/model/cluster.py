"""The one truth about the cluster: all observations are folded in here, in one thread, no locks."""

from __future__ import annotations

import itertools
from collections import deque
from typing import Any

import msgspec

from . import fleet, inspected, lifecycle, stored
from .events import Event
from .history import Past
from .kept_tasks import KeptTasks
from .ledger import Ledger
from .observations import (
    EventBatch,
    Observation,
    Prefixes,
    QueueDepths,
    Reply,
    Results,
    RoundEnded,
)
from .queue import Queue
from .rates import PerSecond
from .seam import Act, Health, Link, LogLine, Outcome, Preview, Stage
from .task import (
    FAILURE,
    FINAL,
    INSPECT,
    RECEIVED,
    RETRY,
    REVOKED,
    STARTED,
    Task,
)
from .worker import Worker, worker_state

TRANSITIONS_KEPT = 500
LOG_KEPT = 2_000
ABSENT_ROUNDS = 2
"""A task missing from so many ``active`` replies of its worker has left it."""


class Transition(msgspec.Struct, frozen=True, gc=False):
    """One change of state, for the live list; ``at`` is epoch seconds."""

    serial: int
    at: float
    id: str
    name: str
    state: str
    worker: str
    detail: str


class Cluster(KeptTasks):
    """Tasks, workers and queues, with the indexes that screens and rules read.

    ``apply`` is O(1) an event. Only the drain calls it; everybody else reads.
    """

    def __init__(self, now: float, max_tasks: int = 50_000, max_failures: int = 10_000) -> None:
        super().__init__(max_tasks, max_failures)
        self.attached_at = now
        self.now = now
        self.workers: dict[str, Worker] = {}
        self.queues: dict[str, Queue] = {}
        self.ledger = Ledger()
        self.asked, self.outcomes = self.ledger.asked, self.ledger.outcomes
        self._listeners: dict[str, list[str]] | None = None
        """Queue -> workers that list it; None: to be worked out anew."""
        self.transitions: deque[Transition] = deque(maxlen=TRANSITIONS_KEPT)
        self.log: deque[LogLine] = deque(maxlen=LOG_KEPT)
        self.health: dict[str, Health] = {}
        self.previews: dict[str, Preview] = {}
        self.prefixes: tuple[str, ...] = ()
        self.unacked: int | None = None
        self.queues_read_at: float | None = None
        self.rounds: dict[str, RoundEnded] = {}
        self.version = 0
        """Rises with everything that was observed."""
        self.events_counted = 0
        self.task_events_counted = 0
        self.malformed: dict[str, int] = {}
        self.events_rate = PerSecond(now)
        self.received_rate = PerSecond(now)
        self.finished_rate = PerSecond(now)
        self.failed_rate = PerSecond(now)
        self.past = Past()
        """What charts show; ``remember`` feeds it."""
        self.sent_heard = False
        """Whether any ``task-sent`` was heard: else queue names of tasks are not known."""
        self._transition = itertools.count(1)
        self._absent: dict[str, int] = {}
        self._held: dict[str, str] = {}
        """Task a worker listed as reserved and that was not heard to go on -> that worker."""

    # -- folding ------------------------------------------------------------------------------

    def apply(self, observation: Observation) -> None:
        """Fold one observation in; what is hostile or odd in it is left out, never raised."""
        self.version += 1
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

    def _worker_event(self, event: Event, arrived: float) -> None:
        worker = self.worker(event.hostname, arrived)
        news = fleet.follow(worker, event, arrived)
        if news:
            self._listeners = None
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
            self._listeners = None
            self._consumers(reply.at)

    def _inspected(self, worker: Worker, reply: Reply) -> None:
        state = STARTED if reply.question == "active" else RECEIVED
        for entry in fleet.requests(reply.question, reply.payload):
            task = self.task(entry["id"], reply.at)
            before = task.state
            if reply.question == "scheduled" and isinstance(entry.get("eta"), str):
                task.eta = entry["eta"]
            if inspected.fold(task, entry, worker.hostname, reply.at, state):
                self._changed(task, before, reply.at)
            self._unheard(worker, task, entry)
            self._absent.pop(task.id, None)
        if reply.question == "active":
            self._missing(worker, reply)
        elif reply.question == "reserved":
            self._no_longer_held(worker, reply)

    def _unheard(self, worker: Worker, task: Task, entry: dict[str, Any]) -> None:
        """A task began while we listened and no task event of its worker came: events are off."""
        started = inspected.moment(entry.get("time_start"))
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
                inspected.left_its_worker(task, reply.at)
                self._changed(task, before, reply.at)

    def _no_longer_held(self, worker: Worker, reply: Reply) -> None:
        """What a worker held, and lists no more, has gone on even if no event said so.

        Only what was listed before is judged: a task that waits for its ETA or in a bucket of
        its rate limit is on the worker and in no list of reserved tasks.
        """
        listed = set(worker.reserved or ())
        for task_id, hostname in list(self._held.items()):
            if hostname != worker.hostname or task_id in listed:
                continue
            task = self.tasks.get(task_id)
            if task is None or task.state != RECEIVED or task.worker != hostname:
                del self._held[task_id]
                continue
            self._absent[task_id] = self._absent.get(task_id, 0) + 1
            if self._absent[task_id] >= ABSENT_ROUNDS:
                del self._absent[task_id], self._held[task_id]
                inspected.left_its_worker(task, reply.at)
                self._changed(task, RECEIVED, reply.at)
        self._held.update(dict.fromkeys(listed, worker.hostname))

    def _round(self, ended: RoundEnded) -> None:
        self.now = max(self.now, ended.at)
        self.rounds[ended.question] = ended
        if ended.question != "ping":
            return
        silent = [
            worker
            for worker in self.workers.values()
            if worker.hostname not in ended.answered and worker.first_seen < ended.asked_at
        ]
        # Redis tells how many got the ping. Who got it and does not answer is there and blocked.
        held = max(0, (ended.receivers or 0) - len(ended.answered))
        # Which of several is a guess: who was blocked before, else who was heard last.
        silent.sort(
            key=lambda w: (w.offline_at is None, w.ping_held_at is not None, w.seen_at or 0.0)
        )
        for worker in reversed(silent):
            worker.ping_missed_at = ended.asked_at
            worker.ping_held_at = ended.asked_at if held > 0 else None
            held -= 1

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
            if stored.fold(task, meta, results.at):
                self._changed(task, before, results.at)

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
        if not self.ledger.add(outcome):
            return
        level = "warn" if outcome.stage in (Stage.FAILED, Stage.NOT_CONFIRMED) else "ours"
        words = f"{outcome.request.act} {outcome.target.id}: {outcome.stage}, {outcome.text}"
        self.note(outcome.at, "act", level, words)
        sent = self.tasks.get(outcome.new_id or "")
        if sent is not None:  # its events were faster than the outcome
            for proof in self.ledger.proven(sent, outcome.at):
                self._outcome(proof)
        if outcome.request.act == Act.EVENTS_ON and outcome.stage == Stage.ACKNOWLEDGED:
            worker = self.workers.get(outcome.target.id)
            if worker is not None:
                worker.events_enabled = True

    # -- remembering --------------------------------------------------------------------------

    def remember(self, now: float) -> None:
        """Once a second: keep what charts show. What nobody can know at the moment is a gap."""
        read = self.live_since("queues") is not None
        heard = self.live_since("events") is not None and self.task_events_heard()
        self.past.remember(
            now,
            self.queues.values() if read else None,
            self.failed_rate.total if heard else None,
            self.finished_rate.total if heard else None,
        )

    # -- records ------------------------------------------------------------------------------

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

    def forgotten(self, task_id: str) -> None:
        """A task was evicted."""
        self.ledger.forget(task_id)
        self._absent.pop(task_id, None)
        self._held.pop(task_id, None)

    def note(self, at: float, kind: str, level: str, text: str) -> None:
        """Write one line into the Log."""
        self.log.append(LogLine(at, kind, level, text))

    def _changed(self, task: Task, before: str, at: float) -> None:
        if self.news[-1] is not task:  # looked up by another way than task()
            self.tell(task)
        after = task.state
        if after != before:
            self.moved(task, before)
            self._count(after, at)
        if after != before or after not in FINAL:  # Celery tells a hard time limit twice
            self._tell(task, at)
        if after in FINAL:
            self._absent.pop(task.id, None)
        for outcome in self.ledger.proven(task, at):
            self._outcome(outcome)

    def _tell(self, task: Task, at: float) -> None:
        """Add to the live list; what inspect finds at first sight has not just happened."""
        if task.source == INSPECT and task.first_seen == at:
            return
        moment, detail = task.as_of or at, transition_detail(task)
        self.transitions.append(
            Transition(
                next(self._transition), moment, task.id, task.name, task.state, task.worker, detail
            )
        )

    def _count(self, state: str, at: float) -> None:
        if state == RECEIVED:
            self.received_rate.add(at)
        elif state in FINAL:
            self.finished_rate.add(at)
            if state == FAILURE:
                self.failed_rate.add(at)

    # -- reading ------------------------------------------------------------------------------

    def live_since(self, source: str = "events") -> float | None:
        """Epoch seconds since which a source is live, or None."""
        health = self.health.get(source)
        return health.since if health is not None and health.state == Link.LIVE else None

    def task_events_heard(self) -> bool:
        """Whether task events of any worker come: without them nobody knows what failed."""
        return any(worker.events_enabled for worker in self.workers.values())

    def state_of(self, worker: Worker, now: float) -> str:
        """The worker's state as ``worker.worker_state`` judges it."""
        return worker_state(worker, now, self.live_since("events"))

    def consumers(self, queue: str) -> list[str] | None:
        """Workers that list the queue and did not say goodbye; None while nobody told."""
        if self._listeners is None:
            self._listeners = self._listening()
        if any(worker.queues is not None for worker in self.workers.values()):
            return self._listeners.get(queue, [])
        asked = self.rounds.get("active_queues")
        return [] if asked is not None and not asked.answered else None

    def _listening(self) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for worker in self.workers.values():
            if worker.offline_at is None:
                for name in worker.queues or ():
                    found.setdefault(name, []).append(worker.hostname)
        return found


def transition_detail(task: Task) -> str:
    """The few words that explain a change: exception, who revoked, how long it ran."""
    if task.state in (FAILURE, RETRY):
        return task.exception or ""
    if task.state == REVOKED:
        return "expired" if task.expired else "terminated" if task.terminated else "revoked"
    return ""
