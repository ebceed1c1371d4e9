"""What every act has in common: its three steps, and what it may know and use while it runs."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

import msgspec

from ..errors import ActionError
from ..model.cluster import Cluster
from ..model.seam import (
    MOST_TARGETS,
    Act,
    ActionRequest,
    LogLine,
    Outcome,
    Preview,
    Stage,
    Target,
)
from ..model.task import Task
from ..model.worker import BLOCKED, ONLINE, SILENT, UNKNOWN
from ..settings import Settings

if TYPE_CHECKING:
    from kombu.connection import Connection

    from .wire import Wire

EXPECTED_TO_ANSWER = frozenset({ONLINE, SILENT, BLOCKED, UNKNOWN})
PROOF_WITHIN_S = 10.0
"""Seconds after which an act without proof is told as not confirmed."""

Put = Callable[[Outcome | LogLine], None]
"""Takes what an act has to say; called from the act's own thread (``Inbox.put``)."""


class Action(Protocol):
    """One verb; each module of this package that is named after an act is one."""

    def preview(self, request: ActionRequest, cluster: Cluster) -> Preview:
        """What the confirm dialog says at once, from the model alone. Pure."""

    def prepare(self, preview: Preview, context: Context, wire: Wire) -> Preview:
        """The same after every target was looked up in the cluster. In a thread."""

    def run(self, request: ActionRequest, context: Context, wire: Wire, put: Put) -> None:
        """Re-check each target, send, put what came of it. In a thread.

        Raises ActionError if nothing may be sent at all.
        """

    def follow(self, outcomes: Sequence[Outcome], context: Context, wire: Wire, put: Put) -> None:
        """Look for proof of what was sent or acknowledged, for ``PROOF_WITHIN_S``. In a thread."""


@dataclass(frozen=True, slots=True)
class KnownWorker:
    """One worker as the model knew it when the key was pressed."""

    hostname: str
    state: str
    pool: str | None = None
    queues: tuple[str, ...] | None = None
    main_pids: frozenset[int] = frozenset()
    """Its main process and former ones: task events carry that, not the pool process."""


@dataclass(frozen=True, slots=True)
class Context:
    """What an act's thread may know: copies, taken in the model's own thread at the key press.

    Raises ActionError when writes are off or the broker is lost: then nothing that could
    send is even made.
    """

    settings: Settings
    connect: Callable[[], AbstractContextManager[Connection]]
    """Gives an established connection of the caller's own; its errors are BrokerErrors."""
    app: Any = None
    """The user's Celery app, where one was named: it knows names and serializers."""
    workers: Mapping[str, KnownWorker] = field(default_factory=dict)
    tasks: Mapping[str, Task] = field(default_factory=dict)
    queues: tuple[str, ...] = ()
    broker_lost: str = ""
    """Why acts are off, when the broker is lost or refuses."""
    last_purge: str | None = None
    """The newest quarantine made in this run and not brought back."""
    stopping: threading.Event = field(default_factory=threading.Event)
    """Set when the program ends: nobody waits for proof any longer."""
    halt: threading.Event = field(default_factory=threading.Event)
    """Set when the operator stops an act that takes long."""

    def __post_init__(self) -> None:
        if self.settings.read_only:
            raise ActionError("Read-only: acts are off", "Start without --read-only to act.")
        if self.broker_lost:
            raise ActionError(self.broker_lost, "Acts are off until that is over.")
        if not self.settings.broker:
            raise ActionError("No broker is named", "Start with -b URL.")

    def answering(self) -> list[str]:
        """Workers that should answer: known, and neither lost nor stopped."""
        return [w.hostname for w in self.workers.values() if w.state in EXPECTED_TO_ANSWER]

    def pool(self, hostname: str) -> str | None:
        """The worker's pool, in Celery's word, if known."""
        worker = self.workers.get(hostname)
        return worker.pool if worker is not None else None


def context(
    settings: Settings,
    connect: Callable[[], AbstractContextManager[Connection]],
    cluster: Cluster,
    request: ActionRequest,
    now: float,
    app: Any = None,
) -> Context:
    """The Context of one act; called where the model lives, before the thread starts."""
    workers = {
        w.hostname: KnownWorker(w.hostname, cluster.state_of(w, now), w.pool, w.queues, w.main_pids)
        for w in cluster.workers.values()
    }
    wanted = cluster.tasks_of(target.id for target in request.targets if target.kind == "task")
    tasks = {task.id: msgspec.structs.replace(task) for task in wanted}
    queues = tuple(q.name for q in cluster.queues.values() if not q.quarantine)
    off = cluster.links.acts_off()
    return Context(settings, connect, app, workers, tasks, queues, off, last_purge(cluster))


def last_purge(cluster: Cluster) -> str | None:
    """The newest quarantine made in this run and not brought back yet."""
    back = {o.undo for _, o in cluster.outcomes if o.request.act == Act.UNDO and o.undo}
    made = (o.undo for _, o in reversed(cluster.outcomes) if o.request.act == Act.PURGE)
    return next((name for name in made if name and name not in back), None)


def refusal(request: ActionRequest, cluster: Cluster, noun: str) -> str:
    """What stands in the way of any act on these targets; empty: nothing."""
    if not request.targets:
        return f"No {noun} is selected."
    if len(request.targets) > MOST_TARGETS:
        return f"More than {MOST_TARGETS:,} {noun}s at once are refused."
    return cluster.links.acts_off_until()


def outcome(
    request: ActionRequest,
    target: Target,
    stage: Stage,
    text: str,
    answered: int | None = None,
    of: int | None = None,
) -> Outcome:
    """An Outcome of this moment."""
    return Outcome(request, target, stage, text, time.time(), answered, of)


def nothing_to_follow(outcomes: Sequence[Outcome], context: Context, wire: Wire, put: Put) -> None:
    """For acts whose reply is the proof."""
