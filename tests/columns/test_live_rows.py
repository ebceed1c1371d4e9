"""Live state changes: that nothing moved is only said where it could have been heard."""

from __future__ import annotations

import pytest

from celery_tui.columns.base import View
from celery_tui.columns.live import LiveRows
from celery_tui.model.cluster import Cluster
from tests.triage.clusters import ATTACHED, heartbeat


@pytest.mark.parametrize(
    ("enabled", "words"),
    [
        (False, "? task events are off: most changes of state are not seen"),
        (None, "no task has changed its state since we attached"),
        (True, "no task has changed its state since we attached"),
    ],
)
def test_where_task_events_are_off_it_is_not_said_that_nothing_has_moved(
    enabled: bool | None, words: str
) -> None:
    cluster = Cluster(ATTACHED)
    heartbeat(cluster, "w1@host", ATTACHED)
    cluster.workers["w1@host"].events_enabled = enabled
    ((said, _),) = LiveRows().empty(View(ATTACHED, cluster))
    assert said == words
