"""A broker, workers that keep a ledger, and somebody who sends: what faults are made on."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import Any

from tests.faults.ledger import Ledger
from tests.faults.places import Place, place
from tests.servers import Worker, client, wait_for

PROJECT = Path(__file__).parent / "project"
WELL = "well"
"""Name of the worker that nothing happens to."""


class Ground:
    """One broker with its workers; all of them write into one ledger."""

    def __init__(self, where: Place, folder: Path, **options: Any) -> None:
        self.place, self.folder = where, folder
        self.broker, self.backend = where.broker, where.backend
        self.ledger = Ledger(folder / "ledger")
        self.options = options
        """Celery settings of workers and senders, as ``broker_transport_options``."""
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
        """Messages that really wait there."""
        return self.place.depth(queue)


@contextmanager
def ground(kind: str, stops: bool = False, **options: Any) -> Iterator[Ground]:
    """Begun with nothing on it; only where it ``stops`` may the broker be ended."""
    folder = Path(tempfile.mkdtemp(prefix="celery-tui-faults-"))
    prefix = options.get("broker_transport_options", {}).get("global_keyprefix", "")
    try:
        with place(kind, prefix, stops) as one:
            yield Ground(one, folder, **options)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def one_more(shop: Ground, name: str, **how: Any) -> Iterator[Worker]:
    """A worker to whom something happens."""
    one = shop.worker(name, **how)
    with shop.workers(one):
        yield one
