"""Tasks move on workers that send no task events: we see those tasks late or never."""

from __future__ import annotations

from collections.abc import Iterator

from ..model.cluster import Cluster
from ..model.seam import Finding, Level
from ..model.worker import LOST, STOPPED
from .words import fitted, names, plural

RULE = "events-off"


def findings(cluster: Cluster, now: float) -> Iterator[Finding]:
    """At most one, for all such workers together."""
    states = {w.hostname: cluster.state_of(w, now) for w in cluster.workers.values()}
    there = [w for w in cluster.workers.values() if states[w.hostname] not in (LOST, STOPPED)]
    off = sorted(w.hostname for w in there if w.events_enabled is False)
    if not off:
        return
    count = f"{len(off)} of {plural(len(there), 'worker')}"
    yield Finding(
        rule=RULE,
        severity=Level.WARN,
        subject="task events",
        text=f"off on {count}: their failures and history are not seen; E switches them on",
        short=fitted(f"off on {count}; E switches them on"),
        since=None,
        evidence=f"worker:{off[0]}",
        next="E switches them on, until the worker restarts",
        detail=f"only inspect and the result backend tell of tasks on {names(off)}",
    )
