"""A task's life as rows of a bar chart: sent, waited, received, each try, how it ended. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ..model.task import FAILURE, FINAL, RETRY, STARTED, Attempt, Task
from .base import Cell, View
from .names import exception_class, literal, node
from .numbers import clock, duration
from .tasks import STATES

WORK, WAIT, BACKOFF, MOMENT = "█", "─", "╌", "⋅"


@dataclass(frozen=True, slots=True)
class Phase:
    """One row: a label, when it began and ended (epoch seconds), what it was, and a cause."""

    label: str
    begin: float
    end: float
    kind: str
    cause: str = ""
    state: str = ""


def phases(task: Task, now: float) -> list[Phase]:
    """What is known of its life, in order; nothing is made up between."""
    rows: list[Phase] = []
    tries = [*task.attempts, _current(task)]
    first = next(
        (a.received_at or a.started_at for a in tries if a.received_at or a.started_at), None
    )
    if task.sent_at is not None:
        rows.append(
            Phase(
                "sent", task.sent_at, task.sent_at, MOMENT, node(task.client) if task.client else ""
            )
        )
        if first is not None and first > task.sent_at:
            rows.append(Phase("waited", task.sent_at, first, WAIT, "in queue"))
    ended: float | None = None
    for number, attempt in enumerate(tries, 1):
        rows += _attempt(attempt, number, ended, now, len(tries))
        ended = attempt.ended_at
    if task.state in FINAL and task.ended_at is not None:
        _, word, _ = STATES[task.state]
        rows.append(Phase(word, task.ended_at, task.ended_at, MOMENT, _ending(task), task.state))
    return rows


def _current(task: Task) -> Attempt:
    return Attempt(
        task.retries, task.worker, task.pid, task.received_at, task.started_at, task.ended_at,
        task.state, task.exception,
    )  # fmt: skip


def _attempt(
    attempt: Attempt, number: int, before: float | None, now: float, of: int
) -> list[Phase]:
    rows: list[Phase] = []
    begin = attempt.received_at or attempt.started_at
    if before is not None and begin is not None and (attempt.started_at or begin) > before:
        rows.append(Phase("backoff", before, attempt.started_at or begin, BACKOFF))
    if number == 1 and attempt.received_at is not None:
        where = node(attempt.worker) if attempt.worker else ""
        rows.append(Phase("received", attempt.received_at, attempt.received_at, MOMENT, where))
    if (
        number == 1
        and attempt.received_at
        and attempt.started_at
        and attempt.started_at - attempt.received_at >= 0.05
    ):
        rows.append(Phase("held", attempt.received_at, attempt.started_at, WAIT, "by the worker"))
    if attempt.started_at is not None:
        end = attempt.ended_at or (now if attempt.state == STARTED else attempt.started_at)
        end = max(end, attempt.started_at)  # events in disorder may have mixed two tries
        label = f"try {number}" if of > 1 else "run"
        failed = attempt.state in (RETRY, FAILURE)
        cause = literal(exception_class(attempt.exception or ""), 60) if failed else ""
        cause = "running" if attempt.state == STARTED else cause
        rows.append(Phase(label, attempt.started_at, end, WORK, cause, attempt.state))
    return rows


def _ending(task: Task) -> str:
    if task.expired:
        return "expired"
    if task.terminated:
        signal = literal(task.signum or "", 20)
        return f"terminated by signal {signal}" if signal else "terminated"
    return "final" if task.state == FAILURE else ""


def bar(phase: Phase, begin: float, span: float, width: int) -> tuple[int, str]:
    """(blank cells in front, glyphs) of a phase on an axis of ``width`` cells."""
    scale = (width - 1) / span if span > 0 else 0
    first = min(width - 1, max(0, round((phase.begin - begin) * scale)))
    last = min(width - 1, max(first, round((phase.end - begin) * scale)))
    if phase.kind == MOMENT:
        return first, MOMENT
    return first, phase.kind * max(1, last - first)


def timeline(task: Task, view: View, width: int) -> list[tuple[Cell, ...]]:
    """Rows of label, clock, bar, duration, cause; the small form drops the clock and moments."""
    small = width < 90
    rows = [
        row
        for row in phases(task, view.now)
        if not (small and row.kind == MOMENT and not row.state)
    ]
    if not rows:
        return []
    begin = min(row.begin for row in rows)
    span = max(row.end for row in rows) - begin
    space = max(10, width - (10 + 30 if small else 10 + 13 + 40))
    return [_row(row, begin, span, space, view, small) for row in rows]


def _row(
    row: Phase, begin: float, span: float, space: int, view: View, small: bool
) -> tuple[Cell, ...]:
    lead, glyphs = bar(row, begin, span, space)
    failed = row.state in (RETRY, FAILURE)
    style = {WORK: "data", BACKOFF: "dim", WAIT: "", MOMENT: "bright"}[row.kind]
    glyphs, style = ("✗", "crit") if row.kind == MOMENT and failed else (glyphs, style)
    mark = "✗" if failed and row.kind == WORK else ""
    used = lead + len(glyphs) + len(mark)
    took = "" if row.kind == MOMENT else duration(row.end - row.begin)
    cells: list[Cell] = [(row.label.ljust(10), "dim" if row.kind == BACKOFF else "")]
    if not small:
        cells.append((f"{clock(row.begin, view, parts=True)}  ", "dim"))
    cells += [
        (" " * lead, ""),
        (glyphs, style),
        (mark, "crit"),
        (" " * max(1, space + 1 - used), ""),
    ]
    cells += [(took.rjust(6) + "  ", ""), (row.cause, "crit" if row.state == FAILURE else "dim")]
    return tuple(cells)


def total_s(rows: Sequence[Phase]) -> float:
    """Seconds from the first to the last moment known."""
    return max(row.end for row in rows) - min(row.begin for row in rows) if rows else 0.0
