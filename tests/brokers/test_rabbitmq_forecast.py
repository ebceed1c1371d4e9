"""Before a purge on RabbitMQ it is said what could not be undone, by whom, and what may be lost."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import Any

import pytest

from celery_tui.brokers.rabbitmq import RabbitBroker
from celery_tui.brokers.redis_keys import RECEIPTS
from celery_tui.errors import BrokerError
from celery_tui.links.site import Site
from tests.rabbit import VirtualHost
from tests.rabbit_queues import put, ready


@pytest.fixture
def queue(channel: Any) -> str:
    name = f"work-{uuid.uuid4()}"
    channel.queue_declare(name, durable=True, auto_delete=False)
    return name


@pytest.fixture
def everybody(rabbit: VirtualHost) -> Iterator[RabbitBroker]:
    one = RabbitBroker(Site(rabbit.url()))
    yield one
    one.close()


def as_user(rabbit: VirtualHost, *rights: str) -> RabbitBroker:
    """Somebody who may configure, write and read what matches these."""
    return RabbitBroker(Site(rabbit.permit(f"u-{uuid.uuid4()}", "secret", *rights)))


def test_nothing_is_said_of_the_commonest_purge(
    everybody: RabbitBroker, channel: Any, queue: str
) -> None:
    put(channel, queue, 3)
    before = everybody.before_purge(queue)
    assert (before.facts, before.warnings, before.sure, before.final) == ((), (), False, False)
    assert ready(channel, queue) == 3
    aside = everybody.quarantine(queue)
    ahead = everybody.before_undo(aside.name)
    assert (ahead.facts, ahead.warnings, ahead.sure, ahead.blocked) == ((), (), False, "")
    assert everybody.restore(aside.name) == 3


def test_a_purge_that_its_own_user_could_not_undo_is_said_to_be_one(
    rabbit: VirtualHost, everybody: RabbitBroker, channel: Any, queue: str
) -> None:
    put(channel, queue, 3)
    mine = as_user(rabbit, "^work", "^work", "^work")
    before = mine.before_purge(queue)
    assert before.final
    assert before.sure
    user = mine._link.login[0]
    assert before.warnings[0] == (
        f"The user {user} may not write to the default exchange: only another user could undo this "
        "purge, from this machine."
    )
    aside = mine.quarantine(queue)
    assert aside.moved == 3
    assert mine.before_undo(aside.name).blocked == (
        f"The user {user} may not write to the default exchange: another user has to bring them "
        "back."
    )
    assert everybody.before_undo(aside.name).blocked == ""
    assert everybody.restore(aside.name) == 3
    mine.close()


def test_a_queue_that_may_not_be_read_is_not_purged(
    rabbit: VirtualHost, channel: Any, queue: str
) -> None:
    put(channel, queue, 1)
    mine = as_user(rabbit, ".*", ".*", "^other")
    assert mine.before_purge(queue).blocked.endswith("its messages cannot be taken out.")
    with pytest.raises(BrokerError, match="may not read the queue"):
        mine.quarantine(queue)
    mine.close()


@pytest.mark.parametrize(
    "rights", [("^work", ".*", ".*"), (".*", ".*", "^work")], ids=["configure", "read"]
)
def test_without_receipts_a_kill_leaves_doubt_and_that_is_said(
    rabbit: VirtualHost, channel: Any, queue: str, rights: tuple[str, ...]
) -> None:
    put(channel, queue, 2)
    mine = as_user(rabbit, *rights)
    before = mine.before_purge(queue)
    assert not before.final
    assert "may make no queue of receipts" in before.warnings[0]
    assert mine.restore(mine.quarantine(queue).name) == 2
    mine.close()


def test_who_may_not_ask_for_arguments_is_told_that_they_are_not_known(
    rabbit: VirtualHost, channel: Any, queue: str
) -> None:
    mine = as_user(rabbit, "^celery-tui", ".*", ".*")
    before = mine.before_purge(queue)
    assert before.sure
    assert before.warnings[0].startswith(f"Whether {queue} dead-letters")
    put(channel, queue, 2)
    aside = mine.quarantine(queue)
    assert not mine.before_undo(aside.name).sure, "their own key is the queue's name"
    assert mine.restore(aside.name) == 2
    mine.close()


def test_what_a_purge_that_breaks_off_counts_is_said_of_a_quorum_queue(
    everybody: RabbitBroker, channel: Any
) -> None:
    name = f"work-{uuid.uuid4()}"
    arguments = {"x-queue-type": "quorum", "x-delivery-limit": 2}
    channel.queue_declare(name, durable=True, auto_delete=False, arguments=arguments)
    (told,) = everybody.before_purge(name).warnings
    assert told.startswith("Broken off, it puts up to 200 messages back. A quorum queue counts it")
    assert "too often" in told


def test_asking_leaves_nothing_behind(
    rabbit: VirtualHost, everybody: RabbitBroker, channel: Any, queue: str
) -> None:
    def there() -> set[str]:
        return {one["name"] for one in rabbit.listed("queues")}

    before = there()
    put(channel, queue, 1)
    everybody.before_purge(queue)
    assert there() == before
    assert not any(name.startswith(RECEIPTS) for name in there())
    with pytest.raises(BrokerError, match="Cannot purge nowhere: there is no such queue"):
        everybody.before_purge("nowhere")
