"""What a terminal can carry, told from its environment."""

import io
import subprocess
import sys
from typing import Any
from unittest.mock import patch

import pytest

from celery_tui import terminal
from celery_tui.errors import TuiError
from celery_tui.settings import Settings
from tests.shell import environment

XTERM = {"TERM": "xterm-256color", "LANG": "en_GB.UTF-8"}


class Terminal(io.StringIO):
    """A stream that is one."""

    def isatty(self) -> bool:
        return True


def require(environ: dict[str, str], **streams: io.StringIO | None) -> None:
    """Ask for a terminal where all streams are one but these; pytest has its own otherwise."""
    all_streams: dict[str, Any] = {
        "stdin": Terminal(),
        "stdout": Terminal(),
        "stderr": Terminal(),
        **streams,
    }
    with patch.multiple(sys, **all_streams):
        terminal.require(environ)


def test_a_terminal_is_accepted() -> None:
    require(XTERM)


@pytest.mark.parametrize("environ", [{}, {"TERM": "dumb"}, {"TERM": ""}])
def test_a_terminal_that_cannot_move_its_cursor_is_refused(environ: dict[str, str]) -> None:
    with pytest.raises(TuiError, match="TERM"):
        require(environ)


@pytest.mark.parametrize("name", ["stdin", "stdout", "stderr"])
@pytest.mark.parametrize("stream", [None, io.StringIO()])
def test_each_stream_must_be_a_terminal(name: str, stream: io.StringIO | None) -> None:
    with pytest.raises(TuiError, match=name):
        require(XTERM, **{name: stream})


def test_a_closed_stream_is_no_terminal() -> None:
    closed = io.StringIO()
    closed.close()
    with pytest.raises(TuiError, match="stdin"):
        require(XTERM, stdin=closed)


@pytest.mark.parametrize(
    ("environ", "theme"),
    [
        (XTERM, "night"),
        ({"TERM": "xterm", "COLORTERM": "truecolor"}, "night"),
        ({**XTERM, "COLORFGBG": "0;15"}, "paper"),
        ({**XTERM, "COLORFGBG": "15;0"}, "night"),
        ({**XTERM, "NO_COLOR": "1"}, "mono"),
        ({**XTERM, "NO_COLOR": ""}, "night"),
        ({"TERM": "linux"}, "ansi"),
        ({"TERM": "xterm"}, "ansi"),
        ({"TERM": "vt100"}, "mono"),
    ],
)
def test_the_theme_asks_for_no_colour_that_is_not_there(
    environ: dict[str, str], theme: str
) -> None:
    assert terminal.theme_for(environ) == theme


@pytest.mark.parametrize(
    ("environ", "unicode"),
    [
        ({"LANG": "en_GB.UTF-8"}, True),
        ({"LANG": "de_DE.utf8@euro"}, True),
        ({"LC_CTYPE": "UTF-8"}, True),
        ({"LANG": "de_DE.ISO-8859-1"}, False),
        ({"LC_ALL": "C", "LANG": "en_GB.UTF-8"}, False),
        ({"LANG": "C", "LC_CTYPE": "C.UTF-8"}, False),
        ({"LANG": "en_GB.UTF-8", "TERM": "linux"}, False),
        ({}, False),
    ],
)
def test_glyphs_follow_the_locale(environ: dict[str, str], unicode: bool) -> None:
    assert terminal.shows_unicode(environ) is unicode


def test_what_was_asked_for_is_kept() -> None:
    asked = Settings(theme="paper", ascii=False)
    assert terminal.dressed(asked, {"NO_COLOR": "1", "LANG": "C"}) == asked


def test_what_was_not_asked_for_is_chosen() -> None:
    dressed = terminal.dressed(Settings(), {"NO_COLOR": "1", "LANG": "C"})
    assert (dressed.theme, dressed.ascii) == ("mono", True)


def test_screen_passes_on_a_promise_of_true_colours_that_it_does_not_keep() -> None:
    environ = {"TERM": "screen", "COLORTERM": "truecolor", "STY": "1.pts-0.host"}
    assert terminal.dressed(Settings(), environ).theme == "ansi"
    assert "COLORTERM" not in environ
    environ = {"TERM": "tmux", "COLORTERM": "truecolor", "TMUX": "socket,1,0"}
    assert terminal.dressed(Settings(), environ).theme == "night"
    assert "COLORTERM" in environ


@pytest.mark.parametrize(
    ("environ", "erases"),
    [
        ({"TERM": "xterm-256color"}, True),
        ({"TERM": "linux"}, True),
        ({"TERM": "screen-256color"}, False),
        ({"TERM": "tmux-256color"}, False),
        ({"TERM": "xterm-256color", "STY": "4711.pts-1.host"}, False),
        ({"TERM": "never-heard-of"}, False),
    ],
)
def test_erasing_takes_the_background_colour_where_terminfo_says_so(
    environ: dict[str, str], erases: bool
) -> None:
    # Terminfo reads one TERM in the life of a process.
    code = "from celery_tui.terminal import erases_with_background as f; print(f())"
    done = subprocess.run(
        (sys.executable, "-c", code), env=environment(**{"STY": "", **environ}), check=True,
        capture_output=True, text=True,
    )  # fmt: skip
    assert done.stdout.split() == [str(erases)]
