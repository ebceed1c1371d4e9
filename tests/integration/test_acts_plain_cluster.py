"""Acts on a cluster with Celery's defaults: no events, no result backend, nothing extended."""

import json
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest
from celery import Celery

from celery_tui import actions
from celery_tui.actions.base import Context
from celery_tui.errors import ActionError
from celery_tui.model.seam import Act, Stage, Target
from celery_tui.settings import Settings
from tests.actions.acting import Operator, ledger, request
from tests.servers import RedisServer, Worker, client


@pytest.fixture(scope="module")
def redis_alone() -> Iterator[RedisServer]:
    with RedisServer(password="hunter2") as server:
        yield server


@pytest.fixture(scope="module")
def worker(redis_alone: RedisServer) -> Iterator[Worker]:
    with Worker(redis_alone.url(0), events=False, concurrency=2) as worker:
        yield worker


@pytest.fixture
def app(redis_alone: RedisServer) -> Iterator[Celery]:
    app = client(redis_alone.url(0))
    yield app
    app.close()


@pytest.fixture
def operator(redis_alone: RedisServer, worker: Worker) -> Iterator[Operator]:
    with Operator(redis_alone.url(0)) as operator:
        yield operator


def audit_lines(state_home: Path) -> list[dict[str, object]]:
    text = (state_home / "celery-tui" / "audit.jsonl").read_text()
    return [json.loads(line) for line in text.splitlines()]


def test_a_task_is_terminated_retried_and_written_down(
    app: Celery, operator: Operator, worker: Worker, state_home: Path
) -> None:
    sent = app.send_task("sample.slow", (60.0,))
    target = operator.sees(sent.id, "STARTED")

    ended = operator.act(Act.TERMINATE, target, reason="INC-4127 stuck")
    answered = operator.outcome(ended, Stage.ACKNOWLEDGED)
    assert answered.text.startswith("w1@test answered: signal sent to process")
    seen = operator.outcome(ended, Stage.SEEN)
    assert "no longer on w1@test" in seen.text
    assert seen.text.endswith("by inspect")
    assert f"end {sent.id}" not in ledger(worker.ledger)

    again = operator.act(
        Act.RETRY, target, edited={sent.id: ([4.0], {})}
    )  # long enough to be looked at
    arrived = operator.outcome(again, Stage.SEEN)
    new_id = str(arrived.new_id)
    assert "by inspect" in arrived.text
    operator.until(lambda: f"end {new_id}" in ledger(worker.ledger), "the copy has run")

    first, second = audit_lines(state_home)
    assert (first["act"], first["ids"], first["reason"]) == (
        "terminate",
        [sent.id],
        "INC-4127 stuck",
    )
    assert first["signal"] == "TERM"
    assert first["outcome"] == "1 acknowledged"
    assert "hunter2" not in json.dumps([first, second])
    assert str(first["broker"]).startswith("redis://:***@127.0.0.1:")
    assert second["replies"] == [
        {"id": sent.id, "stage": "sent", "text": second["replies"][0]["text"], "new_id": new_id}  # type: ignore[index]
    ]
    file = state_home / "celery-tui" / "audit.jsonl"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700


def test_a_revoked_task_in_a_queue_is_remembered_and_does_not_run(
    app: Celery, operator: Operator, worker: Worker
) -> None:
    for _ in range(2):
        app.send_task("sample.slow", (7.0,))
    victim = app.send_task("sample.slow", (0.1,))
    operator.until(
        lambda: (app.control.inspect(timeout=1.0).query_task(victim.id) or {}).get("w1@test"),
        "the worker holds the task",
    )
    # Pinned before the dashboard heard of it: the worker's word is enough.
    asked = operator.act(Act.REVOKE, Target("task", victim.id))
    waits = operator.outcome(asked, Stage.ACKNOWLEDGED, words="free slot")
    assert "waits on w1@test for a free slot and is dropped then" in waits.text
    last = operator.outcome(asked, Stage.NOT_CONFIRMED)
    assert last.text == "1 of 1 worker remember it; nobody has seen it dropped yet"
    assert f"start {victim.id}" not in ledger(worker.ledger)


def test_events_are_switched_on(app: Celery, operator: Operator, worker: Worker) -> None:
    target = Target("worker", worker.hostname)
    preview = operator.look(request(Act.EVENTS_ON, target))
    assert "It lasts until that worker restarts" in preview.facts[1]
    assert [check.text for check in preview.checks] == ["answers"]
    asked = operator.act(Act.EVENTS_ON, target)
    told = operator.outcome(asked, Stage.ACKNOWLEDGED)
    assert told.text == "task events enabled, until that worker restarts"
    sent = app.send_task("sample.add", (1, 2))
    operator.sees(sent.id, "SUCCESS")
    assert operator.cluster.workers[worker.hostname].events_enabled
    again = operator.act(Act.EVENTS_ON, target)
    assert "already enabled" in operator.outcome(again, Stage.ACKNOWLEDGED).text


def test_a_worker_that_is_not_there_does_not_confirm(operator: Operator) -> None:
    asked = operator.act(Act.EVENTS_ON, Target("worker", "nobody@nowhere"))
    assert operator.outcome(asked, Stage.NOT_CONFIRMED).text == "sent, it did not answer"


def test_an_audit_file_that_cannot_be_written_stops_nothing_and_is_told(
    app: Celery, operator: Operator, state_home: Path
) -> None:
    state_home.mkdir()
    (state_home / "celery-tui").write_text("in the way")
    asked = operator.act(Act.EVENTS_ON, Target("worker", "w1@test"))
    assert operator.outcome(asked, Stage.ACKNOWLEDGED)
    operator.until(
        lambda: any("audit line was not written" in line.text for line in operator.cluster.log),
        "the log tells it",
    )


def test_read_only_makes_no_context() -> None:
    settings = Settings(broker="redis://127.0.0.1:1/0", read_only=True)
    with pytest.raises(ActionError, match="Read-only"):
        Context(settings, connect=lambda: pytest.fail("nobody may connect"))


def test_acts_are_refused_while_the_broker_is_lost(own_redis: RedisServer) -> None:
    with Operator(own_redis.url(0)) as operator:
        own_redis.kill()
        operator.until(
            lambda: operator.cluster.live_since("events") is None, "the dashboard sees the loss"
        )
        asked = request(Act.PURGE, Target("queue", "work"))
        assert "The broker is lost" in actions.preview(asked, operator.cluster).blocked
        operator.monitor.perform(asked)
        assert "The broker is lost" in operator.outcome(asked, Stage.FAILED).text


def test_a_broker_that_dies_between_key_and_act_is_a_failed_outcome(
    own_redis: RedisServer, state_home: Path
) -> None:
    with Operator(own_redis.url(0)) as operator:
        own_redis.kill()
        asked = operator.act(Act.PURGE, Target("queue", "work"))
        failed = operator.outcome(asked, Stage.FAILED)
        assert "127.0.0.1" in failed.text or "broker" in failed.text
