"""What a column is: a title, a value to sort by and to export, and a cell to show."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar, cast

from ..model.cluster import Cluster

Cell = tuple[str, str]
"""Text and style words of ``theme``: ``("11m42s", "crit")``; the empty style is the row's own.
A gauge has two: ``"3 data/track"`` draws its first 3 characters as data, the rest as track."""
Row = TypeVar("Row")
Made = TypeVar("Made")

NEVER = 1_000
"""``keep`` of a column that is never dropped."""


class Second:
    """What moves by itself moves once a second, and all of it together.

    The screen's time is a whole second: ages and rates stand still in it, while a change of
    state is painted at once. What is worked out of many records is kept for that second.
    """

    def __init__(self) -> None:
        self.now = 0.0
        self._kept: dict[Hashable, Any] = {}

    def at(self, clock_s: float) -> Second:
        """Itself, in the whole second of ``clock_s``; a new one forgets what was kept."""
        if (now := float(clock_s // 1)) != self.now:
            self.now = now
            self._kept.clear()
        return self

    def once(self, key: Hashable, make: Callable[[], Made]) -> Made:
        """What ``make`` made when it was first asked for in this second."""
        if key not in self._kept:
            self._kept[key] = make()
        return cast(Made, self._kept[key])


@dataclass(frozen=True, slots=True)
class View:
    """What a cell may depend on besides its record."""

    now: float
    """Epoch seconds at which the screen is painted: a whole second, see ``Second``."""
    cluster: Cluster
    cut: str = "…"
    """Sign of a cut text: ``..`` in ASCII."""
    utc: bool = True
    stale: bool = False
    """The broker is lost or says nothing: numbers stand in parentheses, nothing has colour."""
    host_suffix: str = ""
    """What all node names share at their end (``@prod``), said once in the head."""
    second: Second = field(default_factory=Second)
    """The present second, with what was worked out in it."""

    def once(self, key: Hashable, make: Callable[[], Made]) -> Made:
        """``make()``, at most once a second; anew at once when the broker is lost or back."""
        return self.second.once((key, self.stale, self.utc), make)


LEARNING_S = 10.0
"""So long after we attached nobody says that nothing is wrong: rules need that long to know."""


def learning(view: View) -> bool:
    """Whether we came so lately that what is wrong may not show yet."""
    return view.now - view.cluster.attached_at < LEARNING_S


def cut_tail(text: str, width: int, sign: str) -> str:
    """Args and messages lose their tail; no blank before the sign."""
    if len(text) <= width:
        return text
    return text[: max(0, width - len(sign))].rstrip() + sign[:width]


@dataclass(frozen=True, slots=True)
class Column(Generic[Row]):
    """One column of one kind of table."""

    id: str
    title: str
    cell: Callable[[Row, View], Cell]
    value: Callable[[Row, View], Any]
    """For sorting and export: a number, a text or None (unknown, sorted last)."""
    width: int
    right: bool = False
    keep: int = NEVER
    """Columns with the smallest ``keep`` are dropped first when the width is short."""
    grow: int = 0
    """Cells it may take beyond ``width`` when there is room; the leftmost that can grow first."""
    cut: Callable[[str, int, str], str] = cut_tail
    sort: str = ""
    """Its letter in the sort menu; empty: not sortable."""
    lead: int = 2
    """Blank cells in front of it."""
    drawn: Callable[[Row, View, int], Cell] | None = None
    """In place of ``cell`` where what is drawn depends on the width: gauges and sparklines."""
    short: Callable[[Row, View], str] | None = None
    """A shorter wording, used before anything is cut."""


@dataclass(frozen=True, slots=True)
class Placed(Generic[Row]):
    """A column with the cells it got: ``x`` counts from the table's left edge."""

    column: Column[Row]
    x: int
    width: int


EDGE = 2
"""Cells left of all text: cursor bar and mark."""


def place(columns: Sequence[Column[Row]], width: int) -> list[Placed[Row]]:
    """Columns that fit into ``width`` cells (edges included), dropped whole, then grown."""
    room = width - EDGE - 1
    kept = list(columns)
    while len(kept) > 1 and _needed(kept) > room:
        victim = min(kept, key=lambda column: column.keep)
        if victim.keep >= NEVER:
            break
        kept.remove(victim)
    spare = room - _needed(kept)
    widths = [column.width for column in kept]
    if spare < 0:
        widths = _squeeze(kept, widths, -spare)
    for index, column in enumerate(kept):
        more = min(max(spare, 0), column.grow)
        widths[index] += more
        spare -= more
    if spare > 0:
        widths[_widest_grower(kept)] += spare
    placed, x = [], EDGE
    for index, column in enumerate(kept):
        x += column.lead if index else 0
        placed.append(Placed(column, x, widths[index]))
        x += widths[index]
    return placed


def _needed(columns: Sequence[Column[Row]]) -> int:
    return sum(column.width + (column.lead if i else 0) for i, column in enumerate(columns))


def _widest_grower(columns: Sequence[Column[Row]]) -> int:
    """Who takes what nobody else wants, so that all tables end at the same right edge."""
    return max(range(len(columns)), key=lambda i: (columns[i].grow > 0, -i))


def _squeeze(columns: Sequence[Column[Row]], widths: list[int], missing: int) -> list[int]:
    """Too narrow even for what is never dropped: the widest text gives way, down to 4 cells."""
    widths = list(widths)
    while missing > 0:
        index = max(range(len(widths)), key=lambda i: (not columns[i].right, widths[i]))
        if widths[index] <= 4:
            break
        widths[index] -= 1
        missing -= 1
    return widths
