"""Tasks of workers that are gone, in the document and in plain text."""

from __future__ import annotations

from celery_tui.model.observations import RoundEnded, Unacknowledged
from celery_tui.monitor import Monitor
from celery_tui.report.document import document
from celery_tui.report.plain import lines
from celery_tui.settings import Settings
from tests.triage.clusters import heartbeat, live_cluster, task_event


def test_what_becomes_of_the_tasks_of_a_lost_worker_is_told() -> None:
    monitor = Monitor(Settings(broker="redis://127.0.0.1:1/0"), clock=lambda: 1_030.0)
    cluster = monitor.cluster = live_cluster(1_000.0)
    heartbeat(cluster, "w1@a", 1_001)
    task_event(cluster, "task-started", "t1", "w1@a", 1_002)
    cluster.apply(RoundEnded("ping", 1_010, 1_011.5, frozenset(), receivers=0))
    for now in (1_012, 1_016):
        cluster.tick(now)
    cluster.apply(Unacknowledged(1_017, {"t1": 1_002.0}))
    told = document(monitor)
    (task,) = told["tasks"]["left_behind"]
    assert (task["id"], task["state"], task["back_at"]) == ("t1", "UNKNOWN", 4_602.0)
    assert (task["source"], task["as_of"]) == ("inspect", 1_017)
    assert told["tasks"]["unknown"][0]["verdict"] == task["verdict"]
    (worker,) = told["workers"]
    assert (worker["state"], worker["pids"]) == ("lost", [4410])
    assert worker["left"] == {
        "how": "lost", "pid": 4410, "at": 1_012, "running": ["t1"], "held": [],
    }  # fmt: skip
    text = "\n".join(lines(told))
    assert "Left behind by workers that are gone (1)" in text
    assert "lost with w1@a (pid 4410); its message is unacknowledged and comes back" in text
    assert "(visibility timeout ~1 h), in 59m32s" in text
