"""The lines of a task's page. Pure: (task, view, width) -> lines."""

from __future__ import annotations

from ..columns.base import Cell, View
from ..columns.family import family_rows
from ..columns.names import cut_task_name, literal, literal_lines
from ..columns.numbers import clock, duration
from ..columns.tasks import (
    PAGE_BAR,
    ROW_BAR,
    args_text,
    process_cell,
    progress_cells,
    queue_cell,
    run_cell,
    state_cell,
    tries_cell,
    verdict,
    worker_cell,
)
from ..columns.timeline import phases, timeline, total_s
from ..model.redact import redact_text
from ..model.task import STARTED, Task
from ..widgets.lines import BLANK, Line
from ..widgets.wrapping import wrapped
from .page import labelled, section

TEXT_LIMIT = 200_000


def task_lines(task: Task, view: View, width: int, wrap: bool) -> list[Line]:
    """Facts, timeline, args, result, exception, sources."""
    gap = [BLANK] if width >= 100 else []
    lines = facts(task, view, width)
    rows = timeline(task, view, width - 3)
    if rows:
        told = phases(task, view.now)
        begin = clock(told[0].begin, view, parts=True)
        lines += [
            *gap,
            section("Timeline", width, f"from {begin}", f"{duration(total_s(told))} in all"),
        ]
        lines += [Line(row) for row in rows]
    lines += [*gap, *_args(task, width, wrap)]
    for title, text, style in _texts(task):
        lines += [*gap, section(title, width), *block(text, width, wrap, style)]
    known = view.cluster.families.knows(task)
    lines += [*gap, section("Family", width, right="f full tree" if known else "")]
    return lines + [Line(row) for row in family_rows(view, task, width - 3)]


def brief_lines(task: Task, view: View, width: int) -> list[Line]:
    """The same for the pane beside the table: what fits ``width`` cells, most important first."""
    name = literal(task.name, 200) or "?"
    short = cut_task_name(name, width - 14, view.cut)
    lines = [section(short, width, literal(task.id, 8)), Line((state_cell(task, view),)), BLANK]
    for label, cell in _where(task, view):
        lines.append(Line(((label.ljust(10), "dim"), cell)))
    rows = timeline(task, view, width - 4)
    if rows:
        total = duration(total_s(phases(task, view.now)))
        lines += [BLANK, section("Timeline", width, "", f"{total} in all")]
        lines += [Line(row) for row in rows]
    lines += [BLANK, *_args(task, width, True)]
    for title, text, style in _texts(task):
        lines += [BLANK, section(title, width), *block(text, width, True, style)[-12:]]
    return lines


def _where(task: Task, view: View) -> list[tuple[str, Cell]]:
    rows = [("queue", queue_cell(task, view)), ("worker", worker_cell(task, view))]
    rows.append(("pid", process_cell(task, view)))
    rows.append(("retries", tries_cell(task, view)))
    rows.append(("told by", (", ".join(task.sources), "")))
    progress = progress_cells(task, ROW_BAR)
    if progress:
        rows.append(("progress", ("".join(text for text, _ in progress), "")))
    if task.verdict:
        rows.append(("verdict", (verdict(task, view), "")))
    return rows


def facts(task: Task, view: View, width: int) -> list[Line]:
    """State, name and id; where; where that is known from."""
    name: Cell = (literal(task.name, 200), "bright") if task.name else ("name ?", "dim")
    first = Line(
        (state_cell(task, view), ("  ", ""), name, ("  ", ""), (literal(task.id, 300), ""))
    )
    pairs: list[tuple[str, Cell | str]] = [
        ("queue", queue_cell(task, view)),
        ("worker", worker_cell(task, view)),
    ]
    pairs.append(("pid", process_cell(task, view)))
    pairs.append(("retries", tries_cell(task, view)))
    if task.started_at is not None:
        pairs.append(("runs for" if task.state == STARTED else "ran", run_cell(task, view)))
    if task.eta:
        pairs.append(("eta", literal(task.eta, 40)))
    if task.root_id and task.root_id != task.id:
        pairs.append(("root", literal(task.root_id, 8)))
    if task.parent_id:
        pairs.append(("parent", literal(task.parent_id, 8)))
    told = ", ".join(task.sources) or "?"
    source = [("from ", "dim"), (told, ""), ("   state by ", "dim"), (task.source, "")]
    source.append((f" {duration(view.now - task.as_of)} ago" if task.as_of else "", "dim"))
    lines = [first, *labelled(width, *pairs), Line(tuple(source))]
    progress = progress_cells(task, PAGE_BAR)
    if progress:
        lines.append(Line(progress))
    if task.verdict:
        rows = wrapped(verdict(task, view), width - 5)
        lines += [Line((("  " if i else "! ", "warn"), (row, ""))) for i, row in enumerate(rows)]
    asked = view.cluster.asked.get(task.id)
    if asked is not None:
        outcome = asked.outcome
        words = f"{outcome.request.act} {outcome.stage}: {outcome.text}"
        lines.append(Line((("⊘ ", "acc"), (literal(words, 300), "acc"))))
    return lines


def _args(task: Task, width: int, wrap: bool) -> list[Line]:
    if task.exact is not None:
        note = f"exact, from {task.exact.source}"
    elif task.args is not None:
        note = f"as text, from {task.args_source}; may be cut by its sender"
    else:
        note = "not known: no event, inspect reply or result told them"
    return [section("Args", width, note), *block(args_text(task, TEXT_LIMIT), width, wrap, "")]


def _texts(task: Task) -> list[tuple[str, str, str]]:
    texts: list[tuple[str, str, str]] = []
    if task.result is not None:
        texts.append(("Result", redact_text(task.result[:TEXT_LIMIT]), ""))
    if task.exception:
        texts.append(("Exception", redact_text(task.exception[:TEXT_LIMIT]), "crit"))
    if task.traceback:
        texts.append(("Traceback", redact_text(task.traceback[:TEXT_LIMIT]), ""))
    for attempt in task.attempts:
        if attempt.exception:
            title = f"Exception of try {attempt.retries + 1}"
            texts.append((title, redact_text(attempt.exception[:TEXT_LIMIT]), "dim"))
    if task.extra:
        texts.append(("Fields of a custom event", redact_text(repr(task.extra)[:TEXT_LIMIT]), ""))
    return texts


def block(text: str, width: int, wrap: bool, style: str) -> list[Line]:
    """Literal lines of a text, wrapped or cut."""
    lines = literal_lines(text.rstrip("\n")) or [""]
    if wrap:
        lines = [part for line in lines for part in wrapped(line, width - 3)]
    return [Line(((line, style),)) for line in lines]
