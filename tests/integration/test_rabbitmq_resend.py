"""A retry on RabbitMQ is called sent once the broker has its message, and refused if it has not."""

from __future__ import annotations

from collections import Counter
from contextlib import ExitStack
from typing import Any

import pytest

from celery_tui.actions.base import Context
from celery_tui.actions.original import Original
from celery_tui.actions.resend import send
from celery_tui.actions.route import Route, Trace
from celery_tui.actions.wire import Wire
from celery_tui.errors import ActionError, BrokerError
from celery_tui.links.kombu_link import link_errors, opened
from celery_tui.links.site import Site
from celery_tui.settings import Settings
from tests.brokers.rabbit_faults import Fault, laid
from tests.brokers.rabbit_walk import faults
from tests.rabbit import VirtualHost
from tests.rabbit_queues import new
from tests.servers import wait_for

pytestmark = [
    pytest.mark.filterwarnings(
        "ignore:Exception ignored in. <socket:pytest.PytestUnraisableExceptionWarning"
    ),
    pytest.mark.usefixtures("collected"),
]
"""The driver leaves a connection that the broker closes to the garbage collector."""
TASK = Original("a", "proj.work", True, "backend", Trace(), [1])


@pytest.fixture(params=["classic", "quorum"])
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def resend(url: str, queue: str, fault: Fault | None = None) -> str:
    """Send the task's message once more; what was said of it."""
    with opened(Site(url)) as connection, ExitStack() as stack:
        wire = Wire(Context(Settings(broker=url), lambda: opened(Site(url))), connection, stack)
        lost: tuple[type[Exception], ...] = (BrokerError, *link_errors(connection))
        try:
            with laid(fault or Fault(0)):
                send(TASK, Route("", queue, queue), None, wire)
        except ActionError as error:
            return f"refused: {error.title}"
        except lost:
            return "open"
    return "sent"


def taken(channel: Any, queue: str) -> int:
    """How many messages are in the queue; all are taken out."""
    return int(channel.queue_purge(queue))


def test_a_fault_at_every_call_of_a_retry_leaves_what_it_says(
    rabbit: VirtualHost, channel: Any, kind: str
) -> None:
    queue, told = new(channel, kind), Counter[str]()
    none = Fault(0)
    assert resend(rabbit.url(), queue, none) == "sent"
    assert taken(channel, queue) == 1
    assert none.counted
    for at, why, after in faults(none.counted, some=100):
        if after and why == "406":  # as if that were said of the message itself
            continue
        said = resend(rabbit.url(), queue, Fault(at, why, after=after)).partition(":")[0]
        there = taken(channel, queue)
        assert there in {"sent": (1,), "refused": (0,), "open": (0, 1)}[said], (at, why, after)
        told[f"{said}, {there} there"] += 1
    print(f"{kind}, {none.counted} calls: {dict(told)}")
    assert told


def test_a_queue_that_is_full_gone_or_forbidden_refuses_it(
    rabbit: VirtualHost, channel: Any, kind: str
) -> None:
    full = new(channel, kind, **{"x-max-length": 1, "x-overflow": "reject-publish"})
    said: list[str] = []

    def refused() -> bool:
        said.append(resend(rabbit.url(), full))
        return said[-1] == "refused: The queue refused it"

    wait_for(refused, "it is full")
    assert said[0] == "sent"
    assert taken(channel, full) == said.count("sent")
    assert resend(rabbit.url(), "nowhere") == "refused: There is no queue that it would come to"
    user = f"few-{kind}"
    few = rabbit.permit(user, "few", "^work", "^work", "^work")
    said = [resend(few, full)]
    assert "may not write to the default exchange" in said[0]
    assert taken(channel, full) == 0
