"""What the dialogs of purge and undo ask for on RabbitMQ, and what becomes of the answers."""

from __future__ import annotations

import itertools
import uuid
from typing import Any

import pytest
from amqp.basic_message import Message

from celery_tui import actions
from celery_tui.links.kombu_link import opened
from celery_tui.links.site import Site
from celery_tui.model.cluster import Cluster
from celery_tui.model.seam import Act, ActionRequest, LogLine, Outcome, Preview, Stage, Target
from celery_tui.settings import Settings
from tests.rabbit import VirtualHost
from tests.rabbit_queues import ready

COUNT = 20
_serial = itertools.count(1)


@pytest.fixture
def queue() -> str:
    return f"work-{uuid.uuid4()}"


class Person:
    """Somebody who opens a dialog and confirms it, with one login."""

    def __init__(self, url: str, management: str = "") -> None:
        settings = Settings(broker=url, management_url=management or None)
        self.context = actions.Context(settings, lambda: opened(Site(url)))

    def asks(self, act: Act, target: Target) -> Preview:
        """The dialog, once everything was looked up."""
        asked = ActionRequest(f"test-{next(_serial)}", act, (target,), 0.0)
        first = actions.preview(asked, Cluster(0.0))
        assert not first.ready
        return actions.prepare(asked, first, self.context)

    def does(self, act: Act, target: Target, *, sure: bool = False) -> Outcome:
        """The same without a dialog; the last that is said of it."""
        said: list[Outcome | LogLine] = []
        asked = ActionRequest(f"test-{next(_serial)}", act, (target,), 0.0, sure=sure)
        actions.run(asked, self.context, said.append)
        return [one for one in said if isinstance(one, Outcome)][-1]


def fill(channel: Any, queue: str, where: str = "", **arguments: Any) -> None:
    channel.queue_declare(queue, durable=True, auto_delete=False, arguments=arguments)
    if where:
        channel.exchange_declare(where, "topic", durable=True, auto_delete=False)
        channel.queue_bind(queue, where, "#")
    for number in range(COUNT):
        message = Message(str(number), delivery_mode=2)
        channel.basic_publish(message, exchange=where, routing_key="their.own" if where else queue)


def test_a_plain_purge_and_its_undo_ask_for_a_key_only(
    rabbit: VirtualHost, channel: Any, queue: str
) -> None:
    person = Person(rabbit.url())
    fill(channel, queue)
    dialog = person.asks(Act.PURGE, Target("queue", queue))
    assert (dialog.to_type, dialog.irreversible, dialog.blocked) == ("", False, "")
    assert "Z sends them again" in dialog.facts[0]
    done = person.does(Act.PURGE, Target("queue", queue))
    assert done.text == f"{COUNT} messages moved to quarantine; Z brings them back"
    assert done.undo is not None
    undo = person.asks(Act.UNDO, Target("queue", done.undo))
    assert (undo.to_type, undo.blocked) == ("", "")
    assert person.does(Act.UNDO, Target("queue", done.undo)).stage == Stage.SEEN
    assert ready(channel, queue) == COUNT


def test_a_purge_without_undo_asks_for_the_name_and_says_who_can_undo_it(
    rabbit: VirtualHost, channel: Any, queue: str
) -> None:
    ops = Person(rabbit.permit("ops", "secret", "^work", "^work", "^work"))
    guest = Person(rabbit.url())
    fill(channel, queue)
    dialog = ops.asks(Act.PURGE, Target("queue", queue))
    assert dialog.irreversible
    assert dialog.to_type == queue
    assert "Z sends" not in " ".join(dialog.facts)
    assert dialog.warnings[0].startswith("The user ops may not write to the default exchange: only")
    assert "They come back" not in " ".join(dialog.facts)
    done = ops.does(Act.PURGE, Target("queue", queue), sure=True)
    assert done.text == f"{COUNT} messages moved to quarantine; another user can bring them back"
    assert done.undo is not None
    blocked = ops.asks(Act.UNDO, Target("queue", done.undo)).blocked
    assert blocked.startswith("The user ops may not write to the default exchange")
    assert not guest.asks(Act.UNDO, Target("queue", done.undo)).blocked
    assert guest.does(Act.UNDO, Target("queue", done.undo)).stage == Stage.SEEN
    assert ready(channel, queue) == COUNT


@pytest.mark.parametrize("api", [False, True], ids=["alone", "management"])
def test_an_undo_that_changes_where_messages_go_asks_for_the_name_of_their_queue(
    rabbit: VirtualHost, channel: Any, queue: str, api: bool
) -> None:
    person = Person(rabbit.url(), rabbit.management_url if api else "")
    arguments = {"x-dead-letter-exchange": "amq.fanout"}
    fill(channel, queue, f"{queue}-in", **arguments)
    channel.queue_declare(f"{queue}-too", durable=True, auto_delete=False)
    channel.queue_bind(f"{queue}-too", f"{queue}-in", "their.*")
    dialog = person.asks(Act.PURGE, Target("queue", queue))
    assert dialog.to_type == queue
    assert not dialog.irreversible
    assert "dead-letters messages by their own key" in dialog.warnings[0]
    done = person.does(Act.PURGE, Target("queue", queue), sure=True)
    assert done.text.endswith("Z brings them back")
    assert done.undo is not None
    target = Target("queue", done.undo)
    undo = person.asks(Act.UNDO, target)
    assert undo.to_type == queue
    assert undo.warnings[0].startswith(f"{COUNT} messages go back with the queue's name")
    refused = person.does(Act.UNDO, target)
    assert refused.stage != Stage.SEEN
    assert "would go on to another place" in refused.text
    assert ready(channel, queue) == 0
    assert person.does(Act.UNDO, target, sure=True).stage == Stage.SEEN
    assert (ready(channel, queue), ready(channel, f"{queue}-too")) == (COUNT, 0)
