"""The result source looks up what is wanted, a little at a time, and nothing twice."""

import json
from typing import Any

import pytest
import redis

from celery_tui.backends.base import Fetched
from celery_tui.model.observations import Observation, ResultMeta, Results
from celery_tui.model.seam import Health, Link
from celery_tui.settings import Settings
from celery_tui.sources import results
from celery_tui.sources.inbox import Inbox
from celery_tui.sources.results import MOST_IDS, ResultSource
from tests.servers import RedisServer, wait_for


def source(**settings: Any) -> ResultSource:
    return ResultSource(Inbox(), Settings(**settings))


def drained(source: ResultSource) -> list[Observation]:
    told = []
    while (one := source.inbox.take()) is not None:
        told.append(one)
    return told


class FakeBackend:
    """Answers from a dict, and counts what it was asked for."""

    kind = "fake"

    def __init__(self, **states: str) -> None:
        self.states = states
        self.asked: list[list[str]] = []

    def fetch(self, ids: Any) -> Fetched:
        self.asked.append(list(ids))
        metas = tuple(ResultMeta(i, self.states[i]) for i in ids if i in self.states)
        return Fetched(metas, tuple(i for i in ids if i not in self.states))


def asked_again(one: ResultSource, backend: FakeBackend) -> list[Observation]:
    """What the next question brings."""
    ids = one.due()
    if ids:
        one._fetch(backend, ids)  # type: ignore[arg-type]
    return drained(one)


def test_a_settled_task_is_not_asked_for_again() -> None:
    one, backend = source(), FakeBackend(a="SUCCESS", b="STARTED", c="REVOKED", d="FAILURE")
    one.want(("a", "b", "c", "d"))
    asked_again(one, backend)
    asked_again(one, backend)
    assert backend.asked == [["a", "b", "c", "d"], ["b", "c"]]


def test_only_news_is_told() -> None:
    one, backend = source(), FakeBackend(a="STARTED")
    one.want(("a", "b"))
    (first,) = asked_again(one, backend)
    assert isinstance(first, Results)
    assert ([m.id for m in first.metas], first.missing) == (["a"], ("b",))
    assert asked_again(one, backend) == []
    backend.states |= {"a": "SUCCESS", "b": "STARTED"}
    (news,) = asked_again(one, backend)
    assert isinstance(news, Results)
    assert [(m.id, m.state) for m in news.metas] == [("a", "SUCCESS"), ("b", "STARTED")]


def test_who_left_the_screen_and_came_back_is_asked_for_anew() -> None:
    one, backend = source(), FakeBackend(a="SUCCESS")
    one.want(("a",))
    asked_again(one, backend)
    one.want(())
    assert one.due() == []
    one.want(("a",))
    assert one.due() == ["a"]


def test_many_ids_take_turns() -> None:
    one, backend = source(), FakeBackend()
    wanted = tuple(f"t{number}" for number in range(250))
    one.want(wanted)
    for _ in range(5):
        asked_again(one, backend)
    assert all(len(ids) <= MOST_IDS for ids in backend.asked)
    assert {i for ids in backend.asked[:3] for i in ids} == set(wanted)


def test_those_on_screen_are_asked_for_each_time_and_the_rest_in_turn() -> None:
    one, backend = source(), FakeBackend()
    rest = tuple(f"r{number}" for number in range(250))
    one.want(("shown", "r3"), rest)
    for _ in range(3):
        asked_again(one, backend)
    assert all(ids[:2] == ["shown", "r3"] and len(ids) <= MOST_IDS for ids in backend.asked)
    assert {i for ids in backend.asked for i in ids} == {"shown", *rest}


def test_what_settles_nothing_is_told_again_after_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    one, backend = source(), FakeBackend(a="SUCCESS", b="REVOKED")
    one.want(("a", "b", "c"))
    asked_again(one, backend)
    assert asked_again(one, backend) == []
    monkeypatch.setattr(results, "TELL_AGAIN_S", 0.0)
    (told,) = asked_again(one, backend)
    assert isinstance(told, Results)
    assert {meta.id for meta in told.metas} == {"a", "b"}
    assert told.missing == ("c",)


def test_a_stored_result_is_told(server: RedisServer) -> None:
    one = source(result_backend=server.url())
    one.start()
    with redis.Redis.from_url(server.url()) as client:
        client.set("celery-task-meta-t1", json.dumps({"status": "SUCCESS", "result": 3}))
    one.want(("t1", "t2"))
    told: list[Observation] = []

    def heard() -> list[Results]:
        told.extend(drained(one))
        return [each for each in told if isinstance(each, Results)]

    wait_for(lambda: any(found.missing for found in heard()), "what is missing is told")
    assert ResultMeta("t1", "SUCCESS", result="3") in {m for found in heard() for m in found.metas}
    assert {i for found in heard() for i in found.missing} == {"t2"}
    one.stop()
    one.join(10)


@pytest.mark.parametrize(
    ("url", "why"),
    [
        (None, "no result backend is named"),
        ("rpc://", "results of rpc:// can only be read by who sent the task"),
        (
            "dynamodb://u:hunter2@h/d",
            "results in dynamodb:// are not read: Celery's client makes a table where there is"
            " none, and we write nothing",
        ),
        (
            "s3://",
            "results in s3:// are not read: each would be a request of its own, every second",
        ),
        ("cassandra://u:hunter2@h", "results in cassandra:// are not read"),
        ("cache+memory://", "results in cache+memory:// lie in the memory of each process"),
        ("django-cache", "results in Django's cache are pickled, and pickle is never loaded"),
        ("proj.backends:Ours", "proj.backends:Ours is not read"),
        ("disabled://", "results are disabled"),
    ],
)
def test_a_backend_that_cannot_be_read_is_off_with_a_reason(url: str | None, why: str) -> None:
    one = source(result_backend=url)
    one.start()
    one.join(10)
    health = drained(one)[-1]
    assert isinstance(health, Health)
    assert (health.state, health.error) == (Link.OFF, why)


def test_a_backend_that_is_gone_is_lost() -> None:
    one = source(result_backend="redis://:hunter2@127.0.0.1:1/0")
    one.start()
    told: list[Observation] = []

    def lost() -> list[Health]:
        told.extend(drained(one))
        return [h for h in told if isinstance(h, Health) and h.state == Link.LOST]

    health = wait_for(lost, "lost")[0]
    assert "The result backend" in (health.error or "")
    assert "hunter2" not in f"{health.error} {health.hint}"
    one.stop()
    one.join(10)
