"""Kinds of terminals: the colours and characters each one can show, with the differ and without."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.differ_session import NAMES
from tests.servers import wait_for
from tests.terminals.cells import Cells
from tests.terminals.emulator import Pty
from tests.terminals.shown import LOCALE, WITHIN_S, Shown, text

TRUE, EIGHT_BIT, SIXTEEN = "true colour", "256 colours", "16 colours"


@contextmanager
def started(folder: Path, **env: str) -> Iterator[tuple[Shown, Pty]]:
    """The app on a terminal that this environment tells of."""
    at = Shown(folder, lambda: tty.cells())
    with Pty(at.command, at.environment(**env), (100, 30)) as tty:
        yield at, tty


def play(at: Shown, tty: Pty) -> list[Cells]:
    """A short session; what stood there after each step, which is what the app meant."""
    seen = [at.agree("Home", "celery-tui")]
    tty.press(b"4")
    seen.append(at.agree("Tasks", "/ filter"))
    for number in range(3):
        at.come(900 + 20 * number, *NAMES[number:])
        seen.append(at.agree("tasks came in"))
    tty.press(b"?")
    seen.append(at.agree("help", "Keys"))
    tty.press(b"\x1b")
    at.come(980, "last.one")
    seen.append(at.agree("the last one", "last.one"))
    tty.resize(80, 24)
    seen.append(at.agree("smaller"))
    tty.press(b"1")
    seen.append(at.agree("Home again", "Attention"))
    return seen


def colours(sent: bytes) -> set[str]:
    """The kinds of colours that were sent."""
    codes = b";".join(re.findall(rb"\x1b\[([\d;]*)m", sent))
    kinds = {b"38;2;": TRUE, b"48;2;": TRUE, b"38;5;": EIGHT_BIT, b"48;5;": EIGHT_BIT}
    found = {kind for code, kind in kinds.items() if code in codes}
    single = re.sub(rb"[34]8;(2;\d+;\d+;\d+|5;\d+)", b"", codes).split(b";")
    return found | {SIXTEEN for code in single if re.fullmatch(rb"([34]|9|10)[0-7]", code)}


@pytest.mark.parametrize(
    ("term", "colorterm", "no_diff", "kind"),
    [
        ("xterm", "", "", SIXTEEN),
        ("xterm-256color", "", "", EIGHT_BIT),
        ("xterm-256color", "truecolor", "", TRUE),
        ("xterm-256color", "truecolor", "no differ", TRUE),
        ("screen-256color", "", "", EIGHT_BIT),
        ("linux", "", "", SIXTEEN),
    ],
)
def test_a_terminal_is_sent_what_it_can_show(
    tmp_path: Path, term: str, colorterm: str, no_diff: str, kind: str
) -> None:
    env = {"TERM": term, "COLORTERM": colorterm, "CELERY_TUI_NO_DIFF": "1" * bool(no_diff)}
    with started(tmp_path, **env) as (at, tty):
        play(at, tty)
        assert colours(tty.sent) == {kind}
        assert tty.sent.isascii() is (term == "linux")
        tty.sent.decode("utf-8")


POSIX = {"LC_ALL": "POSIX", "LANG": ""}


@pytest.mark.parametrize(
    "locale",
    [
        POSIX,
        {**POSIX, "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
        {"LC_ALL": "", "LANG": "C"},
        # A locale that may be missing here; what Python would do if it were there.
        {"LC_ALL": "en_US.ISO-8859-1", "PYTHONIOENCODING": "iso-8859-1:strict"},
    ],
    ids=["POSIX", "POSIX, Python obeys", "LANG=C", "ISO-8859-1"],
)
def test_where_the_locale_is_not_utf_8_only_ascii_is_sent(
    tmp_path: Path, locale: dict[str, str]
) -> None:
    with started(tmp_path, TERM="xterm-256color", **{**LOCALE, **locale}) as (at, tty):
        seen = play(at, tty)
        assert tty.sent.isascii()
        assert any("?" * 8 in text(line) for screen in seen for line in screen)


@pytest.mark.parametrize(
    ("encoding", "shown"), [("ascii", "/ a???b"), ("iso-8859-1", "/ a\xe9??b")]
)
def test_what_is_typed_and_cannot_be_shown_takes_its_cells(
    tmp_path: Path, encoding: str, shown: str
) -> None:
    env = {"TERM": "xterm", "LC_ALL": "POSIX", "PYTHONIOENCODING": f"{encoding}:backslashreplace"}
    at = Shown(tmp_path, lambda: tty.cells())
    with Pty(at.command, at.environment(**env), (100, 30), encoding) as tty:
        at.agree("Home", "celery-tui")
        tty.press(b"4")
        at.agree("Tasks", "/ filter")
        tty.press(b"/")
        wait_for(lambda: any(line.startswith("  /  ") for line in tty.lines()), "the filter")
        tty.press("a\xe9漢b".encode())
        wait_for(lambda: any(shown in line for line in tty.lines()), "what was typed", WITHIN_S)
        assert not any("\\" in line for line in tty.lines())


def test_who_asks_for_unicode_gets_it_whatever_the_locale(tmp_path: Path) -> None:
    env = {"CELERY_TUI_ASCII": "0", "LC_ALL": "POSIX", "PYTHONIOENCODING": "ascii:strict"}
    with started(tmp_path, TERM="xterm-256color", **env) as (at, tty):
        play(at, tty)
        assert not tty.sent.isascii()


def test_in_screen_no_true_colours_are_sent_whatever_the_terminal_around_it_can(
    tmp_path: Path,
) -> None:
    env = {"TERM": "screen.xterm-256color", "COLORTERM": "truecolor", "STY": "1.pts-0.host"}
    with started(tmp_path, **env) as (at, tty):
        play(at, tty)
        assert colours(tty.sent) == {EIGHT_BIT}
