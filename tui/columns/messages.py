"""Messages of a queue as somebody looked at them: columns and rows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..model.peeked import End, Peeked, WaitingMessage
from ..model.redact import redact_text
from ..model.times import parse_iso
from .base import Cell, Column, View
from .calls import call_text
from .names import cut_task_name, literal, short_id
from .numbers import NOT_APPLICABLE, UNKNOWN, clock, count, size
from .rows import Head, PlainRows

LONGEST_ARGS = 600
DAY_S = 86_400


def place_cell(message: WaitingMessage, view: View) -> Cell:
    """1 is taken next."""
    return count(message.place), "dim"


def id_cell(message: WaitingMessage, view: View) -> Cell:
    """Its task's id."""
    return (short_id(message.id), "") if message.id else NOT_APPLICABLE


def name_cell(message: WaitingMessage, view: View) -> Cell:
    """Its task's name; of anything else that it is none."""
    if not message.id:
        return "no task message", "warn"
    return (literal(message.name, 300), "") if message.name else UNKNOWN


def args_cell(message: WaitingMessage, view: View) -> Cell:
    """Arguments without secrets, behind how they are written and packed if not as plain JSON."""
    if not message.id:
        return literal(redact_text(message.note.partition(": ")[2]), LONGEST_ARGS), "dim"
    text = call_text(message.args, message.kwargs, LONGEST_ARGS)
    written = written_as(message)
    if written:
        return f"{written}: {text}", "dim"
    return (text, "dim") if text != "?" else UNKNOWN


def written_as(message: WaitingMessage) -> str:
    """``pickle, gzip``; empty for plain JSON that could be read."""
    if message.serializer == "json" and not message.compression:
        return "not JSON" if message.note else ""
    return literal(", ".join(filter(None, (message.serializer or "?", message.compression))), 60)


def eta_cell(message: WaitingMessage, view: View) -> Cell:
    """The moment before which it shall not run."""
    if not message.eta:
        return NOT_APPLICABLE
    at = parse_iso(message.eta)
    if at is None:
        return UNKNOWN
    near = abs(at - view.now) < DAY_S
    return (clock(at, view) if near else literal(message.eta, 10)), ""


def tries_cell(message: WaitingMessage, view: View) -> Cell:
    """Retries it has behind it."""
    if not message.id:
        return NOT_APPLICABLE
    return UNKNOWN if message.retries is None else (str(message.retries), "")


def priority_cell(message: WaitingMessage, view: View) -> Cell:
    """As its sender set it; of which list it lies in, if that differs."""
    return str(message.step if message.priority is None else message.priority), "dim"


def _none(message: WaitingMessage, view: View) -> None:
    """Messages stand in the order of their queue."""


COLUMNS: tuple[Column[WaitingMessage], ...] = (
    Column("place", "", place_cell, _none, 7, right=True),
    Column("id", "id", id_cell, _none, 8),
    Column("name", "task", name_cell, _none, 18, grow=14, cut=cut_task_name),
    Column("args", "args", args_cell, _none, 16, grow=90, keep=80),
    Column("eta", "eta", eta_cell, _none, 10, right=True, keep=50),
    Column("tries", "tries", tries_cell, _none, 5, right=True, keep=60),
    Column("priority", "prio", priority_cell, _none, 4, right=True, keep=30),
    Column("size", "size", lambda m, v: (size(m.size_bytes), "dim"), _none, 5, right=True, keep=20),
)


class MessageRows(PlainRows):
    """The page of messages that was read last."""

    columns: Sequence[Column[Any]] = COLUMNS

    def __init__(self, queue: str) -> None:
        self.queue = queue
        self._page: Peeked | None = None
        self._rows: dict[str, WaitingMessage] = {}

    def page(self, view: View) -> Peeked | None:
        """What was read last, or why it could not be."""
        return view.cluster.peeks.pages.get(self.queue)

    def head(self, view: View) -> Head:
        """Which end it is of, and how many are shown."""
        page = self.page(view)
        if page is None or page.error:
            return Head("Messages", covers=2)
        title = "Head" if page.end is End.HEAD else "Tail"
        order = "oldest" if page.end is End.HEAD else "newest"
        many = count(len(page.messages))
        return Head(title, f"{order} {many}" if not page.offset else f"{many} further", covers=2)

    def ids(self, view: View) -> Sequence[str]:
        """Task ids; what has none, or one that stood there already, by its place."""
        page = self.page(view)
        if page is not self._page:
            self._page, self._rows = page, {}
            for message in page.messages if page is not None else ():
                taken = not message.id or message.id in self._rows
                self._rows[f"{message.id}#{message.place}" if taken else message.id] = message
        return self.settled(list(self._rows))

    def record(self, row_id: str, view: View) -> WaitingMessage | None:
        """The message of that row."""
        return self._rows.get(row_id)

    def row_style(self, record: WaitingMessage, view: View) -> str:
        """All alike."""
        return ""

    def detail(self, record: WaitingMessage, view: View) -> Cell | None:
        """Why its body is shown as its sender described it."""
        if not record.id or not record.note:
            return None
        return f"└ {literal(record.note, 200)}; shown as its sender described it", "dim"

    def empty(self, view: View) -> tuple[Cell, ...]:
        """Nothing waits, nothing could be read, or it is being read."""
        page = self.page(view)
        if page is None:
            return (("looking into it…", "dim"),)
        if page.asks:
            return (("it was not looked into; ", "dim"), ("r", "acc bold"), (" does", "dim"))
        if page.error:
            return (("nothing could be read; ", "dim"), ("r", "acc bold"), (" tries again", "dim"))
        if page.total:
            return (("its messages are too large to be looked at: over 16 MB each", "warn"),)
        return (("✓", "ok"), (" no message waits in it", "dim"))


def range_words(page: Peeked) -> str:
    """``1 to 50 of 88,110``: places from the old end."""
    first, last = page.messages[0].place, page.messages[-1].place
    return f"{count(first)} to {count(last)} of {count(page.total or 0)}"
