"""Undo: bring the messages of a purge back from quarantine, to the old end of their queue."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator

import msgspec

from ..brokers.base import Quarantined
from ..errors import ActionError, BrokerError
from ..model.cluster import Cluster
from ..model.seam import ActionRequest, Check, Preview, Stage, Target
from . import doubtful
from .base import Context, Put, last_purge, nothing_to_follow, outcome
from .foretold import foretold
from .progress import Moving
from .purge import RABBIT
from .wire import Wire
from .words import count, duration

__all__ = ["follow", "prepare", "preview", "run"]
follow = nothing_to_follow
MOVED_BACK = (
    "Its messages go back to the old end of their queue, in their old order.",
    "Workers take them first, before what arrived since.",
)
SENT_AGAIN = (
    "Its messages are sent again, unchanged, to the new end of their queue.",
    "The broker confirms each; what it refuses stays in quarantine.",
)
RESTARTED = (
    "The broker was restarted since the purge. If it was killed, or lost its power, some of these "
    "may be in the queue, too, or have run: they will run twice."
)
UNKNOWN = (
    "Whether the broker was killed since the purge cannot be told: then some of these may be in "
    "the queue, too, and run twice."
)


def preview(request: ActionRequest, cluster: Cluster) -> Preview:
    """What would come back; without a target, the newest purge is undone."""
    if doubtful.asked(request):
        return doubtful.sending(request, cluster)
    named = request.targets[0].id if request.targets else last_purge(cluster)
    return Preview(
        request,
        title=f"UNDO PURGE  {named}" if named else "UNDO PURGE  the newest",
        irreversible=False,
        button="Bring back",
        facts=SENT_AGAIN if cluster.is_amqp else MOVED_BACK,
        warnings=("The tasks will run: their ETA and expiry may have passed meanwhile.",),
        blocked=cluster.links.acts_off_until(),
    )


def prepare(preview: Preview, context: Context, wire: Wire) -> Preview:
    """The preview with what the quarantine holds now."""
    at = time.time()
    try:
        found = [chosen(preview.request, context, wire, target) for target in _targets(preview)]
    except ActionError as error:
        return msgspec.structs.replace(preview, ready=True, blocked=str(error))
    anyway = doubtful.asked(preview.request)
    ahead = [(one.queue, wire.broker.before_undo(one.name, doubtful=anyway)) for one in found]
    if anyway:
        checks = doubtful.checks(preview.request, wire)
        return msgspec.structs.replace(foretold(preview, ahead), checks=checks, ready=True)
    if wire.broker.kind == RABBIT:
        warnings = (*preview.warnings, *_elsewhere(found), *_restarted(found))
        preview = msgspec.structs.replace(preview, facts=SENT_AGAIN, warnings=warnings)
    title = f"UNDO PURGE  {', '.join(one.queue for one in found)}"
    checks = tuple(
        Check(_target(one), True, f"{_held(one)} of {one.queue}, {_age(one)}", at) for one in found
    )
    told = foretold(preview, ahead)
    return msgspec.structs.replace(told, title=title, checks=checks, ready=True)


def _targets(preview: Preview) -> tuple[Target | None, ...]:
    return preview.request.targets or (None,)


def _held(one: Quarantined) -> str:
    words = count(one.moved, "message")
    return f"{words} (and {one.doubtful:,} doubtful, which stay)" if one.doubtful else words


def _elsewhere(found: Iterable[Quarantined]) -> Iterator[str]:
    for place in sorted({one.elsewhere for one in found if one.elsewhere}):
        yield f"Purged from {place}: make sure that this is the same broker."


def _restarted(found: Iterable[Quarantined]) -> Iterator[str]:
    told = {one.restarted for one in found}
    if True in told:
        yield RESTARTED
    elif None in told:
        yield UNKNOWN


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
    held = [one for one in wire.broker.quarantines() if one.moved or one.doubtful]
    wanted = target.id if target is not None else context.last_purge
    for one in held:
        if one.name == wanted:
            return one
    if target is not None:
        raise ActionError(f"Nothing is left in {target.id}", "It was brought back already.")
    held = [one for one in held if one.moved]
    if not held:
        raise ActionError("There is nothing to undo", "No purge of ours waits in quarantine.")
    return held[-1]


def run(request: ActionRequest, context: Context, wire: Wire, put: Put) -> None:
    """Move the messages back and tell how many came."""
    anyway = doubtful.asked(request)
    for target in request.targets or (None,):
        one = chosen(request, context, wire, target)
        told = Moving(request, _target(one), one.moved, context, put)
        try:
            moved = wire.broker.restore(one.name, told, doubtful=anyway, elsewhere=request.sure)
        except BrokerError as error:
            if not told.moved:
                raise
            text = f"{count(told.moved, 'message')} back in {one.queue}, then: {error}"
            put(outcome(request, _target(one), Stage.NOT_CONFIRMED, text))
            continue
        text = f"{count(moved, 'message')} back in {one.queue}"
        if told.stopped and moved < one.moved:
            words = f"{text}, then stopped: {one.moved - moved:,} still in quarantine"
            put(outcome(request, _target(one), Stage.SEEN, words))
            continue
        if one.doubtful and not anyway:
            text += f"; {one.doubtful:,} may be there already: kept, Z sends them anyway"
        done = outcome(request, _target(one), Stage.SEEN, text)
        put(msgspec.structs.replace(done, undo=one.name))
