"""Keys pressed in a terminal, and when what they do has arrived there."""

import random
import statistics
import time
from dataclasses import dataclass, field

from .terminal import Terminal

AFTER_S = 0.03
"""Once a frame has come, the next may be on its way: only then is drawn, which takes time."""
SETTLE_S = (0.05, 0.15)
GIVEN_UP_S = 20.0
QUIET_S = 0.2
ROUND = 2
"""Rows away from the newest before going back."""
FEW = 50
"""With fewer keys than that it is said how many they were."""


@dataclass(frozen=True)
class Keys:
    """How to move in one program, and how its cursor row is known."""

    newest: str
    """To the newest row, which is at an edge of the table."""
    follow: str
    """Stay there whatever comes."""
    next: str
    """One row away from there."""
    page: str
    """One page away from there."""
    step: int
    """Lines on screen by which ``next`` moves the cursor: 1 or -1."""
    background: str
    """Of the cursor row, six digits."""


@dataclass
class Timed:
    """What was measured of one key."""

    took_s: list[float] = field(default_factory=list)
    drawn: list[int] = field(default_factory=list)
    """Bytes from the press to the end of the frame, whatever else they brought."""
    unseen: int = 0
    """Keys after which the cursor was never seen where it belongs."""

    def note(self, hand: "Hand", key: str, line: int) -> None:
        """Rest, press, and write down what that took. Raises Astray."""
        hand.rest()
        found = hand.press(key, line)
        if found is None:
            self.unseen += 1
        else:
            self.took_s.append(found[0])
            self.drawn.append(found[1])

    @property
    def p50_ms(self) -> float:
        """Half of the keys were not slower."""
        return statistics.median(self.took_s) * 1000

    @property
    def p99_ms(self) -> float:
        """Close to the slowest, as there are some dozens of keys."""
        if len(self.took_s) < 2:
            return self.p50_ms
        return statistics.quantiles(self.took_s, n=100, method="inclusive")[98] * 1000

    @property
    def words(self) -> str:
        """Both, and of how many if they are few."""
        if not self.took_s:
            return f"no key was answered within {GIVEN_UP_S:g} s"
        few = f" ({len(self.took_s)} keys)" if len(self.took_s) < FEW else ""
        unseen = f", {self.unseen} not seen" if self.unseen else ""
        return f"p50 {_ms(self.p50_ms)}, p99 {_ms(self.p99_ms)}{few}{unseen}"


def _ms(value: float) -> str:
    return f"{value:.1f} ms" if value < 9.95 else f"{value:,.0f} ms"


class Astray(Exception):
    """The row under the cursor was forgotten meanwhile, and took the cursor with it."""


@dataclass
class Hand:
    """Presses keys, waits for their frames, and rests for a moment as a person does."""

    terminal: Terminal
    keys: Keys
    chance: random.Random = field(default_factory=lambda: random.Random(7))

    def cursor(self) -> int | None:
        """Line of the cursor row, as far as drawn."""
        return self.terminal.row_on(self.keys.background)

    def rest(self) -> None:
        """So long that keys meet the program at all phases of its clocks; then draw."""
        self.terminal.read(self.chance.uniform(*SETTLE_S))
        self.terminal.draw()
        self.terminal.read(0.001)  # what came while we were drawing is not an answer to the key

    def press(self, key: str, line: int) -> tuple[float, int] | None:
        """Seconds until the end of the frame that has the cursor on that line, and bytes drawn.

        None: there was none. Raises Astray where the cursor has gone elsewhere.
        """
        terminal = self.terminal
        terminal.draw()
        stood = self.cursor()
        if stood is None or not 0 < abs(stood - line) <= ROUND:
            raise Astray
        before, at = terminal.drawn, time.monotonic()
        terminal.press(key)
        while time.monotonic() - at < GIVEN_UP_S:
            terminal.read_frame(GIVEN_UP_S)
            terminal.read(AFTER_S)
            found = terminal.draw(lambda: not terminal.in_frame and self.cursor() == line)
            if found is not None:
                return terminal.began + found - at, terminal.drawn - before
            terminal.must_run()
            if not terminal.in_frame and self.cursor() not in (stood, None):
                raise Astray
        return None

    def go_newest(self) -> int | None:
        """To the newest row; its line once it is on screen, None if it never is."""
        self.terminal.press(self.keys.newest)
        self.terminal.read(1.0)
        until = time.monotonic() + GIVEN_UP_S
        while time.monotonic() < until:
            self.terminal.draw()
            if (line := self.cursor()) is not None:
                return line
            self.terminal.must_run()
            self.terminal.read_frame(1.0)
        return None


def timed(hand: Hand, presses: int, limit_s: float) -> tuple[Timed, Timed]:
    """Two rows down, then back to the newest: what the steps took, and what the ways back."""
    steps, jumps = Timed(), Timed()
    home = hand.go_newest()
    if home is None:
        return steps, jumps
    until = time.monotonic() + limit_s
    while len(steps.took_s) < presses and time.monotonic() < until and steps.unseen < 2:
        try:
            for row in range(1, ROUND + 1):
                steps.note(hand, hand.keys.next, home + hand.keys.step * row)
            jumps.note(hand, hand.keys.newest, home)
        except Astray:
            home = hand.go_newest() or home
    return steps, jumps


def quiet_bytes(terminal: Terminal, key: str, times: int) -> float:
    """Bytes of one key, where nothing else moves: median."""
    counts = []
    for _ in range(times):
        before = terminal.bytes_read
        terminal.press(key)
        terminal.read(QUIET_S)
        counts.append(terminal.bytes_read - before)
    return statistics.median(counts)
