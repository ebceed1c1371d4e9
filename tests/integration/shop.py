"""A worker of a project of its own, on a Redis of its own, and a client of it."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from celery import Celery

from tests.actions.acting import ledger
from tests.servers import APPS, RedisServer, Worker, client


class Shop:
    """Broker and result backend, the worker, and who sends to it."""

    def __init__(self, server: RedisServer, worker: Worker, app: Celery) -> None:
        self.broker, self.backend = server.url(0), server.url(1)
        self.worker, self.app = worker, app

    def send(self, name: str, *args: object, **how: object) -> str:
        """A task by its name; its id."""
        return str(self.app.send_task(name, args, **how).id)

    @property
    def ran(self) -> list[str]:
        """What its tasks wrote down."""
        return ledger(self.worker.ledger)


@contextmanager
def a_shop(folder: Path, project: str, events: bool = True) -> Iterator[Shop]:
    """Started, and ended afterwards; ``project`` is the source of its module ``shop``."""
    (folder / "shop.py").write_text(project)
    with RedisServer() as server:
        broker, backend = server.url(0), server.url(1)
        app = client(broker, backend)
        environment = {"PYTHONPATH": str(APPS)}
        with Worker(
            broker, backend, app="shop", folder=folder, events=events, env=environment
        ) as worker:
            yield Shop(server, worker, app)
        app.close()
