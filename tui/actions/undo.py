"""Undo: bring the messages of a purge back from quarantine, to the old end of their queue."""

from __future__ import annotations

import time

import msgspec

from ..brokers.base import Quarantined
from ..errors import ActionError
from ..model.cluster import Cluster
from ..model.seam import ActionRequest, Check, LogLine, Preview, Stage, Target
from .base import Context, Put, broker_lost, last_purge, nothing_to_follow, outcome
from .purge import RABBIT
from .wire import Wire
from .words import count, duration

__all__ = ["follow", "prepare", "preview", "run"]
follow = nothing_to_follow
PROGRESS_EVERY_S = 1.0
SENT_AGAIN = (
    "Its messages are sent again, unchanged, to the new end of their queue.",
    "The broker confirms each; what it refuses stays in quarantine.",
)


def preview(request: ActionRequest, cluster: Cluster) -> Preview:
    """What would come back; without a target, the newest purge is undone."""
    named = request.targets[0].id if request.targets else last_purge(cluster)
    lost = broker_lost(cluster)
    return Preview(
        request,
        title=f"UNDO PURGE  {named}" if named else "UNDO PURGE  the newest",
        irreversible=False,
        button="Bring back",
        facts=(
            "Its messages go back to the old end of their queue, in their old order.",
            "Workers take them first, before what arrived since.",
        ),
        warnings=("The tasks will run: their ETA and expiry may have passed meanwhile.",),
        blocked=f"{lost}: acts are off until it is back." if lost else "",
    )


def prepare(preview: Preview, context: Context, wire: Wire) -> Preview:
    """The preview with what the quarantine holds now."""
    at = time.time()
    try:
        found = [chosen(preview.request, context, wire, target) for target in _targets(preview)]
    except ActionError as error:
        return msgspec.structs.replace(preview, ready=True, blocked=str(error))
    if wire.broker.kind == RABBIT:
        preview = msgspec.structs.replace(preview, facts=SENT_AGAIN)
    title = f"UNDO PURGE  {', '.join(one.queue for one in found)}"
    checks = tuple(
        Check(_target(one), True, f"{count(one.moved, 'message')} of {one.queue}, {_age(one)}", at)
        for one in found
    )
    return msgspec.structs.replace(preview, title=title, checks=checks, ready=True)


def _targets(preview: Preview) -> tuple[Target | None, ...]:
    return preview.request.targets or (None,)


def _age(one: Quarantined) -> str:
    return f"purged {duration(time.time() - one.at)} ago"


def _target(one: Quarantined) -> Target:
    return Target("queue", one.name, where=one.queue)


def chosen(
    request: ActionRequest, context: Context, wire: Wire, target: Target | None
) -> Quarantined:
    """The named quarantine, or the newest: of this run if there is one, else of the broker.

    Raises ActionError if there is none.
    """
    held = [one for one in wire.broker.quarantines() if one.moved]
    wanted = target.id if target is not None else context.last_purge
    for one in held:
        if one.name == wanted:
            return one
    if target is not None:
        raise ActionError(f"Nothing is left in {target.id}", "It was brought back already.")
    if not held:
        raise ActionError("There is nothing to undo", "No purge of ours waits in quarantine.")
    return held[-1]


def run(request: ActionRequest, context: Context, wire: Wire, put: Put) -> None:
    """Move the messages back and tell how many came."""
    for target in request.targets or (None,):
        one = chosen(request, context, wire, target)
        told = _Progress(one, put)
        moved = wire.broker.restore(one.name, told)
        text = f"{count(moved, 'message')} back in {one.queue}"
        done = outcome(request, _target(one), Stage.SEEN, text)
        put(msgspec.structs.replace(done, undo=one.name))


class _Progress:
    """Says now and then how far a long restore has come."""

    def __init__(self, one: Quarantined, put: Put) -> None:
        self._one, self._put = one, put
        self._told_at = time.monotonic()

    def __call__(self, moved: int) -> None:
        if time.monotonic() - self._told_at < PROGRESS_EVERY_S:
            return
        self._told_at = time.monotonic()
        words = f"{moved:,} of {count(self._one.moved, 'message')} back in {self._one.queue}"
        self._put(LogLine(time.time(), "act", "ours", words))
