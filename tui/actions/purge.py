"""Purge: move every message of one queue into its quarantine, from where undo brings them back."""

from __future__ import annotations

import time
from collections.abc import Iterator

import msgspec

from ..brokers.base import Quarantined
from ..errors import ActionError
from ..model.cluster import Cluster
from ..model.queue import Queue
from ..model.seam import ActionRequest, Check, Outcome, Preview, Stage, Target
from . import doubtful
from .base import Context, Put, nothing_to_follow, outcome, refusal
from .foretold import foretold
from .progress import Moving
from .wire import Wire
from .words import count, named

__all__ = ["follow", "prepare", "preview", "run"]
follow = nothing_to_follow
RABBIT = "amqp"


def preview(request: ActionRequest, cluster: Cluster) -> Preview:
    """How much would move, and what a purge does not reach."""
    if doubtful.asked(request):
        return doubtful.throwing_away(request, cluster)
    queues = [cluster.queues[t.id] for t in request.targets if t.id in cluster.queues]
    many = len(request.targets) != 1
    name = count(len(request.targets), "queue") if many else request.targets[0].id
    return Preview(
        request,
        title=f"PURGE  {name}",
        irreversible=False,
        button="Purge",
        facts=(
            f"{_depths(queues)} into quarantine, in one step; Z brings them back.",
            "Messages that arrive afterwards stay in the queue.",
        ),
        warnings=tuple(_warnings(queues, cluster)),
        blocked=_blocked(request, cluster),
    )


def _depths(queues: list[Queue]) -> str:
    if not queues or any(queue.depth is None for queue in queues):
        return "All waiting messages move"
    depth = sum(queue.depth or 0 for queue in queues)
    return f"{count(depth, 'waiting message')} {'moves' if depth == 1 else 'move'}"


def _warnings(queues: list[Queue], cluster: Cluster) -> Iterator[str]:
    yield "What workers hold already (prefetched, ETA, running) is not touched and still runs."
    unacked = sum(queue.unacked or 0 for queue in queues)
    if unacked:
        yield f"At least {count(unacked, 'message')} of it {'is' if unacked == 1 else 'are'} held."
    listeners = [host for queue in queues for host in cluster.listeners.of(queue.name) or ()]
    if listeners:
        yield f"{named(listeners)} consume it: fewer may be left by then."


def _blocked(request: ActionRequest, cluster: Cluster) -> str:
    refused = refusal(request, cluster, "queue")
    if refused:
        return refused
    held = [
        t.id for t in request.targets if t.id in cluster.queues and cluster.queues[t.id].quarantine
    ]
    return f"{named(held)} is a quarantine: undo (Z) empties it." if held else ""


def prepare(preview: Preview, context: Context, wire: Wire) -> Preview:
    """The preview with the depth of this moment."""
    try:
        kind = wire.broker.kind
    except ActionError as error:
        return msgspec.structs.replace(preview, ready=True, blocked=error.title)
    if doubtful.asked(preview.request):
        found = doubtful.checks(preview.request, wire)
        return msgspec.structs.replace(preview, checks=found, ready=True)
    checks = tuple(_check(target, wire.depth(target.id)) for target in preview.request.targets)
    ahead = [(t.id, wire.broker.before_purge(t.id)) for t in preview.request.targets]
    final = any(one.final for _, one in ahead)
    told = foretold(_into_a_file(preview, final) if kind == RABBIT else preview, ahead)
    return msgspec.structs.replace(told, checks=checks, ready=True)


def _into_a_file(preview: Preview, final: bool) -> Preview:
    """RabbitMQ has no place to put messages aside in one step."""
    back = "They come back at the new end of their queue, from this machine only."
    taken = "Waiting messages are taken into a file here, bit by bit"
    ours = (f"{taken}.",) if final else (f"{taken}; Z sends them again.", back)
    facts = (*ours, *preview.facts[1:])
    warnings = ("The file holds their arguments; only you may read it.", *preview.warnings)
    return msgspec.structs.replace(preview, facts=facts, warnings=warnings)


def _check(target: Target, depth: int | None) -> Check:
    at = time.time()
    if depth is None:
        return Check(target, None, "the broker does not tell its depth", at)
    return Check(target, depth > 0, f"{count(depth, 'message')} waiting now", at)


def run(request: ActionRequest, context: Context, wire: Wire, put: Put) -> None:
    """Move each queue's messages aside. The broker's reply is the proof."""
    if doubtful.asked(request):
        doubtful.throw_away(request, context, wire, put)
        return
    for target in request.targets:
        told = Moving(request, target, _depth(wire, target), context, put)
        if told.stopped:
            put(outcome(request, target, Stage.DONE_ELSEWHERE, "stopped before it"))
            continue
        final = request.sure and wire.broker.before_purge(target.id).final
        back = "another user can bring them back" if final else "Z brings them back"
        moved = wire.broker.quarantine(target.id, told)
        put(_done(request, target, moved, told.stopped, back))


def _depth(wire: Wire, target: Target) -> int | None:
    """Only where a purge takes long is it worth asking."""
    return wire.depth(target.id) if wire.broker.kind == RABBIT else None


def _done(
    request: ActionRequest, target: Target, moved: Quarantined, stopped: bool, back: str
) -> Outcome:
    if not moved.moved and not moved.doubtful:
        empty = f"stopped: {moved.trouble}" if moved.trouble else "it was empty"
        return outcome(request, target, Stage.DONE_ELSEWHERE, f"{empty}: nothing was moved")
    text = f"{count(moved.moved, 'message')} moved to quarantine"
    if moved.doubtful:
        text += f", {moved.doubtful:,} more perhaps"
    if moved.trouble:
        text += f", then: {moved.trouble.rstrip('.')}"
    elif stopped:
        text += ", then stopped"
    stage = Stage.NOT_CONFIRMED if moved.trouble else Stage.SEEN
    done = outcome(request, target, stage, f"{text}; {back}")
    return msgspec.structs.replace(done, undo=moved.name)
