"""A look that is shorter than its sources take: it lasts until each has answered, or cannot."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.actions.acting import ledger
from tests.conftest import a_redis
from tests.report.test_status import looked
from tests.servers import RedisServer, Worker, client, wait_for

AT_ONCE_S = 0.0
"""Somebody who does not wait at all: as slow as sources are on a busy machine, for him they are."""


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[dict[str, Any], list[str]]]:
    """Where it is; what has ended, and what runs."""
    results = f"db+sqlite:///{Path(tmp_path_factory.mktemp('cold')) / 'results.sqlite'}"
    with a_redis() as server, Worker(server.url(), results) as worker:
        app = client(server.url(), results)
        ended = app.send_task("sample.add", (1, 2))
        wait_for(lambda: ended.state == "SUCCESS", "its result is stored")
        runs = app.send_task("sample.slow", (600,)).id
        app.send_task("sample.add", (1, 2), queue="emails")
        wait_for(lambda: f"start {runs}" in ledger(worker.ledger), "the task runs")
        yield {"broker": server.url(), "result_backend": results}, [ended.id, runs]
        app.close()
        worker.kill()


def test_all_sources_have_answered_however_short_the_look(
    cluster: tuple[dict[str, Any], list[str]],
) -> None:
    where, (ended, runs) = cluster
    _, out, err = looked(AT_ONCE_S, **where)
    told = json.loads(out)
    assert err == ""
    assert told["broker"]["state"] == told["result_backend"]["state"] == "live"
    assert [(one["id"], one["state"]) for one in told["tasks"]["recent"]] == [(ended, "SUCCESS")]
    assert [one["id"] for one in told["tasks"]["active"]] == [runs]
    (worker,) = told["workers"]
    assert (worker["state"], worker["queues"], worker["concurrency"]) == ("online", ["celery"], 2)
    assert {one["name"]: one["depth"] for one in told["queues"]} == {"celery": 0, "emails": 1}
    assert {one["rule"] for one in told["findings"]} == {"no-consumer"}


def test_a_source_that_never_answers_is_not_waited_for_for_ever(server: RedisServer) -> None:
    with a_redis() as hangs:
        hangs.pause()  # the system still lets somebody connect
        try:
            _, out, _ = looked(AT_ONCE_S, broker=server.url(), result_backend=hangs.url())
        finally:
            hangs.resume()
    told: dict[str, Any] = json.loads(out)
    assert told["broker"]["state"] == "live"
    assert told["result_backend"]["state"] in ("connecting", "lost")
    assert told["result_backend"]["recent"] is None
