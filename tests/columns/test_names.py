"""Names that do not fit lose the part that tells least, and always say so."""

from __future__ import annotations

import unicodedata

import pytest
from rich.cells import cell_len

from celery_tui.columns.base import cut_tail
from celery_tui.columns.names import (
    cut_exception,
    cut_head,
    cut_middle,
    cut_task_name,
    exception_class,
    literal,
    literal_lines,
    node,
    shared_suffix,
    short_id,
)
from tests.screens.hostile import HOSTILE

NAME = "billing.invoices.tasks.reconcile_ledger"


@pytest.mark.parametrize(("width", "shown"), [
    (39, NAME), (38, "b.invoices.tasks.reconcile_ledger"), (30, "b.i.tasks.reconcile_ledger"),
    (22, "b.i.t.reconcile_ledger"), (20, "….t.reconcile_ledger"), (10, "…le_ledger"), (1, "…"),
    (0, ""),
])  # fmt: skip
def test_task_names_lose_their_head_package_by_package(width: int, shown: str) -> None:
    assert cut_task_name(NAME, width) == shown


LOST = "billiard.exceptions.WorkerLostError: signal 9"


@pytest.mark.parametrize(("width", "shown"), [
    (45, LOST), (44, "…WorkerLostError: signal 9"), (26, "…WorkerLostError: signal 9"),
    (22, "…WorkerLostError: sig…"), (16, "…WorkerLostErro…"), (15, "WorkerLostErro…"),
    (13, "WorkerLostEr…"), (1, "…"), (0, ""),
])  # fmt: skip
def test_exceptions_lose_their_packages_before_their_class(width: int, shown: str) -> None:
    assert cut_exception(LOST, width) == shown


@pytest.mark.parametrize(("text", "width", "shown"), [
    ("billiard.exceptions.TimeLimitExceeded(30,)", 22, "…TimeLimitExceeded(30…"),
    ("billiard.exceptions.SoftTimeLimitExceeded", 22, "…SoftTimeLimitExceeded"),
    ("proj.tasks.<locals>.Boom('a.b.c')", 22, "…Boom('a.b.c')"),
    ("('proj.tasks.reconcile', 1, 2)", 22, "('proj.tasks.reconcil…"),
    ("DeclinedError('Payment 91823 declined')", 22, "DeclinedError('Paymen…"),
    ("see proj.tasks.reconcile for it", 22, "see proj.tasks.reconc…"),
])  # fmt: skip
def test_only_what_begins_as_a_class_in_a_package_is_one(text: str, width: int, shown: str) -> None:
    assert cut_exception(text, width) == shown


def test_the_class_of_an_exception() -> None:
    assert exception_class(LOST) == "WorkerLostError"
    assert exception_class("billiard.exceptions.TimeLimitExceeded(30,)") == "TimeLimitExceeded"
    assert exception_class("KeyError('a.b: c')") == "KeyError"
    assert exception_class("") == ""


@pytest.mark.parametrize(("width", "shown"), [
    (40, "pay-worker-7d9f8c6b5d-9wq7m"), (17, "pay-wo…6b5d-9wq7m"),
    (3, "…7m"), (1, "…"),
])  # fmt: skip
def test_hostnames_lose_their_middle_and_keep_the_bigger_half_of_their_tail(
    width: int, shown: str
) -> None:
    assert cut_middle("pay-worker-7d9f8c6b5d-9wq7m", width) == shown
    assert len(shown) <= width or width == 40


def test_texts_lose_their_tail_with_no_blank_before_the_sign() -> None:
    assert cut_tail("one two three", 8, "…") == "one two…"
    assert cut_tail("one two three", 9, "…") == "one two…"
    assert cut_tail("one", 3, "…") == "one"
    assert cut_head("one two three", 6) == "…three"


@pytest.mark.parametrize("cut", [cut_tail, cut_head, cut_middle, cut_task_name, cut_exception])
@pytest.mark.parametrize("sign", ["…", ".."])
def test_every_cut_fits_and_shows_its_sign(cut: object, sign: str) -> None:
    assert callable(cut)
    for text in (NAME, "x" * 50, "a.b.c.d.e.f.g.h", "celery@host"):
        for width in range(60):
            shown = cut(text, width, sign)
            assert len(shown) <= max(width, 0)
            whole = shown == text or (cut is cut_task_name and shown.startswith("b."))
            whole = whole or (cut is cut_task_name and shown.count(".") == text.count("."))
            assert whole or sign[:width] in shown


def test_nodes_lose_celery_and_what_all_share() -> None:
    assert node("celery@w1") == "w1"
    assert node("pay@prod", "@prod") == "pay"
    assert node("celery@") == "?"
    assert shared_suffix(["a@prod", "b@prod"]) == "@prod"
    assert shared_suffix(["a@prod"]) == ""
    assert shared_suffix(["a@prod", "b@test"]) == ""
    assert shared_suffix(["celery@prod", "b@prod"]) == ""
    assert short_id("7c1e91b2-04aa-4c11") == "7c1e91b2"


@pytest.mark.parametrize("name", HOSTILE)
def test_a_literal_holds_nothing_that_acts_or_hides_and_is_its_own_literal(name: str) -> None:
    shown = literal(HOSTILE[name])
    assert not [c for c in shown if unicodedata.category(c) in ("Cc", "Cf", "Cs", "Cn", "Zl", "Zp")]
    assert literal(shown) == shown
    assert cell_len(shown) == sum(cell_len(char) for char in shown)


def test_what_is_plain_stays_as_it_is() -> None:
    for text in (
        "pay.charge",
        "支払い",
        "café",
        "cafe\u0301",
        "[/oops]",
        "a b",
        "\u1112\u1161\u11ab",
    ):
        assert literal(text) == text


def test_control_characters_are_spelled_as_people_know_them() -> None:
    assert literal("\x1b[2J\x00\n\t\r\x7f\x9b\u202e\ud800") == (
        "^[[2J^@\\n\\t\\r^?\\x9b\\u202e\\ud800"
    )
    assert literal("👍🏽") == "👍\\U0001f3fd"


def test_no_more_than_three_marks_stand_on_a_character_and_none_on_what_is_before() -> None:
    assert literal("z" + "\u0301" * 9 + "a") == "z" + "\u0301" * 3 + "a"
    assert literal("z" + "\u20dd" * 9) == "z" + "\u20dd" * 3
    assert literal("\u0301\u0301a") == "a"


def test_a_megabyte_is_looked_at_in_part_only() -> None:
    assert len(literal("x" * 1_048_576)) == 4_000
    assert len(literal_lines("\n" * 1_048_576)) == 2_000
    assert literal_lines("a\tb\nc") == ["a   b", "c"]
