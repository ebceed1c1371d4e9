"""What a program writes, as lines: whole, bounded and harmless."""

import pytest

from celery_tui.prints import LONGEST_LINE, MOST_BYTES, Budget, Lines, visible


def test_lines_come_out_whole_however_they_were_cut() -> None:
    text = "one\r\ntwo 漢字\n\n  three\nfour".encode()
    for size in (1, 2, 3, 7, 100):
        lines = Lines()
        pieces = [text[start : start + size] for start in range(0, len(text), size)]
        heard = [line for piece in pieces for line in lines.feed(piece)]
        assert heard == ["one", "two 漢字", "  three"]
        assert lines.pending
        assert lines.finish() == "four"
        assert not lines.pending


def test_a_long_line_is_cut_and_never_kept_whole() -> None:
    lines = Lines()
    for _ in range(100):
        assert lines.feed(b"x" * 100_000) == []
    assert len(lines._rest) <= MOST_BYTES + 1
    assert lines.feed(b"\nnext\n") == ["x" * LONGEST_LINE + "…", "next"]


@pytest.mark.parametrize(
    ("data", "shown"),
    [
        (b"\x1b[2J\x07bell", r"\x1b[2J\x07bell"),
        (b"10%\r20%", r"10%\r20%"),
        (b"\xff\x80", r"\xff\x80"),
        ("\u202eleft".encode(), r"\u202eleft"),
        ("\x9b1m".encode(), r"\x9b1m"),
        (b"tab\there", r"tab\there"),
    ],
)
def test_what_steers_a_terminal_is_spelled_out(data: bytes, shown: str) -> None:
    assert Lines().feed(data + b"\n") == [shown]
    assert visible(shown) == shown


def test_what_the_locale_cannot_say_is_spelled_out() -> None:
    assert Lines("ascii").feed("é\n".encode()) == [r"\xc3\xa9"]
    assert Lines("iso-8859-1").feed(b"\xe9\n") == ["é"]


def test_a_budget_allows_a_rate_and_counts_the_rest() -> None:
    budget = Budget(a_second=10, at_once=20)
    assert sum(budget.take(100.0) for _ in range(50)) == 20
    assert budget.told() == 30
    assert sum(budget.take(101.0) for _ in range(50)) == 10
    assert sum(budget.take(90.0) for _ in range(5)) == 0, "a clock that went back earns nothing"
    assert sum(budget.take(1000.0) for _ in range(50)) == 20
    assert (budget.told(), budget.told()) == (75, 0)
