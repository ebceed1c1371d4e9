"""The page of a queue: opened from everywhere, turned like a book, and its messages as tasks."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, cast

import msgspec
from textual.pilot import Pilot

from celery_tui.app import CeleryTui
from celery_tui.model.observations import QueueDepth, QueueDepths
from celery_tui.model.peeked import MESSAGE, End, Peeked
from celery_tui.model.seam import Act
from celery_tui.screens.confirm import ConfirmScreen
from celery_tui.screens.queue import PAGE, QueueScreen
from celery_tui.screens.task import TaskScreen
from tests.screens.capture import text_lines
from tests.screens.looked_into import DEPTH, looked_into, page
from tests.screens.sample import NOW, task_id
from tests.screens.states import State, as_it_starts, opening, settle, standing


def monitor(app: CeleryTui) -> Any:
    """The monitor that keeps what it is asked."""
    return cast(Any, app.monitor)


def text(app: CeleryTui) -> str:
    return "\n".join(text_lines(app))


@asynccontextmanager
async def shown() -> AsyncIterator[tuple[CeleryTui, Pilot[int]]]:
    """The page of a queue that somebody has looked into."""
    state = State("", opening("queue", "emails"), looked_into)
    async with standing(state, (120, 36)) as (app, pilot):
        yield app, pilot


async def pressed(app: CeleryTui, pilot: Pilot[int], *keys: str) -> None:
    await pilot.press(*keys)
    await settle(app, pilot)


async def test_enter_on_a_queue_opens_its_page_and_looks_into_it() -> None:
    async with standing(State("", as_it_starts, looked_into), (120, 36)) as (app, pilot):
        await pressed(app, pilot, "2", "enter")
        assert isinstance(app.screen, QueueScreen)
        assert monitor(app).looks == [("emails", End.HEAD, 0)]
        await pressed(app, pilot, "escape", "1", "enter")
        assert isinstance(app.screen, QueueScreen), "the first finding of Home is about emails"


async def test_a_message_opens_as_its_task_with_exact_args() -> None:
    async with shown() as (app, pilot):
        await pressed(app, pilot, "j", "enter")
        assert isinstance(app.screen, TaskScreen)
        assert app.screen.task_id == task_id(502)
        assert f"exact, from {MESSAGE}" in text(app)
        assert "88502" in text(app)
        assert "k-123" not in text(app)
        await pressed(app, pilot, "escape")
        assert isinstance(app.screen, QueueScreen)


async def test_what_is_no_message_opens_nothing() -> None:
    async with shown() as (app, pilot):
        await pressed(app, pilot, *"jjjjjjj", "enter")
        assert isinstance(app.screen, QueueScreen)
        assert "no task message" in text(app)
        assert "abcdef" not in text(app), "a secret in garbage is one all the same"


async def test_pages_are_turned_and_the_other_end_shown() -> None:
    async with shown() as (app, pilot):
        looks = monitor(app).looks
        await pressed(app, pilot, "left")
        assert len(looks) == 1, "there is nothing before the first page"
        await pressed(app, pilot, "right")
        assert looks[-1] == ("emails", End.HEAD, PAGE)
        await pressed(app, pilot, "right")
        assert len(looks) == 2, "that page has not come yet"
        app.cluster.apply(msgspec.structs.replace(page(), offset=PAGE))
        await pressed(app, pilot, "l", "h")
        assert looks[-2:] == [("emails", End.HEAD, 2 * PAGE), ("emails", End.HEAD, PAGE)]
        await pressed(app, pilot, "o")
        assert looks[-1] == ("emails", End.TAIL, 0)
        app.cluster.apply(page(end=End.TAIL))
        await settle(app, pilot)
        assert "Tail newest 50" in text(app)
        await pressed(app, pilot, "r")
        assert looks[-1] == ("emails", End.TAIL, 0)


async def test_the_first_messages_are_read_again_until_somebody_reads_them() -> None:
    async with shown() as (app, pilot):
        looks = monitor(app).looks
        now = NOW
        app.clock = lambda: now
        now += 6
        await settle(app, pilot)
        assert len(looks) == 2
        await pressed(app, pilot, "j")
        now += 6
        await settle(app, pilot)
        assert len(looks) == 2
        assert app.screen.query_one("#main").cursor_id == task_id(502)  # type: ignore[attr-defined]


async def test_a_queue_can_be_purged_from_its_page() -> None:
    async with shown() as (app, pilot):
        await pressed(app, pilot, "D")
        assert isinstance(app.screen, ConfirmScreen)
        request = app.screen.request
        assert request.act == Act.PURGE
        assert [target.id for target in request.targets] == ["emails"]


async def test_a_queue_that_goes_away_says_so() -> None:
    async with shown() as (app, pilot):
        app.cluster.apply(QueueDepths(NOW, {}, gone=("emails",)))
        await settle(app, pilot)
        assert "emails is no more" in text(app)


async def test_why_no_age_is_known_is_said() -> None:
    async with shown() as (app, pilot):
        read = QueueDepth(DEPTH, {"0": DEPTH})
        app.cluster.queues["emails"].waiting = None
        app.cluster.apply(QueueDepths(NOW, {"emails": read}, no_ages="Redis is too old"))
        await settle(app, pilot)
        assert "oldest ? Redis is too old" in text(app)


async def test_at_least_so_old_is_said_in_words() -> None:
    async with standing(State("", opening("queue", "crm"), looked_into), (120, 36)) as (app, pilot):
        await settle(app, pilot)
        assert "oldest at least 5m12s, since we watch" in text(app)


async def test_what_changes_messages_is_said_first_and_never_done_by_itself() -> None:
    def told(asks: int, error: str) -> Peeked:
        return msgspec.structs.replace(
            page(), messages=(), error=error, hint="r does it.", asks=asks, marks=True
        )

    async with shown() as (app, pilot):
        asked = monitor(app).asked
        app.cluster.apply(told(1, "they stay marked"))
        now = NOW + 60
        app.clock = lambda: now
        await settle(app, pilot)
        assert asked == [0], "nobody asked"
        assert "! they stay marked" in text(app)
        assert "it was not looked into; r does" in text(app)
        await pressed(app, pilot, "r")
        assert asked[1:] == [1]
        app.cluster.apply(told(2, "it counts"))
        await settle(app, pilot)
        await pressed(app, pilot, "r")
        assert asked[2:] == [2]
        app.cluster.apply(msgspec.structs.replace(page(), marks=True))
        now += 60
        await settle(app, pilot)
        assert len(asked) == 3, "what was read once is not read again by itself"
        await pressed(app, pilot, "right")
        assert asked[3:] == [1], "a quorum queue asks once more for each page"


async def test_who_agreed_to_a_look_may_turn_pages_and_opening_takes_nothing() -> None:
    async with shown() as (app, pilot):
        asked = monitor(app).asked
        assert asked == [0], "to open the page is not to ask for messages"
        refused = Peeked(NOW, "emails", End.HEAD, 0, error="it marks them", asks=1, marks=True)
        app.cluster.apply(refused)
        await pressed(app, pilot, "o")
        assert asked[-1] == 0, "nobody has agreed yet"
        app.cluster.apply(msgspec.structs.replace(refused, end=End.TAIL))
        await pressed(app, pilot, "r")
        assert asked[-1] == 1
        app.cluster.apply(msgspec.structs.replace(page(end=End.TAIL), marks=True))
        await pressed(app, pilot, "l")
        assert asked[-1] == 1, "a classic queue is not asked about again"
        await pressed(app, pilot, "r")
        assert asked[-1] == 1
