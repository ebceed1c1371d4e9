"""What is said of a worker: how it came, what it lacks, what it ran when it was lost."""

from __future__ import annotations

import pytest

from celery_tui.columns.base import View, learning
from celery_tui.columns.findings import AttentionRows
from celery_tui.columns.tasks import tries_cell
from celery_tui.columns.workers import (
    HOME,
    WorkerRows,
    autoscale_cell,
    conf_cells,
    held_cell,
    lacks_cell,
    note,
    uptime_cell,
)
from celery_tui.model.cluster import Cluster
from celery_tui.model.observations import Reply, RoundEnded
from celery_tui.model.worker import Worker
from celery_tui.screens.worker import facts
from tests.model.recording import hear, new_cluster

W1, W2 = "w1@a", "w2@a"


@pytest.fixture
def cluster() -> Cluster:
    cluster = new_cluster(100.0)
    for hostname in (W1, W2):
        beat(cluster, 101, hostname)
    return cluster


def beat(cluster: Cluster, at: float, hostname: str = W1, pid: int = 100) -> None:
    hear(cluster, "worker-heartbeat", at, hostname=hostname, pid=pid, freq=2.0, active=0)


def answer(cluster: Cluster, question: str, payload: object, hostname: str = W1) -> Worker:
    cluster.apply(Reply(question, hostname, payload, 102.0, 102.0))
    return cluster.workers[hostname]


def text(worker: Worker, view: View) -> str:
    return "\n".join("".join(part for part, _ in line.left) for line in facts(worker, view, 120))


def test_a_restart_is_news_for_a_while(cluster: Cluster) -> None:
    beat(cluster, 140, pid=7)
    worker = cluster.workers[W1]
    assert note(worker, View(142.0, cluster)) == "restarted 2s ago (pid 100 to 7)"
    beat(cluster, 500, pid=7)
    assert note(worker, View(501.0, cluster)) == ""


def test_a_reconnect_says_that_it_is_the_same_process(cluster: Cluster) -> None:
    hear(cluster, "worker-online", 140, freq=2.0)
    worker = cluster.workers[W1]
    assert note(worker, View(142.0, cluster)) == "reconnected 2s ago, same process"


def test_all_are_heard_only_if_none_has_stopped(cluster: Cluster) -> None:
    rows = WorkerRows(HOME, titled=True)
    assert rows.head(View(103.0, cluster)).note == "all heard"
    hear(cluster, "worker-offline", 102, hostname=W2, pid=100)
    head = rows.head(View(103.0, cluster))
    assert (head.note, head.note_style) == ("1 stopped", "dim")


def test_tasks_that_others_of_the_same_queue_know_are_named(cluster: Cluster) -> None:
    for hostname, names in ((W1, ["a.one"]), (W2, ["a.one", "pay.capture [rate_limit=1/m]"])):
        answer(cluster, "active_queues", [{"name": "q"}], hostname)
        answer(cluster, "registered", names, hostname)
    one, two = (cluster.workers[name] for name in (W1, W2))
    view = View(103.0, cluster)
    assert note(one, view) == "lacks pay.capture"
    assert note(two, view) == ""
    assert lacks_cell(one, view) == ("1 that others of its queues know: pay.capture", "warn")
    assert "lacks 1 that others of its queues know: pay.capture" in text(one, view)
    assert "lacks" not in text(two, view)
    hear(cluster, "worker-offline", 103, hostname=W2, pid=100)
    assert note(one, View(103.0, cluster)) == ""


def test_workers_of_different_queues_may_know_different_tasks(cluster: Cluster) -> None:
    for hostname, queue, name in ((W1, "q", "a.one"), (W2, "p", "b.two")):
        answer(cluster, "active_queues", [{"name": queue}], hostname)
        answer(cluster, "registered", [name], hostname)
    assert note(cluster.workers[W1], View(103.0, cluster)) == ""


def test_autoscale_and_configuration_are_told_or_unknown(cluster: Cluster) -> None:
    view = View(103.0, cluster)
    worker = cluster.workers[W1]
    assert autoscale_cell(worker, view)[0] == "?"
    assert [cell[0] for _, cell in conf_cells(worker, view)] == ["?", "?"]
    answer(cluster, "stats", {"autoscaler": {"min": 2, "max": 8, "current": 3}})
    answer(cluster, "conf", {"broker_transport_options": {"visibility_timeout": 600}})
    assert autoscale_cell(worker, view)[0] == "2 to 8"
    assert [cell[0] for _, cell in conf_cells(worker, view)] == [
        "10m00s",
        "no, unless a task says so",
    ]
    answer(cluster, "stats", {})
    assert autoscale_cell(worker, view)[0] == "-"


def test_what_it_holds_is_marked_when_a_part_of_it_was_told_long_ago(cluster: Cluster) -> None:
    answer(cluster, "reserved", [{"id": "t1"}])
    worker = answer(cluster, "scheduled", [{"eta": None, "request": {"id": "t2"}}])
    beat(cluster, 130)
    assert held_cell(worker, View(103.0, cluster))[0] == "2"
    assert held_cell(worker, View(131.0, cluster))[0] == "~2"


def test_how_often_a_task_was_tried_is_unknown_where_only_inspect_tells_of_it(
    cluster: Cluster,
) -> None:
    answer(cluster, "active", [{"id": "t1", "name": "n", "time_start": 90.0}])
    view = View(103.0, cluster)
    assert tries_cell(cluster.tasks["t1"], view)[0] == "?"
    hear(cluster, "task-received", 102, uuid="t2", name="n", retries=0)
    assert tries_cell(cluster.tasks["t2"], view)[0] == "0"


def test_the_uptime_of_a_worker_that_is_lost_counts_no_further(cluster: Cluster) -> None:
    worker = answer(cluster, "stats", {"uptime": 60})
    assert uptime_cell(worker, View(105.0, cluster))[0] == "1m03s"
    cluster.apply(RoundEnded("ping", 120.0, 121.5, frozenset(), receivers=0))
    assert uptime_cell(worker, View(300.0, cluster))[0] == "(1m00s)"


def test_nobody_says_that_nothing_is_wrong_while_we_learn(cluster: Cluster) -> None:
    rows = AttentionRows(lambda: ())
    early, later = View(102.0, cluster), View(111.0, cluster)
    assert (learning(early), learning(later)) == (True, False)
    assert rows.empty(early)[0][0] == "Nothing is wrong so far."
    assert rows.empty(later)[0][0] == "✓ Nothing needs you."
