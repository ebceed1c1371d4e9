"""The page of origins: `i` opens that of the row under the cursor, Esc leads back."""

from __future__ import annotations

import pytest

from celery_tui.app import CeleryTui
from celery_tui.screens.sources import SourcesScreen
from celery_tui.screens.why import WhyScreen
from tests.screens.capture import text_lines
from tests.screens.looked_into import looked_into
from tests.screens.sample import NOW, WORKERS, app_on, busy_cluster, task_id
from tests.screens.states import all_quiet
from tests.screens.workflow import CHARGE, workflow

SIZE = (120, 40)


def page(app: CeleryTui) -> tuple[str, str]:
    """What the page on top is about."""
    assert isinstance(app.screen, WhyScreen)
    return app.screen.kind, app.screen.subject


@pytest.mark.parametrize(
    ("root", "about"),
    [
        ("home", ("finding", "no-consumer:emails")),
        ("queues", ("queue", "emails")),
        ("workers", ("worker", WORKERS[2])),
        ("tasks", ("task", task_id(39))),
    ],
)
async def test_i_tells_of_the_row_under_the_cursor_and_esc_leads_back(
    root: str, about: tuple[str, str]
) -> None:
    app = app_on(busy_cluster())
    async with app.run_test(size=SIZE) as pilot:
        app.go(root)
        await pilot.pause()
        app._tick()
        await pilot.pause()
        before = app.screen
        await pilot.press("i")
        assert page(app) == about
        await pilot.press("escape")
        assert app.screen is before


@pytest.mark.parametrize(
    ("section", "kind"),
    [
        ("queues", "queue"),
        ("workers", "worker"),
        ("running", "task"),
        ("failures", "task"),
        ("live", "task"),
    ],
)
async def test_i_knows_every_section_of_home(section: str, kind: str) -> None:
    app = app_on(busy_cluster())
    async with app.run_test(size=(160, 60)) as pilot:
        await pilot.pause()
        app._tick()
        await pilot.pause()
        app.screen.query_one(f"#{section}").focus()
        await pilot.press("i")
        assert page(app)[0] == kind
        assert "source" in "\n".join(text_lines(app))


@pytest.mark.parametrize(
    ("kind", "name", "about"),
    [
        ("task", task_id(13), ("task", task_id(13))),
        ("queue", "emails", ("queue", "emails")),
        ("worker", WORKERS[2], ("worker", WORKERS[2])),
    ],
)
async def test_i_on_a_page_tells_of_what_the_page_is_about(
    kind: str, name: str, about: tuple[str, str]
) -> None:
    app = app_on(busy_cluster())
    async with app.run_test(size=SIZE) as pilot:
        app.open(kind, name)
        await pilot.pause()
        await pilot.press("i")
        assert page(app) == about


async def test_on_a_workers_page_the_row_that_the_cursor_was_moved_to_is_meant() -> None:
    app = app_on(busy_cluster())
    async with app.run_test(size=SIZE) as pilot:
        app.open("worker", WORKERS[2])
        await pilot.pause()
        await pilot.press("j", "i")
        assert page(app)[0] == "task"


async def test_on_a_queues_page_a_message_is_meant_once_its_task_is_known() -> None:
    cluster = looked_into()
    message = cluster.peeks.pages["emails"].messages[1]
    app = app_on(cluster)
    async with app.run_test(size=SIZE) as pilot:
        app.open("queue", "emails")
        await pilot.pause()
        await pilot.press("j", "i")
        assert page(app) == ("queue", "emails")
        await pilot.press("escape")
        app.found_waiting("emails", message)
        await pilot.press("i")
        assert page(app) == ("task", message.id)
        assert "message in emails" in "\n".join(text_lines(app))


async def test_in_a_family_the_task_under_the_cursor_is_meant() -> None:
    app = app_on(workflow())
    async with app.run_test(size=SIZE) as pilot:
        app.open("family", task_id(CHARGE))
        await pilot.pause()
        await pilot.press("i")
        assert page(app) == ("task", task_id(CHARGE))


async def test_i_again_leads_to_the_sources_and_once_more_back_to_the_row() -> None:
    app = app_on(busy_cluster())
    async with app.run_test(size=SIZE) as pilot:
        app.go("queues")
        await pilot.pause()
        before = app.screen
        await pilot.press("i", "i")
        assert isinstance(app.screen, SourcesScreen)
        await pilot.press("escape")
        assert isinstance(app.screen, WhyScreen)
        await pilot.press("i", "i")
        assert app.screen is before


async def test_without_a_row_the_sources_are_shown() -> None:
    cluster = busy_cluster()
    cluster.workers.clear()
    app = app_on(cluster)
    async with app.run_test(size=SIZE) as pilot:
        app.go("workers")
        await pilot.pause()
        await pilot.press("i")
        assert isinstance(app.screen, SourcesScreen)


async def test_a_finding_that_is_over_stays_readable_and_says_so() -> None:
    app = app_on(busy_cluster())
    async with app.run_test(size=SIZE) as pilot:
        await pilot.pause()
        app._tick()
        await pilot.pause()
        await pilot.press("i")
        app.cluster.queues["emails"].depth = 0
        app._tick()
        app.paint()
        await pilot.pause()
        text = "\n".join(text_lines(app))
    assert "over" in text
    assert "it does not stand any more" in text


@pytest.mark.parametrize("kind", ["task", "queue", "worker", "finding"])
async def test_what_has_gone_meanwhile_is_said_to_be_gone(kind: str) -> None:
    app = app_on(all_quiet())
    async with app.run_test(size=SIZE) as pilot:
        app.open(f"why-{kind}", "nobody knows it")
        await pilot.pause()
        text = "\n".join(text_lines(app))
    assert "any more" in text or "was dropped" in text or "is no more" in text


async def test_text_of_the_cluster_is_shown_literally_and_without_secrets() -> None:
    cluster = busy_cluster()
    task = cluster.tasks[task_id(13)]
    task.name, task.worker = "[red]\x1b[2J", "w\x9b@\u202ehost"
    task.exception = "Boom('password=hunter2 \x1b[31m')"
    app = app_on(cluster)
    async with app.run_test(size=SIZE) as pilot:
        app.open("why-task", task.id)
        await pilot.pause()
        text = "\n".join(text_lines(app))
    assert "[red]^[[2J" in text
    assert "\\u202ehost" in text
    assert "hunter2" not in text
    assert "\x1b" not in text


@pytest.mark.parametrize("width", [40, 59, 60, 80, 120, 160])
async def test_no_line_is_wider_than_the_terminal_and_none_loses_its_age(width: int) -> None:
    app = app_on(busy_cluster(NOW))
    async with app.run_test(size=(width, 80)) as pilot:
        app.open("why-queue", "emails")
        await pilot.pause()
        lines = text_lines(app)
    assert all(len(line) <= width for line in lines)
    waiting = next(line for line in lines if line.startswith("  waiting"))
    assert " 0s" in waiting
    assert "two looks" in " ".join(" ".join(lines).split())
