"""A slow line: what is painted less often, and what is not."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from textual import events as textual_events

from celery_tui.differ import textual_private
from celery_tui.differ.line import GIVE_UP_S, QUESTION, Line
from tests.differ_session import session

SIZE = (80, 24)
TICK_S = 0.25


class Far(Line):
    """A line whose clock a test moves."""

    def __init__(self) -> None:
        self.now = 1000.0
        super().__init__(lambda: self.now)

    def trip(self, seconds: float) -> None:
        """A question that was answered after so long."""
        self.now += 1.0
        assert self.sent() == QUESTION
        self.now += seconds
        self.answered()

    def ticks(self, seconds: float, queued: int = 0) -> int:
        """How many ticks are drawn in so long."""
        drawn = 0
        for _ in range(round(seconds / TICK_S)):
            self.now += TICK_S
            drawn += self.may_tick(queued)
        return drawn


def test_a_fast_line_gets_every_tick() -> None:
    line = Far()
    assert line.ticks(10) == 40
    line.trip(0.2)
    assert line.lag_s == 0
    assert line.ticks(10) == 40


@pytest.mark.parametrize(("late", "drawn"), [(0.2, 40), (0.6, 20), (3.0, 10)])
def test_the_later_the_answers_the_fewer_ticks(late: float, drawn: int) -> None:
    line = Far()
    line.trip(0.1)
    line.trip(0.1 + late)
    assert line.lag_s == pytest.approx(late)
    assert line.ticks(10) == drawn


def test_a_line_that_has_caught_up_gets_every_tick_again() -> None:
    line = Far()
    for seconds in (0.1, 3.0, 0.12):
        line.trip(seconds)
    assert line.ticks(10) == 40


def test_no_tick_is_drawn_while_output_waits() -> None:
    line = Far()
    assert line.ticks(10, queued=1) == 0
    line.trip(0.1)
    line.now += 1
    assert line.sent()
    assert line.ticks(10) <= 2


def test_frames_of_keys_go_while_output_waits_at_the_far_end_but_not_one_each() -> None:
    line = Far()
    line.trip(0.1)
    line.now += 1
    line.sent()
    line.now += 1
    frames = 0
    for _ in range(100):  # a key held down for 4 seconds
        line.now += 0.04
        if line.may_send(0):
            frames += 1
            line.sent()
    assert 4 <= frames <= 16


def test_one_question_at_a_time_and_one_a_second() -> None:
    line = Far()
    assert line.sent() == QUESTION
    line.now += 5
    assert line.sent() == ""
    line.answered()
    assert line.sent() == QUESTION
    line.now += 0.1
    line.answered()
    assert line.sent() == ""


def test_nothing_is_asked_while_somebody_types_or_at_the_end() -> None:
    line = Far()
    assert line.sent(typing=True) == ""
    line.silence()
    assert line.sent() == ""
    line.forget()
    assert line.sent() == QUESTION


def test_a_terminal_that_does_not_answer_any_more_is_painted_all_the_same() -> None:
    line = Far()
    line.trip(0.1)
    line.now += 1
    assert line.sent()
    line.now += GIVE_UP_S + 1
    assert line.may_tick(0)
    assert line.may_send(0)
    assert line.sent() == ""
    assert not line.waiting
    assert line.ticks(5) == 20


def test_a_terminal_that_never_answered_is_painted_at_full_pace() -> None:
    line = Far()
    assert line.sent() == QUESTION
    assert line.ticks(60) == 240


# -- in the app -----------------------------------------------------------------------------


async def test_the_answer_of_the_terminal_is_no_key() -> None:
    async with session(SIZE, no_diff=False) as at:
        assert at.app.line.waiting
        assert QUESTION in at.driver.everything
        at.driver.send_message(textual_events.CursorPosition(0, 0))
        await at.settle()
        assert not at.app.line.waiting


async def test_while_output_waits_frames_become_one(monkeypatch: pytest.MonkeyPatch) -> None:
    async with session(SIZE, no_diff=False) as at:
        await at.pilot.press("4")
        await at.settle()
        waiting = [5]
        monkeypatch.setattr(textual_private, "queued", lambda _: waiting[0])
        writes = at.driver.writes
        for _ in range(8):
            await at.pilot.press("down")
        assert not at.app.may_tick()
        assert at.driver.writes == writes
        waiting[0] = 0
        while at.driver.writes == writes:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        assert at.driver.writes == writes + 1
        held_back = at.driver.cells()
        at.app.redraw()
        await at.settle()
        assert at.driver.cells() == held_back


@pytest.mark.parametrize("answers", [True, False])
async def test_the_app_ends_once_the_answer_is_in_or_does_not_come(answers: bool) -> None:
    """A later answer would be typed into the shell."""
    async with session(SIZE, no_diff=False) as at:
        left: list[Any] = []
        assert at.app.line.waiting
        at.app._once_answered(lambda: left.append(at.app.line.waiting))
        assert not left
        if answers:
            at.driver.send_message(textual_events.CursorPosition(0, 0))
        while not left:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        assert left == [not answers]
        writes = at.driver.writes
        await at.pilot.press("4")
        await at.settle()
        assert at.driver.writes > writes
        assert QUESTION not in at.driver.last
