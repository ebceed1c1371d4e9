"""The recorded event stream of a real cluster, and the folding of events in tests.

Two workers (prefork, threads), retries, chains, a chord, ETA, expiry, revokes, a SIGKILLed
worker, a restarted one, a broker outage: 2,436 events, one JSON object a line with ``t`` the
arrival (epoch seconds) and ``ev`` the event.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from celery_tui.model.cluster import Cluster
from celery_tui.model.events import Event, decode
from celery_tui.model.observations import EventBatch
from celery_tui.model.seam import Health, Link

PATH = Path(__file__).parent.parent / "data" / "events-recorded.jsonl"
Fields = dict[str, Any]


@functools.cache
def recorded() -> tuple[tuple[float, Fields], ...]:
    """(arrival, event as a dict), in the order of arrival."""
    lines = PATH.read_text(encoding="utf-8").splitlines()
    return tuple((row["t"], row["ev"]) for row in map(json.loads, lines))


@functools.cache
def decoded() -> tuple[tuple[float, tuple[Event, ...]], ...]:
    """(arrival, events of the message), in the order of arrival."""
    return tuple((t, decode(json.dumps(event).encode()).events) for t, event in recorded())


def replay(batches: Iterable[tuple[float, tuple[Event, ...]]]) -> Cluster:
    """A Cluster into which all of it was folded."""
    batches = list(batches)
    cluster = new_cluster(batches[0][0] - 1.0)
    for arrived, events in batches:
        cluster.apply(EventBatch(arrived, events, {}))
    return cluster


def new_cluster(now: float = 0.0) -> Cluster:
    """A Cluster that has been listening since ``now``."""
    cluster = Cluster(now)
    cluster.apply(Health("events", Link.LIVE, now))
    return cluster


def hear(cluster: Cluster, kind: str, at: float, arrived: float | None = None, **rest: Any) -> None:
    """Fold one event in, as if it had come over the wire; ``arrived`` is ``at`` if not given."""
    fields = {"hostname": "w1@a", "pid": 100, "clock": 1, "utcoffset": 0, **rest}
    body = json.dumps({"type": kind, "timestamp": at, **fields}).encode()
    found = decode(body)
    cluster.apply(EventBatch(at if arrived is None else arrived, found.events, found.malformed))
