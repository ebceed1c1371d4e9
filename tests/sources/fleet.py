"""One Redis and one worker for the tests of a module, and a look at what lies in that Redis."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import redis
from celery import Celery

from celery_tui.model.cluster import Cluster
from celery_tui.model.observations import Observation
from celery_tui.sources.base import Source
from celery_tui.sources.inbox import Inbox
from tests.conftest import missing
from tests.servers import RedisServer, ServerMissing, Worker, client


@dataclass(frozen=True)
class Crew:
    """A worker, and who sends to it, whatever the broker."""

    worker: Worker
    app: Celery

    def send(self, count: int, *args: object, task: str = "sample.add") -> list[str]:
        """Send so many tasks; their ids."""
        return [str(self.app.send_task(task, args or (1, 2)).id) for _ in range(count)]


@dataclass(frozen=True)
class Fleet(Crew):
    """What a test needs to talk to both."""

    server: RedisServer

    @property
    def url(self) -> str:
        """The broker's."""
        return self.server.url()

    def ttls(self) -> dict[str, int]:
        """Every key of the broker's database and its time to live in seconds; -1: for ever."""
        with redis.Redis.from_url(self.url, decode_responses=True) as one:
            return {str(key): int(str(one.ttl(str(key)))) for key in one.scan_iter()}


@contextmanager
def running_fleet(**options: object) -> Iterator[Fleet]:
    """Started, and ended after."""
    try:
        server = RedisServer().start()
    except ServerMissing as error:
        missing(str(error))
        raise
    app = client(server.url(0), server.url(1))
    try:
        with Worker(server.url(0), server.url(1), **options) as worker:  # type: ignore[arg-type]
            yield Fleet(worker, app, server)
    finally:
        app.close()
        server.stop()


class Told:
    """Runs a source and keeps all that it tells, folded into a Cluster as well."""

    def __init__(self, make: Callable[[Inbox, Cluster], Source]) -> None:
        self.inbox = Inbox()
        self.cluster = Cluster(time.time())
        self.heard: list[Observation] = []
        self.source = make(self.inbox, self.cluster)

    def __enter__(self) -> Told:
        self.source.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.source.stop()
        self.source.join(10)

    def read(self) -> Cluster:
        """The Cluster, with all that has come by now."""
        while (one := self.inbox.take()) is not None:
            self.heard.append(one)
            self.cluster.apply(one)
        return self.cluster
