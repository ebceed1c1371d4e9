"""Servers that integration tests share: one Redis and one worker for the whole session."""

from collections.abc import Generator, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from celery import Celery

from celery_tui.model import fleet as fleet_rules
from celery_tui.model.events import Event
from celery_tui.model.worker import Worker as KnownWorker
from tests.actions.acting import Operator
from tests.conftest import found_here
from tests.servers import RedisServer, Worker, client


@dataclass(frozen=True)
class RunningCluster:
    """A Redis, one worker on it, and what a test needs to talk to both."""

    redis: RedisServer
    worker: Worker
    app: Celery
    """A client app: `cluster.app.send_task("sample.add", (1, 2))`."""
    broker: str
    backend: str
    ledger: Path
    """Where tasks `slow` and `echo` write."""


@pytest.hookimpl(wrapper=True)
def pytest_runtest_setup() -> Generator[None]:
    """A test whose fixtures need a server this machine lacks is reported as not run."""
    with found_here():
        return (yield)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call() -> Generator[None]:
    """The same for a test that starts the server itself."""
    with found_here():
        return (yield)


@pytest.fixture(scope="session")
def redis_server() -> Iterator[RedisServer]:
    """The shared Redis: never flush, stop or pause it, other tests are using it."""
    with RedisServer() as server:
        yield server


@pytest.fixture
def own_redis() -> Iterator[RedisServer]:
    """A Redis for one test alone, which may stop it, fill it and break it."""
    with RedisServer() as server:
        yield server


@pytest.fixture(scope="session")
def cluster(redis_server: RedisServer) -> Iterator[RunningCluster]:
    """One shared prefork worker with -E and two processes on the queue `celery`."""
    broker, backend = redis_server.url(0), redis_server.url(1)
    app = client(broker, backend)
    with Worker(broker, backend) as worker:
        yield RunningCluster(redis_server, worker, app, broker, backend, worker.ledger)
    app.close()


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """Ids of the tasks whose start was heard: inspect tells of some besides."""
    heard: set[str] = set()
    fold = fleet_rules.heard_task

    def noted(worker: KnownWorker, event: Event) -> None:
        if event.type == "task-started" and event.uuid:
            heard.add(event.uuid)
        fold(worker, event)

    monkeypatch.setattr(fleet_rules, "heard_task", noted)
    return heard


@pytest.fixture
def operator(cluster: RunningCluster) -> Iterator[Operator]:
    """Somebody who looks at the shared cluster and acts on it."""
    with Operator(cluster.broker, cluster.backend) as operator:
        yield operator


def slow(cluster: RunningCluster, seconds: float, **options: object) -> str:
    """Id of a task that was sent and takes so long."""
    return str(cluster.app.send_task("sample.slow", (seconds,), **options).id)
