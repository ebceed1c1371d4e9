"""How far the terminal at the far end is behind, and what to paint less often because of it.

The operating system and SSH take megabytes before they let a writer wait, so that what is still
under way cannot be counted. But a terminal answers questions in their turn: one that stands behind
a frame is answered once the frame is on screen.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable

QUESTION = "\x1b[6n"
"""Where is the cursor? xterm, tmux, screen, mosh and the Linux console all answer that."""
ASK_EVERY_S = 1.0
LATE_S = 0.25
"""Behind the best round trip: less is the ordinary unevenness of a line."""
VERY_LATE_S = 1.0
GIVE_UP_S = 15.0
"""Who has not answered by then does not answer."""
REMEMBERED = 60
"""Round trips, of which the best one is what the line takes when nothing waits."""
EVERY_S, SLOWER_S, SLOWEST_S = 0.25, 0.5, 1.0
"""From tick to tick, by how late the terminal is."""
KEYS_EVERY_S, KEYS_AT_LEAST_EVERY_S = 0.25, 1.0
"""Frames of keys, while the terminal is late; in between they become one."""
EARLY_S = 0.05
"""By so much a timer may strike too early."""


class Line:
    """One question at a time; times in seconds of a monotonic clock."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._trips: deque[float] = deque(maxlen=REMEMBERED)
        self._asked_at: float | None = None
        """None: no question is under way."""
        self._next_at = 0.0
        self._ticked_at = self._sent_at = -GIVE_UP_S
        self._silent = False

    @property
    def waiting(self) -> bool:
        """A question is under way."""
        return self._asked_at is not None

    @property
    def lag_s(self) -> float:
        """By how much the last answer was late, or the next one is already; 0: nobody knows."""
        if not self._trips:
            return 0.0
        late = max(self._trips[-1], self._waited())
        return late - min(self._trips)

    def _waited(self) -> float:
        return self._clock() - self._asked_at if self._asked_at is not None else 0.0

    @property
    def jammed(self) -> bool:
        """What was sent before has not arrived, though it is time."""
        return bool(self._trips) and LATE_S < self._waited() - min(self._trips) <= GIVE_UP_S

    def may_tick(self, queued: int) -> bool:
        """Whether a paint tick may be drawn now; ``queued``: writes that wait in this process."""
        now, lag = self._clock(), self.lag_s
        if queued or self.jammed:
            return False
        every = SLOWEST_S if lag > VERY_LATE_S else SLOWER_S if lag > LATE_S else EVERY_S
        if now - self._ticked_at < every - EARLY_S:
            return False
        self._ticked_at = now
        return True

    def may_send(self, queued: int) -> bool:
        """Whether a frame may go; else it is kept, and becomes one with the next."""
        if not self.jammed:
            return queued < 2
        pause = min(max(KEYS_EVERY_S, self.lag_s / 2), KEYS_AT_LEAST_EVERY_S)
        return queued < 2 and self._clock() - self._sent_at >= pause

    def sent(self, typing: bool = False) -> str:
        """A frame goes; the question to send behind it, or nothing: no answer amid ``typing``."""
        now = self._sent_at = self._clock()
        self._give_up(now)
        early = now < self._next_at and self.lag_s <= LATE_S
        if self._silent or self.waiting or typing or early:
            return ""
        self._asked_at, self._next_at = now, now + ASK_EVERY_S
        return QUESTION

    def answered(self) -> None:
        """The terminal has shown what was sent before the question."""
        if self._asked_at is not None:
            self._trips.append(self._clock() - self._asked_at)
            self._asked_at = None

    def silence(self) -> None:
        """Ask nothing more: nobody would read the answer."""
        self._silent = True

    def forget(self) -> None:
        """Another terminal, perhaps; who did not answer may do so now."""
        self._trips.clear()
        self._asked_at, self._next_at, self._silent = None, 0.0, False

    def _give_up(self, now: float) -> None:
        if self._waited() > GIVE_UP_S:
            self.forget()
            self._next_at = now + GIVE_UP_S
