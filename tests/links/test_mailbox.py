"""What we broadcast is what Celery's remote control would, and replies find who asked.

kombu's in-memory broker stands for all; its control node for a worker.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from typing import Any

import pytest
from celery import Celery
from kombu.connection import Connection
from kombu.entity import Exchange, Queue

from celery_tui.actions.base import Context
from celery_tui.actions.wire import Wire
from celery_tui.links.kombu_link import opened
from celery_tui.links.mailbox import lent_oid, mailbox
from celery_tui.links.site import Site, site_of
from celery_tui.settings import Settings
from tests.rabbit import VirtualHost

SETTINGS = Settings(broker="memory://")


@pytest.fixture
def exchange() -> str:
    """A control exchange of this test's own: the in-memory broker outlives a test."""
    return f"celery-{uuid.uuid4()}"


@pytest.fixture
def app(exchange: str) -> Iterator[Celery]:
    app = Celery("client", broker="memory://", set_as_current=False)
    app.conf.update(control_exchange=exchange, task_serializer="pickle", accept_content=["pickle"])
    yield app
    app.close()


@contextmanager
def overheard(exchange: str) -> Iterator[list[Any]]:
    """Every message broadcast there meanwhile."""
    fanout = Exchange(f"{exchange}.pidbox", "fanout", durable=False)
    heard: list[Any] = []
    with Connection("memory://") as connection:
        queue = Queue(str(uuid.uuid4()), fanout, durable=False)
        bound = queue(connection.default_channel)
        bound.declare()
        yield heard
        while (message := bound.get(no_ack=True, accept=["pickle"])) is not None:
            heard.append(message)


@pytest.mark.parametrize("destination", [["w1@a", "w2@a"], None])
def test_a_command_is_written_as_celery_writes_it(app: Celery, destination: Any) -> None:
    arguments = {"task_id": "id-1", "terminate": True, "signal": "KILL"}
    site = site_of(SETTINGS, app)
    with overheard(site.control_exchange) as heard, opened(site) as connection:
        app.control.broadcast(
            "revoke", arguments, destination, connection=connection, reply=True, timeout=0.01
        )
        with mailbox(connection, site, "oid") as box:
            box.ask("revoke", "ticket-1", destination or (), arguments)
    theirs, ours = (message.payload for message in heard)
    assert ours["ticket"] == "ticket-1"
    assert ours["reply_to"]["routing_key"] == "oid"
    for told in (theirs, ours):
        told.pop("ticket")
        told["reply_to"].pop("routing_key")
    assert ours == theirs
    first, second = heard
    assert second.content_type == first.content_type == "application/x-python-serialize"
    assert second.headers.keys() == first.headers.keys()


def test_two_acts_at_once_have_names_of_their_own_and_later_ones_use_them_again() -> None:
    with lent_oid() as first, lent_oid() as second:
        assert first != second
    with lent_oid() as again:
        assert again in (first, second)


def test_a_name_in_use_when_the_link_broke_is_not_used_again() -> None:
    names: list[str] = []
    with suppress(OSError), lent_oid() as name:
        names.append(name)
        raise OSError
    with ExitStack() as stack:
        assert names[0] not in [stack.enter_context(lent_oid()) for _ in range(10)]


class Workers:
    """A mailbox whose answers are made up."""

    def __init__(self, *replies: dict[str, Any]) -> None:
        self.replies = list(replies)
        self.asked: list[tuple[str, tuple[str, ...]]] = []

    def ask(self, question: str, ticket: str, workers: Any = (), arguments: Any = None) -> None:
        self.asked.append((question, tuple(workers)))
        self._ticket = ticket

    def answers(self, wait_s: float, urgent: bool) -> Iterator[Any]:
        from celery_tui.links.asking import Answer

        yield Answer("of another question", {"w9@a": "pong"})
        yield Answer("", {}, "unreadable")
        if self.replies:
            yield Answer(self._ticket, self.replies.pop(0))


@contextmanager
def wire(workers: Workers) -> Iterator[Wire]:
    """A Wire to those workers."""
    site = Site("memory://")
    with ExitStack() as stack, opened(site) as connection:
        wire = Wire(Context(SETTINGS, lambda: opened(site)), connection, stack)
        wire.__dict__["_mailbox"] = workers  # what cached_property would have kept
        yield wire


def test_of_two_workers_with_one_name_an_error_wins() -> None:
    refused: Any = {"error": "no"}
    one, other = {"w1@a": "ok"}, {"w1@a": refused}
    for replies in ((one, other), (other, one)):
        with wire(Workers(*replies)) as to:
            assert to.ask("ping", timeout_s=0.02) == {"w1@a": refused}


def test_asking_ends_with_the_last_answer_that_was_expected() -> None:
    workers = Workers({"w1@a": 1}, {"w2@a": 2}, {"w3@a": 3})
    with wire(workers) as to:
        assert to.ask("ping", expected=2, timeout_s=60) == {"w1@a": 1, "w2@a": 2}
        assert to.ask("ping", destination=["w3@a"], expected=9, timeout_s=60) == {"w3@a": 3}
    assert workers.asked == [("ping", ()), ("ping", ("w3@a",))]


def test_a_broker_that_cannot_broadcast_reaches_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("celery_tui.actions.wire.broadcasts", lambda connection: False)
    workers = Workers({"w1@a": 1})
    with wire(workers) as to:
        assert to.ask("ping", timeout_s=60) == {}
    assert workers.asked == []


def test_rabbitmq_tells_who_still_takes_questions(rabbit: VirtualHost) -> None:
    mine = site_of(Settings(broker=rabbit.url()))
    with Connection(rabbit.url()) as workers, opened(mine) as connection:
        channel = workers.default_channel
        for name, exclusive in (("new@a", True), ("old@a", False), ("idle@a", False)):
            channel.queue_declare(f"{name}.celery.pidbox", exclusive=exclusive, auto_delete=False)
        channel.basic_consume("old@a.celery.pidbox")
        with mailbox(connection, mine, "asks") as box:
            names = ("new@a", "old@a", "idle@a", "gone@a")
            assert box.standing(names) == frozenset({"new@a", "old@a"})
            channel.queue_delete("old@a.celery.pidbox")
            assert box.standing(names) == frozenset({"new@a"})
