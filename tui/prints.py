"""Bytes that a program writes to its terminal, as lines: bounded, and harmless to show."""

from __future__ import annotations

LONGEST_LINE = 2_000
"""Characters; of a longer line the rest is left out."""
MOST_BYTES = 4 * LONGEST_LINE
A_SECOND, AT_ONCE = 300, 3_000
"""Lines a second that a project may fill the Log with, and how many it may have saved up."""


class Lines:
    """Cuts what was read into lines; never holds more than one, and not all of a long one."""

    def __init__(self, encoding: str = "utf-8") -> None:
        self._encoding = encoding
        self._rest = b""

    def feed(self, data: bytes) -> list[str]:
        """The lines that ended in it, without those that are empty."""
        *ended, rest = data.split(b"\n")
        lines = [self._end(piece) for piece in ended]
        self._rest = (self._rest + rest)[: MOST_BYTES + 1]
        return [line for line in lines if line]

    @property
    def pending(self) -> bool:
        """Whether a line was begun and not ended, as a question is."""
        return bool(self._rest)

    def finish(self) -> str:
        """What was begun, as a line of its own."""
        return self._end(b"")

    def _end(self, piece: bytes) -> str:
        whole, self._rest = (self._rest + piece)[: MOST_BYTES + 1], b""
        text = whole.decode(self._encoding, "backslashreplace").rstrip()
        if len(text) > LONGEST_LINE or len(whole) > MOST_BYTES:
            text = text[:LONGEST_LINE] + "…"
        return visible(text)


def visible(text: str) -> str:
    """The same with whatever could steer a terminal spelled out, as ``\\x1b``."""
    if text.isprintable():
        return text
    return "".join(
        char if char.isprintable() or char == " " else char.encode("unicode_escape").decode()
        for char in text
    )


class Budget:
    """How many lines more may be taken: so many a second, and some that were saved up."""

    def __init__(self, a_second: float = A_SECOND, at_once: float = AT_ONCE) -> None:
        self._a_second, self._at_once = a_second, at_once
        self._saved, self._counted_at = at_once, 0.0
        self.left_out = 0
        """Lines refused since ``told`` was called."""

    def take(self, at: float) -> bool:
        """Whether one more may be taken at this time, in seconds; else it is counted."""
        passed_s = max(0.0, at - self._counted_at)
        self._saved = min(self._at_once, self._saved + passed_s * self._a_second)
        self._counted_at = max(at, self._counted_at)
        if self._saved < 1:
            self.left_out += 1
            return False
        self._saved -= 1
        return True

    def told(self) -> int:
        """How many were left out since this was asked last."""
        told, self.left_out = self.left_out, 0
        return told
