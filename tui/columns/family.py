"""A workflow drawn as a tree: the rows of the family table, and the lines of a task's page."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ..model.redact import redact_text
from ..model.task import Task
from ..model.tree import MOST_ROWS, NEVER, Kin, Tree, tree
from .base import Cell, Column, View, cut_tail
from .names import cut_exception, cut_task_name, literal, short_id
from .numbers import count
from .rows import Head, PlainRows
from .tasks import run_cell, state_cell, worker_cell

NOTHING = "no parent, no children seen"
NOT_SENT: Cell = ("⋅ not sent", "dim")
NOT_SEEN: Cell = ("? not seen", "dim")
SHORT_ROWS = 12
LOOKED_AT = 60
"""Rows among which the page of a task finds those around it."""
LONGEST_GUIDE = 24


def family(view: View, task_id: str, most: int = MOST_ROWS) -> Tree:
    """The tree that a task is part of."""
    return tree(view.cluster.tasks, view.cluster.families, task_id, most)


def made_up(kin: Kin) -> bool:
    """Whether its id is none that a broker or a backend knows."""
    return kin.is_group or (kin.planned and "/" in kin.id)


def guides(kin: Kin) -> str:
    """Lines that lead to its parent; cut in front where it is very deep."""
    if not kin.depth:
        return ""
    text = "".join("│ " if more else "  " for more in kin.open) + ("└ " if kin.last else "├ ")
    return text if len(text) <= LONGEST_GUIDE else "…" + text[1 - LONGEST_GUIDE :]


def name(kin: Kin) -> str:
    """Task name; of a group how it is called; the id of one that nobody named."""
    if kin.is_group:
        return f"group {short_id(kin.id.partition(':')[2])}"
    return literal(kin.name, 200) if kin.name else f"? {short_id(kin.id)}"


def tree_cell(kin: Kin, view: View) -> Cell:
    """Lines and name; the task that was asked for stands out."""
    return guides(kin) + name(kin), "bright" if kin.this else "" if kin.task else "dim"


def kin_state_cell(kin: Kin, view: View) -> Cell:
    """Glyph and word; what was not sent or not seen says so."""
    if kin.task is not None:
        return state_cell(kin.task, view)
    if kin.is_group:
        return "", ""
    return NOT_SENT if kin.planned else NOT_SEEN


def note_cell(kin: Kin, view: View) -> Cell:
    """What it waits for, why it never ran, or which of them this is."""
    if kin.this:
        return "this one", "dim"
    if kin.task is not None and kin.task.exception and kin.task.state in ("FAILURE", "RETRY"):
        return literal(redact_text(kin.task.exception[:600]), 200), "dim"
    if kin.note:
        return literal(kin.note, 200), "warn" if kin.note.startswith(NEVER) else "dim"
    return "", ""


def _run(kin: Kin, view: View) -> Cell:
    return run_cell(kin.task, view) if kin.task is not None else ("", "")


def _worker(kin: Kin, view: View) -> Cell:
    return worker_cell(kin.task, view) if kin.task is not None else ("", "")


def _id(kin: Kin, view: View) -> Cell:
    return ("" if made_up(kin) else short_id(kin.id)), "dim"


def _cut(text: str, width: int, sign: str) -> str:
    """The lines stay; the name is cut as names are."""
    lines = len(text) - len(text.lstrip("│├└… "))
    if lines >= width - 4:
        return cut_tail(text, width, sign)
    return text[:lines] + cut_task_name(text[lines:], width - lines, sign)


def _value(kin: Kin, view: View) -> str:
    return kin.id


COLUMNS: tuple[Column[Kin], ...] = (
    Column("tree", "", tree_cell, _value, 24, grow=16, cut=_cut),
    Column("state", "state", kin_state_cell, _value, 10),
    Column("run", "run", _run, _value, 6, right=True, keep=30),
    Column("id", "id", _id, _value, 8, keep=20),
    Column("worker", "worker", _worker, _value, 10, keep=10, grow=8),
    Column("note", "", note_cell, _value, 29, grow=80, cut=cut_exception),
)


class FamilyRows(PlainRows):
    """The whole tree, from its root down."""

    columns: Sequence[Column[Kin]] = COLUMNS

    def __init__(self, task_id: str) -> None:
        self.task_id = task_id
        self._kin: dict[str, Kin] = {}
        self._more = 0

    def head(self, view: View) -> Head:
        """How many, and how many are not shown."""
        more = f"and {count(self._more)} more" if self._more else ""
        return Head("Family", count(len(self._kin)), more)

    def ids(self, view: View) -> Sequence[str]:
        """From the root down."""
        found = family(view, self.task_id)
        self._kin = {kin.id: kin for kin in found.rows}
        self._more = found.more
        return self.settled(list(self._kin))

    def kin(self, row_ids: Iterable[str]) -> list[Kin]:
        """The rows of those ids."""
        return [self._kin[row_id] for row_id in row_ids if row_id in self._kin]

    def record(self, row_id: str, view: View) -> Kin | None:
        """The row of the tree."""
        return self._kin.get(row_id)

    def row_style(self, record: Kin, view: View) -> str:
        """What was not sent is dim."""
        return "dim" if record.task is None else ""

    def empty(self, view: View) -> tuple[Cell, ...]:
        """There is always the task itself."""
        return ((NOTHING, "dim"),)


def asked_for(kin: Iterable[Kin]) -> list[str]:
    """Ids of which the result backend may know more; made up ones are left out."""
    return [one.id for one in kin if not made_up(one)]


def short_family(view: View, task: Task, most: int = SHORT_ROWS) -> tuple[list[Kin], int]:
    """The rows around a task, and how many there are besides; nothing if it has no family."""
    if not view.cluster.families.knows(task):
        return [], 0
    found = family(view, task.id, LOOKED_AT)
    rows = found.rows
    here = next((at for at, kin in enumerate(rows) if kin.this), 0)
    first = max(0, min(here - most // 3, len(rows) - most))
    shown = list(rows[first : first + most])
    return shown, found.more + len(rows) - len(shown)


def family_rows(view: View, task: Task, width: int) -> list[tuple[Cell, ...]]:
    """Lines of the section on a task's page."""
    shown, more = short_family(view, task)
    if not shown:
        return [((NOTHING, "dim"),)]
    longest = max(len(guides(kin)) + len(name(kin)) for kin in shown)
    wide = min(longest, max(20, width - 40))
    lines: list[tuple[Cell, ...]] = []
    for kin in shown:
        text, words = tree_cell(kin, view)
        text = _cut(text, wide, view.cut).ljust(wide)
        lines_end = len(guides(kin))
        state, look = kin_state_cell(kin, view)
        run = _run(kin, view)[0] if kin.task is not None else ""
        note, note_look = note_cell(kin, view)
        told = [(run, "dim")] if run and not kin.this else []
        told += [(note, note_look)] if note else []
        cells: list[Cell] = [(text[:lines_end], "dim"), (text[lines_end:], words)]
        cells.append((f"  {state.ljust(10)}", look))
        for cell in told:
            cells += [("  ", ""), cell]
        lines.append(tuple(cells))
    if more:
        lines.append(((f"and {more:,} more", "dim"),))
    return lines
