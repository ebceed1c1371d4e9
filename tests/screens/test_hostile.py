"""Text from the cluster is literal on every screen: shown, never obeyed, never a crash."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
from rich.cells import cell_len
from textual.pilot import Pilot
from wcwidth import wcwidth

from celery_tui.app import CeleryTui
from celery_tui.backends import meta
from celery_tui.columns.names import literal
from celery_tui.model.cluster import Cluster
from celery_tui.model.events import decode
from celery_tui.model.observations import EventBatch, QueueDepth, QueueDepths, Reply, Results
from celery_tui.model.seam import Act, Health, Link, LogLine, Outcome, Stage, Target
from celery_tui.screens.confirm import ConfirmScreen
from celery_tui.screens.dialog import Dialog
from celery_tui.screens.edit_args import EditArgsScreen
from celery_tui.screens.help import HelpScreen
from celery_tui.screens.task import TaskScreen
from celery_tui.screens.task_page import task_lines
from celery_tui.screens.worker import facts
from tests.screens.capture import strips, text_lines
from tests.screens.hostile import (
    HOSTILE,
    LITERALS,
    NOW,
    hostile_cluster,
    hostile_preview,
    populate,
    task_ids,
)
from tests.screens.sample import StillMonitor, app_on, live

ROOTS = ("home", "queues", "workers", "tasks", "log")
NEVER_DRAWN = ("Cc", "Cf", "Cs", "Cn", "Zl", "Zp")
"""Categories that move, hide or turn other text, or that no terminal can draw."""

Running = Pilot[int]


def tame(app: CeleryTui) -> list[str]:
    """The lines of the screen, once nothing in them can do anything to a terminal."""
    width, height = app.size
    lines = strips(app)
    assert len(lines) == height
    for strip in lines:
        text = strip.text
        assert cell_len(text) == width, (width, text)
        assert sum(map(wcwidth, text)) == width, (width, text)
        odd = [char for char in text if unicodedata.category(char) in NEVER_DRAWN]
        assert not odd, (odd, text)
        assert not runs_of_marks(text), text
        for segment in strip:
            assert not segment.control
            style = segment.style
            assert style is None or (style.link is None and not clicks(style.meta)), text
    return [strip.text for strip in lines]


def clicks(found: dict[str, Any]) -> bool:
    """Whether somebody made the text act on a click."""
    return any(key.startswith("@click") for key in found)


def runs_of_marks(text: str) -> bool:
    """Whether more marks stand on one character than a line of text has room for."""
    kinds = "".join("M" if unicodedata.category(char)[0] == "M" else "." for char in text)
    return "MMMM" in kinds


async def painted(pilot: Running) -> list[str]:
    """Everything brought up to date, and the lines of the screen."""
    app = pilot.app
    assert isinstance(app, CeleryTui)
    app.paint()
    await pilot.pause()
    return tame(app)


async def still_works(pilot: Running) -> None:
    """Keys do what they always do."""
    app = pilot.app
    assert isinstance(app, CeleryTui)
    app.go("home")
    await pilot.press("2")
    assert app.current_mode == "queues"
    assert app.is_running
    assert app.theme == "night"


def monitor_of(app: CeleryTui) -> StillMonitor:
    """The monitor that stands still."""
    assert isinstance(app.monitor, StillMonitor)
    return app.monitor


each_text = pytest.mark.parametrize("name", HOSTILE)


# -- tables -------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [(80, 24), (120, 40), (160, 48), (300, 100)])
async def test_tables_full_of_hostile_names_keep_every_width(size: tuple[int, int]) -> None:
    app = app_on(hostile_cluster(*HOSTILE.values()))
    async with app.run_test(size=size) as pilot:
        for root in ROOTS:
            app.go(root)
            await pilot.pause()
            lines = await painted(pilot)
            await pilot.press("G")
            await painted(pilot)
            if size[1] == 100 and root in ("queues", "workers"):
                text = "\n".join(lines)
                assert all(word in text for word in LITERALS), root
        await still_works(pilot)


@pytest.mark.parametrize("theme", ["mono", "ansi", "paper"])
async def test_ascii_screens_turn_every_hostile_name_into_ascii(theme: str) -> None:
    app = app_on(hostile_cluster(*HOSTILE.values()), theme=theme, ascii=True)
    async with app.run_test(size=(160, 48)) as pilot:
        for root in ROOTS:
            app.go(root)
            await pilot.pause()
            assert "".join(await painted(pilot)).isascii()


async def test_moving_marking_sorting_and_freezing_hostile_rows_does_nothing_else() -> None:
    app = app_on(hostile_cluster(*HOSTILE.values()))
    async with app.run_test(size=(160, 48)) as pilot:
        for root in ROOTS[1:]:
            app.go(root)
            await pilot.pause()
            await pilot.press("space", "space", "G", "pagedown", "k", "y", "p", "p", "f", "t")
            await painted(pilot)
            columns = getattr(app.screen, "main").rows.columns  # noqa: B009
            for column in columns:
                for way in (True, False):
                    if column.sort and hasattr(app.screen, "_sorted"):
                        app.screen._sorted((column.id, way))
                        await painted(pilot)
        assert not monitor_of(app).performed
        await still_works(pilot)


# -- pages --------------------------------------------------------------------------------------


@each_text
async def test_pages_of_a_hostile_task_and_worker_show_it_literally(name: str) -> None:
    text = HOSTILE[name]
    cluster = hostile_cluster(text)
    app = app_on(cluster)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        for task_id in (*task_ids(text, 0)[0:6:5], f"0-inspected-{text}"):
            app.open("task", task_id)
            await pilot.pause()
            seen = await painted(pilot)
            assert isinstance(app.screen, TaskScreen)
            app.screen.wrap = True
            seen += await painted(pilot)
            for _ in range(4):
                app.screen.page.scroll_lines(20)
                seen += tame(app)
            if name in ("closing tag", "link", "bold"):
                assert any(literal(text)[:20] in line for line in seen)
            app.pop_screen()
        app.open("worker", next(iter(cluster.workers)))
        await pilot.pause()
        await painted(pilot)
        app.push_screen(HelpScreen(()))
        await pilot.pause()
        await painted(pilot)
        await still_works(pilot)


@each_text
async def test_pages_of_where_hostile_facts_come_from_show_them_literally(name: str) -> None:
    text = HOSTILE[name]
    cluster = hostile_cluster(text)
    app = app_on(cluster)
    subjects = [("task", next(iter(cluster.tasks))), ("worker", next(iter(cluster.workers)))]
    subjects += [("queue", name) for name in list(cluster.queues)[:1]]
    async with app.run_test(size=(80, 48)) as pilot:
        await pilot.pause()
        app._tick()
        subjects += [("finding", finding.key) for finding in app.findings[:1]]
        for kind, key in subjects:
            app.open(f"why-{kind}", key)
            await pilot.pause()
            await painted(pilot)
            await pilot.press("G")
            await painted(pilot)
            app.pop_screen()
        await still_works(pilot)


# -- dialogs ------------------------------------------------------------------------------------


def requests(app: CeleryTui, text: str) -> Iterator[ConfirmScreen]:
    """Dialogs that ask about targets made of the text; what differs little takes turns."""
    task = Target("task", text, text, text, 7, text)
    at = Target("task", f"2{text}", f"@{text}", f"w@{text}", None, text)
    queue, worker = Target("queue", text), Target("worker", text)
    for act, target in ((Act.TERMINATE, task), (Act.PURGE, queue), (Act.EVENTS_ON, worker)):
        if len(text) % 3 == {Act.TERMINATE: 0, Act.PURGE: 1}.get(act, 2):
            yield ConfirmScreen(app.preview(app.request(act, (target,))))
    for act, targets in ((Act.REVOKE, (task, at)), (Act.RETRY, (task,))):
        yield ConfirmScreen(hostile_preview(app.request(act, targets), text))
    told = hostile_preview(app.request(Act.UNDO, (queue,)), text)
    yield ConfirmScreen(msgspec.structs.replace(told, blocked=text or "?"))


@each_text
async def test_dialogs_about_hostile_targets_say_them_literally(name: str) -> None:
    text = HOSTILE[name]
    app = app_on(hostile_cluster(text))
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        for number, dialog in enumerate(requests(app, text)):
            app.push_screen(dialog)
            await pilot.pause()
            await painted(pilot)
            if number == 0:
                await pilot.press("tab", "x", "escape")
            else:
                dialog.do_cancel()
            await pilot.pause()
            assert not isinstance(app.screen, Dialog)
        await edit(pilot, text)
        assert not monitor_of(app).performed
        await still_works(pilot)


async def edit(pilot: Running, text: str) -> None:
    """The editor of arguments takes it as text, and so does its parser."""
    app = pilot.app
    assert isinstance(app, CeleryTui)
    target = Target("task", text, text, text)
    known = hostile_preview(app.request(Act.RETRY, (target,)), text).args[0]
    app.push_screen(EditArgsScreen(known, target, clock=iter(range(1_000)).__next__))
    await pilot.pause()
    await painted(pilot)
    await pilot.press("[", "enter")
    assert isinstance(app.screen, EditArgsScreen)
    app.screen.do_send()
    await painted(pilot)
    if isinstance(app.screen, EditArgsScreen):  # the text was no literal, and it says so
        app.screen.do_cancel()


# -- toasts, filter, palette, help, sort menu -----------------------------------------------------


@pytest.mark.parametrize("size", [(80, 24), (160, 48)])
async def test_toasts_of_hostile_outcomes_stay_in_their_lines(size: tuple[int, int]) -> None:
    app = app_on(hostile_cluster("x"))
    async with app.run_test(size=size, notifications=True) as pilot:
        await pilot.pause()
        for text in HOSTILE.values():
            target = Target("task", text, text, text)
            request = app.request(Act.REVOKE, (target,))
            for stage in Stage:
                app.cluster.apply(Outcome(request, target, stage, text, NOW))
            app.toast(text, "crit")
            app.copy(text, literal(text, 40))
            await painted(pilot)
            app.shelf.clear()
        await still_works(pilot)


async def test_a_filter_of_hostile_text_finds_what_holds_it_and_says_so_literally() -> None:
    app = app_on(hostile_cluster(*HOSTILE.values()))
    async with app.run_test(size=(80, 24)) as pilot:
        for root in ROOTS[1:]:
            app.go(root)
            await pilot.pause()
            texts = (*HOSTILE.values(), "\x1b[2Jnot there [/x]\u202e")
            for text in texts if root == "tasks" else texts[::6]:
                bar = app.screen.query_one("FilterBar")
                bar.open(text[:200])  # type: ignore[attr-defined]
                await painted(pilot)
            await pilot.press("[", "/", "escape")
            await painted(pilot)
        await still_works(pilot)


async def test_typing_markup_into_filter_search_and_palette_is_text() -> None:
    app = app_on(hostile_cluster("[/oops]"))
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("4", "slash", *"[/oops]")
        lines = await painted(pilot)
        assert any("[/oops]" in line for line in lines)
        assert app.screen.query_one("#main").row_count  # type: ignore[attr-defined]
        await pilot.press("enter", "question_mark", "slash", *"[b]")
        assert any("[b]" in line for line in await painted(pilot))
        await pilot.press("escape", "escape", "colon", *"[/x]")
        await pilot.pause()
        assert any("[/x]" in line for line in await painted(pilot))
        await pilot.press("escape")
        await still_works(pilot)


# -- states -------------------------------------------------------------------------------------


@each_text
async def test_a_lost_broker_that_says_hostile_things_is_quoted_literally(name: str) -> None:
    text = HOSTILE[name]
    known = hostile_cluster(text) if len(text) % 2 else Cluster(NOW - 10)
    for source in ("events", "inspect", "queues", "results"):
        known.apply(Health(source, Link.LOST, NOW - 5, text, text, NOW + 3, 2))
    app = app_on(known)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        app._tick()
        for root in ("home", "queues", "log"):
            app.go(root)
            await pilot.pause()
            await painted(pilot)


async def test_findings_about_hostile_queues_and_workers_are_literal() -> None:
    cluster = Cluster(NOW - 300)
    live(cluster, NOW - 290)
    for number, text in enumerate(HOSTILE.values()):
        populate(cluster, text, number, NOW - 200)
        emptied = QueueDepths(NOW - 1, {f"alone{text}": QueueDepth(9, {"0": 9})})
        cluster.apply(emptied)
    for size in ((80, 24), (160, 48)):
        app = app_on(cluster)
        async with app.run_test(size=size) as pilot:
            await pilot.pause()
            app._tick()
            await painted(pilot)
            assert monitor_of(app).findings
            for _ in range(len(monitor_of(app).findings)):
                await pilot.press("down")
                tame(app)
            await pilot.press("enter")
            await painted(pilot)


# -- odd shapes, large and broken bytes -----------------------------------------------------------

DEEP: Any = []
for _ in range(900):
    DEEP = [DEEP]
ODD: tuple[Any, ...] = (
    None, 0, -1, 1.5, 1e308, float("nan"), float("inf"), True, "", "x", b"x", [], {}, [None], [[]],
    [{}], {"a": None}, {"id": None}, [{"id": 1}], [{"id": ""}], [{"id": "i", "name": 7}],
    [{"id": "i", "args": "()", "kwargs": [], "time_start": "now", "worker_pid": "x"}],
    [{"id": "i", "args": [], "kwargs": {}, "time_start": 1e300, "worker_pid": -5}],
    [{"id": "i", "args": [], "kwargs": {}, "time_start": float("nan"), "delivery_info": []}],
    [{"request": {"id": "r"}, "eta": 5}], [{"request": [], "eta": None}], [{"name": None}],
    {"pool": [], "total": [], "rusage": 5, "uptime": "x", "pid": "p", "prefetch_count": None},
    {"pool": {"max-concurrency": "many", "processes": {}}, "total": {"a": "b"}, "uptime": 1e300},
    {"pool": {"max-concurrency": -3}, "rusage": {"maxrss": -1}, "total": {None: 1}, "uptime": -5},
    {"pool": {"max-concurrency": True}, "rusage": {"maxrss": 1e300}, "pid": 10**40},
    {"pool": {"max-concurrency": 10**30}, "rusage": {"maxrss": float("inf")}, "uptime": 10**400},
    {"rusage": {"maxrss": float("nan")}, "uptime": float("nan"), "prefetch_count": 10**30},
    DEEP, {"pool": DEEP}, [{"id": "deep", "args": DEEP, "kwargs": {"k": DEEP}}],
)  # fmt: skip
QUESTIONS = (
    "ping", "active", "reserved", "scheduled", "stats", "active_queues", "registered", "strange",
)  # fmt: skip


def odd_cluster() -> Cluster:
    """Every odd shape as the answer to every question, and as every part of a stored result."""
    cluster = Cluster(NOW - 100)
    live(cluster, NOW - 90)
    for number, payload in enumerate(ODD):
        for question in QUESTIONS:
            cluster.apply(Reply(question, f"w{number}@h", payload, NOW - 2, NOW - 1))
        cluster.apply(Reply("stats", "all@h", payload, NOW - 2, NOW - 1))
    for number, value in enumerate((*ODD, 10**5000)):
        task_id = f"{number}-odd"
        sent = json.dumps({"type": "task-sent", "uuid": task_id, "timestamp": NOW - 3})
        decoded = decode(sent.encode())
        cluster.apply(EventBatch(NOW - 3, decoded.events, decoded.malformed))
        cluster.apply(Results(NOW, tuple(odd_metas(task_id, value))))
    return cluster


def odd_metas(task_id: str, value: Any) -> Iterator[Any]:
    """Stored results with the value in the place of each part, and of the whole."""
    for part in (
        "status", "result", "traceback", "name", "args", "kwargs", "worker", "queue", "retries",
        "parent_id", "group_id", "children", "date_done",
    ):  # fmt: skip
        for status in ("SUCCESS", "FAILURE", "STARTED"):
            try:
                stored = json.dumps({"status": status, part: value}, default=str)
            except (ValueError, TypeError):
                continue
            yield meta.read(task_id, stored.encode())


async def test_replies_and_results_of_odd_shapes_are_left_out_and_all_screens_stand() -> None:
    cluster = odd_cluster()
    app = app_on(cluster)
    async with app.run_test(size=(160, 48)) as pilot:
        for root in ROOTS:
            app.go(root)
            await pilot.pause()
            app._tick()
            await painted(pilot)
            await pilot.press("G")
            await painted(pilot)
        for task in cluster.tasks.values():
            assert task_lines(task, app.view(), 80, wrap=True)
        for worker in cluster.workers.values():
            assert facts(worker, app.view(), 80)
        await still_works(pilot)


MEGABYTE = 1_048_576


@pytest.mark.parametrize("unit", ["word ", "[b]", "\x1b[31m", "\n", "漢", "z\u0301", "{'a': "])
async def test_a_megabyte_in_an_argument_a_result_and_a_log_line_is_shown_in_part(
    unit: str,
) -> None:
    text = unit * (MEGABYTE // len(unit))
    cluster = Cluster(NOW - 100)
    live(cluster, NOW - 90)
    fields = dict.fromkeys(("name", "args", "kwargs", "exception", "traceback", "queue"), text)
    wire = {"uuid": "big", "hostname": "w@h", "timestamp": NOW - 5, **fields}
    for kind in ("task-sent", "task-received", "task-started", "task-failed"):
        decoded = decode(json.dumps({**wire, "type": kind}).encode())
        cluster.apply(EventBatch(NOW - 5, decoded.events, decoded.malformed))
    stored = json.dumps({"status": "SUCCESS", "result": text, "args": [text], "kwargs": {}})
    decoded = decode(json.dumps({"type": "task-sent", "uuid": "r", "timestamp": NOW}).encode())
    cluster.apply(EventBatch(NOW - 5, decoded.events, decoded.malformed))
    cluster.apply(Results(NOW, (meta.read("r", stored.encode()),)))
    cluster.apply(LogLine(NOW, text, "warn", text))
    app = app_on(cluster)
    async with app.run_test(size=(80, 24)) as pilot:
        for root in ROOTS:
            app.go(root)
            await pilot.pause()
            await painted(pilot)
        for task_id in ("big", "r"):
            app.open("task", task_id)
            await pilot.pause()
            await pilot.press("w", "G")
            await painted(pilot)
            await pilot.press("R")
            await painted(pilot)
            await pilot.press("escape")
        await still_works(pilot)


BROKEN = (
    b"\xff\xfe\xfa", b"\xc3\x28", b"\xe2\x82", b"\xf0\x28\x8c\xbc", b"\xed\xa0\x80", b"\xc0\x80",
    b"\x80\x9b\x9d", b"ok\xa0\xa1ok",
)  # fmt: skip


async def test_events_of_invalid_utf8_bytes_are_shown_with_signs_for_what_is_broken() -> None:
    cluster = Cluster(NOW - 100)
    live(cluster, NOW - 90)
    for number, broken in enumerate(BROKEN):
        body = (
            b'{"type": "task-failed", "uuid": "' + f"{number}-".encode() + broken + b'", "name": "'
            + broken + b'", "hostname": "' + broken + b'", "exception": "' + broken
            + b'", "traceback": "' + broken + b'", "timestamp": 1795176590.0}'
        )  # fmt: skip
        for wire in (body, b"[" + body + b"]", broken, b"[" + broken + b"]", b'{"type": ' + broken):
            decoded = decode(wire)
            cluster.apply(EventBatch(NOW - 9, decoded.events, decoded.malformed))
    assert len(cluster.tasks) == len(BROKEN)
    app = app_on(cluster)
    async with app.run_test(size=(160, 48)) as pilot:
        for root in ROOTS:
            app.go(root)
            await pilot.pause()
            await painted(pilot)
        for task_id in list(cluster.tasks):
            app.open("task", task_id)
            await pilot.pause()
            assert "\ufffd" in "".join(await painted(pilot))
            app.pop_screen()


def test_task_ids_of_the_sample_hold_the_hostile_text_whole() -> None:
    assert all(text in task_id for text in HOSTILE.values() for task_id in task_ids(text, 1))


async def test_lines_read_for_these_tests_are_the_whole_screen() -> None:
    app = app_on(hostile_cluster("x"))
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        assert text_lines(app) == tame(app)
