"""Gauges and sparklines as text: glyphs of one cell, few style changes."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import fmean, median

from .base import Cell

STEPS = "▁▂▃▄▅▆▇"
TRACK = "─"
"""Thinner than the line, so that the two differ without colour too."""


def gauge(part: float, whole: float, width: int, style: str = "data") -> tuple[Cell, Cell]:
    """A heavy line in half-cell steps, and the rest of its track; not zero is at least one."""
    if whole <= 0:
        return ("", style), (TRACK * width, "track")
    halves = round(min(1.0, part / whole) * width * 2)
    halves = max(1, halves) if part > 0 else 0
    text = "━" * (halves // 2) + ("╸" if halves % 2 else "")
    return (text, style), (TRACK * (width - len(text)), "track")


def sparkline(samples: Sequence[float | None], width: int) -> str:
    """One sample a cell, from zero, at most ``▇``; a gap is blank, zero is the lowest step.

    The scale is max(largest, 2 x median): steady traffic stands at half height, growth is seen.
    """
    if not samples:
        return " " * width
    points = resample(samples, width)
    known = [point for point in points if point is not None]
    top = max([*known, 2 * median(known) if known else 0])
    drawn = "".join(_step(point, top) for point in points)
    return drawn.rjust(width)


def _step(point: float | None, top: float) -> str:
    if point is None:
        return " "
    if top <= 0:
        return STEPS[0]
    return STEPS[min(len(STEPS) - 1, max(0, round(point / top * (len(STEPS) - 1))))]


def resample(samples: Sequence[float | None], width: int) -> list[float | None]:
    """At most ``width`` means of neighbouring samples; a group without any known one is a gap."""
    if len(samples) <= width:
        return list(samples)
    points: list[float | None] = []
    for index in range(width):
        first = index * len(samples) // width
        group = samples[first : max(first + 1, (index + 1) * len(samples) // width)]
        known = [value for value in group if value is not None]
        points.append(fmean(known) if known else None)
    return points
