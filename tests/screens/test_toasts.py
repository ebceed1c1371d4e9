"""Toasts: what became of an act, for some seconds, over the last rows."""

from __future__ import annotations

import pytest
from textual.pilot import Pilot

from celery_tui.model.seam import Act, ActionRequest, Outcome, Stage, Target
from celery_tui.screens.confirm import ConfirmScreen
from celery_tui.theme import Look
from celery_tui.widgets.toasts import MOST, SHOWN_S, Shelf, Toasts, outcome_cells

from .fake import HOSTILE, NOW, FakeHost, screen_lines, task, terminate


def outcome(stage: Stage, text: str = "", number: int = 1, act: Act = Act.REVOKE) -> Outcome:
    """What became of one task."""
    target = task(number)
    return Outcome(ActionRequest("1", act, (target,), NOW), target, stage, text, NOW)


async def paint(host: FakeHost, pilot: Pilot[None]) -> list[str]:
    """The lines after one turn of the paint clock."""
    await pilot.pause()
    host.screen.tick()  # type: ignore[attr-defined]
    await pilot.pause()
    return screen_lines(host)


@pytest.mark.parametrize("stage", list(Stage))
def test_only_what_the_cluster_has_said_is_green(stage: Stage) -> None:
    style = outcome_cells(outcome(stage))[0][1]
    assert ("ok" in style) == (stage is Stage.SEEN)


def test_words_of_the_stages() -> None:
    words = {stage: outcome_cells(outcome(stage))[0][0] for stage in Stage}
    assert words[Stage.SENT] == words[Stage.ACKNOWLEDGED] == "⊘ revoke?"
    assert words[Stage.SEEN] == "✓ revoked"
    assert words[Stage.FAILED] == "✗ revoke failed"
    assert words[Stage.NOT_CONFIRMED] == "! revoke not confirmed"


def test_a_later_stage_takes_the_place_of_the_earlier() -> None:
    shelf = Shelf()
    shelf.tell(outcome(Stage.SENT, "sent"), NOW)
    shelf.tell(outcome(Stage.SENT, "sent", 2), NOW)
    shelf.tell(outcome(Stage.SEEN, "seen revoked"), NOW + 1)
    assert [toast.cells[0][0] for toast in shelf.toasts] == ["✓ revoked", "⊘ revoke?"]


def test_toasts_go_after_six_seconds_and_failures_stay() -> None:
    shelf = Shelf()
    shelf.tell(outcome(Stage.SEEN), NOW)
    shelf.tell(outcome(Stage.FAILED, number=2), NOW)
    shelf.say("copied", "acc", NOW)
    shelf.expire(NOW + SHOWN_S - 0.1)
    assert len(shelf.toasts) == 3
    shelf.expire(NOW + SHOWN_S)
    assert [toast.style for toast in shelf.toasts] == ["crit"]
    assert shelf.clear()
    assert not shelf.clear()


def test_failures_are_not_pushed_out() -> None:
    shelf = Shelf()
    shelf.tell(outcome(Stage.FAILED), NOW)
    for number in range(2, 9):
        shelf.tell(outcome(Stage.SENT, number=number), NOW)
    shown = shelf.shown(MOST)
    assert len(shown) == MOST
    assert shown[0].style == "crit"


async def test_they_stand_at_the_bottom_right_above_the_footer_and_nothing_moves() -> None:
    host = FakeHost()
    async with host.run_test(size=(120, 30)) as pilot:
        before = await paint(host, pilot)
        for number in range(1, 6):
            host.shelf.tell(outcome(Stage.ACKNOWLEDGED, "4 of 6 workers answered", number), NOW)
        after = await paint(host, pilot)
        assert before[:26] == after[:26]
        assert before[-1] == after[-1]
        assert [("⊘ revoke?" in line) for line in after[-4:]] == [True, True, True, False]
        assert after[-2].rstrip().endswith("4 of 6 workers answered")
        assert "00000005" in after[-2]
        host.now += SHOWN_S
        assert (await paint(host, pilot))[1:] == before[1:]


@pytest.mark.parametrize("size", [(80, 24), (40, 10)])
async def test_a_narrow_terminal_has_one_line_across(size: tuple[int, int]) -> None:
    host = FakeHost()
    async with host.run_test(size=size) as pilot:
        before = await paint(host, pilot)
        host.shelf.tell(outcome(Stage.FAILED, "no worker is up, so nobody has heard it"), NOW)
        host.shelf.say("copied", "acc", NOW)
        after = await paint(host, pilot)
        assert before[:-2] == after[:-2]
        assert "✗ revoke failed  00000001" in after[-2]
        assert before[-1] == after[-1]


@pytest.mark.parametrize("look", [Look(), Look("mono"), Look("ansi", True), Look("paper")])
async def test_hostile_text_is_shown_and_not_obeyed(look: Look) -> None:
    host = FakeHost(look)
    async with host.run_test(size=(120, 30)) as pilot:
        target = Target("queue", HOSTILE)
        request = ActionRequest("1", Act.PURGE, (target,), NOW)
        host.shelf.tell(Outcome(request, target, Stage.FAILED, HOSTILE * 5, NOW), NOW)
        host.shelf.say(HOSTILE, "warn", NOW)
        text = "\n".join(await paint(host, pilot))
        assert "[@click=app.quit][/oops]" in text
        assert "\x1b" not in text
        if look.ascii:
            assert text.isascii()


async def test_escape_takes_them_down_first() -> None:
    host = FakeHost()
    async with host.run_test(size=(120, 30)) as pilot:
        host.shelf.tell(outcome(Stage.FAILED, "refused"), NOW)
        await paint(host, pilot)
        await pilot.press("escape")
        assert host.shelf.toasts == []
        assert not host.screen.query_one(Toasts).display


async def test_escape_first_stops_what_takes_long_and_is_told_as_stopped() -> None:
    host = FakeHost()
    host.long_acts = 1
    async with host.run_test(size=(120, 30)) as pilot:
        host.shelf.tell(outcome(Stage.SENT, "3 of 9 messages so far; Esc stops it"), NOW)
        await paint(host, pilot)
        await pilot.press("escape")
        assert host.long_acts == 0
        assert host.shelf.toasts
        await pilot.press("escape")
        assert host.shelf.toasts == []


@pytest.mark.parametrize("size", [(100, 20), (80, 24), (160, 48), (40, 10)])
async def test_none_covers_a_dialog_or_stays_behind_it(size: tuple[int, int]) -> None:
    host = FakeHost()
    async with host.run_test(size=size) as pilot:
        host.push_screen(ConfirmScreen(terminate()))
        alone = await paint(host, pilot)
        await pilot.press("escape")
        for number in range(1, 4):
            host.shelf.tell(outcome(Stage.ACKNOWLEDGED, "4 of 6 workers answered", number), NOW)
        host.shelf.tell(outcome(Stage.FAILED, "nobody has heard it", 9), NOW)
        behind = await paint(host, pilot)
        assert "✗ revoke failed" in "\n".join(behind)
        host.push_screen(ConfirmScreen(terminate()))
        assert await paint(host, pilot) == alone
        host.screen_stack[-2].tick()  # type: ignore[attr-defined]  # as after a resize
        assert await paint(host, pilot) == alone
        await pilot.press("escape")
        assert await paint(host, pilot) == behind


async def test_what_is_said_while_a_dialog_stands_takes_the_place_of_its_keys() -> None:
    host = FakeHost()
    async with host.run_test(size=(100, 30)) as pilot:
        host.shelf.say("said before", "acc", NOW)
        host.push_screen(ConfirmScreen(terminate()))
        before = await paint(host, pilot)
        assert "Esc cancel" in before[-1]
        host.shelf.say("copied the celery command", "acc", NOW)
        said = await paint(host, pilot)
        assert said[:-1] == before[:-1]
        assert "copied the celery command" in said[-1]
        host.now += SHOWN_S
        assert "Esc cancel" in (await paint(host, pilot))[-1]
