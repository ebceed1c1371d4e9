"""Looks for proof of an act after it was sent; events, when they come, tell the model sooner."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence

import msgspec

from ..model.seam import Outcome, Stage
from .base import PROOF_WITHIN_S, Context, Put

LOOKS_AT_S = (0.5, 2.0, 5.0, PROOF_WITHIN_S)
"""Seconds after sending at which the cluster is looked at."""
OPEN = frozenset({Stage.SENT, Stage.ACKNOWLEDGED, Stage.NOT_CONFIRMED})


def moments(context: Context) -> Iterator[bool]:
    """Yields at each moment to look, True at the last; ends early when the program ends."""
    began = time.monotonic()
    for after_s in LOOKS_AT_S:
        if context.stopping.wait(max(0.0, began + after_s - time.monotonic())):
            return
        yield after_s == LOOKS_AT_S[-1]


class Told:
    """Puts an outcome only when it says something new."""

    def __init__(self, outcomes: Sequence[Outcome], put: Put) -> None:
        self.open = {o.target.id: o for o in outcomes if o.stage in OPEN}
        self._put = put

    def tell(self, task_id: str, stage: Stage, text: str) -> None:
        """The outcome with its new stage and words; a closed one is not followed further."""
        last = self.open[task_id]
        if (stage, text) != (last.stage, last.text):
            last = msgspec.structs.replace(last, stage=stage, text=text, at=time.time())
            self._put(last)
        self.open[task_id] = last
        if stage not in OPEN:
            del self.open[task_id]
