"""Purge and undo on a RabbitMQ with real workers: each task runs once, and the dialog says how."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from celery import Celery

from celery_tui.actions import progress
from celery_tui.brokers import rabbitmq_shelf
from celery_tui.brokers.rabbitmq_file import standing_of
from celery_tui.brokers.redis_keys import RECEIPTS
from celery_tui.links.amqp_link import AmqpLink
from celery_tui.model.queue import DOUBTFUL
from celery_tui.model.seam import Act, Stage, Target
from tests.actions.acting import Operator, ledger, request
from tests.brokers import rabbit_mover
from tests.rabbit import VirtualHost
from tests.servers import Worker, client, wait_for

WORK = Target("queue", "work")
CYCLES = 4


@pytest.fixture
def app(rabbit: VirtualHost) -> Iterator[Celery]:
    app = client(rabbit.url())
    yield app
    app.close()


def test_purge_and_undo_lose_and_double_nothing_while_workers_run(
    rabbit: VirtualHost, app: Celery, tmp_path: Path
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
    rabbit: VirtualHost, app: Celery, tmp_path: Path
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


def fill(app: Celery, queue: str, count: int) -> None:
    """So many tasks that nobody takes."""
    with app.producer_pool.acquire(block=True) as producer:
        for _ in range(count):
            app.send_task("sample.add", (1, 2), queue=queue, producer=producer)


def test_a_long_purge_and_undo_tell_how_far_they_are_and_stop_when_asked_to(
    rabbit: VirtualHost, app: Celery, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(progress, "EVERY_S", 0.0)
    fill(app, "long", 3_000)
    queue = Target("queue", "long")
    with Worker(rabbit.url(), queues=("other",)), Operator(rabbit.url()) as operator:
        asked = operator.act(Act.PURGE, queue)
        told = operator.outcome(asked, Stage.SENT)
        assert told.text.endswith("of 3,000 messages so far; Esc stops it")
        assert operator.monitor.halt()
        done = operator.outcome(asked, Stage.SEEN)
        assert done.text.endswith("moved to quarantine, then stopped; Z brings them back")
        moved = int(done.text.split()[0].replace(",", ""))
        assert 0 < moved < 3_000
        assert not operator.monitor.halt()
        assert done.undo is not None
        target = Target("queue", done.undo)
        back = operator.outcome(operator.act(Act.UNDO, target), Stage.SEEN)
        assert back.text.startswith(f"{moved:,} messages back in long")


def test_doubtful_messages_are_asked_about_before_they_are_sent_or_thrown_away(
    rabbit: VirtualHost, app: Celery
) -> None:
    with Worker(rabbit.url(), queues=("other",)), Operator(rabbit.url()) as operator:
        for act, words, left in (
            (Act.UNDO, "20 messages back in torn", 60),
            (Act.PURGE, "20 doubtful messages thrown away", 40),
        ):
            target = doubtful(rabbit, app, operator)
            dialog = operator.look(request(act, target))
            assert dialog.irreversible
            assert "20 doubtful messages" in dialog.title
            assert dialog.checks[0].text == "20 doubtful messages of torn"
            assert operator.outcome(operator.act(act, target), Stage.SEEN).text == words
            assert depth_of(app, "torn") == left
            again = operator.look(request(act, target))
            assert again.blocked or not again.checks[0].ok


def doubtful(rabbit: VirtualHost, app: Celery, operator: Operator) -> Target:
    """A purge of 40 messages that was killed in its first 20, and whose receipts are lost."""
    with app.connection_for_write() as connection:
        connection.default_channel.queue_declare("torn", durable=True, auto_delete=False)
        connection.default_channel.queue_purge("torn")
    fill(app, "torn", 40)
    words = (rabbit.url(), "torn", "", "acking", "1", "20")
    subprocess.run([sys.executable, "-m", rabbit_mover.__name__, *words], check=False)
    (path,) = rabbitmq_shelf.folder().glob("*.jsonl")
    with app.connection_for_write() as connection:
        connection.default_channel.queue_delete(f"{RECEIPTS}{path.stem}")
    wait_for(lambda: depth_of(app, "torn") == 40, "nothing was acknowledged")

    name = standing_of(path).name

    def shown() -> bool:
        queue = operator.cluster.queues.get(name)
        return queue is not None and queue.only_doubtful and queue.doubtful == 20

    operator.until(shown, "Queues shows them")
    return Target("queue", name, state=DOUBTFUL)


def depth_of(app: Celery, queue: str) -> int:
    with app.connection_for_read() as connection:
        told = connection.default_channel.queue_declare(queue, passive=True)
        return int(told.message_count)


def test_an_undo_says_from_where_if_that_may_be_another_broker(
    rabbit: VirtualHost, app: Celery, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(app, "moved", 2)
    with Worker(rabbit.url(), queues=("other",)), Operator(rabbit.url()) as operator:
        done = operator.outcome(operator.act(Act.PURGE, Target("queue", "moved")), Stage.SEEN)
        assert done.undo is not None
        target = Target("queue", done.undo)
        monkeypatch.setattr(AmqpLink, "place", "elsewhere:5672//")
        warnings = operator.look(request(Act.UNDO, target)).warnings
        assert f"127.0.0.1:{rabbit.port}" in warnings[-1]
        assert warnings[-1].endswith("make sure that this is the same broker.")
