"""Events on: workers started without ``-E`` begin to send task events, until they restart."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import msgspec

from ..model.cluster import Cluster
from ..model.seam import ActionRequest, Check, Preview, Stage, Target
from ..model.worker import LOST, STOPPED
from .base import Context, Put, nothing_to_follow, outcome, refusal
from .wire import Wire, error_of
from .words import celery_line, count, named

__all__ = ["follow", "prepare", "preview", "run"]
follow = nothing_to_follow


def preview(request: ActionRequest, cluster: Cluster) -> Preview:
    """Which workers would send events, and for how long."""
    hosts = [target.id for target in request.targets]
    return Preview(
        request,
        title=f"EVENTS ON  {count(len(hosts), 'worker')}",
        irreversible=False,
        button="Switch on",
        facts=(
            f"{named(hosts)} will send an event for every task: received, started, ended.",
            "It lasts until that worker restarts; start workers with -E to keep it.",
            "task-sent is not among them: only the sender's task_send_sent_event does that.",
        ),
        warnings=tuple(_warnings(request, cluster)),
        blocked=refusal(request, cluster, "worker"),
        command=celery_line("control", "enable_events", destination=hosts),
    )


def _warnings(request: ActionRequest, cluster: Cluster) -> Iterator[str]:
    yield "Every worker then sends three or four small messages per task to the broker."
    gone = [target.id for target in request.targets if _is_gone(target, cluster)]
    if gone:
        yield f"{named(gone)} will not hear it: lost or stopped."


def _is_gone(target: Target, cluster: Cluster) -> bool:
    worker = cluster.workers.get(target.id)
    return worker is not None and cluster.state_of(worker, cluster.now) in (LOST, STOPPED)


def prepare(preview: Preview, context: Context, wire: Wire) -> Preview:
    """The preview after a ping to each of them."""
    hosts = [target.id for target in preview.request.targets]
    answers = wire.ask("ping", destination=hosts) if hosts else {}
    at = time.time()
    checks = tuple(
        Check(
            target,
            target.id in answers,
            "answers" if target.id in answers else "does not answer",
            at,
        )
        for target in preview.request.targets
    )
    return msgspec.structs.replace(preview, checks=checks, ready=True)


def run(request: ActionRequest, context: Context, wire: Wire, put: Put) -> None:
    """Send it to the chosen workers and tell what each of them said."""
    hosts = [target.id for target in request.targets]
    for target in request.targets:
        put(outcome(request, target, Stage.SENT, "sent", 0, 1))
    answers = wire.ask("enable_events", destination=hosts)
    for target in request.targets:
        stage, text = judged(target, answers)
        put(outcome(request, target, stage, text, int(target.id in answers), 1))


def judged(target: Target, answers: dict[str, Any]) -> tuple[Stage, str]:
    """Stage and words for one worker's reply; the worker itself is the proof."""
    if target.id not in answers:
        return Stage.NOT_CONFIRMED, "sent, it did not answer"
    answer = answers[target.id]
    if error_of(answer):
        return Stage.FAILED, f"it refused: {error_of(answer)}"
    words = str(answer.get("ok", "")) if isinstance(answer, dict) else str(answer)
    return Stage.ACKNOWLEDGED, f"{words or 'it answered'}, until that worker restarts"
