"""Area charts as lines of cells: at most three style runs a line, gaps that stay gaps. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import fmean

from ..model.history import SPAN_S, STEP_S
from .base import EDGE, Cell, View
from .numbers import clock

STEPS = "▁▂▃▄▅▆▇█"
LABEL = 4
"""Cells of the widest label, ``950k``: the area begins in the same cell at any scale."""
LEAD = EDGE + LABEL + 1
NOW = "now"
MOST_ROWS = 9
LEAST_ROWS = 4
FRAME = 2
"""Lines of a chart besides its rows: head and times."""


@dataclass(frozen=True, slots=True)
class Cause:
    """What happened at a moment (epoch seconds), in a few words."""

    at: float
    words: str


@dataclass(frozen=True, slots=True)
class Chart:
    """What one chart shows: 20 minutes up to ``end``, as (step, value) of what is known."""

    title: str
    note: str
    samples: Sequence[tuple[int, float]]
    end: float
    """Epoch seconds of the newest sample, known or not."""
    label: Callable[[float], str]
    untold: str
    """Why nothing is known, where nothing is."""
    trend: str = ""
    """Right end of the head."""
    causes: tuple[Cause, ...] = ()
    """The most important first."""
    trouble_since: float | None = None


Cells = tuple[Cell, ...]


def chart_lines(chart: Chart, view: View, width: int, height: int) -> list[Cells]:
    """Exactly ``height`` lines: head, rows, times; or the head and a sentence."""
    sentence = _sentence(chart, view)
    lines = [_head(chart, width, "" if sentence or view.stale else chart.trend)]
    lines += [sentence] if sentence else _drawn(chart, view, width - LEAD - 1, height - FRAME)
    return (lines + [()] * height)[:height]


def _head(chart: Chart, width: int, trend: str) -> Cells:
    room = width - 1 - EDGE - len(chart.title) - 1
    note = f" {chart.note}" if len(chart.note) < room else ""
    room -= len(note)
    trend = f" {trend}" if trend and len(trend) + 3 < room else ""
    rule = " " + "─" * max(0, room - len(trend))
    return (
        (" " * EDGE, ""),
        (chart.title, "bright"),
        (note, "dim"),
        (rule, "line"),
        (trend, "dim"),
    )


def _sentence(chart: Chart, view: View) -> Cells | None:
    """In place of an axis full of zeros, or of nothing."""
    if not chart.samples:
        return (" " * EDGE, "dim"), (f"? {chart.untold}", "dim")
    if any(value for _, value in chart.samples):
        return None
    seconds = len(chart.samples) * STEP_S
    told = f"{seconds} s" if seconds < 60 else f"{seconds // 60} min"
    return (" " * EDGE, "dim"), ("✓", "dim" if view.stale else "ok"), (f" none in {told}", "dim")


def _drawn(chart: Chart, view: View, width: int, height: int) -> list[Cells]:
    if width < 1 or height < 1:
        return []
    values = points(chart.samples, chart.end, width)
    top = max((value for value in values if value is not None), default=0.0)
    hot = width
    if chart.trouble_since is not None and not view.stale:
        hot = max(0, cell_of(chart.trouble_since, chart.end, width))
    tones = ("ghost", "ghost") if view.stale else ("area", "heat")
    rows: list[Cells] = []
    for row, text in enumerate(area(values, top, height)):
        said = chart.label(top) if row == 0 else "0" if row == height - 1 else ""
        lead = (" " * EDGE + said.rjust(LABEL) + " ", "dim")
        rows.append((lead, (text[:hot], tones[0]), (text[hot:], tones[1])))
    return [*rows, ((" " * LEAD + times(chart, view, width), "dim"),)]


def points(samples: Sequence[tuple[int, float]], end: float, width: int) -> list[float | None]:
    """Means of the samples of each cell; None where nobody knew.

    Cells stand on the clock, not on ``end``: a sample keeps its neighbours as it moves left.
    """
    span = SPAN_S / width
    reach = max(0.0, STEP_S - span)  # more cells than samples: each fills several
    cells: list[list[float]] = [[] for _ in range(width)]
    for step, value in samples:
        at = step * STEP_S
        for cell in range(cell_of(at, end, width), cell_of(at + reach, end, width) + 1):
            if 0 <= cell < width:
                cells[cell].append(value)
    return [fmean(cell) if cell else None for cell in cells]


def cell_of(at: float, end: float, width: int) -> int:
    """The cell of a moment; ``end`` stands in the last one, what is older may be below zero."""
    span = SPAN_S / width
    return int(at // span) - int(end // span) + width - 1


def area(values: Sequence[float | None], top: float, height: int) -> list[str]:
    """Rows of blocks, the highest first. Zero is the lowest step, a gap is blank."""
    eighths = [
        None if value is None else max(1, round(value / top * height * 8)) if top > 0 else 1
        for value in values
    ]
    return [
        "".join(_block(eighth, row * 8) for eighth in eighths) for row in reversed(range(height))
    ]


def _block(eighths: int | None, below: int) -> str:
    if eighths is None or eighths <= below:
        return " "
    return STEPS[min(8, eighths - below) - 1]


def times(chart: Chart, view: View, width: int) -> str:
    """The line below: the first time, what happened when, and now."""
    line = [" "] * width
    begin = clock(chart.end - SPAN_S, view, seconds=False)
    for cause in chart.causes:
        at = cell_of(cause.at, chart.end, width)
        when = clock(cause.at, view, seconds=False)
        bare = cause.at == chart.trouble_since
        if 0 <= at < width:
            _point(line, at, when, cause.words, bare)
    _write(line, width - len(NOW), NOW)
    _write(line, 0, begin)
    return "".join(line)


def _point(line: list[str], at: int, when: str, words: str, bare: bool) -> None:
    """A mark below a cell; time and words behind it, before it or around it, as they fit.

    ``bare``: the time alone is worth a mark.
    """
    first, last = len(when) + 2, len(line) - len(NOW) - 2
    full = [("", f" {when} {words}"), (f"{when} {words} ", ""), (f"{when} ", f" {words}")]
    for before, behind in [*full, ("", f" {when}"), (f"{when} ", "")] if bare else full:
        begin, end = at - len(before), at + 1 + len(behind)
        fits = (begin >= first or not before) and (end <= last or not behind)
        if fits and _write(line, begin, f"{before}▴{behind}"):
            return


def _write(line: list[str], at: int, text: str) -> bool:
    """Write where it is free, with two blanks to both sides."""
    end = at + len(text)
    if at < 0 or end > len(line) or any(c != " " for c in line[max(0, at - 2) : end + 2]):
        return False
    line[at:end] = text
    return True
