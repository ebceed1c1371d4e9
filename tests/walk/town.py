"""A cluster of one kind with the same work on it as on every other kind, under the same ids."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from celery import Celery, chain

from tests.actions.acting import ledger
from tests.conftest import a_database, a_redis, a_vhost
from tests.servers import Worker, client, wait_for

EXTENDED = {"task_send_sent_event": True, "result_extended": True}
ORPHAN = "emails"
"""A queue that nobody consumes."""
WAITING = 30
NAMES = ("walk", "alone")
"""Short: the header has little room for them."""
GOOD, BAD, RETRIED, FIRST, SECOND = (
    f"{number}0000000-0000-4000-8000-000000000000" for number in range(1, 6)
)
STEPPING, RUNNING, HELD, LATER = (f"{n}0000000-0000-4000-8000-000000000000" for n in "abcd")
IN_ORPHAN = [f"e00000{number:02}-0000-4000-8000-000000000000" for number in range(WAITING)]


@dataclass(frozen=True)
class Town:
    """Where its broker and its results are."""

    name: str
    broker: str
    backend: str
    management: str = ""

    @property
    def settings(self) -> dict[str, Any]:
        """What somebody gives on the command line besides broker and results."""
        return {"management_url": self.management} if self.management else {}


@contextmanager
def three_towns() -> Iterator[tuple[Town, Town, Town]]:
    """On Redis alone; on RabbitMQ and PostgreSQL with the management API, and without it."""
    with ExitStack() as stack:
        redis = stack.enter_context(a_redis())
        first, second = (stack.enter_context(a_vhost(name)) for name in NAMES)
        results, others = (stack.enter_context(a_database(name)) for name in NAMES)
        yield (
            Town("Redis", redis.url(0), redis.url(1)),
            Town("RabbitMQ", first.url(), f"db+{results.url()}", first.management_url),
            Town("RabbitMQ alone", second.url(), f"db+{others.url()}"),
        )


@contextmanager
def at_work(town: Town, folder: Path) -> Iterator[Celery]:
    """Its worker, busy: what has ended, what runs, what is held and what waits; who sends."""
    gate = folder / f"gate-{town.name.replace(' ', '-')}"
    gate.touch()
    conf = {"CT_CONF": json.dumps(EXTENDED)}
    with ExitStack() as stack:
        app = stack.enter_context(client(town.broker, town.backend, **EXTENDED))
        worker = stack.enter_context(Worker(town.broker, town.backend, env=conf))
        stack.callback(worker.kill)  # two tasks run for minutes
        _ended(app)
        _under_way(app, worker, gate)
        yield app


def one_more(app: Celery) -> None:
    """What is sent while somebody watches: events are heard, and name the orphan queue."""
    app.send_task("sample.add", (7, 8), task_id=LATER, countdown=3600)
    app.send_task("sample.echo", (WAITING - 1,), task_id=IN_ORPHAN[-1], queue=ORPHAN)


def _ended(app: Celery) -> None:
    sends = {
        GOOD: ("sample.add", (1, 2)), BAD: ("sample.fail", ("no such account",)),
        RETRIED: ("sample.flaky", (1, 0.1)),
    }  # fmt: skip
    for task_id, (name, args) in sends.items():
        app.send_task(name, args, task_id=task_id)
    first = app.signature("sample.add", (1, 2), task_id=FIRST)
    chain(first, app.signature("sample.add", (4,), task_id=SECOND), app=app).apply_async()
    ended = (GOOD, BAD, RETRIED, FIRST, SECOND)
    wait_for(lambda: all(app.AsyncResult(one).ready() for one in ended), "what shall end has ended")


def _under_way(app: Celery, worker: Worker, gate: Path) -> None:
    app.send_task("sample.slow", (600,), task_id=RUNNING)
    wait_for(lambda: f"start {RUNNING}" in ledger(worker.ledger), "one runs")
    app.send_task("sample.stepping", (42, 120, str(gate)), task_id=STEPPING)
    wait_for(lambda: app.AsyncResult(STEPPING).state == "PROGRESS", "the other runs")
    app.send_task("sample.add", (5, 6), task_id=HELD)
    for number, task_id in enumerate(IN_ORPHAN[:-1]):
        app.send_task("sample.echo", (number,), task_id=task_id, queue=ORPHAN)
