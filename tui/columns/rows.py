"""What a table shows: which rows in which order, their columns, and the words around them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from .base import Cell, Column, View


@dataclass(frozen=True, slots=True)
class Head:
    """The line above a table. Without a title every column shows its own."""

    title: str = ""
    count: str = ""
    note: str = ""
    note_style: str = "dim"
    covers: int = 1
    """Columns whose own titles the title stands in for."""


class Rows(Protocol):
    """One kind of table; made anew or kept by a screen, read by the table widget."""

    columns: Sequence[Column[Any]]

    def head(self, view: View) -> Head:
        """Title, count and note."""

    @property
    def unfinished(self) -> bool:
        """Whether the rows shown are not yet those that were asked for."""

    def ids(self, view: View) -> Sequence[str]:
        """Row ids in order; the same object as long as nothing came, went or moved."""

    def work(self, view: View) -> bool:
        """Do less than a millisecond of what the order still needs; False: nothing, for now."""

    def cancel(self) -> bool:
        """Stay with the order shown; False if no other is being made."""

    def order_note(self, view: View) -> str:
        """How far that is, or how old the order is; empty: it is as it looks."""

    def record(self, row_id: str, view: View) -> Any | None:
        """The row's record; None if it has gone meanwhile."""

    def row_style(self, record: Any, view: View) -> str:
        """Style of cells that have none of their own: empty, or ``dim``."""

    def detail(self, record: Any, view: View) -> Cell | None:
        """A second line under the cursor row, where there is room; None: none."""

    def empty(self, view: View) -> tuple[Cell, ...]:
        """What stands there instead of rows, and what to do next."""


class PlainRows:
    """Defaults for what most tables do not need."""

    _ids: Sequence[str] = ()

    @property
    def unfinished(self) -> bool:
        """They always are."""
        return False

    def work(self, view: View) -> bool:
        """The order is made when it is asked for."""
        return False

    def cancel(self) -> bool:
        """There is nothing to cancel."""
        return False

    def order_note(self, view: View) -> str:
        """It is as it looks."""
        return ""

    def settled(self, ids: Sequence[str]) -> Sequence[str]:
        """``ids``; the object of the last time while nothing came, went or moved."""
        if ids != self._ids:
            self._ids = ids
        return self._ids

    def row_style(self, record: Any, view: View) -> str:
        """No style of its own."""
        return ""

    def detail(self, record: Any, view: View) -> Cell | None:
        """No second line."""
        return None


def ordered(ids: list[str], values: dict[str, Any], descending: bool) -> list[str]:
    """``ids`` sorted by ``values``; unknown (None) last whichever way, texts without case."""
    known = [row_id for row_id in ids if values[row_id] is not None]
    unknown = [row_id for row_id in ids if values[row_id] is None]
    known.sort(key=lambda row_id: _comparable(values[row_id]), reverse=descending)
    return known + unknown


def _comparable(value: Any) -> tuple[int, float, str]:
    if isinstance(value, (int, float)):
        return (0, float(value), "")
    return (1, 0.0, str(value).casefold())
