"""Queues are looked into in a thread of its own; what goes wrong is told and mended."""

import time
from collections.abc import Iterator
from typing import Any

import pytest
import redis

from celery_tui.model.peeked import End, Peeked, Sampled
from celery_tui.settings import Settings
from celery_tui.sources import peek
from celery_tui.sources.inbox import Inbox
from celery_tui.sources.peek import Look, Peeker
from tests.brokers.messages import message
from tests.conftest import a_redis
from tests.servers import RedisServer, wait_for


@pytest.fixture
def server() -> Iterator[RedisServer]:
    with a_redis() as started:
        yield started


def told(inbox: Inbox, what: str) -> Any:
    return wait_for(inbox.take, what)


def test_pages_and_samples_come_and_an_idle_connection_goes(
    server: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(peek, "IDLE_S", 0.2)
    inbox = Inbox()
    peeker = Peeker(inbox, Settings(broker=server.url()))
    with redis.Redis.from_url(server.url()) as client:
        client.lpush("emails", message("t1"), message("t2"))
        peeker.ask(Look("emails", count=10, sample=500))
        page, sample = told(inbox, "a page"), told(inbox, "a sample")
        assert isinstance(page, Peeked)
        assert isinstance(sample, Sampled)
        assert [one.id for one in page.messages] == ["t1", "t2"]
        assert sample.names == {"proj.work": 2}
        wait_for(lambda: len(client.client_list()) == 1, "the idle connection is let go")
        peeker.ask(Look("emails", End.TAIL, count=1))
        assert told(inbox, "a page after that").messages[0].id == "t2"
    peeker.stop()
    peeker.join(10)


def test_a_lost_broker_is_told_and_found_again(server: RedisServer) -> None:
    inbox = Inbox()
    peeker = Peeker(inbox, Settings(broker=server.url()))
    peeker.ask(Look("emails", count=10))
    assert told(inbox, "a page").total == 0
    server.kill()
    peeker.ask(Look("emails", End.TAIL, 20, 10))
    lost = told(inbox, "an error")
    assert (lost.queue, lost.end, lost.offset) == ("emails", End.TAIL, 20)
    assert lost.error
    server.start()
    peeker.ask(Look("emails", count=10))
    assert told(inbox, "a page again").error == ""
    peeker.stop()
    peeker.join(10)


def test_a_broker_that_cannot_be_looked_into_says_so() -> None:
    inbox = Inbox()
    peeker = Peeker(inbox, Settings(broker="sqs://guest:hunter2@"))
    peeker.ask(Look("emails", count=10))
    page = told(inbox, "an error")
    assert "sqs" in page.error
    assert "hunter2" not in page.error
    peeker.stop()
    peeker.join(10)


def test_who_turns_pages_fast_is_shown_the_last_one(server: RedisServer) -> None:
    inbox = Inbox()
    peeker = Peeker(inbox, Settings(broker=server.url()))
    with redis.Redis.from_url(server.url()) as client:
        client.lpush("emails", *(message() for _ in range(500)))
    for offset in range(0, 400, 10):
        peeker.ask(Look("emails", offset=offset, count=10))
    pages: list[Peeked] = []

    def last() -> bool:
        while (one := inbox.take()) is not None:
            assert isinstance(one, Peeked)
            pages.append(one)
        return bool(pages) and pages[-1].offset == 390

    began = time.monotonic()
    wait_for(last, "the last page")
    print(f"{len(pages)} of 40 pages were read in {time.monotonic() - began:.2f} s")
    peeker.stop()
    peeker.join(10)
