"""Where faults are made: a Redis, or a virtual host of a RabbitMQ with results in PostgreSQL."""

from __future__ import annotations

import itertools
import urllib.error
import urllib.parse
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from typing import Any, Protocol

import psutil
import redis
from kombu.connection import Connection
from kombu.messaging import Producer

from tests.brokers.messages import message
from tests.conftest import a_postgres, a_rabbit, a_redis
from tests.rabbit import RabbitServer
from tests.servers import PostgresServer, RedisServer, client

REDIS, RABBITMQ = "redis", "rabbitmq"
KINDS = (REDIS, RABBITMQ)
SEPARATOR = "\x06\x16"
"""Between a queue's name and a priority, on Redis."""
DURABLE = ("--appendonly", "yes", "--appendfsync", "always")
"""A Redis that still has its data after a power cut."""
AT_ONCE = 5_000
IN_FLIGHT = 500


class Place(Protocol):
    """A broker and a result backend of one cluster alone."""

    kind: str
    broker: str
    backend: str
    connected: str
    """What a worker logs when it has reached its broker."""
    told_by: dict[str, str]
    """Settings with which the dashboard is told of all queues there are."""

    def depth(self, queue: str) -> int:
        """Messages that really wait there."""

    def drop(self, queue: str) -> None:
        """Delete a queue with all that waits in it."""

    def fill(self, queue: str, count: int) -> None:
        """Let so many messages wait there, as Celery leaves them, and no others."""

    def cut(self) -> None:
        """Let the broker close the connections of this process through which it is heard.

        RabbitMQ knows the youngest of them only after a while.
        """

    def stop(self) -> None:
        """End the broker as a power cut does."""

    def start(self) -> None:
        """Start it again, with all that it was to keep."""


class RedisPlace:
    """Broker and results in databases of one server, or of two."""

    kind, connected = REDIS, "Connected to redis"

    def __init__(self, server: RedisServer, results: RedisServer, prefix: str = "") -> None:
        self.broker, self.backend = server.url(0), results.url(1)
        self.told_by: dict[str, str] = {}
        self._server, self._prefix = server, prefix

    def _client(self) -> redis.Redis:
        return redis.Redis.from_url(self.broker, decode_responses=True)

    def depth(self, queue: str) -> int:
        """The lists of all priorities together."""
        name = f"{self._prefix}{queue}"
        names = [name, *(f"{name}{SEPARATOR}{step}" for step in range(1, 10))]
        with self._client() as connection:
            return sum(int(str(connection.llen(one))) for one in names)

    def drop(self, queue: str) -> None:
        """Its first list; the others are empty."""
        with self._client() as connection:
            connection.delete(queue)

    def fill(self, queue: str, count: int) -> None:
        """Pushed in large steps."""
        text = message("t", name="shop.add")
        self.drop(queue)
        with self._client() as connection:
            for first in range(0, count, AT_ONCE):
                numbers = range(first, min(count, first + AT_ONCE))
                connection.lpush(queue, *(text.replace('"t"', f'"t{n}"') for n in numbers))

    def cut(self) -> None:
        """Whatever is subscribed to anything, by its id."""
        mine = own_ports()
        with self._client() as connection:
            for one in connection.client_list(_type="pubsub"):
                if int(one["addr"].rpartition(":")[2]) in mine:
                    connection.client_kill_filter(_id=one["id"])

    def stop(self) -> None:
        """SIGKILL."""
        self._server.kill()

    def start(self) -> None:
        """On the same port, from its file."""
        self._server.start()


class RabbitPlace:
    """A virtual host, and a database for results."""

    kind, connected = RABBITMQ, "Connected to amqp"

    def __init__(self, server: RabbitServer, postgres: PostgresServer, name: str) -> None:
        server.manage("PUT", f"vhosts/{name}", {})
        everything = {"configure": ".*", "write": ".*", "read": ".*"}
        server.manage("PUT", f"permissions/{name}/guest", everything)
        postgres.execute(f"CREATE DATABASE {name}")
        self.broker, self.backend = server.url(name), f"db+{postgres.url(name)}"
        self.told_by = {"management_url": server.management_url}
        self._server, self._postgres, self._name = server, postgres, name

    def close(self) -> None:
        """Everything in it is gone."""
        self._server.manage("DELETE", f"vhosts/{self._name}")
        self._postgres.execute(f"DROP DATABASE {self._name} WITH (FORCE)")

    @contextmanager
    def _channel(self) -> Iterator[Any]:
        with Connection(self.broker) as connection:
            yield connection.default_channel

    def depth(self, queue: str) -> int:
        """Messages that are ready: the broker counts those that workers hold apart."""
        with Connection(self.broker) as connection, suppress(*connection.channel_errors):
            told = connection.default_channel.queue_declare(queue, passive=True)
            return int(told.message_count)
        return 0

    def drop(self, queue: str) -> None:
        """The queue itself."""
        with self._channel() as channel:
            channel.queue_delete(queue)

    def fill(self, queue: str, count: int) -> None:
        """One message again and again, each under an id of its own."""
        with closing(client(self.broker)) as app, self._channel() as channel:
            app.amqp.queues.select_add(queue)
            app.amqp.queues[queue](channel).declare()
            channel.queue_purge(queue)
            sent = app.amqp.as_task_v2("t", "shop.add", (1, 2))
            producer = Producer(channel, routing_key=queue, serializer="json")
            for number in range(count):
                headers = {**sent.headers, "id": f"t{number}", "root_id": f"t{number}"}
                producer.publish(sent.body, headers=headers, correlation_id=f"t{number}")
                if number % IN_FLIGHT == 0:  # a busy broker reads no more: then the driver gives up
                    channel.queue_declare(queue, passive=True)

    def cut(self) -> None:
        """All of them, by the management API."""
        mine = own_ports()
        for one in self._server.manage("GET", f"vhosts/{self._name}/connections"):
            if one.get("peer_port") in mine:
                name = urllib.parse.quote(one["name"], safe="")
                with suppress(urllib.error.HTTPError):  # it has gone by itself
                    self._server.manage("DELETE", f"connections/{name}")

    def stop(self) -> None:
        """SIGKILL."""
        self._server.kill()

    def start(self) -> None:
        """On the same ports, with what is durable."""
        self._server.start()


def own_ports() -> set[int]:
    """Our ends of the connections of this process."""
    return {one.laddr.port for one in psutil.Process().net_connections("tcp") if one.raddr}


class Servers:
    """A RabbitMQ and a PostgreSQL for many clusters, started when the first one needs them."""

    def __init__(self, stack: ExitStack) -> None:
        self._stack = stack
        self._both: tuple[RabbitServer, PostgresServer] | None = None
        self._names = (f"faults_{number}" for number in itertools.count(1))

    @contextmanager
    def place(self, kind: str, prefix: str = "", results_apart: bool = False) -> Iterator[Place]:
        """Somewhere with nothing on it; a Redis holds results too, if they are not to lie apart."""
        with ExitStack() as stack:
            if kind == REDIS:
                server = stack.enter_context(a_redis(*DURABLE))
                results = stack.enter_context(a_redis()) if results_apart else server
                yield RedisPlace(server, results, prefix)
            else:
                yield stack.enter_context(closing(RabbitPlace(*self._shared(), next(self._names))))

    def _shared(self) -> tuple[RabbitServer, PostgresServer]:
        if self._both is None:
            enter = self._stack.enter_context
            self._both = enter(a_rabbit(management=True)), enter(a_postgres())
        return self._both
