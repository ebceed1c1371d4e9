"""A purge on RabbitMQ goes into a file and comes back: nothing lost, nothing doubled or changed."""

import os
import signal
import stat
import subprocess
import sys
import threading
import uuid
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from amqp.basic_message import Message
from kombu.connection import Connection

from celery_tui.brokers import rabbitmq_quarantine
from celery_tui.brokers.rabbitmq import RabbitBroker
from celery_tui.brokers.rabbitmq_file import Journal, standing_of
from celery_tui.errors import BrokerError
from celery_tui.links.site import Site
from tests.rabbit import RabbitServer
from tests.servers import wait_for

HEADERS = {
    "id": "a",
    "task": "proj.work",
    "eta": None,
    "group": None,
    "nested": {"none": None, "list": [None, 1, -5_000_000_000, True, 2.5, "ü\x00"], "$": "own"},
    "decimal": Decimal("1.25"),
    "time": datetime(2026, 11, 20, 12, 10, tzinfo=UTC).replace(tzinfo=None),
    "undefined": "undefined",
}
PROPERTIES = {
    "content_type": "application/x-python-serialize",
    "content_encoding": "binary",
    "delivery_mode": 2,
    "priority": 3,
    "correlation_id": "a",
    "reply_to": "b",
    "expiration": "86400000",
    "message_id": "m",
    "timestamp": 1_790_000_000,
    "type": "t",
    "app_id": "x",
}
KILLED = """
import os, signal, sys
from celery_tui.brokers import rabbitmq_quarantine
from celery_tui.brokers.rabbitmq import RabbitBroker
from celery_tui.brokers.rabbitmq_file import Journal
from celery_tui.links.site import Site

url, queue, name, what, times = sys.argv[1:]
rabbitmq_quarantine.BATCH_MESSAGES = 50
write, seen = Journal.write, 0

def counted(journal, records):
    global seen
    records = list(records)
    write(journal, records)
    seen += what in records[0]
    if seen == int(times):
        os.kill(os.getpid(), signal.SIGKILL)

Journal.write = counted
broker = RabbitBroker(Site(url))
broker.restore(name) if name else broker.quarantine(queue)
"""


@pytest.fixture
def channel(rabbit: RabbitServer) -> Iterator[Any]:
    with Connection(rabbit.url()) as connection:
        yield connection.channel()


@pytest.fixture(params=["classic", "quorum", "priorities"])
def queue(channel: Any, request: pytest.FixtureRequest) -> str:
    """A durable queue that nobody else uses."""
    name = f"q-{uuid.uuid4()}"
    arguments: dict[str, dict[str, Any]] = {
        "classic": {"x-queue-type": "classic"},
        "quorum": {"x-queue-type": "quorum"},
        "priorities": {"x-max-priority": 10},
    }
    chosen = arguments[request.param]
    channel.queue_declare(name, durable=True, auto_delete=False, arguments=chosen)
    return name


@pytest.fixture
def plain(channel: Any) -> str:
    """A classic queue."""
    name = f"q-{uuid.uuid4()}"
    channel.queue_declare(name, durable=True, auto_delete=False)
    return name


@pytest.fixture
def broker(rabbit: RabbitServer) -> Iterator[RabbitBroker]:
    one = RabbitBroker(Site(rabbit.url()))
    yield one
    one.close()


def put(channel: Any, queue: str, count: int, **properties: Any) -> None:
    for number in range(count):
        message = Message(str(number), **{"delivery_mode": 2, **properties})
        channel.basic_publish(message, routing_key=queue)
    wait_for(lambda: ready(channel, queue) >= count, "the messages are there")


def ready(channel: Any, queue: str) -> int:
    return int(channel.queue_declare(queue, passive=True).message_count)


def bodies(channel: Any, queue: str) -> list[int]:
    found = []
    while (message := channel.basic_get(queue, no_ack=True)) is not None:
        found.append(int(message.body))
    return found


def files() -> list[Path]:
    return sorted(rabbitmq_quarantine.folder().glob("*"))


def test_purge_and_undo_keep_every_message_and_their_order(
    broker: RabbitBroker, channel: Any, queue: str
) -> None:
    put(channel, queue, 450)
    aside = broker.quarantine(queue)
    assert aside.moved == 450
    assert ready(channel, queue) == 0
    assert [(one.name, one.moved, one.queue) for one in broker.quarantines()] == [
        (aside.name, 450, queue)
    ]
    assert broker.depths()[aside.name].quarantine
    told: list[int] = []
    assert broker.restore(aside.name, told.append) == 450
    assert told == [200, 400, 450]
    assert bodies(channel, queue) == list(range(450))
    assert broker.quarantines() == []
    assert files() == []
    assert broker.restore(aside.name) == 0


def test_headers_properties_and_bodies_come_back_as_they_were(
    broker: RabbitBroker, channel: Any, queue: str
) -> None:
    body = bytes(range(256))
    channel.basic_publish(
        Message(body, application_headers=HEADERS, **PROPERTIES), routing_key=queue
    )
    wait_for(lambda: ready(channel, queue) == 1, "the message is there")
    broker.restore(broker.quarantine(queue).name)
    message = channel.basic_get(queue, no_ack=True)
    message.properties["application_headers"].pop("x-delivery-count", None)  # of quorum queues
    assert message.properties == {**PROPERTIES, "application_headers": HEADERS}
    raw = message.body.encode() if isinstance(message.body, str) else message.body
    assert raw == body


def test_only_its_owner_may_read_the_file(broker: RabbitBroker, channel: Any, plain: str) -> None:
    before = os.umask(0)
    try:
        put(channel, plain, 1)
        broker.quarantine(plain)
    finally:
        os.umask(before)
    (path,) = files()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert "guest:" not in path.read_text()


def test_an_empty_queue_leaves_no_file_and_a_missing_one_is_named(
    broker: RabbitBroker, plain: str
) -> None:
    assert broker.quarantine(plain).moved == 0
    with pytest.raises(BrokerError, match="there is no such queue"):
        broker.quarantine("nowhere")
    assert files() == []


def test_what_comes_after_the_purge_began_stays(
    broker: RabbitBroker, channel: Any, plain: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(channel, plain, 3)
    write = Journal.write

    def late(journal: Journal, records: Any) -> None:
        write(journal, records)
        put(channel, plain, 1)

    monkeypatch.setattr(Journal, "write", late)
    assert broker.quarantine(plain).moved == 3
    assert ready(channel, plain) >= 1


def test_quarantines_of_another_virtual_host_are_not_ours(
    broker: RabbitBroker, channel: Any, plain: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(channel, plain, 1)
    name = broker.quarantine(plain).name
    monkeypatch.setattr(type(broker._link), "place", "elsewhere:5672/")
    assert broker.quarantines() == []
    assert broker.restore(name) == 0
    assert len(files()) == 1


def test_messages_that_the_queue_refuses_stay_in_quarantine(
    broker: RabbitBroker, channel: Any
) -> None:
    name = f"q-{uuid.uuid4()}"
    arguments = {"x-max-length": 30, "x-overflow": "reject-publish"}
    channel.queue_declare(name, durable=True, auto_delete=False, arguments=arguments)
    put(channel, name, 30)
    aside = broker.quarantine(name)
    put(channel, name, 10)
    with pytest.raises(BrokerError, match="10 of them are still in quarantine"):
        broker.restore(aside.name)
    assert [one.moved for one in broker.quarantines()] == [10]
    taken = bodies(channel, name)[10:]
    assert broker.restore(aside.name) == 10
    assert sorted(taken + bodies(channel, name)) == list(range(30))
    assert files() == []


def test_messages_of_a_deleted_queue_wait_until_it_is_there_again(
    broker: RabbitBroker, channel: Any, plain: str
) -> None:
    put(channel, plain, 2)
    aside = broker.quarantine(plain)
    channel.queue_delete(plain)
    with pytest.raises(BrokerError, match="no such queue"):
        broker.restore(aside.name)
    channel.queue_declare(plain, durable=True, auto_delete=False)
    assert broker.restore(aside.name) == 2


def kill_when(rabbit: RabbitServer, queue: str, name: str, what: str, times: int) -> None:
    """Another process quarantines or restores, and is killed after it wrote so many such lines."""
    done = subprocess.run(
        [sys.executable, "-c", KILLED, rabbit.url(), queue, name, what, str(times)], check=False
    )
    assert done.returncode == -signal.SIGKILL


def test_killed_between_the_file_and_the_acknowledgement_all_messages_are_in_the_queue(
    rabbit: RabbitServer, broker: RabbitBroker, channel: Any, queue: str
) -> None:
    put(channel, queue, 120)
    kill_when(rabbit, queue, "", "body", 1)
    wait_for(lambda: ready(channel, queue) == 120, "all messages are back")
    assert [one.moved for one in broker.quarantines()] == [0]
    assert broker.restore(broker.quarantines()[0].name) == 0
    assert sorted(bodies(channel, queue)) == list(range(120))
    assert files() == []


def test_killed_after_a_batch_that_was_acknowledged_none_is_lost_or_doubled(
    rabbit: RabbitServer, broker: RabbitBroker, channel: Any, plain: str
) -> None:
    put(channel, plain, 120)
    kill_when(rabbit, plain, "", "acked", 2)
    wait_for(lambda: ready(channel, plain) == 20, "the rest is in the queue")
    (held,) = broker.quarantines()
    assert held.moved == 100
    assert broker.restore(held.name) == 100
    assert sorted(bodies(channel, plain)) == list(range(120))


def test_what_may_be_on_both_sides_is_kept_and_not_sent_again(
    rabbit: RabbitServer, broker: RabbitBroker, channel: Any, plain: str
) -> None:
    put(channel, plain, 120)
    kill_when(rabbit, plain, "", "acking", 2)
    wait_for(lambda: ready(channel, plain) == 70, "what was not acknowledged is back")
    (held,) = broker.quarantines()
    assert broker.restore(held.name) == 50
    assert sorted(bodies(channel, plain)) == list(range(120))
    (path,) = files()
    assert standing_of(path).unsure == tuple(range(50, 100))
    assert broker.restore(held.name) == 0


def test_a_killed_undo_goes_on_where_it_stopped(
    rabbit: RabbitServer, broker: RabbitBroker, channel: Any, plain: str
) -> None:
    put(channel, plain, 170)
    aside = broker.quarantine(plain)
    kill_when(rabbit, plain, aside.name, "sent", 2)
    assert [one.moved for one in broker.quarantines()] == [70]
    assert broker.restore(aside.name) == 70
    assert bodies(channel, plain) == list(range(170))


def test_two_at_once_do_not_send_one_message_twice(
    rabbit: RabbitServer, broker: RabbitBroker, channel: Any, plain: str
) -> None:
    put(channel, plain, 10)
    aside = broker.quarantine(plain)
    (path,) = files()
    journal = Journal.opened(path)
    with pytest.raises(BrokerError, match="Somebody works on the quarantine"):
        broker.restore(aside.name)
    journal.close()
    assert broker.restore(aside.name) == 10


def test_purges_and_undos_beside_consumers_lose_and_double_nothing(
    rabbit: RabbitServer, broker: RabbitBroker, channel: Any, plain: str
) -> None:
    count, seen, stop = 4_000, Counter[int](), threading.Event()

    def consume() -> None:
        with Connection(rabbit.url()) as connection:
            own = connection.channel()
            while not stop.is_set():
                message = own.basic_get(plain)
                if message is not None:
                    seen[int(message.body)] += 1
                    own.basic_ack(message.delivery_tag)

    consumer = threading.Thread(target=consume)
    consumer.start()
    moved = 0
    try:
        for number in range(count):
            channel.basic_publish(Message(str(number), delivery_mode=2), routing_key=plain)
            if number % 1_000 == 999:
                aside = broker.quarantine(plain)
                moved += aside.moved
                assert broker.restore(aside.name) == aside.moved
        wait_for(lambda: sum(seen.values()) >= count, "all are consumed")
    finally:
        stop.set()
        consumer.join()
    print(f"moved {moved}")
    assert seen == dict.fromkeys(range(count), 1)


def test_a_torn_last_line_does_not_count(broker: RabbitBroker, channel: Any, plain: str) -> None:
    put(channel, plain, 3)
    aside = broker.quarantine(plain)
    (path,) = files()
    with path.open("ab") as file:
        file.write(b'{"sending": 3')
    assert broker.restore(aside.name) == 3
