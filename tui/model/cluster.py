"""The one truth about the cluster: all observations come in here, in one thread, no locks."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator

from . import fleet, lifecycle, peeked
from .depths import Depths
from .events import Event
from .family import Families
from .fates import AT_ONCE, Visibility
from .history import STEP_S, Past
from .kept_tasks import KeptTasks
from .ledger import Ledger
from .links import Links
from .listeners import Listeners
from .listings import Listings
from .lookups import Lookups
from .observations import (
    EventBatch,
    Observation,
    Prefixes,
    QueueDepths,
    Reply,
    Results,
    ResultsLookedThrough,
    RoundEnded,
    Unacknowledged,
)
from .peeked import Opened, Peeked, Peeks, Sampled
from .queue import Queue
from .queue_news import QueueNews
from .rates import WINDOW_S, Rates
from .reconcile import Reconciler
from .registered import Registered
from .seam import Act, Health, Link, LogLine, Outcome, Preview, Stage
from .task import FINAL, Task
from .transitions import Transitions
from .worker import Worker, unsent, worker_state
from .worker_news import WorkerNews

LOG_KEPT, PRINTED_KEPT = 2_000, 1_000


class Cluster(KeptTasks):
    """Tasks, workers and queues, with the indexes that screens and rules read.

    ``apply`` hands each observation to the part that folds it in. What changes a task goes
    through ``worked_out``, which tells every part that keeps something of tasks.
    ``apply`` is O(1) an event. Only the drain calls it; everybody else reads.
    """

    def __init__(self, now: float, max_tasks: int = 50_000, max_failures: int = 10_000) -> None:
        super().__init__(max_tasks, max_failures)
        self.attached_at = now
        self.now = now
        self.version = 0
        """Rises with everything that was observed."""
        # What is known of workers, queues and our own acts.
        self.workers: dict[str, Worker] = {}
        self.queues: dict[str, Queue] = {}
        self.rounds: dict[str, RoundEnded] = {}
        self.registered = Registered(self.workers)
        self.listeners = Listeners(self.workers, self.queues, self.rounds)
        self.queue_news = QueueNews(self.queues, self.listeners)
        self.depths = Depths(self.queues, self.queue_news.holdings, self.listeners)
        self.peeks = Peeks()
        """Messages that somebody looked at."""
        self.ledger = Ledger()
        self.asked, self.outcomes = self.ledger.asked, self.ledger.outcomes
        self.previews: dict[str, Preview] = {}
        # What is known of the sources.
        self.links = Links()
        self.health = self.links.health
        self.prefixes: tuple[str, ...] = ()
        self.results_search: ResultsLookedThrough | None = None
        self.visibility_of_app: Visibility | None = None
        """What the user's app says of it, where one was named."""
        self.is_amqp = False
        """RabbitMQ: what a closed connection held is back at once; nobody lists what is held."""
        self.has_management = False
        """RabbitMQ's management API is asked too."""
        # What is counted and shown as it happens.
        self.events_counted = 0
        self.malformed: dict[str, int] = {}
        self.sent_heard = False
        """Whether any ``task-sent`` was heard: else queue names of tasks are not known."""
        self.rates = Rates(now)
        self.past = Past()
        """What charts show; ``remember`` feeds it."""
        self.transitions = Transitions()
        self.log: deque[LogLine] = deque(maxlen=LOG_KEPT)
        self.printed: deque[LogLine] = deque(maxlen=PRINTED_KEPT)
        """What the project prints and logs: in the Log too, and kept apart from it."""
        # What changes tasks, or keeps something of them.
        self.families = Families()
        self.reconciler = Reconciler(self)
        self.listings = Listings(self)
        self._lookups = Lookups(self)
        self._worker_news = WorkerNews(self)

    # -- folding ------------------------------------------------------------------------------

    def apply(self, observation: Observation) -> None:
        """Fold one observation in; what is hostile or odd in it is left out, never raised."""
        self.links.count(observation)
        self.version += 1
        if isinstance(observation, EventBatch):
            self._events(observation)
        elif isinstance(observation, Reply):
            self._reached(observation.at)
            self._worker_news.answered(observation)
        elif isinstance(observation, RoundEnded):
            self._reached(observation.at)
            self._worker_news.ended(observation)
        elif isinstance(observation, QueueDepths):
            self._reached(observation.at)
            self.depths.take(observation)
        elif isinstance(observation, Unacknowledged):
            self.reconciler.found(observation)
        elif isinstance(observation, Results):
            self._reached(observation.at)
            self._lookups.take(observation)
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
            self._peeked(observation)
        elif isinstance(observation, Opened):
            self._opened(observation)
        else:
            (self.printed if observation.printed else self.log).append(observation)

    def _reached(self, at: float) -> None:
        """Time never goes back, whichever source is late."""
        self.now = max(self.now, at)

    def _events(self, batch: EventBatch) -> None:
        self._reached(batch.arrived)
        self.events_counted += len(batch.events)
        self.rates.events.add(batch.arrived, len(batch.events))
        for reason, count in batch.malformed.items():
            self.malformed[reason] = self.malformed.get(reason, 0) + count
        for hostname, stamped in batch.left_out:
            self.worker(hostname, batch.arrived).loss.start(stamped)
        for event in batch.events:
            if event.uuid:
                self._task_event(event, batch.arrived)
            elif event.hostname and event.type.startswith("worker-"):
                self._worker_news.heard(event, batch.arrived)

    def _task_event(self, event: Event, arrived: float) -> None:
        assert event.uuid is not None  # noqa: S101  narrows for the type checker only
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

    def _health(self, health: Health) -> None:
        self._reached(health.since)
        line = self.links.take(health)
        if line is not None:
            self.log.append(line)

    def _peeked(self, looked: Peeked | Sampled) -> None:
        self.peeks.keep(looked)
        for message in looked.messages if isinstance(looked, Peeked) else ():
            self.families.plan(message.plans)

    def _opened(self, opened: Opened) -> None:
        task = self.task(opened.message.id, opened.at)
        peeked.fold(task, opened)
        self.families.note(task)

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
        self._reached(now)
        self.reconciler.tick(now)

    def remember(self, now: float) -> None:
        """Once a second: keep what charts show. What nobody can know at the moment is a gap."""
        self.links.blank(self.rates.all, now, WINDOW_S)
        read = self.live_since("queues") is not None
        heard = self.live_since("events") is not None and self._task_events_heard()
        self.past.remember(
            now,
            self.queues.values() if read else None,
            self.rates.failed.total if heard else None,
            self.rates.finished.total if heard else None,
            whole=self.links.gap("events", now - STEP_S, now) is None,
        )

    # -- records ------------------------------------------------------------------------------

    def worker(self, hostname: str, at: float) -> Worker:
        """The record of a node name, made when it is new."""
        worker = self.workers.get(hostname)
        if worker is None:
            worker = self.workers[hostname] = Worker(hostname, first_seen=at)
        return worker

    def forgotten(self, task: Task) -> None:
        """A task was evicted."""
        self.ledger.forget(task.id)
        self.families.forget(task, self.tasks)
        self.listings.forget(task.id)
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
            self.rates.count(after, at)
        if after != before or after not in FINAL:  # Celery tells a hard time limit twice
            self.transitions.tell(task, at)
        self.reconciler.changed(task)
        if after in FINAL:
            self.listings.forget(task.id)
        for outcome in self.ledger.proven(task, at):
            self._outcome(outcome)

    # -- reading ------------------------------------------------------------------------------

    def live_since(self, source: str = "events") -> float | None:
        """Epoch seconds since which a source is live, or None."""
        health = self.health.get(source)
        return health.since if health is not None and health.state == Link.LIVE else None

    def _task_events_heard(self) -> bool:
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

    def urgent(self) -> Iterator[str]:
        """Ids to be looked up in the result backend first."""
        return self.reconciler.urgent()

    def settled(self, task: Task) -> bool:
        """Whether the backend has said all it will of a task that is not final."""
        settled = self.reconciler.settled(task.id)
        return super().settled(task) if settled is None else settled
