"""The live list of state changes and the log: columns and rows."""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any

from ..model.cluster import Cluster
from ..model.redact import redact_text
from ..model.seam import LogLine
from ..model.transitions import Transition
from .base import Cell, Column, View
from .names import cut_exception, cut_middle, cut_task_name, literal, node
from .numbers import clock
from .rows import Head, PlainRows
from .task_rows import all_off
from .tasks import STATES


def _clock(change: Transition | LogLine, view: View) -> Cell:
    return clock(change.at, view), "dim"


def _state(change: Transition, view: View) -> Cell:
    glyph, word, style = STATES.get(change.state, ("◦", change.state.lower(), ""))
    return f"{glyph} {literal(word, 20)}", style


def _name(change: Transition, view: View) -> Cell:
    return (literal(change.name, 300), "") if change.name else ("?", "dim")


def _detail(change: Transition, view: View) -> Cell:
    return literal(redact_text(change.detail[:400]), 200), "dim"


def _worker(change: Transition, view: View) -> Cell:
    return node(change.worker, view.host_suffix) if change.worker else "?", "dim"


LIVE: tuple[Column[Transition], ...] = (
    Column("at", "", _clock, lambda c, v: c.at, 8),
    Column("state", "", _state, lambda c, v: c.state, 10),
    Column("name", "task", _name, lambda c, v: c.name, 18, grow=14, cut=cut_task_name),
    Column("detail", "", _detail, lambda c, v: c.detail, 13, keep=10, grow=60, cut=cut_exception),
    Column("worker", "worker", _worker, lambda c, v: c.worker, 12, keep=5, cut=cut_middle),
)

LEVELS = {"crit": "crit", "warn": "warn", "ours": "acc", "info": ""}


def _kind(line: LogLine, view: View) -> Cell:
    return literal(line.kind, 60), "dim"


def _text(line: LogLine, view: View) -> Cell:
    return literal(redact_text(line.text[:2_000]), 1_000), LEVELS.get(line.level, "")


LOG: tuple[Column[LogLine], ...] = (
    Column("at", "time", _clock, lambda c, v: c.at, 8),
    Column("kind", "from", _kind, lambda c, v: c.kind, 8, grow=4),
    Column("text", "what", _text, lambda c, v: c.text, 40, grow=300),
)


class LiveRows(PlainRows):
    """State changes, the newest first."""

    columns: Sequence[Column[Any]] = LIVE

    def __init__(self) -> None:
        self._by_id: dict[str, Transition] = {}
        self._last = 0

    def head(self, view: View) -> Head:
        """Title."""
        return Head("Live", "", "state changes", covers=2)

    def ids(self, view: View) -> Sequence[str]:
        """Serial numbers of the newest changes."""
        changes = view.cluster.transitions.kept
        if changes and changes[-1].serial != self._last:
            self._last = changes[-1].serial
            newest = list(islice(reversed(changes), 100))
            self._by_id = {str(change.serial): change for change in newest}
            self._ids = list(self._by_id)
        return self._ids

    def record(self, row_id: str, view: View) -> Transition | None:
        """The change of that number."""
        return self._by_id.get(row_id)

    def empty(self, view: View) -> tuple[Cell, ...]:
        """Nothing has moved, as far as it could be heard."""
        if all_off(view):
            return (("? task events are off: most changes of state are not seen", "warn"),)
        return (("no task has changed its state since we attached", "dim"),)


def newest_first(cluster: Cluster) -> Iterator[LogLine]:
    """All lines: ours, and what the project printed."""
    both = reversed(cluster.log), reversed(cluster.printed)
    return heapq.merge(*both, key=lambda line: line.at, reverse=True)


class LogRows(PlainRows):
    """What happened, the newest first."""

    columns: Sequence[Column[Any]] = LOG

    def __init__(self, titled: str = "") -> None:
        self.titled = titled
        """A title in place of the columns' own heads."""
        self.filter = ""
        self._lines: dict[str, LogLine] = {}

    def head(self, view: View) -> Head:
        """Own heads, or a title over all of them."""
        return Head(self.titled, covers=3) if self.titled else Head()

    def ids(self, view: View) -> Sequence[str]:
        """Numbers of the lines that match."""
        wanted = self.filter.casefold()
        lines = [
            line
            for line in newest_first(view.cluster)
            if wanted in f"{line.kind} {line.text}".casefold()
        ]
        keys = [f"{line.at:.6f} {id(line)}" for line in lines]
        if keys != self._ids:
            self._ids = keys
            self._lines = dict(zip(keys, lines, strict=True))
        return self._ids

    def record(self, row_id: str, view: View) -> LogLine | None:
        """The line."""
        return self._lines.get(row_id)

    def empty(self, view: View) -> tuple[Cell, ...]:
        """Nothing yet."""
        words = (
            f"no line matches {literal(self.filter, 60)}"
            if self.filter
            else "nothing has happened yet"
        )
        return ((words, "dim"),)
