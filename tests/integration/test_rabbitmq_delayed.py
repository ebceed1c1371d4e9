"""Celery's own delayed delivery: tasks that a purge took out of its queues run after an undo."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

from kombu.connection import Connection

from celery_tui.brokers.rabbitmq import RabbitBroker
from celery_tui.links.site import Site
from tests.actions.acting import ledger
from tests.rabbit import VirtualHost
from tests.servers import Worker, client, wait_for

CONF = {
    "task_default_queue": "orders",
    "task_default_queue_type": "quorum",
    "task_default_exchange_type": "topic",
}
COUNTDOWN_S = 10
"""8 and 2: each task waits in celery_delayed_3, then in celery_delayed_1."""
FIRST, SECOND = "celery_delayed_3", "celery_delayed_1"


def depth(rabbit: VirtualHost, queue: str) -> int:
    with Connection(rabbit.url()) as connection:
        return int(connection.channel().queue_declare(queue, passive=True).message_count)


def test_delayed_tasks_run_after_a_purge_and_its_undo(rabbit: VirtualHost, tmp_path: Path) -> None:
    written, env = tmp_path / "ledger", {"CT_CONF": json.dumps(CONF)}
    with (
        Worker(rabbit.url(), queues=("orders",), ledger=written, env=env),
        client(rabbit.url()) as app,
    ):
        app.conf.update(CONF)
        sent = [
            str(app.send_task("sample.slow", (0.0,), countdown=COUNTDOWN_S).id) for _ in range(12)
        ]
        wait_for(lambda: depth(rabbit, FIRST) == len(sent), "all are delayed")
        broker = RabbitBroker(Site(rabbit.url()), (), rabbit.management_url)
        before = broker.before_purge(FIRST)
        assert not before.sure, "each has one way back, to this queue"
        aside = broker.quarantine(FIRST)
        assert aside.moved == len(sent)
        ahead = broker.before_undo(aside.name)
        assert ahead.facts[0].startswith(f"{len(sent)} messages go back as they came")
        assert any("begins anew" in fact for fact in ahead.facts)
        assert broker.restore(aside.name) == len(sent)
        broker.close()
        wait_for(lambda: len(ledger(written)) >= 2 * len(sent), "all tasks have run", 90.0)
        ran = Counter(line.split()[1] for line in ledger(written) if line.startswith("start"))
    assert ran == Counter(sent)
    assert depth(rabbit, FIRST) == depth(rabbit, SECOND) == 0
