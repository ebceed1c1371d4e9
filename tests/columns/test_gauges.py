"""Gauges, sparklines and charts: half cells, gaps that stay gaps, never a slab."""

from __future__ import annotations

import pytest

from celery_tui.columns.gauges import STEPS, TRACK, gauge, resample, sparkline


@pytest.mark.parametrize(("part", "whole", "shown"), [
    (0, 8, ""), (4, 8, "━━━━"), (8, 8, "━━━━━━━━"), (1, 16, "╸"), (1, 1_000, "╸"), (3, 16, "━╸"),
    (20, 8, "━━━━━━━━"), (0, 0, ""), (3, 0, ""), (-1, 8, ""),
])  # fmt: skip
def test_a_gauge_has_half_cells_and_not_zero_is_at_least_one(
    part: int, whole: int, shown: str
) -> None:
    (line, style), (rest, track) = gauge(part, whole, 8)
    assert line == shown
    assert line + rest == line + TRACK * (8 - len(line))
    assert (style, track) == ("data", "track")


def test_a_sparkline_stands_at_half_height_when_traffic_is_steady() -> None:
    assert sparkline([50] * 12, 12) == "▄" * 12
    assert sparkline([0] * 12, 12) == "▁" * 12


def test_a_sparkline_shows_growth_gaps_and_its_newest_sample_at_the_right() -> None:
    shown = sparkline([1, 2, 4, 8, 16, None, 64], 12)
    assert len(shown) == 12
    assert shown[:5] == " " * 5
    assert shown[-1] == STEPS[-1]
    assert shown[-2] == " "
    assert sparkline([], 5) == " " * 5
    assert sparkline([None, None], 5) == " " * 5


def test_neighbouring_rows_of_sparklines_never_touch() -> None:
    assert "█" not in sparkline([0, 10**9], 12)


def test_samples_are_averaged_in_groups_and_a_group_of_gaps_is_a_gap() -> None:
    assert resample([1, 3, None, None, 5, None], 3) == [2, None, 5]
    assert resample([1, 2], 5) == [1, 2]
    assert len(resample(list(range(61)), 12)) == 12
