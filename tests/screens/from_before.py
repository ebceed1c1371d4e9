"""Attached to a cluster that has been running: results are being looked for, and were found."""

from __future__ import annotations

from celery_tui.model.cluster import Cluster
from celery_tui.model.observations import ResultMeta, Results, ResultsLookedThrough
from tests.screens.sample import NOW, events, live, moves, online, task_id

STATES = ("SUCCESS", "SUCCESS", "FAILURE", "SUCCESS", "REVOKED", "RETRY")


def searching() -> Cluster:
    """Nothing moves, and a large result backend is being looked through."""
    cluster = Cluster(NOW - 20)
    live(cluster, NOW - 19)
    online(cluster)
    cluster.apply(ResultsLookedThrough(NOW - 1, 430_000, 1_000_000))
    return cluster


def found() -> Cluster:
    """Tasks that moved while we looked, above those that ended before; some cannot be read."""
    cluster = Cluster(NOW - 60)
    live(cluster, NOW - 59)
    for happened in moves():
        events(cluster, happened)
    online(cluster)
    metas = tuple(_stored(number) for number in range(30))
    cluster.apply(Results(NOW - 40, metas))
    unread = {"pickle": 3, "too large": 1}
    cluster.apply(ResultsLookedThrough(NOW - 40, 34, 34, len(metas), unread, done=True))
    return cluster


def _stored(number: int) -> ResultMeta:
    state = STATES[number % len(STATES)]
    extended = number % 2 == 0
    return ResultMeta(
        task_id(900 + number),
        state,
        exception="Timeout('crm.example')" if state in ("FAILURE", "RETRY") else None,
        date_done=None if state == "RETRY" else NOW - 600 - 37 * number,
        name="crm.push" if extended else None,
        args=[number] if extended else None,
        kwargs={"cur": "EUR"} if extended else None,
        worker="crm-worker@demo" if extended else None,
        queue="crm" if extended else None,
    )
