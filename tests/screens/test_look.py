"""What holds for every screen at every width: nothing too long, nothing cut in silence."""

from __future__ import annotations

import re
from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest
from rich.cells import cell_len
from rich.style import Style

from celery_tui.app import CeleryTui
from celery_tui.columns.base import Placed, View
from celery_tui.columns.names import cut_task_name
from celery_tui.model.cluster import Cluster
from celery_tui.model.events import Event
from celery_tui.model.observations import RoundEnded
from celery_tui.model.seam import Act, ActionRequest, Outcome, Stage, Target
from celery_tui.widgets.chart_pane import ChartPane
from celery_tui.widgets.lines import Lines
from celery_tui.widgets.table import VirtualTable
from tests.screens.capture import strips, style_name, text_lines
from tests.screens.sample import NOW, app_on, busy_cluster, events, live, task_id
from tests.screens.states import STATES, State, resized, settle, standing
from tests.test_theme import contrast

WIDTHS = (60, 80, 120, 160)
SIGNS = ("…", "..")
MOST_CHANGES = 9

each_state = pytest.mark.parametrize("state", STATES, ids=lambda state: state.name)


def visible(app: CeleryTui, kind: type[VirtualTable] | type[Lines]) -> list[VirtualTable | Lines]:
    """Widgets of that kind that are on the screen."""
    found = [w for w in app.screen.query(kind) if w.size.width and w.size.height]
    return [widget for widget in found if widget.is_on_screen and widget.display]


# -- widths and cuts ------------------------------------------------------------------------------


@each_state
async def test_lines_are_as_wide_as_the_terminal_say_what_is_cut_and_change_style_seldom(
    state: State,
) -> None:
    async with standing(state, (60, 24)) as (app, pilot):
        for width in WIDTHS:
            await resized(app, pilot, width, 24 if width < 160 else 48)
            for strip in strips(app):
                assert strip.cell_length == cell_len(strip.text) == width
            for table in visible(app, VirtualTable):
                assert isinstance(table, VirtualTable)
                whole_cells(table, app.view())
                few_changes(table)
            for lines in visible(app, Lines):
                assert isinstance(lines, Lines)
                whole_lines(lines)


def whole_cells(table: VirtualTable, view: View) -> None:
    """Each cell of each row stands there whole, or says that it was cut."""
    for y in range(1, table.size.height):
        row = table.render_line(y).text
        painted = table._lines[y - 1] if y <= len(table._lines) else None
        if painted is None or not painted.row_id:
            continue
        record = table.rows.record(painted.row_id, view)
        for placed in table._placed:
            first = placed.x - placed.column.right  # parentheses hang in both gaps
            shown = row[first : placed.x + placed.width + 1].strip()
            wordings = wordings_of(placed, record, view)
            cut = any(sign in shown for sign in SIGNS)
            assert shown in wordings or cut or table.frozen, (placed.column.id, wordings, shown)


def wordings_of(placed: Placed[Any], record: Any, view: View) -> list[str]:
    """What a cell may say: its text, a shorter one, a task name of shrunken packages."""
    column = placed.column
    if column.drawn is not None:
        return [column.drawn(record, view, placed.width)[0].strip()]
    text = column.cell(record, view)[0].strip()
    shorter = [column.short(record, view)] if column.short is not None else []
    if column.cut is cut_task_name:
        *packages, last = text.split(".")
        for index in range(len(packages)):
            packages[index] = packages[index][:1]
            shorter.append(".".join([*packages, last]))
    return [text, *shorter]


def whole_lines(lines: Lines) -> None:
    """Each line stands there whole, or says that it was cut."""
    for y in range(lines.size.height):
        at = y + lines._top
        if at >= len(lines._lines):
            continue
        wanted = "".join(text for text, _ in lines._lines[at].left).rstrip(" ─")
        shown = lines.render_line(y).text
        assert wanted in shown or any(sign in shown for sign in SIGNS), (wanted, shown)


@each_state
async def test_ascii_screens_hold_ascii_only(state: State) -> None:
    async with standing(dressed_from_the_start(state, "mono", ascii_only=True)) as (app, _):
        assert "".join(text_lines(app)).isascii()


def dressed_from_the_start(state: State, theme: str, ascii_only: bool = False) -> State:
    """The state in an app that was started so."""
    return replace(state, settings={**state.settings, "theme": theme, "ascii": ascii_only})


# -- colours ------------------------------------------------------------------------------------

GRAPHICS = frozenset("─│├└━╸╌█▁▂▃▄▅▆▇▐⋅▌▔▕▏▎▍▊▉")


@pytest.mark.parametrize("theme", ["night", "paper"])
@each_state
async def test_every_word_on_every_screen_can_be_read(state: State, theme: str) -> None:
    async with standing(dressed_from_the_start(state, theme)) as (app, _):
        poor = {
            f"{style_name(segment.style)}: {segment.text.strip()}"
            for strip in strips(app)
            for segment in strip
            if segment.style and segment.text.strip() and not set(segment.text) <= GRAPHICS | {" "}
            if not style_name(segment.style).startswith("ghost") and ratio(segment.style) < 4.5
        }
        assert not poor


def ratio(style: Style) -> float:
    """Contrast of a style's two colours."""
    front, back = style.color, style.bgcolor
    assert front is not None
    assert front.triplet is not None
    assert back is not None
    assert back.triplet is not None
    return contrast(front.triplet.hex, back.triplet.hex)


@each_state
async def test_mono_screens_have_no_colour_at_all(state: State) -> None:
    async with standing(dressed_from_the_start(state, "mono")) as (app, _):
        coloured = {
            (str(segment.style), segment.text)
            for strip in strips(app)
            for segment in strip
            if segment.style is not None
            for color in (segment.style.color, segment.style.bgcolor)
            if color is not None and not color.is_default
        }
        assert not coloured


def few_changes(table: VirtualTable) -> None:
    """A style change costs bytes on a slow line."""
    for y in range(1, table.size.height):
        runs = list(table.render_line(y).simplify())
        changes = sum(a.style != b.style for a, b in pairwise(runs))
        assert changes <= MOST_CHANGES, [(s.text, str(s.style)) for s in runs]


# -- numbers stand still ------------------------------------------------------------------------

NUMBER = re.compile(r"\(?[-+~<]?[\d,.]+[A-Za-z%]*\)?")


@pytest.mark.parametrize("name", ["home", "queues", "workers", "tasks", "broker-lost", "worker"])
async def test_the_digits_of_a_column_end_in_the_same_cell(name: str) -> None:
    state = next(state for state in STATES if state.name == name)
    async with standing(state) as (app, pilot):
        for width in WIDTHS:
            await resized(app, pilot, width, 30)
            for table in visible(app, VirtualTable):
                assert isinstance(table, VirtualTable)
                ends_in_line(table)


def ends_in_line(table: VirtualTable) -> None:
    """Right columns end in their last cell; only a closing parenthesis hangs behind."""
    for y in range(1, table.size.height):
        painted = table._lines[y - 1] if y <= len(table._lines) else None
        if painted is None or not painted.row_id:
            continue
        row = table.render_line(y).text
        for placed, (text, _) in zip(table._placed, painted.cells, strict=True):
            if not placed.column.right or not text.strip():
                continue
            last = placed.x + placed.width - 1
            assert row[last] != " ", (placed.column.id, row)
            assert row[last] != ")", (placed.column.id, row)
            assert row[last + 1] in " )", (placed.column.id, row)


# -- every state in the text alone ----------------------------------------------------------------


def all_task_states() -> Cluster:
    """One task in each state there is, the name saying which."""
    cluster = Cluster(NOW - 100)
    live(cluster, NOW - 90)
    kinds = ("received", "started", "succeeded", "retried", "failed", "revoked", "rejected")
    for number, kind in enumerate((*kinds, "sent")):
        name = f"t.{kind}"
        of: dict[str, Any] = {"hostname": "w@h", "uuid": task_id(number)}
        events(cluster, Event("task-sent", NOW - 6, name=name, **of))
        told = Event(f"task-{kind}", NOW - 5, name=name, **of)
        told.exception = "E()" if kind in ("failed", "retried") else None
        events(cluster, told)
    later = "2026-11-20T13:00:00+00:00"
    for number, name in ((20, "t.eta"), (21, "t.revoke?"), (22, "t.unconfirmed")):
        eta = later if name == "t.eta" else None
        told = Event("task-received", NOW - 4, "w@h", uuid=task_id(number), name=name, eta=eta)
        events(cluster, told)
    for number, stage in ((21, Stage.SENT), (22, Stage.NOT_CONFIRMED)):
        target = Target("task", task_id(number), "t.asked")
        request = ActionRequest(f"{number}", Act.REVOKE, (target,), NOW - 1)
        cluster.apply(Outcome(request, target, stage, "no answer", NOW - 1))
    return cluster


async def test_every_state_of_a_task_is_told_apart_in_the_mono_text_alone() -> None:
    app = app_on(all_task_states(), theme="mono")
    async with app.run_test(size=(80, 30)) as pilot:
        app.go("tasks")
        await settle(app, pilot)
        app.shelf.clear()
        rows = [line for line in text_lines(app) if " t." in line]
        states = {line[2:14].strip(): line[14:].split()[0] for line in rows}
        assert len(rows) == 11
        assert len(states) == 11, states
        assert len({state[0] for state in states}) >= 9, "a glyph each; ours share that of revoked"


async def test_every_state_of_a_worker_is_told_apart_in_the_mono_text_alone() -> None:
    cluster = Cluster(NOW - 100)
    live(cluster, NOW - 90)
    for name, heard in (("on", 1), ("silent", 20), ("blocked", 20), ("lost", 40), ("stopped", 5)):
        beat = Event("worker-heartbeat", NOW - heard, f"{name}@h", pid=1, freq=2.0)
        events(cluster, beat, at=NOW - heard)
    events(cluster, Event("worker-offline", NOW - 4, "stopped@h", pid=1), at=NOW - 4)
    cluster.workers["blocked@h"].ping_answered_at = NOW - 1
    cluster.apply(
        RoundEnded("ping", NOW - 3, NOW - 2, frozenset({"blocked@h", "on@h", "silent@h"}))
    )
    app = app_on(cluster, theme="mono")
    async with app.run_test(size=(120, 40)) as pilot:
        for root, first, last in (("workers", 2, 12), ("home", 2, 4)):
            app.go(root)
            await settle(app, pilot)
            names = ("on", "silent", "blocked", "lost", "stopped")
            rows = [
                line
                for line in text_lines(app)
                if any(re.match(rf".{{2}}\S.*\s{name}\s", line) for name in names)
                and not re.match(r".{2}(\S (crit|warn)|\w\w)", line)
            ]
            assert len({line[first:last].strip() for line in rows}) == 5, rows


async def test_cursor_marks_freezing_and_levels_are_signs_and_words_in_mono() -> None:
    app = app_on(busy_cluster(), theme="mono")
    async with app.run_test(size=(80, 30)) as pilot:
        app._tick()
        await settle(app, pilot)
        assert any(line.startswith("> ✗ crit") for line in text_lines(app))
        await pilot.press("4", "space", "p")
        await settle(app, pilot)
        lines = text_lines(app)
        assert sum(line.startswith(">") for line in lines) == 1
        assert sum(line[1] == "✱" for line in lines) == 1
        assert any("FROZEN" in line for line in lines)


# -- bytes ----------------------------------------------------------------------------------------

MOST_ON_AVERAGE = 5
MOST_BESIDE_TABLES = {"header": 16, "footer": 26}


@pytest.mark.parametrize("name", ["home", "twenty-minutes", "queues", "workers", "broker-lost"])
async def test_a_screen_changes_its_style_seldom(name: str) -> None:
    """A change costs bytes on a slow line."""
    state = next(state for state in STATES if state.name == name)
    async with standing(state) as (app, pilot):
        for width, height in ((80, 24), (120, 36), (160, 48)):
            await resized(app, pilot, width, height)
            changes = [len(list(strip.simplify())) - 1 for strip in strips(app)]
            assert sum(changes) <= MOST_ON_AVERAGE * height
            assert max(changes[:3]) <= MOST_BESIDE_TABLES["header"]
            assert changes[-1] <= MOST_BESIDE_TABLES["footer"]


async def test_a_line_of_a_chart_has_three_styles_at_most() -> None:
    state = next(state for state in STATES if state.name == "twenty-minutes")
    async with standing(state, (160, 48)) as (app, _):
        panes = visible(app, Lines)
        charts = [pane for pane in panes if isinstance(pane, ChartPane)]
        assert len(charts) == 2
        for pane in charts:
            for y in range(1, pane.size.height):
                assert len(list(pane.render_line(y).simplify())) <= 3
