"""A Redis, workers that keep a ledger, and somebody who sends: what faults are made on."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import Any

import redis

from tests.conftest import a_redis
from tests.faults.ledger import Ledger
from tests.servers import RedisServer, Worker, client, wait_for

PROJECT = Path(__file__).parent / "project"
WELL = "well"
"""Name of the worker that nothing happens to."""
SEPARATOR = "\x06\x16"
"""Between a queue's name and a priority."""
DURABLE = ("--appendonly", "yes", "--appendfsync", "always")
"""A Redis that still has its data after a power cut."""


class Ground:
    """One broker with its workers; all of them write into one ledger."""

    def __init__(
        self, server: RedisServer, results: RedisServer, folder: Path, **options: Any
    ) -> None:
        self.server, self.folder = server, folder
        self.broker, self.backend = server.url(0), results.url(1)
        self.ledger = Ledger(folder / "ledger")
        self.options = options
        """Celery settings of workers and senders, as ``broker_transport_options``."""
        self.prefix = options.get("broker_transport_options", {}).get("global_keyprefix", "")
        self._gates = 0

    def worker(self, name: str, *queues: str, **how: Any) -> Worker:
        """A worker that is not started yet; it listens to the queue of its own name."""
        env = {"CT_CONF": json.dumps({**self.options, **how.pop("conf", {})})}
        return Worker(
            self.broker, self.backend, app="shop", folder=PROJECT, name=f"{name}@test",
            queues=queues or (name,), ledger=self.ledger.path, env=env, **how,
        )  # fmt: skip

    @contextmanager
    def workers(self, *some: Worker) -> Iterator[None]:
        """All of them up, started side by side; ended after, whatever was done to them."""
        with ExitStack() as stack:
            for one in some:
                stack.callback(one.stop)
                one.launch()
            for one in some:
                ready = f"{one.hostname} ready."
                wait_for(lambda one=one, ready=ready: ready in one.log_text(), ready)  # type: ignore[misc]
            yield

    def send(self, name: str, *args: Any, **how: Any) -> str:
        """Send ``shop.<name>`` on a connection of its own; its id."""
        with closing(client(self.broker, **self.options)) as app:
            return str(app.send_task(f"shop.{name}", args, **how).id)

    def gate(self) -> Path:
        """A gate that is shut: tasks ``work`` go on until it is touched."""
        self._gates += 1
        return self.folder / f"gate-{self._gates}"

    def work(self, gate: Path, queue: str, count: int = 1, **how: Any) -> list[str]:
        """Ids of so many tasks that run until the gate is opened."""
        outcome = how.pop("outcome", "")
        return [self.send("work", str(gate), outcome, queue=queue, **how) for _ in range(count)]

    def depth(self, queue: str) -> int:
        """Messages that really wait there, in the lists of all priorities."""
        with redis.Redis.from_url(self.broker) as connection:
            name = f"{self.prefix}{queue}"
            names = [name, *(f"{name}{SEPARATOR}{step}" for step in range(1, 10))]
            return sum(int(str(connection.llen(name))) for name in names)


@contextmanager
def ground(results_apart: bool = False, **options: Any) -> Iterator[Ground]:
    """Begun with nothing on it; results lie in the broker's Redis if they do not lie apart."""
    folder = Path(tempfile.mkdtemp(prefix="celery-tui-faults-"))
    try:
        with ExitStack() as stack:
            server = stack.enter_context(a_redis(*DURABLE))
            results = stack.enter_context(a_redis()) if results_apart else server
            yield Ground(server, results, folder, **options)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def one_more(shop: Ground, name: str, **how: Any) -> Iterator[Worker]:
    """A worker to whom something happens."""
    one = shop.worker(name, **how)
    with shop.workers(one):
        yield one
