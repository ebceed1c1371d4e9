"""The attention list: what is wrong, since when; columns and rows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from ..model.seam import Finding, Level
from .base import Cell, Column, View, learning
from .names import cut_middle, literal, node
from .numbers import UNKNOWN, duration, known
from .rows import Head, PlainRows


def _level(finding: Finding, view: View) -> Cell:
    return ("✗ crit", "crit") if finding.severity == Level.CRIT else ("! warn", "warn")


def _subject(finding: Finding, view: View) -> Cell:
    name = node(finding.subject) if "@" in finding.subject else literal(finding.subject, 200)
    return name, "bright" if finding.severity == Level.CRIT else ""


def _text(finding: Finding, view: View) -> Cell:
    return literal(finding.text, 500), ""


def _short(finding: Finding, view: View) -> str:
    return literal(finding.short, 200)


def _since(finding: Finding, view: View) -> Cell:
    if finding.since is None:
        return UNKNOWN
    return known(finding.since, duration(view.now - finding.since), view, "")


COLUMNS: tuple[Column[Finding], ...] = (
    Column("level", "", _level, lambda f, v: f.severity, 6),
    Column("subject", "", _subject, lambda f, v: f.subject, 14, cut=cut_middle),
    Column("text", "", _text, lambda f, v: f.text, 44, grow=200, short=_short),
    Column("since", "since", _since, lambda f, v: f.since, 6, right=True),
)


class AttentionRows(PlainRows):
    """The findings as they were last evaluated, the worst first."""

    columns: Sequence[Column[Any]] = COLUMNS

    def __init__(self, findings: Callable[[], Sequence[Finding]]) -> None:
        self._findings = findings

    def head(self, view: View) -> Head:
        """Title and count."""
        return Head("Attention", str(len(self._findings())), covers=3)

    def ids(self, view: View) -> Sequence[str]:
        """Keys of the findings."""
        ids = [finding.key for finding in self._findings()]
        return self.settled(ids)

    def record(self, row_id: str, view: View) -> Finding | None:
        """The finding of that key."""
        return next((f for f in self._findings() if f.key == row_id), None)

    def detail(self, record: Finding, view: View) -> Cell | None:
        """What to do next, or what came before."""
        words = record.detail or record.next
        return (" " * 20 + f"└ {literal(words, 300)}", "dim") if words else None

    def empty(self, view: View) -> tuple[Cell, ...]:
        """Nothing is wrong."""
        if learning(view):
            return (("Nothing is wrong so far.", "dim"),)
        return (("✓ Nothing needs you.", "ok bold"),)
