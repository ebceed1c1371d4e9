"""Numbers as tables want them: fixed widths, no zero by rounding, unknown is not zero."""

from __future__ import annotations

import pytest

from celery_tui.columns.base import View
from celery_tui.columns.numbers import (
    age,
    clock,
    count,
    duration,
    known,
    rate,
    share,
    short_count,
    size,
    whole,
)
from celery_tui.model.cluster import Cluster

NOW = 1_795_176_600.0


def view(stale: bool = False) -> View:
    """A view at a time that stands."""
    return View(NOW, Cluster(NOW), stale=stale)


@pytest.mark.parametrize(("value", "shown"), [
    (0, "0"), (7, "7"), (1_234, "1,234"), (912_441, "912,441"), (999_999, "999,999"),
    (1_000_000, "1.00M"), (1_234_567, "1.23M"), (999_999_999, "1.00G"), (-700, "-700"),
])  # fmt: skip
def test_counts_have_separators_and_from_a_million_a_unit(value: int, shown: str) -> None:
    assert count(value) == shown
    assert len(shown) <= 8


@pytest.mark.parametrize(("value", "shown"), [
    (0, "0"), (950, "950"), (999.6, "1k"), (88_000, "88k"), (999_600, "1.0M"), (2_340_000, "2.3M"),
    (12_340_000, "12M"), (999_600_000, "1.0G"),
])  # fmt: skip
def test_axes_get_short_counts(value: float, shown: str) -> None:
    assert short_count(value) == shown


@pytest.mark.parametrize(("value", "shown"), [
    (0, "0.0"), (0.001, "<0.01"), (0.2, "0.20"), (0.999, "1.0"), (1, "1.0"), (41, "41.0"),
    (99.96, "100"), (212, "212"), (9_999, "9,999"), (9_999.9, "10.0k"), (12_400, "12.4k"),
])  # fmt: skip
def test_rates_keep_three_digits(value: float, shown: str) -> None:
    assert rate(value) == shown
    assert len(shown) <= 6


@pytest.mark.parametrize(("seconds", "shown"), [
    (0, "0.0s"), (0.01, "<0.1s"), (0.4, "0.4s"), (9.94, "9.9s"), (9.96, "10s"), (38, "38s"),
    (59.6, "1m00s"), (60, "1m00s"), (702, "11m42s"), (3_599.9, "59m59s"), (3_600, "1h00m"),
    (11_520, "3h12m"), (86_399, "23h59m"), (86_400, "1d0h"), (273_600, "3d4h"),
    (864_000, "10d"), (120 * 86_400, "120d"), (-5, "<1s"),
])  # fmt: skip
def test_durations_never_take_more_than_six_cells(seconds: float, shown: str) -> None:
    assert duration(seconds) == shown


@pytest.mark.parametrize("exponent", range(-4, 16))
def test_durations_and_sizes_of_any_magnitude_fit_their_columns(exponent: int) -> None:
    for digits in (1, 1.5, 5.96, 9.96, 9.9996):
        assert len(duration(digits * 10**exponent)) <= 6
        assert len(whole(digits * 10**exponent)) <= 6
        if -1 < exponent < 13:
            assert len(size(int(digits * 10**exponent))) <= 6


@pytest.mark.parametrize(("seconds", "shown"), [
    (0, "0s"), (0.3, "<1s"), (1.9, "1s"), (9.99, "9s"), (38, "38s"), (702, "11m42s"), (-1, "<1s"),
])  # fmt: skip
def test_ages_have_no_tenths_and_rounding_makes_no_zero(seconds: float, shown: str) -> None:
    assert whole(seconds) == shown


@pytest.mark.parametrize(("part", "shown"), [
    (0, "0.0%"), (0.0004, "<0.1%"), (0.061, "6.1%"), (0.0996, "10%"), (0.98, "98%"), (1, "100%"),
])  # fmt: skip
def test_shares_show_a_digit_only_where_it_says_something(part: float, shown: str) -> None:
    assert share(part) == shown


@pytest.mark.parametrize(("value", "shown"), [
    (0, "0B"), (512, "512B"), (999, "999B"), (1_000, "1K"), (612 << 20, "612M"),
    (2_040_109_466, "1.9G"), (200 << 30, "200G"),
])  # fmt: skip
def test_sizes_count_by_1024(value: int, shown: str) -> None:
    assert size(value) == shown


def test_clocks_are_utc_unless_asked_otherwise_and_nonsense_is_unknown() -> None:
    assert clock(NOW, view()) == "12:10:00"
    assert clock(NOW, view(), seconds=False) == "12:10"
    assert clock(NOW + 0.305, view(), parts=True) == "12:10:00.30"
    assert clock(1e300, view()) == "?"


def test_unknown_is_a_question_mark_old_stands_in_parentheses_and_zero_is_zero() -> None:
    assert known(None, "", view()) == ("?", "dim")
    assert known(0, "0", view(), "crit") == ("0", "crit")
    assert known(88_110, "88,110", view(stale=True), "crit") == ("(88,110)", "dim")
    assert age(None, view()) == ("?", "dim")
    assert age(NOW - 38, view()) == ("38s", "dim")
