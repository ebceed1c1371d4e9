"""A RabbitMQ killed after a purge may have purged messages again: the list and dialogs say so."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
from amqp.basic_message import Message
from kombu.connection import Connection

from celery_tui.actions.undo import RESTARTED, UNKNOWN
from celery_tui.brokers import rabbitmq_since
from celery_tui.brokers.rabbitmq import RabbitBroker
from celery_tui.links.site import Site
from celery_tui.model.seam import Act, Stage, Target
from tests.actions.acting import Operator, request
from tests.conftest import a_rabbit
from tests.rabbit import RabbitServer
from tests.rabbit_queues import ready
from tests.servers import wait_for

COUNT = 2_000
QUEUE = "work"


@pytest.fixture(scope="module")
def own() -> Iterator[RabbitServer]:
    with a_rabbit() as started:
        yield started


def filled(own: RabbitServer) -> None:
    """As many as that, on the disk."""
    with Connection(own.url()) as connection:
        channel: Any = connection.channel()
        channel.queue_declare(QUEUE, durable=True, auto_delete=False)
        channel.queue_purge(QUEUE)
        channel.confirm_select()
        for number in range(COUNT):
            channel.basic_publish(Message(str(number), delivery_mode=2), routing_key=QUEUE)
        wait_for(lambda: ready(channel, QUEUE) == COUNT, "the messages are there")


def emptied(own: RabbitServer) -> list[int]:
    """The numbers of all messages that are in the queue."""
    found = []
    with Connection(own.url()) as connection:
        channel: Any = connection.channel()
        while (message := channel.basic_get(QUEUE, no_ack=True)) is not None:
            found.append(int(message.body))
    return found


def purged(own: RabbitServer) -> str:
    """The name of the quarantine of all of it."""
    filled(own)
    broker = RabbitBroker(Site(own.url()))
    name = broker.quarantine(QUEUE).name
    (held,) = broker.quarantines()
    assert (held.name, held.moved, held.doubtful, held.restarted) == (name, COUNT, 0, False)
    assert not broker.depths()[name].restarted
    broker.close()
    return name


@pytest.mark.parametrize("end", ["killed", "in order"])
def test_a_broker_that_was_restarted_since_the_purge_is_told_and_undo_goes_on(
    own: RabbitServer, end: str
) -> None:
    name = purged(own)
    if end == "killed":
        own.kill()
        own.start()
    else:
        own.restart()
    with Operator(own.url()) as operator:
        target = Target("queue", name)
        operator.until(lambda: name in operator.cluster.queues, "the quarantine is listed")
        assert operator.cluster.queues[name].restarted
        dialog = operator.look(request(Act.UNDO, target))
        assert RESTARTED in dialog.warnings
        assert not dialog.blocked
        done = operator.outcome(operator.act(Act.UNDO, target), Stage.SEEN)
        assert done.text.startswith(f"{COUNT:,} messages back in {QUEUE}")
    back = Counter(emptied(own))
    twice = sum(times > 1 for times in back.values())
    print(f"{end}: purged {COUNT:,}, lost {COUNT - len(back)}, in the queue twice {twice:,}")
    assert back.keys() == set(range(COUNT))
    assert nothing_is_left(own)


def nothing_is_left(own: RabbitServer) -> bool:
    """No queue of ours."""
    return "celery-tui" not in own.ctl("list_queues", "name")


def test_where_no_mark_may_be_left_the_dialog_says_that_it_cannot_tell(
    own: RabbitServer,
) -> None:
    own.ctl("add_user", "few", "few")
    own.ctl("set_permissions", "few", f"^{QUEUE}$", ".*", ".*")
    filled(own)
    broker = RabbitBroker(Site(own.url("/", "few", "few")))
    name = broker.quarantine(QUEUE).name
    assert [held.restarted for held in broker.quarantines()] == [None]
    broker.close()
    with Operator(own.url()) as operator:
        assert UNKNOWN in operator.look(request(Act.UNDO, Target("queue", name))).warnings
    assert rabbitmq_since.SUFFIX not in own.ctl("list_queues", "name")
