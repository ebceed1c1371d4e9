"""The filter of the task table finds what its rows show."""

from __future__ import annotations

from celery_tui.model.query import Query

from .recording import hear, new_cluster


def test_the_word_eta_finds_what_waits_for_its_time() -> None:
    cluster = new_cluster(0.0)
    hear(cluster, "task-received", 10, uuid="u1", name="pay.charge", eta="1970-01-01T00:01:00")
    hear(cluster, "task-received", 10, uuid="u2", name="pay.charge")
    query = Query()
    query.set_text("ETA")
    assert list(query.newest(cluster)) == ["u1"]
    cluster.now = 61.0
    query.set_text("eta")
    assert list(query.newest(cluster)) == []
