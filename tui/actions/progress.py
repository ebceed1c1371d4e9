"""A purge or an undo that takes long: how far it is, and whether it shall go on."""

from __future__ import annotations

import time

from ..model.seam import ActionRequest, Stage, Target
from .base import Context, Put, outcome
from .words import count

EVERY_S = 1.0


class Moving:
    """Told the sum after each step; says it now and then, and stops when asked to."""

    def __init__(
        self, request: ActionRequest, target: Target, of: int | None, context: Context, put: Put
    ) -> None:
        """``of``: how many it will be, if that is known."""
        self._request, self._target, self._of = request, target, of
        self._context, self._put = context, put
        self._told_at = time.monotonic()
        self.moved = 0

    @property
    def stopped(self) -> bool:
        """Whether the operator, or the end of the program, wants no more of it."""
        return self._context.halt.is_set() or self._context.stopping.is_set()

    def __call__(self, moved: int) -> bool:
        self.moved = moved
        if not self.stopped and time.monotonic() - self._told_at >= EVERY_S:
            self._told_at = time.monotonic()
            of = (
                f"{moved:,} of {count(self._of, 'message')}"
                if self._of
                else count(moved, "message")
            )
            self._put(
                outcome(self._request, self._target, Stage.SENT, f"{of} so far; Esc stops it")
            )
        return not self.stopped
