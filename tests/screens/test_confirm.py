"""The confirm dialog: only ``Y`` or the focused button acts, on what was pinned."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import msgspec
import pytest
from textual.pilot import Pilot

from celery_tui.model.seam import Check, Preview, Target
from celery_tui.screens.confirm import ConfirmScreen
from celery_tui.screens.edit_args import EditArgsScreen
from celery_tui.screens.preview_text import word_to_type
from celery_tui.theme import Look
from celery_tui.widgets.fields import Choice, Field, PushButton

from .fake import (
    HOSTILE,
    NOW,
    TASK_ID,
    Clock,
    FakeHost,
    purge,
    retry,
    revoke,
    screen_lines,
    task,
    terminate,
)

SIZES = [(80, 24), (160, 48), (40, 10)]


@asynccontextmanager
async def dialog(
    preview: Preview, size: tuple[int, int] = (80, 24), look: Look | None = None
) -> AsyncIterator[tuple[FakeHost, Pilot[None], ConfirmScreen]]:
    """A dialog that appeared a second ago."""
    clock = Clock()
    screen = ConfirmScreen(preview, clock)
    host = FakeHost(look, screen)
    async with host.run_test(size=size) as pilot:
        await pilot.pause()
        clock.now += 1.0
        yield host, pilot, screen


async def settle(pilot: Pilot[None], screen: ConfirmScreen) -> None:
    """One turn of the paint clock."""
    screen.tick()
    await pilot.pause()


def shown(host: FakeHost) -> str:
    """The whole screen as one text."""
    return "\n".join(screen_lines(host))


@pytest.mark.parametrize("size", SIZES)
async def test_the_focus_is_on_cancel_and_enter_cancels(size: tuple[int, int]) -> None:
    async with dialog(revoke(), size) as (host, pilot, screen):
        assert isinstance(screen.focused, PushButton)
        assert screen.focused.id == "cancel"
        await pilot.press("enter")
        assert host.screen is not screen
        assert host.performed == []


@pytest.mark.parametrize("size", SIZES)
async def test_uppercase_y_confirms(size: tuple[int, int]) -> None:
    async with dialog(revoke(), size) as (host, pilot, screen):
        await pilot.press("Y")
        assert [request.targets for request in host.performed] == [(task(1, "pay.charge"),)]
        assert host.screen is not screen


async def test_lowercase_y_copies_the_command_and_does_nothing_else() -> None:
    async with dialog(revoke()) as (host, pilot, screen):
        await pilot.press("y")
        assert host.copied == ["celery control revoke 1"]
        assert host.performed == []
        assert host.screen is screen


@pytest.mark.parametrize("key", [*"abcdefghijklmnoprstuvwxz0123456789ABCDEZX", "space", "ctrl+m"])
async def test_no_other_key_acts(key: str) -> None:
    async with dialog(purge()) as (host, pilot, _):
        await pilot.press(key)
        assert host.performed == []


@pytest.mark.parametrize("key", ["escape", "q"])
async def test_escape_cancels(key: str) -> None:
    async with dialog(purge()) as (host, pilot, screen):
        await pilot.press(key)
        assert host.screen is not screen
        assert host.performed == []


@pytest.mark.parametrize("keys", [["Y"], ["enter"], ["right", "enter"]])
async def test_keys_of_the_first_300_ms_press_nothing(keys: list[str]) -> None:
    clock = Clock()
    screen = ConfirmScreen(revoke(), clock)
    host = FakeHost(first=screen)
    async with host.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        clock.now += 0.29
        await pilot.press(*keys)
        assert host.screen is screen
        assert host.performed == []
        clock.now += 0.02
        await pilot.press("Y")
        assert len(host.performed) == 1


async def test_the_button_with_the_focus_acts_on_enter() -> None:
    async with dialog(purge()) as (host, pilot, _):
        await pilot.press("tab", "enter")
        assert len(host.performed) == 1


async def test_terminate_asks_for_the_first_four_of_the_id_before_it_acts() -> None:
    async with dialog(terminate()) as (host, pilot, screen):
        await pilot.press("Y")
        assert host.performed == []
        assert "5d20 first" in shown(host)
        assert screen.focused is screen.query_one("#type")
        await pilot.press(*"5d2", "Y", "backspace", "0", "enter")
        assert screen.focused is screen.query_one("#act")
        await pilot.press("Y")
        assert [request.signal for request in host.performed] == ["TERM"]


async def test_the_button_too_waits_for_the_word() -> None:
    async with dialog(terminate()) as (host, pilot, _):
        await pilot.press("tab", "enter")
        assert host.performed == []


async def test_many_targets_ask_for_their_number_and_name_the_first_eight() -> None:
    async with dialog(revoke(37)) as (host, pilot, _):
        assert task(8).id in shown(host)
        assert task(9).id not in shown(host)
        assert "29 more" in shown(host)
        await pilot.press("Y", *"37", "tab", "Y")
        assert len(host.performed[0].targets) == 37


async def test_letters_are_text_while_a_field_has_the_focus() -> None:
    async with dialog(revoke()) as (host, pilot, screen):
        screen.query_one("#reason").focus()
        await pilot.press("Y", "y", "q", "question_mark")
        assert screen.query_one("#reason", Field).value == "Yyq?"
        assert host.performed == []
        await pilot.press("tab", "Y")
        assert host.performed[0].reason == "Yyq?"


async def test_the_chosen_signal_is_sent() -> None:
    async with dialog(terminate()) as (host, pilot, screen):
        screen.query_one(Choice).focus()
        await pilot.press("right", "right")
        assert screen.query_one(Choice).chosen == "USR1, soft timeout"
        screen.query_one("#type").focus()
        await pilot.press(*"5d20", "enter", "enter")
        assert host.performed[0].signal == "USR1"


async def test_a_newer_preview_is_shown_and_its_targets_are_not_taken() -> None:
    async with dialog(terminate(ready=False)) as (host, pilot, screen):
        assert "checking" in shown(host)
        newer = terminate()
        moved = msgspec.structs.replace(newer.request, targets=(task(9),))
        host.cluster.previews["1"] = msgspec.structs.replace(newer, request=moved)
        await settle(pilot, screen)
        assert "✓ still running, same pid" in shown(host)
        assert "checked 0.4s ago" in shown(host)
        await pilot.press("Y", *"5d20", "enter", "enter")
        assert host.performed[0].targets == (task(),)


LADDER = "orders.retry-1h"
CHANGED = f"{LADDER} dead-letters messages by their own key."


def purge_of_a_ladder() -> Preview:
    """As it is once the broker was asked."""
    asked = purge()
    target = Target("queue", LADDER)
    return msgspec.structs.replace(
        asked,
        request=msgspec.structs.replace(asked.request, targets=(target,)),
        warnings=(CHANGED,),
        to_type=LADDER,
    )


@pytest.mark.parametrize("size", SIZES)
async def test_a_purge_that_cannot_be_undone_as_it_was_takes_the_typed_name(
    size: tuple[int, int],
) -> None:
    told = purge_of_a_ladder()
    first = msgspec.structs.replace(told, ready=False, checks=(), warnings=(), to_type="")
    async with dialog(first, size) as (host, pilot, screen):
        await pilot.press("Y")
        assert host.performed == [], "what is asked for is not known yet"
        host.cluster.previews["1"] = told
        await settle(pilot, screen)
        if size != (40, 10):
            assert CHANGED in shown(host)
            assert f"{LADDER}, the queue's name" in shown(host)
        await pilot.press("Y")
        assert host.performed == []
        assert screen.focused is screen.query_one("#type")
        await settle(pilot, screen)
        if size != (40, 10):
            assert f"type {LADDER} first, the queue's name" in shown(host)
        await pilot.press(*"orders.retry-1")
        await pilot.press("enter")
        assert host.performed == []
        screen.query_one("#type").focus()
        await pilot.press("end", "h", "enter", "Y")
        assert [request.sure for request in host.performed] == [True]


@pytest.mark.parametrize(("name", "word"), [("q" * 80, "q" * 80), ("ö b", "purge")])
async def test_a_name_that_is_long_or_cannot_be_typed(name: str, word: str) -> None:
    told = msgspec.structs.replace(purge_of_a_ladder(), to_type=name)
    async with dialog(told) as (host, pilot, _):
        await pilot.press("Y", *word, "enter", "Y")
        assert len(host.performed) == 1


async def test_a_plain_purge_is_sure_of_nothing() -> None:
    async with dialog(purge()) as (host, pilot, _):
        await pilot.press("Y")
        assert [request.sure for request in host.performed] == [False]


async def test_what_cannot_be_done_has_no_button_and_says_why() -> None:
    async with dialog(revoke()) as (host, pilot, screen):
        host.cluster.previews["1"] = msgspec.structs.replace(
            revoke(), ready=True, blocked="It has ended already: SUCCESS."
        )
        await settle(pilot, screen)
        assert "It has ended already: SUCCESS." in shown(host)
        assert not screen.query_one("#act").display
        await pilot.press("Y", "tab", "tab", "enter")
        assert host.performed == []
        assert host.screen is not screen


async def test_a_dialog_that_was_opened_while_acts_were_off_says_when_they_are_on_again() -> None:
    off = "The broker is lost: acts are off until it is back."
    async with dialog(msgspec.structs.replace(purge(), blocked=off)) as (host, pilot, screen):
        host.stale = True
        await settle(pilot, screen)
        assert off in shown(host)
        host.stale = False
        await settle(pilot, screen)
        assert off not in shown(host)
        assert "close this, and press the key once more" in shown(host)
        await pilot.press("Y")
        assert host.performed == []


async def test_nothing_is_done_while_the_broker_is_lost() -> None:
    async with dialog(revoke()) as (host, pilot, screen):
        host.stale = True
        await settle(pilot, screen)
        assert "The broker is lost" in shown(host)
        await pilot.press("Y")
        assert host.performed == []


async def test_checks_of_many_targets_are_counted() -> None:
    preview = revoke(3)
    checks = [Check(t, n < 2, "reserved" if n < 2 else "ended", NOW) for n, t in enumerate(
        preview.request.targets)]  # fmt: skip
    preview = msgspec.structs.replace(preview, ready=True, checks=tuple(checks))
    async with dialog(preview) as (host, _, _):
        assert "✓ 2: reserved" in shown(host)
        assert "✗ 1: ended" in shown(host)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("look", [Look(), Look("mono"), Look("ansi", True), Look("paper")])
@pytest.mark.parametrize("number", [1, 3])
async def test_hostile_names_are_shown_and_not_obeyed(
    size: tuple[int, int], look: Look, number: int
) -> None:
    async with dialog(revoke(number, name=HOSTILE), size, look) as (host, _, screen):
        assert host.screen is screen
        text = shown(host)
        assert "\x1b" not in text
        assert "\u202e" not in text
        assert "[@c" in text or size == (40, 10)
        if look.ascii:
            assert text.isascii()
        assert all(len(line) <= size[0] for line in text.splitlines() if line.isascii())


async def test_the_id_is_whole_at_forty_columns() -> None:
    async with dialog(terminate(), (40, 10)) as (host, _, _):
        assert TASK_ID in shown(host)


@pytest.mark.parametrize("size", SIZES)
async def test_every_field_can_be_reached_in_a_small_terminal(size: tuple[int, int]) -> None:
    async with dialog(terminate(), size) as (host, pilot, screen):
        screen.query_one("#type").focus()
        for _ in range(100):  # the panel scrolls to the field once it is laid out
            await pilot.pause(0.05)
            if "5d20" in shown(host):
                break
        assert "5d20" in shown(host)
        await pilot.press(*"5d20", "enter", "enter")
        assert len(host.performed) == 1


async def test_the_screen_behind_is_a_ghost_and_the_panel_is_ruled_without_colours() -> None:
    async with dialog(terminate(), (120, 36), Look("mono")) as (host, _, _):
        text = shown(host)
        assert "crm.push" in text
        assert "─" * 84 in text


async def test_retry_of_a_cut_repr_opens_the_editor_and_sends_what_was_typed() -> None:
    async with dialog(retry(False)) as (host, pilot, screen):
        await pilot.press("Y")
        editor = host.screen
        assert isinstance(editor, EditArgsScreen)
        screen.clock.now += 1.0  # type: ignore[attr-defined]
        await pilot.press("tab", "tab", "Y")
        assert "cannot be read" in shown(host) or "looks cut" in shown(host)
        editor.query_one("#args", Field).value = "(1, 'abc', [2])"
        editor.query_one("#send").focus()
        await pilot.press("enter")
        await pilot.pause()
        assert host.performed[0].edited == {task(1).id: ([1, "abc", [2]], {"cur": "EUR"})}
        assert host.screen is not screen


async def test_leaving_the_editor_sends_nothing() -> None:
    async with dialog(retry(False)) as (host, pilot, screen):
        await pilot.press("Y", "escape")
        await pilot.pause()
        assert host.screen is screen
        assert host.performed == []


async def test_retry_waits_until_it_is_known_what_would_be_sent() -> None:
    async with dialog(msgspec.structs.replace(retry(True), ready=False)) as (host, pilot, _):
        await pilot.press("Y")
        assert host.performed == []
        assert host.toasted


async def test_retry_of_several_cut_reprs_is_refused_with_the_reason() -> None:
    async with dialog(retry(False, 3)) as (host, pilot, screen):
        assert "retry one task alone" in " ".join(shown(host).split())
        assert not screen.query_one("#act").display
        await pilot.press("Y")
        assert host.performed == []


def test_an_id_that_cannot_be_typed_asks_for_the_number() -> None:
    preview = terminate()
    odd = msgspec.structs.replace(task(), id="中文\x1b[x")
    request = msgspec.structs.replace(preview.request, targets=(odd,))
    assert word_to_type(msgspec.structs.replace(preview, request=request))[0] == "1"


async def test_resizes_do_not_crash() -> None:
    async with dialog(terminate()) as (host, pilot, screen):
        for size in [(40, 10), (200, 60), (20, 5), (1, 1), (84, 24), (99, 20)]:
            await pilot.resize_terminal(*size)
            screen.tick()
        await pilot.pause()
        assert "TERMINATE" in shown(host)
