"""The start screen's table: where on this machine a broker may be, and what was heard there."""

from __future__ import annotations

from collections.abc import Sequence

from ..probe import Found
from .base import Cell, Column, View
from .names import literal
from .rows import Head, PlainRows


def url(found: Found, view: View) -> Cell:
    """Where; what may be chosen stands out."""
    return literal(found.url, 60), "" if found.took_ms is not None or found.said else "dim"


def note(found: Found, view: View) -> Cell:
    """What lies in it."""
    return found.note, "dim"


def answer(found: Found, view: View) -> Cell:
    """Whether it can be used, with glyph, word and colour."""
    if found.took_ms is not None:
        return f"✓ answers, {max(1, round(found.took_ms))} ms", "ok"
    if found.said:
        return f"✗ {found.said}", "warn"
    return "⋅ nothing there", "dim"


def _value(found: Found, view: View) -> str:
    return found.url


COLUMNS: tuple[Column[Found], ...] = (
    Column("url", "", url, _value, 30, grow=30),
    Column("note", "", note, _value, 14, keep=1),
    Column("answer", "", answer, _value, 18, right=True),
)


class PlaceRows(PlainRows):
    """Places in the order in which they are offered; they appear as they answer."""

    def __init__(self) -> None:
        self.columns: Sequence[Column[Found]] = COLUMNS
        self._found: dict[str, Found] = {}
        self._ids: tuple[str, ...] = ()
        self.asking = True

    def put(self, places: Sequence[Found]) -> None:
        """These were asked; those that answer stand first."""
        self._found.update({found.url: found for found in places})
        urls = sorted(self._found, key=lambda url: self._found[url].took_ms is None)
        self._ids = tuple(urls)

    def clear(self) -> None:
        """Nothing is known."""
        self._found.clear()
        self._ids = ()

    def get(self, row_id: str | None) -> Found | None:
        """The place of a row."""
        return self._found.get(row_id or "")

    def head(self, view: View) -> Head:
        """A title for all columns."""
        return Head("On this machine", note="asking…" if self.asking else "", covers=len(COLUMNS))

    def ids(self, view: View) -> Sequence[str]:
        """URLs."""
        return self._ids

    def record(self, row_id: str, view: View) -> Found | None:
        """The place."""
        return self._found.get(row_id)

    def empty(self, view: View) -> tuple[Cell, ...]:
        """Before the first answer."""
        return (("asking the usual ports…", "dim"),)
