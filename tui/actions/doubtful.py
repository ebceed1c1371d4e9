"""Messages of which a kill has left open whether they are in their queue, too.

They lie in a quarantine in which nothing else is left. Nothing happens to them by itself: they
are sent again, or thrown away, when the operator says so and has been told what that may do.
"""

from __future__ import annotations

import time

from ..model.cluster import Cluster
from ..model.queue import DOUBTFUL
from ..model.seam import ActionRequest, Check, Preview, Stage
from .base import Context, Put, outcome
from .wire import Wire
from .words import count

WHY = "A dashboard was killed here, and the broker cannot tell any more what it had taken."
NONE_LEFT = "nothing of it is doubtful any more"


def asked(request: ActionRequest) -> bool:
    """Whether the act is aimed at such messages."""
    return any(target.state == DOUBTFUL for target in request.targets)


def sending(request: ActionRequest, cluster: Cluster) -> Preview:
    """What it would do to send them anyway."""
    return Preview(
        request,
        title=f"SEND ANYWAY  {_amount(request, cluster)}",
        irreversible=True,
        button="Send anyway",
        facts=(WHY, "They are sent to their queue again, though they may be in it already."),
        warnings=("Those that are in their queue, or ran meanwhile, will run twice.",),
        blocked=cluster.links.acts_off_until(),
    )


def throwing_away(request: ActionRequest, cluster: Cluster) -> Preview:
    """What it would do to forget them."""
    return Preview(
        request,
        title=f"THROW AWAY  {_amount(request, cluster)}",
        irreversible=True,
        button="Throw away",
        facts=(WHY, "The file that holds them here is removed."),
        warnings=("Those that are not in their queue, and did not run, will never run.",),
        blocked=cluster.links.acts_off_until(),
    )


def _amount(request: ActionRequest, cluster: Cluster) -> str:
    queues = [cluster.queues[t.id] for t in request.targets if t.id in cluster.queues]
    return count(sum(queue.doubtful for queue in queues), "doubtful message")


def checks(request: ActionRequest, wire: Wire) -> tuple[Check, ...]:
    """How many there are now: the broker may have told of them since."""
    held = {one.name: one for one in wire.broker.quarantines()}
    found = []
    for target in request.targets:
        one = held.get(target.id)
        doubtful = one.doubtful if one is not None else 0
        words = f"{count(doubtful, 'doubtful message')} of {one.queue}" if one else NONE_LEFT
        found.append(Check(target, doubtful > 0, words, time.time()))
    return tuple(found)


def throw_away(request: ActionRequest, context: Context, wire: Wire, put: Put) -> None:
    """Forget them."""
    for target in request.targets:
        number = wire.broker.discard(target.id)
        stage = Stage.SEEN if number else Stage.DONE_ELSEWHERE
        text = f"{count(number, 'doubtful message')} thrown away" if number else NONE_LEFT
        put(outcome(request, target, stage, text))
