"""Without events the backend and the workers' answers tell how tasks ended, as the ledger says."""

import time
from collections.abc import Iterator
from uuid import uuid4

import pytest

from celery_tui.columns.base import View
from celery_tui.model import stored
from celery_tui.model.task import (
    BACKEND,
    FAILURE,
    MISSING,
    RECEIVED,
    REVOKED,
    STARTED,
    SUCCESS,
    UNKNOWN,
    Task,
)
from celery_tui.report.document import document
from celery_tui.screens.task_page import task_lines
from tests.actions.acting import Operator
from tests.integration.shop import Shop, a_shop
from tests.servers import wait_for

PROJECT = """
import time
from celery import chord, signature
from celery.exceptions import Ignore
from sample import app, _write

app.conf.result_extended = True
app.conf.worker_prefetch_multiplier = 4

@app.task(bind=True, name="shop.ignored")
def ignored(self, seconds):
    time.sleep(seconds)
    _write(f"ignored {self.request.id}")
    raise Ignore()

@app.task(name="shop.flow")
def flow(parts, body):
    header = [signature("sample.add", (1, 2), app=app, task_id=parts[0]),
              signature("sample.fail", ("no",), app=app, task_id=parts[1])]
    chord(header, app=app)(total.s().set(task_id=body))

@app.task(name="shop.total")
def total(parts):
    _write("total")
    return sum(parts)
"""
SEEN_S = 9.0
"""Long enough to be listed by inspect, which asks every 5 s."""


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    with a_shop(tmp_path_factory.mktemp("project"), PROJECT, events=False) as started:
        yield started


def reaches(operator: Operator, task_id: str, state: str, verdict: str | None = None) -> Task:
    """The task, once it has that state, and that verdict."""
    tasks = operator.cluster.tasks

    def there() -> bool:
        task = tasks.get(task_id)
        return task is not None and task.state == state and verdict in (None, task.verdict)

    operator.until(there, f"{state} {verdict or ''}", 90)
    return tasks[task_id]


def page(operator: Operator, task: Task) -> str:
    """What its page says."""
    lines = task_lines(task, View(time.time(), operator.cluster), 120, False)
    return "\n".join("".join(text for text, _ in line.left) for line in lines)


def test_the_end_of_a_task_that_no_event_told_is_a_verdict(shop: Shop) -> None:
    with Operator(shop.broker, shop.backend) as operator:
        ignored = shop.send("shop.ignored", SEEN_S)
        done = shop.send("sample.slow", SEEN_S)
        assert reaches(operator, ignored, STARTED).name == "shop.ignored"
        reaches(operator, done, STARTED)
        one = reaches(operator, done, SUCCESS, "succeeded (result backend, no event)")
        assert f"end {done}" in shop.ran
        assert (one.source, one.result) == (BACKEND, repr(SEEN_S))
        other = reaches(operator, ignored, UNKNOWN, MISSING)
        assert f"ignored {ignored}" in shop.ran
        assert f"! {MISSING}" in page(operator, other)
        assert "! succeeded (result backend, no event)" in page(operator, one)
        told = document(operator.monitor)["tasks"]
        (found,) = [task for task in told["recent"] if task["id"] == done]
        assert found["verdict"] == "succeeded (result backend, no event)"
        assert (found["source"], found["as_of"]) == (BACKEND, one.as_of)
        assert [task["verdict"] for task in told["unknown"] if task["id"] == ignored] == [MISSING]


def test_expired_is_proof_and_revoked_is_not(shop: Shop) -> None:
    busy = [shop.send("sample.slow", SEEN_S) for _ in range(2)]
    wait_for(lambda: all(f"start {i}" in shop.ran for i in busy), "both slots are busy")
    expired = shop.send("sample.echo", "late", expires=2)
    eta = shop.send("sample.echo", "eta", countdown=600)
    with Operator(shop.broker, shop.backend) as operator:
        waiting = reaches(operator, expired, RECEIVED)
        assert reaches(operator, eta, RECEIVED).eta
        shop.app.control.revoke(eta, reply=True, timeout=5, limit=1)
        assert reaches(operator, eta, RECEIVED, stored.NOT_PROVEN).final is False
        waiting = reaches(operator, expired, REVOKED, stored.EXPIRED)
        assert waiting.expired
        assert waiting.proven
    assert not [line for line in shop.ran if expired in line or eta in line]


def test_the_parts_of_a_chord_whose_header_failed_are_found_and_the_body_never_ran(
    shop: Shop,
) -> None:
    parts = [str(uuid4()) for _ in range(2)]
    body = str(uuid4())
    flow = shop.send("shop.flow", parts, body)
    wait_for(lambda: shop.app.backend.get_state(body) == FAILURE, "Celery fails the body")
    with Operator(shop.broker, shop.backend) as operator:
        ended = reaches(operator, body, FAILURE, stored.NEVER_RAN)
        assert "ChordError" in (ended.exception or "")
        assert reaches(operator, parts[0], SUCCESS).group_id is not None
        assert reaches(operator, parts[1], FAILURE).exception == "ValueError('no')"
        told = page(operator, operator.cluster.tasks[parts[1]])
        rows = told[told.index("Family") :].splitlines()[1:]
        assert len(rows) == 4, told
        below = rows.index(next(row for row in rows if "this one" in row)) + 1
        assert body[:8] in rows[below], told
        assert "ChordError" in rows[below]
        words = ("shop.flow", "sample.add", "sample.fail")
        assert all(any(word in row for row in rows) for word in words), told
        assert operator.cluster.tasks[flow].state == SUCCESS
        assert operator.cluster.rates.failed.total == 0  # it was long before we came
    assert "total" not in shop.ran


def test_an_id_that_is_sent_again_is_not_what_it_was_before(shop: Shop) -> None:
    again = shop.send("sample.fail", "first")
    wait_for(lambda: shop.app.backend.get_state(again) == FAILURE, "it failed")
    time.sleep(stored.SAME_CLOCK_S + 1)
    with Operator(shop.broker, shop.backend) as operator:
        old = reaches(operator, again, FAILURE)
        assert old.serial < 0
        shop.app.send_task("sample.slow", (SEEN_S,), task_id=again)
        # Inspect lists it; what is stored is still of the run before.
        wait_for(lambda: f"start {again}" in shop.ran, "it runs again")
        fresh = Operator(shop.broker, shop.backend)
        with fresh:
            assert reaches(fresh, again, STARTED).exception is None
            done = reaches(fresh, again, SUCCESS)
            assert done.verdict == "succeeded (result backend, no event)"
    assert f"end {again}" in shop.ran
