"""The newest rows of a table of results: their keys first, then the rows, a few at a time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from ..model.observations import ResultMeta

READ_A_STEP = 100
LARGEST_BYTES = 1024 * 1024
"""A result beyond this is not read unasked; a task on screen is, whatever its size."""
MOST_BYTES = 32 * LARGEST_BYTES


class Rows(Protocol):
    """A table whose newest rows can be found without looking at the others."""

    def newest(self, most: int) -> list[tuple[int, int]]:
        """Primary key and size in bytes of the newest rows."""

    def read_rows(self, keys: Sequence[int]) -> tuple[ResultMeta, ...]:
        """The metas of these rows, by primary key."""


class RecentRows:
    """One search."""

    def __init__(self, backend: Rows, most: int) -> None:
        self._backend, self._most = backend, most
        self._waiting: list[int] = []
        self.looked_at = self.of = 0
        self.commands = 1
        self.unread: dict[str, int] = {}

    def look(self) -> bool:
        """One question finds them all."""
        room = MOST_BYTES
        for key, size in self._backend.newest(self._most):
            if size > min(LARGEST_BYTES, room):
                self.unread["too large"] = self.unread.get("too large", 0) + 1
            else:
                room -= size
                self._waiting.append(key)
        self.looked_at = self.of = len(self._waiting)
        return False

    def read(self) -> tuple[ResultMeta, ...] | None:
        """The next of the newest results; None when all were read."""
        keys, self._waiting = self._waiting[:READ_A_STEP], self._waiting[READ_A_STEP:]
        return self._backend.read_rows(keys) if keys else None
