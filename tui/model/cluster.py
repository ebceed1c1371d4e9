"""The one truth about the cluster: all observations are folded in here, in one thread, no locks."""

from __future__ import annotations

import itertools
from collections import deque
from collections.abc import Iterator

import msgspec

from . import fleet, lifecycle, peeked, stored
from .events import Event
from .family import Families
from .fates import AT_ONCE, RESTARTED, STOPPED, Visibility
from .history import STEP_S, Past
from .kept_tasks import KeptTasks
from .ledger import Ledger
from .links import Links
from .listings import QUESTIONS, Listings, pinged
from .observations import (
    EventBatch,
    Observation,
    Prefixes,
    QueueDepths,
    Reply,
    ResultMeta,
    Results,
    ResultsLookedThrough,
    RoundEnded,
    Unacknowledged,
)
from .peeked import Opened, Peeked, Peeks, Sampled
from .queue import Queue
from .queue_news import QueueNews, all_told
from .rates import WINDOW_S, PerSecond
from .reconcile import Reconciler, lost_words
from .registered import Registered
from .seam import Act, Health, Link, LogLine, Outcome, Preview, Stage
from .task import (
    FAILURE,
    FINAL,
    INSPECT,
    PENDING,
    RECEIVED,
    RETRY,
    REVOKED,
    UNKNOWN,
    Task,
)
from .worker import Worker, unsent, worker_state

TRANSITIONS_KEPT = 500
LOG_KEPT = 2_000


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
        self.queue_news = QueueNews(self.queues)
        self.peeks = Peeks()
        """Messages that somebody looked at."""
        self.ledger = Ledger()
        self.asked, self.outcomes = self.ledger.asked, self.ledger.outcomes
        self._listeners: dict[str, list[str]] | None = None
        """Queue -> workers that list it; None: to be worked out anew."""
        self.transitions: deque[Transition] = deque(maxlen=TRANSITIONS_KEPT)
        self.log: deque[LogLine] = deque(maxlen=LOG_KEPT)
        self.links = Links()
        self.health = self.links.health
        self.previews: dict[str, Preview] = {}
        self.prefixes: tuple[str, ...] = ()
        self.unacked: int | None = None
        self.queues_read_at: float | None = None
        self.no_ages = ""
        """Why ages of waiting messages are not told; empty: they are."""
        self.rounds: dict[str, RoundEnded] = {}
        self.results_search: ResultsLookedThrough | None = None
        self.version = 0
        """Rises with everything that was observed."""
        self.events_counted = 0
        self.task_events_counted = 0
        self.malformed: dict[str, int] = {}
        self.events_rate = PerSecond(now)
        self.received_rate = PerSecond(now)
        self.finished_rate = PerSecond(now)
        self.failed_rate = PerSecond(now)
        self.families = Families()
        self.past = Past()
        """What charts show; ``remember`` feeds it."""
        self.sent_heard = False
        """Whether any ``task-sent`` was heard: else queue names of tasks are not known."""
        self._transition = itertools.count(1)
        self._registered = Registered()
        self.visibility_of_app: Visibility | None = None
        """What the user's app says of it, where one was named."""
        self.is_amqp = False
        """RabbitMQ: what a closed connection held is back at once; nobody lists what is held."""
        self.has_management = False
        """RabbitMQ's management API is asked too."""
        self.reconciler = Reconciler(self)
        self._listings = Listings(self)

    # -- folding ------------------------------------------------------------------------------

    def apply(self, observation: Observation) -> None:
        """Fold one observation in; what is hostile or odd in it is left out, never raised."""
        self.links.count(observation)
        self.version += 1
        if isinstance(observation, EventBatch):
            self._events(observation)
        elif isinstance(observation, Reply):
            self._reply(observation)
        elif isinstance(observation, RoundEnded):
            self._round(observation)
        elif isinstance(observation, QueueDepths):
            self._depths(observation)
        elif isinstance(observation, Unacknowledged):
            self.reconciler.found(observation)
        elif isinstance(observation, Results):
            self._results(observation)
        elif isinstance(observation, ResultsLookedThrough):
            self.results_search = observation
        elif isinstance(observation, Health):
            self._health(observation)
        elif isinstance(observation, Outcome):
            self._outcome(observation)
        elif isinstance(observation, Preview):
            self.previews[observation.request.id] = observation
        elif isinstance(observation, Prefixes):
            self.prefixes = observation.found
        elif isinstance(observation, Peeked | Sampled):
            self.peeks.keep(observation)
            for message in observation.messages if isinstance(observation, Peeked) else ():
                self.families.plan(message.plans)
        elif isinstance(observation, Opened):
            task = self.task(observation.message.id, observation.at)
            peeked.fold(task, observation)
            self.families.note(task)
        else:
            self.log.append(observation)

    def _events(self, batch: EventBatch) -> None:
        self.now = max(self.now, batch.arrived)
        self.events_counted += len(batch.events)
        self.events_rate.add(batch.arrived, len(batch.events))
        for reason, count in batch.malformed.items():
            self.malformed[reason] = self.malformed.get(reason, 0) + count
        for hostname, stamped in batch.left_out:
            self.worker(hostname, batch.arrived).loss.start(stamped)
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
        if event.parent_id is not None:
            self.families.note(task)
        if event.type == "task-sent":
            self.sent_heard = True
            self.queue_news.sent(event.queue, arrived)
        elif event.hostname and event.type in lifecycle.STATE_OF:
            worker = self.worker(event.hostname, arrived)
            fleet.heard_task(worker, event)
            if event.type == "task-received":
                self.queue_news.taken(task, worker, arrived)
        if changed:
            self.worked_out(task, before, arrived)

    def _worker_event(self, event: Event, arrived: float) -> None:
        worker = self.worker(event.hostname, arrived)
        lost = fleet.beat(worker, event, arrived)
        if lost is not None:
            seconds = max(1, round(lost.seconds))
            words = f"lost the events of ~{lost.starts:,} tasks of {event.hostname} in {seconds} s"
            self.note(lost.until, "events", "warn", words)
        before = worker.pid
        news = fleet.follow(worker, event, arrived)
        if news:
            self._listeners = None
            self._registered.told()
            level = "warn" if any(word in news for word in fleet.WARNINGS) else "info"
            news += self._left(worker, before, arrived)
            self.note(arrived, "worker", level, f"{event.hostname} {news}")

    def _left(self, worker: Worker, before: int | None, arrived: float) -> str:
        """News of a worker: a process may have left, or the same may be back."""
        if worker.offline_at is not None:
            return lost_words(self.reconciler.left(worker, STOPPED, worker.pid, arrived))
        if worker.restarted_from == before != worker.pid and not worker.duplicate_name:
            return lost_words(self.reconciler.left(worker, RESTARTED, before, arrived))
        self.reconciler.returned(worker)
        return ""

    def _reply(self, reply: Reply) -> None:
        self.now = max(self.now, reply.at)
        worker = self.worker(reply.hostname, reply.at)
        if worker.heartbeat is None and reply.at - self.attached_at > worker.silence_allowed_s:
            worker.heartbeat = False
        told = (worker.registered, worker.queues, worker.offline_at)
        complete = fleet.answered(worker, reply, one_mailbox=self.is_amqp)
        if told != (worker.registered, worker.queues, worker.offline_at):
            self._registered.told()
        self.queue_news.answered(worker, reply)
        if reply.question in QUESTIONS:
            self._listings.take(worker, reply, complete)
        elif reply.question == "revoked":
            self.reconciler.revoked(worker, reply)
        elif reply.question == "active_queues":
            self._listeners = None
            self._consumers(reply.at)

    def _round(self, ended: RoundEnded) -> None:
        self.now = max(self.now, ended.at)
        self.rounds[ended.question] = ended
        if ended.question == "ping":
            pinged(self.workers, ended)

    def _depths(self, read: QueueDepths) -> None:
        self.now = max(self.now, read.at)
        self.queues_read_at, self.no_ages = read.at, read.no_ages
        if not read.sampled:
            self._unacked(read.unacked)
        for name, reading in read.queues.items():
            queue = self.queue(name, read.at)
            queue.depth, queue.by_priority, queue.read_at = (
                reading.depth,
                reading.by_priority,
                reading.at or read.at,
            )
            queue.empty_since = None if reading.depth else queue.empty_since or read.at
            queue.consumers, queue.quarantine = reading.consumers, reading.quarantine
            queue.doubtful = reading.doubtful
            uncounted = reading.consumers == 0 and bool(self.consumers(name))
            queue.uncounted_since = (queue.uncounted_since or read.at) if uncounted else None
            queue.waiting = reading.waiting or queue.waiting
            if read.unacked_by_queue is not None:
                queue.unacked = read.unacked_by_queue.get(name, 0)
                self.queue_news.read(queue, read, self.consumers(name))
        for name in read.gone:
            self.queues.pop(name, None)
        self._consumers(read.at)

    def _unacked(self, unacked: int | None) -> None:
        """What is not told any more is not known any more."""
        if unacked is None and self.unacked is not None:
            for queue in self.queues.values():
                queue.unacked = queue.limbo = None
        self.unacked = unacked

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
                self._from_before(meta, results.at)
                continue
            self._result(task, meta, results.at)
            self._family(task, meta)
        for task_id in results.missing:
            task = self.tasks.get(task_id)
            if task is None or self.reconciler.missing(task):
                continue
            if stored.missing(task, results.at):
                self.tell(task)

    def _result(self, task: Task, meta: ResultMeta, at: float) -> None:
        before, verdict = task.state, task.verdict
        if stored.fold(task, meta, at):
            self.worked_out(task, before, at)
        elif self.reconciler.knows(task):  # the backend cannot know more of it
            task.verdict = verdict

    def _from_before(self, meta: ResultMeta, at: float) -> None:
        """A task that only the backend tells of: kept, and not counted as if it were news."""
        if meta.state in stored.KEPT:
            task = self.older(meta.id, at)
            stored.remember(task, meta, at)
            self._family(task, meta)
            self.moved(task, PENDING, oldest=True)

    def _family(self, task: Task, meta: ResultMeta) -> None:
        self.families.adopt(task, meta.children, self.tasks)
        self.families.note(task)
        self.families.sent(task.id, meta.children)
        part = stored.failed_part(meta)
        if part is not None:
            self.families.sent(part, (task.id,))

    def _health(self, health: Health) -> None:
        self.now = max(self.now, health.since)
        line = self.links.take(health)
        if line is not None:
            self.log.append(line)

    def _outcome(self, outcome: Outcome) -> None:
        if not self.ledger.add(outcome):
            return
        self.reconciler.vanished.acted(outcome)
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

    # -- once a second --------------------------------------------------------------------------

    def tick(self, now: float) -> None:
        """What follows from time that has passed: workers and tasks that nobody ends."""
        self.now = max(self.now, now)
        self.reconciler.tick(now)

    def remember(self, now: float) -> None:
        """Once a second: keep what charts show. What nobody can know at the moment is a gap."""
        rates = (self.events_rate, self.received_rate, self.finished_rate, self.failed_rate)
        self.links.blank(rates, now, WINDOW_S)
        read = self.live_since("queues") is not None
        heard = self.live_since("events") is not None and self.task_events_heard()
        self.past.remember(
            now,
            self.queues.values() if read else None,
            self.failed_rate.total if heard else None,
            self.finished_rate.total if heard else None,
            whole=self.links.gap("events", now - STEP_S, now) is None,
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

    def forgotten(self, task: Task) -> None:
        """A task was evicted."""
        self.ledger.forget(task.id)
        self.families.forget(task, self.tasks)
        self._listings.forget(task.id)
        self.reconciler.forgotten(task.id)

    def note(self, at: float, kind: str, level: str, text: str) -> None:
        """Write one line into the Log."""
        self.log.append(LogLine(at, kind, level, text))

    def worked_out(self, task: Task, before: str, at: float) -> None:
        """Its state, or the try, is another one now than ``before``: indexes, rates, live list."""
        if self.news[-1] is not task:  # looked up by another way than task()
            self.tell(task)
        after = task.state
        if after != before:
            self.moved(task, before)
            self._count(after, at)
        if after != before or after not in FINAL:  # Celery tells a hard time limit twice
            self._tell(task, at)
        self.reconciler.changed(task)
        if after in FINAL:
            self._listings.forget(task.id)
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
        since = self.live_since("events")
        if since is None and not worker.heartbeat:
            heard = self.health.get("events")
            if heard is not None and heard.state == Link.OFF:  # judged by their answers alone
                since = self.live_since("inspect")
        state = worker_state(worker, now, since)
        return unsent(worker, state) if self.links.blocked() is not None else state

    def visibility(self, hostname: str) -> Visibility:
        """After how long an unacknowledged message of that worker is given out again."""
        if self.is_amqp:
            return AT_ONCE
        worker = self.workers.get(hostname)
        if worker is not None and worker.conf_at is not None:
            seconds = worker.visibility_s
            return Visibility(told=True) if seconds is None else Visibility(seconds, told=True)
        return self.visibility_of_app or Visibility()

    def lacks(self, hostname: str) -> tuple[str, ...]:
        """Registered tasks that other workers of its queues know and this one does not."""
        return self._registered.lacks(hostname, self.workers.values())

    def urgent(self) -> Iterator[str]:
        """Ids to be looked up in the result backend first."""
        return self.reconciler.urgent()

    def settled(self, task: Task) -> bool:
        """Whether the backend has said all it will of a task that is not final."""
        settled = self.reconciler.settled(task.id)
        return super().settled(task) if settled is None else settled

    def consumers(self, queue: str) -> list[str] | None:
        """Workers that list the queue and did not say goodbye; None while nobody told."""
        if self._listeners is None:
            self._listeners = self._listening()
        if any(worker.queues is not None for worker in self.workers.values()):
            return self._listeners.get(queue, [])
        asked = self.rounds.get("active_queues")
        return [] if asked is not None and not asked.answered else None

    def all_told(self, queue: str) -> bool:
        """Whether events tell of every message that is taken from a queue."""
        return all_told(queue, (self.workers[name] for name in self.consumers(queue) or ()))

    def held_by_workers(self, queue: str) -> int | None:
        """Messages of a queue that wait in its workers; None until each has told."""
        names = self.consumers(queue)
        return self.queue_news.holdings.held(queue, names) if names is not None else None

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
    if task.state == UNKNOWN:
        return task.verdict or ""
    if task.state == REVOKED:
        return "expired" if task.expired else "terminated" if task.terminated else "revoked"
    return ""
