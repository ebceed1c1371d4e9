"""Purge and undo, against real workers that go on working: nothing is lost, nothing doubled."""

import threading
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis
from celery import Celery

from celery_tui.model.seam import Act, ActionRequest, Stage, Target
from tests.actions.acting import Operator, ledger, request
from tests.servers import RedisServer, Worker, client, wait_for

CYCLES = 6
QUEUE = Target("queue", "work")


@pytest.fixture
def app(own_redis: RedisServer) -> Iterator[Celery]:
    app = client(own_redis.url(0))
    yield app
    app.close()


class Producer(threading.Thread):
    """Sends tasks until told to stop, at three priorities."""

    def __init__(self, app: Celery) -> None:
        super().__init__(name="producer")
        self.app = app
        self.ids: list[str] = []
        self.enough = threading.Event()

    def run(self) -> None:
        """Bursts of 50, faster than the workers on any machine."""
        while not self.enough.is_set():
            for number in range(50):
                options = {"queue": "work", "priority": (0, 3, 9)[number % 3]}
                self.ids.append(str(self.app.send_task("sample.slow", (0.02,), **options).id))
            self.enough.wait(0.02)


def waiting(broker: str) -> int:
    """Messages in the lists of all priorities."""
    with redis.Redis.from_url(broker) as connection:
        return sum(int(str(connection.llen(name))) for name in connection.scan_iter("work*"))


def purge_and_undo(operator: Operator) -> int:
    """One cycle; how many messages it moved there and back."""
    purged = operator.act(Act.PURGE, QUEUE)
    done = operator.outcome(purged, Stage.SEEN, Stage.DONE_ELSEWHERE)
    if done.undo is None:
        return 0
    undone = operator.act(Act.UNDO, Target("queue", done.undo))
    back = operator.outcome(undone, Stage.SEEN)
    moved, returned = done.text.split()[0], back.text.split()[0]
    assert moved == returned, (done.text, back.text)
    return int(moved.replace(",", ""))


def test_purge_and_undo_lose_and_double_nothing_while_workers_run(
    own_redis: RedisServer, app: Celery, tmp_path: Path
) -> None:
    broker, written = own_redis.url(0), tmp_path / "ledger"
    one = Worker(broker, queues=("work",), name="w1", events=False, ledger=written)
    two = Worker(broker, queues=("work",), name="w2", events=False, ledger=written)
    producer = Producer(app)
    with one, two, Operator(broker) as operator:
        producer.start()
        try:
            operator.until(
                lambda: (q := operator.cluster.queues.get("work")) and q.depth, "work piles up"
            )
            moved = []
            for _ in range(CYCLES):
                operator.until(lambda: waiting(broker) > 300, "more than 300 wait")
                moved.append(purge_and_undo(operator))
        finally:
            producer.enough.set()
            producer.join()
        print("messages moved in each cycle:", moved, "sent:", len(producer.ids))
        assert min(moved) > 100
        wanted = len(producer.ids)
        wait_for(lambda: len(ledger(written)) >= 2 * wanted, "every task has run", 120)
        operator.until(
            lambda: operator.cluster.queues["work"].depth == 0, "the queue is shown empty"
        )
    ran = Counter(line.split()[1] for line in ledger(written) if line.startswith("start"))
    assert set(ran) == set(producer.ids)
    assert set(ran.values()) == {1}


def test_a_purged_queue_can_be_brought_back_without_naming_it(
    own_redis: RedisServer, app: Celery
) -> None:
    for number in range(1_200):
        app.send_task("sample.echo", (number,), queue="work", priority=number % 10)
    with Operator(own_redis.url(0)) as operator:
        operator.until(lambda: "work" in operator.cluster.queues, "the queue is found")
        asked = request(Act.PURGE, QUEUE)
        preview = operator.look(asked)
        assert [check.text for check in preview.checks] == ["1,200 messages waiting now"]
        operator.monitor.perform(asked)
        done = operator.outcome(asked, Stage.SEEN)
        assert done.text.startswith("1,200 messages moved to quarantine")
        operator.until(
            lambda: operator.cluster.queues["work"].depth == 0, "the queue is shown empty"
        )
        operator.until(
            lambda: operator.cluster.queues[str(done.undo)].quarantine, "the quarantine is shown"
        )
        undo = request(Act.UNDO)
        seen = operator.look(undo)
        assert seen.checks[0].target == Target("queue", str(done.undo), where="work")
        operator.monitor.perform(undo)
        back = operator.outcome(undo, Stage.SEEN)
        assert back.text == "1,200 messages back in work"
        operator.until(
            lambda: operator.cluster.queues["work"].depth == 1_200, "the queue is shown full"
        )
        nothing_left(operator, request(Act.UNDO, Target("queue", str(done.undo))))


def nothing_left(operator: Operator, asked: ActionRequest) -> None:
    assert "Nothing is left" in operator.look(asked).blocked
    operator.monitor.perform(asked)
    assert "Nothing is left" in operator.outcome(asked, Stage.FAILED).text


def test_what_a_worker_holds_survives_a_purge_and_the_dialog_says_so(
    own_redis: RedisServer, app: Celery
) -> None:
    broker = own_redis.url(0)
    with Worker(broker, queues=("work",), concurrency=1) as worker, Operator(broker) as operator:
        held = [app.send_task("sample.echo", (n,), queue="work", countdown=4) for n in range(3)]
        for one in held:
            operator.sees(one.id, "RECEIVED")
        preview = operator.look(request(Act.PURGE, QUEUE))
        assert "What workers hold already (prefetched, ETA, running)" in preview.warnings[0]
        asked = operator.act(Act.PURGE, QUEUE)
        nothing = operator.outcome(asked, Stage.DONE_ELSEWHERE)
        assert nothing.text == "it was empty: nothing was moved"
        for one in held:
            operator.sees(one.id, "SUCCESS")
        assert len(ledger(worker.ledger)) == 3


def test_the_dialog_tells_an_empty_queue_from_an_unknown_depth(own_redis: RedisServer) -> None:
    with Operator(own_redis.url(0)) as operator:
        (check,) = operator.look(request(Act.PURGE, QUEUE)).checks
        assert (check.ok, check.text) == (False, "0 messages waiting now")


def test_an_empty_broker_has_nothing_to_undo(own_redis: RedisServer) -> None:
    with Operator(own_redis.url(0)) as operator:
        asked = operator.act(Act.UNDO)
        assert "There is nothing to undo" in operator.outcome(asked, Stage.FAILED).text
