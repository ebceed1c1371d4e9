"""Where faults are made: a Redis, or a virtual host of a RabbitMQ with results in PostgreSQL."""

from __future__ import annotations

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
from tests.conftest import a_database, a_rabbit, a_redis, a_vhost, unique
from tests.rabbit import RabbitServer, VirtualHost
from tests.servers import Database, RedisServer, client

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

    def __init__(
        self, vhost: VirtualHost, results: Database, own: RabbitServer | None = None
    ) -> None:
        self.broker, self.backend = vhost.url(), f"db+{results.url()}"
        self.told_by = {"management_url": vhost.management_url}
        self._vhost, self._own = vhost, own

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
        for one in self._vhost.manage("GET", f"vhosts/{self._vhost.vhost}/connections"):
            if one.get("peer_port") in mine:
                name = urllib.parse.quote(one["name"], safe="")
                with suppress(urllib.error.HTTPError):  # it has gone by itself
                    self._vhost.manage("DELETE", f"connections/{name}")

    def stop(self) -> None:
        """SIGKILL."""
        assert self._own is not None, "others use this broker"
        self._own.kill()

    def start(self) -> None:
        """On the same ports, with what is durable."""
        assert self._own is not None
        self._own.start()


def own_ports() -> set[int]:
    """Our ends of the connections of this process."""
    return {one.laddr.port for one in psutil.Process().net_connections("tcp") if one.raddr}


@contextmanager
def place(kind: str, prefix: str = "", stops: bool = False) -> Iterator[Place]:
    """Somewhere with nothing on it; if it ``stops``, a broker of its own and results apart."""
    with ExitStack() as stack:
        enter = stack.enter_context
        if kind == REDIS:
            server = enter(a_redis(*DURABLE))
            yield RedisPlace(server, enter(a_redis()) if stops else server, prefix)
        elif stops:
            own = enter(a_rabbit(management=True))
            vhost = enter(VirtualHost(own.port, own.management_port, "faults"))
            yield RabbitPlace(vhost, enter(a_database(unique("faults"))), own)
        else:
            yield RabbitPlace(enter(a_vhost(unique("faults"))), enter(a_database(unique("faults"))))
