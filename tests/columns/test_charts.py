"""Area charts: a scale from zero, gaps that stay blank, causes below the moment they began."""

from __future__ import annotations

import pytest

from celery_tui.columns.base import View
from celery_tui.columns.charts import LEAD, Cause, Chart, area, chart_lines, points
from celery_tui.columns.numbers import short_count
from celery_tui.model.cluster import Cluster
from celery_tui.model.history import SPAN_S, STEP_S

END = 1_795_176_595.0
"""12:09:55 UTC: the last sample before the next cell of 10 s begins."""
FIRST = int((END - SPAN_S) // STEP_S) + 1
VIEW = View(END, Cluster(END))
LOST = View(END, Cluster(END), stale=True)


def chart(
    *values: float | None,
    causes: tuple[Cause, ...] = (),
    trouble_since: float | None = None,
    trend: str = "",
) -> Chart:
    """A chart whose last value is of now."""
    first = int(END // STEP_S) - len(values) + 1
    samples = [(first + at, value) for at, value in enumerate(values) if value is not None]
    return Chart(
        "Backlog", "20 min", samples, END, short_count, "nobody told", trend, causes, trouble_since
    )


def texts(shown: Chart, width: int = 80, height: int = 8, view: View = VIEW) -> list[str]:
    lines = chart_lines(shown, view, width, height)
    return ["".join(text for text, _ in line) for line in lines]


def ramp() -> list[float]:
    return [float(value) for value in range(240)]


# -- the area -----------------------------------------------------------------------------------


def test_a_chart_has_head_rows_and_times_and_ends_in_one_cell() -> None:
    lines = texts(chart(*ramp(), trend="+12/min"))
    assert len(lines) == 8
    assert lines[0].startswith("  Backlog 20 min ──")
    assert lines[0].endswith("── +12/min")
    assert lines[1].startswith("   238 ")
    assert lines[6].startswith("     0 ▁")
    assert lines[7].startswith("       11:49")
    assert lines[7].endswith("now")
    assert {len(line) for line in lines} == {79}


@pytest.mark.parametrize("height", [3, 4, 6, 11])
@pytest.mark.parametrize("width", [20, 49, 80, 119, 300])
def test_the_first_value_is_low_the_last_is_high_and_nothing_falls(width: int, height: int) -> None:
    rows = texts(chart(*ramp()), width, height)[1:-1]
    filled = [sum(row[at] != " " for row in rows) for at in range(LEAD, width - 1)]
    assert filled == sorted(filled)
    assert filled[0] <= 1 + height // 10
    assert filled[-1] == height - 2


def test_zero_is_the_lowest_step_and_a_gap_is_blank() -> None:
    assert area([0, None, 1, 4], 4, 2) == ["   █", "▁ ▄█"]
    values = [4.0] * 100 + [None] * 40 + [4.0] * 100
    bottom = texts(chart(*values), 128)[-2][LEAD:]
    assert bottom.count(" ") == 20
    assert bottom.strip().startswith("█" * 50)


def test_what_was_before_we_attached_is_blank() -> None:
    lines = texts(chart(*[5.0] * 60), 128)
    assert lines[3][LEAD : LEAD + 89].strip() == ""
    assert lines[3][-30:] == "█" * 30


def test_a_sample_keeps_its_neighbours_as_it_moves_to_the_left() -> None:
    values = [float(at * 7919 % 101) for at in range(300)]
    drawn: dict[int, float] = {}
    for newest in range(240, 300):
        samples = [(FIRST + at, values[at]) for at in range(newest - 239, newest + 1)]
        end = (FIRST + newest) * STEP_S
        cells = points(samples, end, 57)
        for cell in range(2, 56):  # the outermost are not whole
            value = cells[cell]
            assert value is not None
            number = int(end // (SPAN_S / 57)) - 56 + cell
            assert drawn.setdefault(number, value) == value


def test_the_scale_begins_at_zero_and_ends_with_the_highest_cell() -> None:
    rows = texts(chart(*[90.0] * 238, 100.0, 100.0), 128, 10)[1:-1]
    assert rows[0].startswith("   100 ")
    assert sum(row[LEAD] != " " for row in rows) == 8
    assert rows[0][LEAD] == "▂"


# -- nothing, and nobody knows --------------------------------------------------------------------


def test_nothing_happened_is_a_sentence_and_not_an_axis_of_zeros() -> None:
    assert texts(chart(*[0.0] * 240))[1] == "  ✓ none in 20 min"
    assert texts(chart(*[0.0] * 24))[1] == "  ✓ none in 2 min"
    assert texts(chart(0.0, 0.0))[1] == "  ✓ none in 10 s"
    assert texts(chart(*[0.0] * 240))[2:] == [""] * 6


def test_unknown_is_not_nothing() -> None:
    assert texts(chart())[1] == "  ? nobody told"
    assert texts(chart(None, None))[1] == "  ? nobody told"


# -- what is said around it -----------------------------------------------------------------------


def times(width: int, *causes: Cause, trouble: bool = True) -> str:
    since = causes[0].at if trouble else None
    return texts(chart(*ramp(), causes=causes, trouble_since=since), width)[-1][LEAD:]


def test_a_cause_stands_below_the_moment_it_began() -> None:
    line = times(128, Cause(END - 595, "w1 gone"))
    assert line.index("▴") == 60
    assert "▴ 12:00 w1 gone" in line


def test_a_cause_that_has_no_room_behind_its_mark_stands_before_or_around_it() -> None:
    assert "12:08 w1 gone ▴" in times(80, Cause(END - 115, "w1 gone"))
    assert "11:57 ▴ mail-worker gone" in times(49, Cause(END - 755, "mail-worker gone"))
    assert times(80, Cause(END - 3, "link lost")).endswith("12:09 link lost ▴")


def test_a_time_without_words_is_told_of_a_trouble_only() -> None:
    long = Cause(END - 595, "a worker with a very long name gone")
    assert "▴ 12:00" in times(40, long)
    assert "▴" not in times(40, long, trouble=False)


@pytest.mark.parametrize("width", [16, 24, 40, 80, 150])
@pytest.mark.parametrize("ago", [0, 30, 300, 700, 1_190, 1_300])
def test_words_below_never_run_into_each_other(width: int, ago: float) -> None:
    line = times(width, Cause(END - ago, "w1 gone"), Cause(END - ago - 40, "w2 gone"))
    assert len(line) == width - LEAD - 1
    for word in line.split("  "):
        said = word.strip()
        assert said in ("", "now", "11:49") or "▴" in said
        assert said.count("▴") <= 1


def test_the_area_is_hot_since_the_trouble_began_and_a_line_has_three_styles() -> None:
    lines = chart_lines(chart(*[5.0] * 240, trouble_since=END - 595), VIEW, 128, 8)
    for line in lines[1:-1]:
        assert [style for _, style in line] == ["dim", "area", "heat"]
        assert [len(text) for text, _ in line] == [LEAD, 60, 60]
    assert [style for _, style in lines[-1]] == ["dim"]


def test_a_trouble_older_than_the_chart_makes_all_of_it_hot() -> None:
    line = chart_lines(chart(*[5.0] * 240, trouble_since=END - 9_000), VIEW, 128, 8)[3]
    assert [len(text) for text, _ in line] == [LEAD, 0, 120]


def test_a_photograph_has_no_colour() -> None:
    lines = chart_lines(chart(*[5.0] * 240, trouble_since=END - 595), LOST, 80, 8)
    assert {style for line in lines[1:-1] for _, style in line} == {"dim", "ghost"}
