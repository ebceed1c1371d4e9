"""What a table reads of an order of rows: how many, which at a place, and the place of an id."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, overload


class Order(Sequence[str]):
    """Row ids in an order that never changes; ``index`` does not search."""

    def at(self, index: int) -> str:
        """The id at ``0 <= index < len(self)``."""
        raise NotImplementedError

    def position(self, row_id: str) -> int | None:
        """Where an id stands; None: it is not here, or its task was forgotten."""
        raise NotImplementedError

    @overload
    def __getitem__(self, index: int) -> str: ...
    @overload
    def __getitem__(self, index: slice) -> list[str]: ...
    def __getitem__(self, index: int | slice) -> str | list[str]:
        """One id, or those of a window."""
        if isinstance(index, slice):
            return [self.at(i) for i in range(*index.indices(len(self)))]
        if index < 0:
            index += len(self)
        if not 0 <= index < len(self):
            raise IndexError(index)
        return self.at(index)

    def __contains__(self, row_id: object) -> bool:
        """Whether it stands here."""
        return isinstance(row_id, str) and self.position(row_id) is not None

    def index(self, value: Any, start: int = 0, stop: int | None = None) -> int:
        """As of every sequence. Raises ValueError where it is not found."""
        found = self.position(value)
        if found is None or not start <= found < (len(self) if stop is None else stop):
            raise ValueError(value)
        return found
