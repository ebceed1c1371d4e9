"""At the far end of a slow line: what is painted is never far behind what is true."""

from __future__ import annotations

import os
import select
import time
from pathlib import Path

from tests.servers import wait_for
from tests.terminals.emulator import Pty
from tests.terminals.shown import Shown

FAST, SLOW = 1_000_000, 600
"""Bytes a second; what flows takes more than the slow line carries."""
A_LOT = 100_000
"""Bytes that the app would have sent meanwhile, at four frames a second."""
UNDER_WAY = 16_000
"""A full screen, what the kernel holds for a terminal, and two frames."""


class SlowPty(Pty):
    """Its line carries few bytes a second; a question is answered once it has arrived."""

    carried_at = 0.0
    limit = FAST
    arrived = 0

    def read(self) -> None:
        """Take what the line has carried since it was read last."""
        now = time.monotonic()
        may = int(min(now - self.carried_at, 0.25) * self.limit)
        if not may or not select.select([self.leader], [], [], 0.005)[0]:
            return
        self.carried_at = now
        data = os.read(self.leader, may)
        self.arrived += len(data)
        self.sent = (self.sent + data)[-A_LOT:]
        self.stream.feed(data)

    def shows(self, words: str) -> bool:
        """Whether the words have arrived."""
        return any(words in line for line in self.lines())

    def brings(self, key: bytes, word: str, gone: str) -> None:
        """Press a key, and wait until one word has arrived and another one is gone."""
        self.press(key)
        wait_for(lambda: self.shows(word) and not self.shows(gone), f"what {key!r} brings")

    def carries(self, more: int) -> None:
        """Wait until so many bytes have arrived."""
        until = self.arrived + more

        def carried() -> bool:
            self.read()
            return self.arrived > until

        wait_for(carried, f"{more:,} bytes have arrived")


def test_behind_a_slow_line_the_newest_is_shown_and_keys_work(tmp_path: Path) -> None:
    at = Shown(tmp_path, lambda: tty.cells())
    env = at.environment(TERM="xterm-256color", COLORTERM="truecolor")
    with SlowPty(at.command, env, (160, 48)) as tty:
        wait_for(lambda: tty.shows("1 Home"), "the first frame has arrived")
        tty.press(b"4")
        wait_for(lambda: tty.shows("/ filter"), "Tasks has arrived")
        at.agree("it agrees at rest")
        tty.limit = SLOW
        at.flow(True)
        wait_for(lambda: tty.shows("slow line"), "it is said that the line is slow")
        tty.brings(b"2", "consumers", "X revoke")
        tty.brings(b"4", "X revoke", "consumers")
        tty.brings(b"?", "Keys", "X revoke")
        tty.brings(b"\x1b", "X revoke", "Keys")
        tty.carries(2_500)
        at.flow(False)
        before = tty.arrived
        at.agree("the newest is shown")
        assert tty.arrived - before <= UNDER_WAY
        tty.limit = FAST
        at.come(1_000, *("after.all",) * 3)
        at.agree("a fast line again", "after.all")
