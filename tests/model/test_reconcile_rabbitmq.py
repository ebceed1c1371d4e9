"""What becomes of tasks on RabbitMQ: it takes back at once what a closed connection held."""

from __future__ import annotations

from celery_tui.columns.base import View
from celery_tui.columns.tasks import becomes_cell
from celery_tui.model.cluster import Cluster
from celery_tui.model.observations import QueueDepth, QueueDepths, Reply, Results, RoundEnded
from celery_tui.model.reconcile import GRACE_S
from celery_tui.model.seam import Health, Link
from celery_tui.model.task import UNKNOWN
from celery_tui.model.worker import BLOCKED, LOST

from .recording import hear
from .test_reconcile import W1, beat, listed, receive, start, watching


def on_rabbitmq() -> Cluster:
    cluster = watching()
    cluster.is_amqp = True
    return cluster


def silent(cluster: Cluster, at: float, *standing: str) -> None:
    """A ping was not answered; of whom the mailbox still has its consumer."""
    ended = RoundEnded("ping", at - 1.5, at, frozenset(), standing=frozenset(standing))
    cluster.apply(ended)
    cluster.tick(at)
    cluster.tick(at + GRACE_S)


def test_what_was_not_acknowledged_went_back_at_once() -> None:
    cluster = on_rabbitmq()
    beat(cluster, 101)
    for task_id in ("early", "late", "untold"):
        start(cluster, task_id, 102)
    receive(cluster, "held", 102)
    listed(cluster, "active", 103, "early", acknowledged=True)
    cluster.workers[W1].acknowledged = {"early": True, "late": False}
    silent(cluster, 110)
    tasks, view = cluster.tasks, View(113.0, cluster)
    words = {name: (tasks[name].verdict or "").partition("; ")[2] for name in tasks}
    assert words == {
        "early": "its message was acknowledged and does not come back",
        "late": "its message went back to its queue at once",
        "untold": "its message went back to its queue only with acks_late",
        "held": "its message went back to its queue at once",
    }
    states = {name: tasks[name].state for name in tasks}
    assert states == {"early": UNKNOWN, "late": UNKNOWN, "untold": UNKNOWN, "held": "PENDING"}
    assert becomes_cell(tasks["held"], view)[0] == "in its queue again"
    assert becomes_cell(tasks["early"], view)[0] == "gone"
    # Nobody could answer: RabbitMQ does not list what is unacknowledged.
    assert cluster.reconciler.sought() == ()


def test_who_has_a_mailbox_is_blocked_and_who_has_none_is_lost() -> None:
    cluster = on_rabbitmq()
    beat(cluster, 101)
    beat(cluster, 101, hostname="w2@a")
    silent(cluster, 110, W1)
    states = {name: cluster.state_of(worker, 113) for name, worker in cluster.workers.items()}
    assert states == {W1: BLOCKED, "w2@a": LOST}
    silent(cluster, 120)
    assert cluster.state_of(cluster.workers[W1], 123) == LOST


def test_what_was_purged_is_gone_once_every_consumer_has_told_what_it_holds() -> None:
    cluster = on_rabbitmq()
    for source in ("queues", "results"):
        cluster.apply(Health(source, Link.LIVE, 100.0))
    hear(cluster, "task-sent", 101, uuid="t1", name="n", queue="q", hostname="gen1@web")
    cluster.apply(Reply("active_queues", W1, [{"name": "q"}], 101, 101.1))

    def seconds(begin: int, end: int, *answered: str) -> None:
        for now in range(begin, end):
            beat(cluster, now)
            cluster.apply(QueueDepths(now, {"q": QueueDepth(0, {})}))
            for question in ("active", "reserved", "scheduled"):
                cluster.apply(RoundEnded(question, now - 0.1, now, frozenset(answered)))
            cluster.apply(Results(now, (), tuple(cluster.unsettled(now, 10))))
            cluster.tick(now)

    seconds(102, 120)
    assert cluster.tasks["t1"].state == "PENDING"
    seconds(120, 130, W1)
    assert cluster.tasks["t1"].state == UNKNOWN
    assert (cluster.tasks["t1"].verdict or "").startswith("gone from its queue")


def test_of_two_processes_of_one_name_one_answers_and_nothing_is_missed_by_that() -> None:
    cluster = on_rabbitmq()
    for second in range(101, 111):
        beat(cluster, second, pid=100 + second % 2, active=1)
    for task_id, pid in (("a", 100), ("b", 101)):
        start(cluster, task_id, 110, pid=pid)
    for second in range(111, 141):
        beat(cluster, second, pid=100 + second % 2, active=1)
        listed(cluster, "active", second + 0.5, "ab"[second // 5 % 2])
    worker = cluster.workers[W1]
    assert worker.duplicate_name
    assert [cluster.tasks[i].state for i in ("a", "b")] == ["STARTED", "STARTED"]
    assert (worker.running, worker.held, worker.busy) == (None, None, 2)


def test_a_queue_whose_worker_stopped_before_it_was_read_is_asked_for_all_the_same() -> None:
    cluster = on_rabbitmq()
    beat(cluster, 101)
    cluster.apply(Reply("active_queues", W1, [{"name": "q"}], 101, 101.1))
    hear(cluster, "worker-offline", 102, hostname=W1, pid=100)
    assert cluster.queue_news.told(cluster.workers.values(), 103) == {"q"}
    cluster.apply(QueueDepths(104, {"q": QueueDepth(2, {})}))
    assert cluster.queue_news.told(cluster.workers.values(), 105) == set()
