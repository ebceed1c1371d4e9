"""The last 20 minutes of what charts and sparklines show, in constant memory."""

from __future__ import annotations

from array import array
from collections.abc import Iterable
from statistics import fmean
from typing import Protocol

STEP_S = 5
SPAN_S = 1_200
SAMPLES = SPAN_S // STEP_S
LARGEST = 2_000_000_000
"""No sample is larger: four bytes each, so that 2,000 queues remember in 2 MB."""
NOBODY_KNEW = -1


class History:
    """One figure, a sample each STEP_S; the steps are those of the clock, alike for all figures.

    None is a gap: nobody knew. It is never filled in afterwards.
    """

    __slots__ = ("_samples", "step")

    def __init__(self, typecode: str = "i") -> None:
        """``typecode`` as ``array`` has it: ``i`` for counts, ``d`` for rates."""
        self._samples: array[float] = array(typecode)
        self.step = 0
        """Number of the newest sample's step: epoch seconds by STEP_S."""

    def put(self, value: float | None, now: float) -> None:
        """Keep ``value`` for the present step; only the first of a step counts."""
        step = int(now // STEP_S)
        if step == self.step:
            return
        if step < self.step:  # the clock was set back: what was kept has no time any more
            del self._samples[:]
        missed = min(step - self.step - 1, SAMPLES) if self._samples else 0
        self._samples.extend([NOBODY_KNEW] * missed)
        self._samples.append(NOBODY_KNEW if value is None else min(value, LARGEST))
        del self._samples[:-SAMPLES]
        self.step = step

    def last(self, count: int) -> list[float | None]:
        """The newest samples, oldest first."""
        return [None if value < 0 else value for value in self._samples[-count:]]

    def known(self, count: int) -> list[float]:
        """Those of the newest samples that somebody knew, oldest first."""
        return [value for value in self._samples[-count:] if value >= 0]

    def samples(self) -> list[tuple[int, float]]:
        """(step, value) of all that is known."""
        first = self.step - len(self._samples) + 1
        return [(first + at, value) for at, value in enumerate(self._samples) if value >= 0]

    def slope(self) -> float | None:
        """Change in a minute: the mean of the last half minute less the one a minute before."""
        new, old = self.last(6), self.last(18)[:6]
        if len(self._samples) < 18:
            return None
        known = [value for value in (*new, *old) if value is not None]
        return fmean(known[:6]) - fmean(known[6:]) if len(known) == 12 else None


class Remembered(Protocol):
    """What keeps a history of its own: a queue."""

    depth: int | None
    quarantine: bool
    history: History


class Past:
    """Backlog of all queues, failures and ends a second; ``remember`` once a second feeds it."""

    def __init__(self) -> None:
        self.backlog = History("d")
        self.failures = History("d")
        self.ends = History("d")
        self._at: float | None = None
        self._failed = self._ended = 0

    def remember(
        self,
        now: float,
        queues: Iterable[Remembered] | None,
        failed: int | None,
        ended: int | None,
        whole: bool = True,
    ) -> None:
        """Take a sample where a new step has begun.

        ``queues`` None: the broker does not tell; ``failed`` and ``ended`` count tasks since the
        start, None: no event would be heard; ``whole`` False: some were missed since the last.
        """
        if int(now // STEP_S) == self.backlog.step:
            return
        depths = [_kept(queue, now) for queue in queues] if queues is not None else []
        known = [depth for depth in depths if depth is not None]
        self.backlog.put(sum(known) if known else None, now)
        elapsed = now - self._at if self._at is not None and whole else None
        self.failures.put(_rate(failed, self._failed, elapsed), now)
        self.ends.put(_rate(ended, self._ended, elapsed), now)
        self._at = now if failed is not None else None
        self._failed, self._ended = failed or 0, ended or 0


def _rate(count: int | None, before: int, elapsed_s: float | None) -> float | None:
    """A second; None over a time that was not watched from end to end."""
    if count is None or elapsed_s is None or not 0 < elapsed_s < 2 * STEP_S:
        return None
    return (count - before) / elapsed_s


def _kept(queue: Remembered, now: float) -> float | None:
    queue.history.put(queue.depth, now)
    return None if queue.quarantine else queue.depth
