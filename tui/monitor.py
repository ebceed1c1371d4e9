"""Settings -> sources, Inbox, Cluster, triage and actions: all of the product but its surface."""

from __future__ import annotations

import dataclasses
import logging
import threading
import time
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

import msgspec

from . import triage, urls
from .errors import ActionError, TuiError
from .links.kombu_link import opened
from .links.load import load_app
from .links.site import AMQP, Site, app_secrets, completed, site_of
from .model.asking import Asking, few_scheduled, revoke_asked_at
from .model.cluster import Cluster
from .model.fates import Visibility
from .model.peeked import End, Opened, WaitingMessage
from .model.seam import Act, ActionRequest, Finding, Health, Link, LogLine, Outcome, Preview, Stage
from .model.task import BACKEND, Task
from .model.worker import LOST, ONLINE, SILENT, STOPPED, Worker
from .settings import Settings
from .sources.base import Source
from .sources.events import EventSource
from .sources.inbox import Inbox
from .sources.inspect import OFTEN, OFTEN_WITH_SCHEDULED, InspectSource
from .sources.logs import Logs
from .sources.peek import Look, Peeker
from .sources.queues import QueueSource
from .sources.results import ResultSource

if TYPE_CHECKING:
    from .actions import Context

log = logging.getLogger(__name__)

SOURCES = ("events", "inspect", "queues", "results")
READ_ONLY = "Read-only: acts are off"
RESULT_IDS = 500
"""Task ids that take turns to be looked up in the result backend; those on screen need not."""
PING_AGAIN_S = 2.0
LISTENERS_AGAIN_S = 3.0
ASK_AGAIN_S, ASK_AGAIN_SOON_S, YOUNG_S = 5.0, 0.9, 10.0
"""A worker beats before it listens to questions: one that is young is asked again soon."""
DESCRIBING = ("active_queues", "stats", "registered", "active", "reserved", "scheduled")
"""What is asked of a worker that has just come."""


class Monitor:
    """Watches one cluster: ``start``, then ``drain`` often and ``tick`` once a second, ``stop``.

    It has no timer of its own: whoever owns it gives it its clock. Everything here runs in the
    owner's thread, except what is said to run in a thread of its own.
    """

    def __init__(
        self, settings: Settings, clock: Callable[[], float] = time.time, app: Any = None
    ) -> None:
        """``app`` is the user's Celery app where it is already loaded (``celery -A proj tui``)."""
        self.settings = settings
        self.clock = clock
        self.inbox = Inbox()
        self.cluster = Cluster(clock(), settings.max_tasks, settings.max_failures)
        self.findings: tuple[Finding, ...] = ()
        self.sources: dict[str, Source] = {}
        self.lag_s = 0.0
        """Age of the oldest waiting event, in seconds."""
        self._app = app
        self._site: Site | None = None
        self._memory = triage.Memory()
        self._acts: list[threading.Thread] = []
        self._long: list[tuple[threading.Thread, threading.Event]] = []
        """Acts that can be stopped midway, and what stops each."""
        self._logs = Logs(self.inbox, settings.log_file, project_name(settings, app))
        self._watched: tuple[str, ...] = ()
        self._watched_queues: frozenset[str] = frozenset()
        self._peeker: Peeker | None = None
        self._stopped = threading.Event()
        self._pinged_at = self._listeners_at = 0.0
        self._described: dict[str, float] = {}
        self._asking = Asking()

    # -- life ---------------------------------------------------------------------------------

    def check_app(self) -> None:
        """Load the app named in the settings, here and now. Raises AppError."""
        if self._app is None and self.settings.app:
            self._app = load_app(self.settings.app)
        if self._app is not None:
            self.settings = completed(self.settings, self._app)
        self._site = site_of(self.settings, self._app)

    def check_broker(self) -> None:
        """Connect once, here and now. Raises BrokerError (or AppError)."""
        self.check_app()
        assert self._site is not None  # noqa: S101  narrows for the type checker only
        with opened(self._site):
            pass

    def start(self) -> None:
        """Begin to watch; an app that must be loaded first is loaded in a thread.

        Raises BrokerError when no broker is named at all.
        """
        if self._site is None and not self.settings.app and self._app is None:
            self._site = site_of(self.settings)
        self._logs.install(self._secrets())
        if self._site is not None:
            self._start_sources()
        else:
            threading.Thread(target=self._load_and_start, name="load-app", daemon=True).start()

    def stop(self, timeout_s: float = 2.0) -> None:
        """End every thread and take back what we left at the broker."""
        self._stopped.set()
        until = time.monotonic() + timeout_s
        sources = list(self.sources.values())
        for source in sources:
            source.stop()
        if self._peeker is not None:
            self._peeker.stop()
        for source in sources:
            source.join(max(0.0, until - time.monotonic()))
        for thread in self._acts:
            thread.join(max(0.0, until - time.monotonic()))
        self._logs.remove()

    def _load_and_start(self) -> None:
        for name in SOURCES:
            self.inbox.put(Health(name, Link.CONNECTING, time.time()))
        try:
            self.check_app()
        except TuiError as error:
            for name in SOURCES:
                self.inbox.put(Health(name, Link.LOST, time.time(), error.title, error.hint))
            return
        self._logs.protect(self._secrets(), project_name(self.settings, self._app))
        if not self._stopped.is_set():
            self._start_sources()

    def _start_sources(self) -> None:
        assert self._site is not None  # noqa: S101  narrows for the type checker only
        self.cluster.visibility_of_app = visibility_of(self._app)
        self.cluster.is_amqp = self._site.scheme in AMQP
        self.cluster.has_management = bool(self.settings.management_url)
        events = EventSource(self.inbox, self._site, lambda: self.cluster.events_counted)
        sources: dict[str, Source] = {
            "inspect": InspectSource(self.inbox, self._site),
            "events": events,
            "queues": QueueSource(self.inbox, self.settings),
            "results": ResultSource(self.inbox, self.settings),
        }
        self.sources = sources
        for source in sources.values():
            source.start()

    def _secrets(self) -> tuple[str, ...]:
        settings = self.settings
        named = (settings.broker, settings.result_backend, settings.management_url)
        words = app_secrets(self._app) if self._app is not None else ()
        return (*(url for url in named if url is not None), *words)

    # -- the owner's clock --------------------------------------------------------------------

    def drain(self, limit_s: float = 0.004) -> bool:
        """Fold observations in for at most ``limit_s``; True when none waits any more."""
        until = time.perf_counter() + limit_s
        take, apply = self.inbox.take, self.cluster.apply
        while (observation := take()) is not None:
            apply(observation)
            if time.perf_counter() >= until:
                break
        oldest = self.inbox.oldest_arrival()
        self.lag_s = max(0.0, self.clock() - oldest) if oldest is not None else 0.0
        return not len(self.inbox)

    def tick(self, now: float) -> None:
        """Once a second: tell the sources what is worth asking, remember, and judge."""
        self.cluster.tick(now)
        self.cluster.remember(now)
        self._logs.settle(now)
        inspect = self.sources.get("inspect")
        if isinstance(inspect, InspectSource):
            self._guide(inspect, now)
        queues = self.sources.get("queues")
        if isinstance(queues, QueueSource):
            told = self.cluster.queue_news.told(self.cluster.workers.values(), now)
            queues.want(told, self._watched_queues)
            queues.sought = self.cluster.reconciler.sought()
        results = self.sources.get("results")
        if isinstance(results, ResultSource):
            results.want(*self.wanted_results(now))
        self.findings = triage.evaluate(self.cluster, now, self._memory)

    def _guide(self, inspect: InspectSource, now: float) -> None:
        states = {
            name: self.cluster.state_of(worker, now)
            for name, worker in self.cluster.workers.items()
        }
        inspect.known = frozenset(
            name for name, state in states.items() if state not in (STOPPED, LOST)
        )
        if SILENT in states.values() and now - self._pinged_at >= PING_AGAIN_S:
            self._pinged_at = now
            inspect.ask("ping")
        if now - self._listeners_at >= LISTENERS_AGAIN_S and self._doubtful_listeners():
            self._listeners_at = now
            inspect.ask("active_queues")
        inspect.often = OFTEN_WITH_SCHEDULED if few_scheduled(self.cluster.workers) else OFTEN
        acted_at = revoke_asked_at(one for _, one in reversed(self.cluster.outcomes))
        for question, names in self._asking.due(self.cluster.workers, states, now, acted_at):
            inspect.ask(question, names)
        new = tuple(
            name for name, state in states.items() if state == ONLINE and self._new(name, now)
        )
        if new:
            self._described.update(dict.fromkeys(new, now))
            for question in DESCRIBING:
                inspect.ask(question, new)

    def _doubtful_listeners(self) -> bool:
        """Whether the broker counts no consumer where workers said before that they listen."""
        asked = self.cluster.rounds.get("active_queues")
        return asked is not None and any(
            queue.depth
            and queue.uncounted_since is not None
            and queue.uncounted_since >= asked.asked_at
            for queue in self.cluster.queues.values()
        )

    def _new(self, name: str, now: float) -> bool:
        worker = self.cluster.workers[name]
        young = now - (worker.online_at or worker.first_seen) < YOUNG_S
        wait_s = ASK_AGAIN_SOON_S if young else ASK_AGAIN_S
        return undescribed(worker) and now - self._described.get(name, 0.0) >= wait_s

    def wanted_results(self, now: float) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Task ids to look up in the result backend: on screen; and the unsettled."""
        tasks = self.cluster.tasks
        shown = (i for i in self._watched if i not in tasks or needs_result(tasks[i]))
        return tuple(shown), tuple(self.cluster.unsettled(now, RESULT_IDS))

    def watch(self, ids: Iterable[str]) -> None:
        """The tasks on screen: their results are looked up first."""
        self._watched = tuple(ids)

    def watch_queues(self, names: Iterable[str]) -> None:
        """The queues on screen: how long their messages wait is looked at first."""
        self._watched_queues = frozenset(names)

    def look_into(
        self, queue: str, end: End, offset: int, count: int, sample: int = 0, asked: int = 0
    ) -> None:
        """Read messages of a queue in a thread, the task names of ``sample`` messages too.

        What is found comes through the Inbox, and stands in ``cluster.peeks``.
        """
        if self._peeker is None:
            self._peeker = Peeker(self.inbox, self.settings)
        known = self.cluster.queues.get(queue)
        steps = [step for step in (known.by_priority if known else ()) if step.isdecimal()]
        self._peeker.ask(Look(queue, end, offset, count, sample, tuple(map(int, steps)), asked))

    def printed(self, at: float, line: str) -> None:
        """The project, or a library, wrote a line to the terminal; called from any thread."""
        self._logs.printed(at, line)

    def found_waiting(self, queue: str, message: WaitingMessage) -> None:
        """Let a message's task be known as a task."""
        self.inbox.put(Opened(self.clock(), queue, message))

    def retry_now(self) -> None:
        """Let every lost source try again at once."""
        for source in self.sources.values():
            source.retry_now.set()

    # -- acts ---------------------------------------------------------------------------------

    def preview(self, request: ActionRequest) -> Preview:
        """What the confirm dialog says at once, from the model alone."""
        from . import actions

        preview = actions.preview(request, self.cluster)
        if self.settings.read_only:
            return msgspec.structs.replace(preview, blocked=READ_ONLY)
        return preview

    def prepare(self, request: ActionRequest) -> None:
        """Look every target up, in a thread; the Preview, now ready, comes through the Inbox."""
        from . import actions

        preview = self.preview(request)
        try:
            context = self._context(request)
        except TuiError as error:
            blocked = preview.blocked or str(error)
            self.inbox.put(msgspec.structs.replace(preview, ready=True, blocked=blocked))
            return
        self._in_thread(request, lambda: self.inbox.put(actions.prepare(request, preview, context)))

    def perform(self, request: ActionRequest) -> None:
        """Do it, in a thread; an Outcome for each target comes through the Inbox."""
        from . import actions

        try:
            context = self._context(request)
        except TuiError as error:
            self._failed(request, str(error))
            return
        thread = self._in_thread(request, lambda: actions.run(request, context, self.inbox.put))
        if request.act in (Act.PURGE, Act.UNDO):
            self._long = [one for one in self._long if one[0].is_alive()]
            self._long.append((thread, context.halt))

    def halt(self) -> bool:
        """Stop purges and undos that are under way; whether there was any."""
        alive = [halt for thread, halt in self._long if thread.is_alive() and not halt.is_set()]
        for one in alive:
            one.set()
        return bool(alive)

    def _context(self, request: ActionRequest) -> Context:
        """What the act's thread may know and use. Raises ActionError when acts are off."""
        from . import actions

        if self.settings.read_only:
            raise ActionError(READ_ONLY, "Start without --read-only to act.")
        site = self._site
        if site is None:
            raise ActionError("The app is still being loaded", "Try again in a moment.")
        context = actions.context(
            self.settings,
            lambda: opened(site),
            self.cluster,
            request,
            self.clock(),
            self._app,
        )
        return dataclasses.replace(context, stopping=self._stopped)

    def _in_thread(self, request: ActionRequest, act: Callable[[], None]) -> threading.Thread:
        def guarded() -> None:
            try:
                act()
            except Exception as error:  # a plain thread's exception would vanish
                log.exception("%s failed", request.act)
                self._failed(request, f"{type(error).__name__}: {error}")

        self._acts = [thread for thread in self._acts if thread.is_alive()]
        thread = threading.Thread(target=guarded, name=f"act-{request.id}", daemon=True)
        self._acts.append(thread)
        thread.start()
        return thread

    def _failed(self, request: ActionRequest, text: str) -> None:
        now = time.time()
        text = urls.clean(text, *self._secrets())
        for target in request.targets:
            self.inbox.put(Outcome(request, target, Stage.FAILED, text, now))
        if not request.targets:
            self.inbox.put(LogLine(now, "act", "warn", f"{request.act}: {text}"))

    # -- what is shown ------------------------------------------------------------------------

    @property
    def shed(self) -> dict[str, int]:
        """Events left out by type, because too many waited."""
        events = self.sources.get("events")
        return dict(events.shed) if isinstance(events, EventSource) else {}

    @property
    def broker_url(self) -> str | None:
        """The broker, without passwords; None while the app that names it is being loaded."""
        return urls.redact(self.settings.broker) if self.settings.broker else None

    @property
    def backend_url(self) -> str | None:
        """The result backend, without passwords; None: none is known."""
        backend = self.settings.result_backend
        return urls.redact(backend) if backend else None


def project_name(settings: Settings, app: Any) -> str:
    """What the user calls the project, or the project itself; empty: there is none."""
    return settings.app or str(getattr(app, "main", None) or "")


def visibility_of(app: Any) -> Visibility | None:
    """The visibility timeout of the user's app; None without one."""
    if app is None:
        return None
    seconds = (app.conf.broker_transport_options or {}).get("visibility_timeout")
    if isinstance(seconds, int | float) and seconds >= 0:
        return Visibility(float(seconds), told=True)
    return Visibility()


def undescribed(worker: Worker) -> bool:
    """Whether its queues, pool and tasks are not known since it (re)started."""
    told = worker.queues_at if worker.stats_at is not None else None
    return told is None or (worker.online_at is not None and told < worker.online_at)


def needs_result(task: Task) -> bool:
    """Whether the result backend may know more of it than we do."""
    return not task.proven or BACKEND not in task.sources
