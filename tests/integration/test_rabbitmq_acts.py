"""Purge and undo on a RabbitMQ with real workers: each task runs once, and the dialog says how."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from celery import Celery

from celery_tui.model.seam import Act, Stage, Target
from tests.actions.acting import Operator, ledger, request
from tests.rabbit import RabbitServer
from tests.servers import Worker, client

WORK = Target("queue", "work")
CYCLES = 4


@pytest.fixture
def app(rabbit: RabbitServer) -> Iterator[Celery]:
    app = client(rabbit.url())
    yield app
    app.close()


def test_purge_and_undo_lose_and_double_nothing_while_workers_run(
    rabbit: RabbitServer, app: Celery, tmp_path: Path
) -> None:
    written = tmp_path / "ledger"
    sent: list[str] = []
    with (
        Worker(rabbit.url(), queues=("work",), ledger=written),
        Operator(rabbit.url()) as operator,
    ):
        moved = 0
        for _ in range(CYCLES):
            for _ in range(300):
                sent.append(str(app.send_task("sample.slow", (0.002,), queue="work").id))
            purged = operator.act(Act.PURGE, WORK)
            done = operator.outcome(purged, Stage.SEEN, Stage.DONE_ELSEWHERE)
            if done.undo is None:
                continue
            moved += int(done.text.split()[0].replace(",", ""))
            operator.outcome(operator.act(Act.UNDO, Target("queue", done.undo)), Stage.SEEN)
        operator.until(lambda: len(ledger(written)) >= 2 * len(sent), "all tasks have run")
        lines = ledger(written)
    assert Counter(line.split()[1] for line in lines if line.startswith("start")) == Counter(sent)
    print(f"moved {moved} of {len(sent)}")


def test_the_dialogs_say_what_a_purge_does_here(
    rabbit: RabbitServer, app: Celery, tmp_path: Path
) -> None:
    queue = Target("queue", "idle")
    app.send_task("sample.add", (1, 2), queue="idle")
    with Worker(rabbit.url(), queues=("other",)), Operator(rabbit.url()) as operator:
        operator.until(lambda: "other" in operator.cluster.queues, "queues are seen")
        purge = operator.look(request(Act.PURGE, queue))
        assert "taken into a file here" in purge.facts[0]
        assert "arguments" in purge.warnings[0]
        done = operator.outcome(operator.act(Act.PURGE, queue), Stage.SEEN)
        assert done.text.startswith("1 message moved to quarantine")
        assert done.undo is not None
        operator.until(lambda: done.undo in operator.cluster.queues, "the quarantine is listed")
        assert operator.cluster.queues[done.undo].quarantine
        undo = operator.look(request(Act.UNDO, Target("queue", done.undo)))
        assert "to the new end of their queue" in undo.facts[0]
