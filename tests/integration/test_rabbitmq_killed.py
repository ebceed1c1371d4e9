"""Purges and undos on RabbitMQ by a dashboard that is killed at every point, while all goes on.

Workers take tasks and write down which, a producer sends more, and another process purges and
undoes for ever until it is killed; the next one goes on with what it left.
"""

from __future__ import annotations

import itertools
import random
import signal
import subprocess
import sys
import threading
import time
import uuid
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from celery import Celery

from celery_tui.brokers.rabbitmq import RabbitBroker
from celery_tui.links.site import Site
from tests.actions.acting import ledger
from tests.brokers import rabbit_mover
from tests.rabbit import VirtualHost
from tests.rounds import rounds
from tests.servers import Worker, client, wait_for

MOST = rounds(900, long=2_600)
ANYWHERE = rounds(4, long=10)
"""So many kills more, at any moment."""
MOVED_A_KILL = rounds(10, long=60)
"""Messages, at least; who is killed at the first time that a point is reached moves none."""
AHEAD = 800
"""So many tasks wait or are in quarantine as long as anybody purges."""
BYTES_OF_A_TASK = len(f"start {uuid.uuid4()}\nend {uuid.uuid4()}\n")
BATCH = 40
KILLS = [
    (point, times)
    for times in rounds((4,), long=(1, 3, 20))
    for point in (*rabbit_mover.OF_A_PURGE, *rabbit_mover.OF_AN_UNDO)
]
"""Messages are counted by their own: ``got`` and ``publishing`` are hit once for each."""


class Producer(threading.Thread):
    """Sends tasks: many at once, then as fast as they are run."""

    def __init__(self, app: Celery, queue: str, written: Path) -> None:
        super().__init__(daemon=True)
        self.sent: list[str] = []
        self.done = threading.Event()
        self._app, self._queue, self._written = app, queue, written

    def run(self) -> None:
        """Until there are enough of them and nobody wants more."""
        while len(self.sent) < MOST or not self.done.is_set():
            ran = self._written.stat().st_size // BYTES_OF_A_TASK
            if len(self.sent) - ran >= AHEAD:
                time.sleep(0.01)
                continue
            task = self._app.send_task("sample.slow", (0.004,), queue=self._queue)
            self.sent.append(str(task.id))


def killed_mover(rabbit: VirtualHost, queue: str, point: str, times: int) -> int:
    """Let one run until it is killed at that point; how many messages it had sent again."""
    if point in ("got", "publishing"):
        times = times * BATCH - BATCH // 2
    words = (rabbit.url(), queue, rabbit_mover.FOR_EVER, point, str(times), str(BATCH))
    done = subprocess.run(
        [sys.executable, "-m", rabbit_mover.__name__, *words],
        check=False,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == -signal.SIGKILL, (done.stdout[-300:], done.stderr)
    told = [0, *map(int, done.stdout.split()), 0]
    return sum(before for before, after in itertools.pairwise(told) if after < before)


def killed_somewhere(rabbit: VirtualHost, queue: str, seed: int) -> None:
    """Let one run, and kill it from outside at any moment after its first undo."""
    words = (rabbit.url(), queue, rabbit_mover.FOR_EVER, "nowhere", "1", str(BATCH))
    command = [sys.executable, "-m", rabbit_mover.__name__, *words]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as mover:
        assert mover.stdout is not None
        assert mover.stdout.readline()
        time.sleep(random.Random(seed).uniform(0.0, 0.3))
        mover.kill()


@contextmanager
def producing(app: Celery, queue: str, written: Path) -> Iterator[Producer]:
    producer = Producer(app, queue, written)
    producer.start()
    try:
        yield producer
    finally:
        producer.done.set()
        producer.join(60)


@pytest.mark.parametrize("kind", ["classic", "quorum"])
def test_a_dashboard_killed_anywhere_loses_and_doubles_no_task(
    rabbit: VirtualHost, tmp_path: Path, kind: str
) -> None:
    written = tmp_path / "ledger"
    written.touch()
    conf = f'{{"task_create_missing_queue_type": "{kind}"}}'
    app = client(rabbit.url(), task_create_missing_queue_type=kind)
    broker = RabbitBroker(Site(rabbit.url()))
    with Worker(rabbit.url(), queues=(kind,), ledger=written, env={"CT_CONF": conf}):
        with producing(app, kind, written) as producer:
            wait_for(lambda: len(producer.sent) >= AHEAD, "many wait")
            began = time.monotonic()
            moved = sum(killed_mover(rabbit, kind, *kill) for kill in KILLS)
            for seed in range(ANYWHERE):
                killed_somewhere(rabbit, kind, seed)
            print(f"[took] {len(KILLS) + ANYWHERE} kills: {time.monotonic() - began:.3f} s")
        for held in broker.quarantines():
            moved += broker.restore(held.name)
        sent = producer.sent
        doubtful = sum(held.doubtful for held in broker.quarantines())
        wait_for(lambda: len(ended(written)) >= len(sent) - doubtful, "all have run", 120)
    ran = Counter(ended(written))
    lost, twice = len(set(sent) - set(ran)), sum(count > 1 for count in ran.values())
    print(
        f"{kind}: sent {len(sent):,}, moved aside and back {moved:,}, "
        f"kills {len(KILLS) + ANYWHERE}, executed {len(ran):,}, lost {lost - doubtful}, "
        f"executed twice {twice}, doubtful {doubtful}"
    )
    assert moved > MOVED_A_KILL * (len(KILLS) + ANYWHERE)
    assert (lost, twice, doubtful) == (0, 0, 0)
    assert ran.keys() == set(sent)
    broker.close()
    app.close()


def ended(path: Path) -> list[str]:
    """Ids of the tasks that ran to their end, one for each time."""
    return [line.split()[1] for line in ledger(path) if line.startswith("end")]
