"""A cluster with something in every section, built from observations only; nothing runs."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import msgspec

from celery_tui.actions import preview as model_preview
from celery_tui.app import CeleryTui
from celery_tui.model.cluster import Cluster
from celery_tui.model.events import Event
from celery_tui.model.observations import (
    EventBatch,
    QueueDepth,
    QueueDepths,
    Reply,
    RoundEnded,
)
from celery_tui.model.peeked import End, Opened, WaitingMessage
from celery_tui.model.seam import ActionRequest, Finding, Health, Link, Preview
from celery_tui.model.waiting import Flow, Waiting
from celery_tui.settings import Settings
from celery_tui.triage import evaluate

NOW = 1_795_176_600.0
"""2026-11-20 12:10:00 UTC."""
WORKERS = ("pay-worker@demo", "media-worker@demo", "crm-worker@demo")
TRACEBACK = (
    "Traceback (most recent call last):\n"
    '  File "pay/tasks.py", line 88, in charge\n'
    "    gateway.capture(intent, amount)\n"
    "pay.errors.DeclinedError: Payment 91823 declined\n"
)
TIMEOUT = (
    "Traceback (most recent call last):\n"
    '  File "crm/tasks.py", line 31, in push\n'
    "    session.post(url, json=contact, timeout=3)\n"
    "crm.errors.Timeout: crm.example\n"
)


class StillMonitor:
    """What the app needs of a monitor, watching nothing: the model is set up by the test."""

    def __init__(self, cluster: Cluster, settings: Settings) -> None:
        self.cluster = cluster
        self.settings = settings
        self.findings: tuple[Finding, ...] = ()
        self.lag_s = 0.0
        self.shed: dict[str, int] = {}
        self.broker_url = "redis://10.0.3.7:6379/0"
        self.backend_url = "redis://10.0.3.7:6379/1"
        self.performed: list[ActionRequest] = []
        self.looks: list[tuple[str, End, int]] = []
        self.asked: list[int] = []
        self.heard: list[str] = []
        self.stopped = threading.Event()

    def start(self) -> None:
        """Nothing to start."""

    def stop(self, timeout_s: float = 2.0) -> None:
        """Nothing to stop."""
        self.stopped.set()

    def printed(self, at: float, line: str) -> None:
        """Somebody wrote to the terminal."""
        self.heard.append(line)

    def drain(self, limit_s: float = 0.004) -> bool:
        """Nothing waits."""
        return True

    def tick(self, now: float) -> None:
        """Remember and judge, as the real one does."""
        self.cluster.remember(now)
        self.findings = evaluate(self.cluster, now)

    def watch(self, ids: Iterable[str]) -> None:
        """Nothing is looked up."""

    def watch_queues(self, names: Iterable[str]) -> None:
        """Nothing is sampled."""

    def look_into(
        self, queue: str, end: End, offset: int, count: int, sample: int = 0, asked: int = 0
    ) -> None:
        """Keep it, for the test to see."""
        self.looks.append((queue, end, offset))
        self.asked.append(asked)

    def found_waiting(self, queue: str, message: WaitingMessage) -> None:
        """As the real one does, at once."""
        self.cluster.apply(Opened(NOW, queue, message))

    def retry_now(self) -> None:
        """Nothing to retry."""

    def preview(self, request: ActionRequest) -> Preview:
        """From the model, as the real one does."""
        return model_preview(request, self.cluster)

    def prepare(self, request: ActionRequest) -> None:
        """Nothing is looked up."""

    def halt(self) -> bool:
        """Nothing takes long here."""
        return False

    def perform(self, request: ActionRequest) -> None:
        """Keep it, for the test to see."""
        self.performed.append(request)


def app_on(cluster: Cluster, now: float = NOW, **settings: Any) -> CeleryTui:
    """The real app on a cluster that stands still at ``now``."""
    chosen = Settings(broker="redis://10.0.3.7:6379/0", **settings)
    monitor = StillMonitor(cluster, chosen)
    return CeleryTui(chosen, monitor=monitor, clock=lambda: now)  # type: ignore[arg-type]


def task_id(number: int) -> str:
    """A believable task id."""
    return f"{number:08x}-04aa-4c11-9d1e-3b7a2f60e0d5"


def events(cluster: Cluster, *happened: Event, at: float | None = None) -> None:
    """Fold events in, as one message."""
    arrived = at if at is not None else max(event.timestamp for event in happened)
    cluster.apply(EventBatch(arrived, happened, {}))


def live(cluster: Cluster, since: float = NOW - 60) -> None:
    """All sources are live."""
    for source in ("events", "inspect", "queues", "results"):
        cluster.apply(Health(source, Link.LIVE, since))


def online(cluster: Cluster, now: float = NOW) -> None:
    """Three workers that beat and answered; what runs, runs on the last."""
    running = [task.id for task in cluster.tasks_of(cluster.running)]
    for number, name in enumerate(WORKERS):
        pid = 4410 + number
        mine = running if number == 2 else []
        beat = Event(
            "worker-heartbeat", now - 1, name, pid=pid, freq=2.0, active=len(mine),
            processed=912 * (number + 1), loadavg=(0.4, 0.3, 0.2), sw_ident="py-celery",
            sw_ver="5.7.0",
        )  # fmt: skip
        events(cluster, beat, at=now - 1)
        answer(cluster, "stats", name, _stats(pid, 4), now)
        answer(cluster, "active_queues", name, [{"name": q} for q in _queues(number)], now)
        answer(cluster, "registered", name, ["crm.push", "mail.receipt", "pay.charge"], now)
        answer(
            cluster, "active", name, [{"id": task_id, "worker_pid": pid} for task_id in mine], now
        )
        for question in ("reserved", "scheduled"):
            answer(cluster, question, name, [], now)
    for question in ("ping", "active_queues"):
        cluster.apply(RoundEnded(question, now - 2, now - 1, frozenset(WORKERS)))


def answer(cluster: Cluster, question: str, worker: str, payload: Any, now: float) -> None:
    """One inspect reply."""
    cluster.apply(Reply(question, worker, payload, now - 2, now - 1))


def _stats(pid: int, size: int) -> dict[str, Any]:
    return {
        "pid": pid,
        "pool": {"implementation": "celery.concurrency.prefork:TaskPool", "max-concurrency": size},
        "prefetch_count": size * 4,
        "uptime": 7_205,
        "rusage": {"maxrss": 61_200},
        "total": {"pay.charge": 12},
    }


def _queues(number: int) -> list[str]:
    return [["default", "pay"], ["pdf", "crm"], ["crm"]][number]


WAITING: dict[str, Callable[[float], Waiting]] = {
    "default": lambda at: Waiting(at, (0.6, 1.6), Flow(31.0, 30.0, sure=True)),
    "pay": lambda at: Waiting(at, (0.0, 1.0), Flow(5.0, 5.2, sure=False)),
    "crm": lambda at: Waiting(at, (312.0, None), Flow(0.0, 0.0, sure=True)),
    "emails": lambda at: Waiting(at, (701.0, 702.0), Flow(140.0, 0.0, sure=True)),
}


def depths(cluster: Cluster, now: float = NOW) -> None:
    """Five minutes of readings, remembered."""
    for read in readings(now):
        cluster.apply(read)
        cluster.remember(read.at)


def readings(now: float) -> Iterator[QueueDepths]:
    """One each five seconds; nobody consumes emails."""
    for step in range(60):
        at = now - (59 - step) * 5
        read = {
            "default": QueueDepth(30 + step % 7, {"0": 30 + step % 7}),
            "pay": QueueDepth(step % 3, {"0": step % 3}),
            "pdf": QueueDepth(0, {"0": 0}),
            "crm": QueueDepth(4, {"0": 3, "6": 1}),
            "emails": QueueDepth(88_110 - (59 - step) * 700, {"0": 88_110 - (59 - step) * 700}),
        }
        read = {
            name: msgspec.structs.replace(reading, waiting=WAITING.get(name, Waiting)(at))
            for name, reading in read.items()
        }
        yield QueueDepths(at, read, unacked=6, unacked_by_queue={"default": 4, "pay": 2})


def moves(now: float = NOW) -> list[Event]:
    """Tasks in every state; their events in the order in which they happened."""
    happened: list[Event] = []
    for number in range(40):
        happened += _finished(number, now - 40 + number)
    happened += _retrying(100, now - 20)
    for number in range(200, 204):
        began = now - (number - 199) * 31
        happened += _begin(number, began, "crm.accounts.tasks.sync_all_contacts", 2)
    eta = "2026-11-20T12:10:30+00:00"
    happened += [
        _event("task-received", 300, now - 2, 0, name="mail.receipt", args="(88,)", kwargs="{}"),
        _event("task-received", 301, now - 3, 0, name="crm.push", eta=eta, retries=0),
        *_begin(302, now - 9, "pdf.render_invoice", 1),
        _event("task-revoked", 302, now - 8, 1, terminated=True, signum="15", expired=False),
        *_begin(303, now - 11, "pdf.render_invoice", 1),
        _event("task-rejected", 303, now - 10.5, 1, requeue=False),
    ]
    return sorted(happened, key=lambda event: event.timestamp)


def _finished(number: int, at: float) -> tuple[Event, ...]:
    name = ("pay.charge", "mail.receipt", "stock.reserve")[number % 3]
    first, second = _begin(number, at, name, number % 2)
    if number % 9 == 4:
        last = _event(
            "task-failed", number, at + 0.4, number % 2,
            exception="DeclinedError('Payment 91823 declined')", traceback=TRACEBACK,
        )  # fmt: skip
    else:
        last = _event("task-succeeded", number, at + 0.3, number % 2, result="'ok'", runtime=0.25)
    return first, second, last


def _begin(number: int, at: float, name: str, worker: int) -> tuple[Event, Event]:
    kwargs = "{'gateway': 'stripe', 'card_token': 'tok_123', 'amount': 1999}"
    received = _event(
        "task-received", number, at, worker, name=name, args=f"({number},)", kwargs=kwargs
    )
    return received, _event("task-started", number, at + 0.05, worker)


def _retrying(number: int, at: float) -> tuple[Event, ...]:
    failed = {"exception": "Timeout('crm.example')", "traceback": TIMEOUT}
    again = {"name": "crm.push", "args": "(7,)", "kwargs": "{}", "retries": 1}
    sent = Event(
        "task-sent", at - 1, "gen99@web-4", uuid=task_id(number), name="crm.push", args="(7,)",
        kwargs="{}", queue="crm", routing_key="crm", retries=0, root_id=task_id(number),
    )  # fmt: skip
    return (
        sent,
        *_begin(number, at, "crm.push", 1),
        _event("task-retried", number, at + 3, 1, **failed),
        _event("task-received", number, at + 3.1, 1, **again),
        _event("task-started", number, at + 12, 1),
        _event("task-retried", number, at + 15, 1, **failed),
    )


def _event(kind: str, number: int, at: float, worker: int, **fields: Any) -> Event:
    return Event(kind, at, WORKERS[worker], uuid=task_id(number), pid=4410 + worker, **fields)


def past(cluster: Cluster, now: float = NOW) -> None:
    """What the Log tells of the last minutes."""
    came = Event("worker-online", now - 288, WORKERS[2], pid=4412, freq=2.0)
    events(cluster, came)
    cluster.note(now - 120, "celery.events", "warn", "an answer of a worker cannot be read: 'x'")
    cluster.note(now - 60, "link", "crit", "results link lost: Error 111 connecting to 10.0.3.7")
    cluster.note(now - 50, "link", "info", "results link live")


def busy_cluster(now: float = NOW) -> Cluster:
    """Everything at once: an unconsumed queue, failures, retries, running and waiting tasks."""
    cluster = Cluster(now - 300)
    live(cluster, now - 290)
    past(cluster, now)
    online(cluster, now - 280)
    waiting = moves(now)
    for read in readings(now):
        while waiting and waiting[0].timestamp <= read.at:
            events(cluster, waiting.pop(0))
        cluster.apply(read)
        cluster.remember(read.at)
    online(cluster, now)
    return cluster
