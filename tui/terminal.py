"""Whether this terminal can carry the dashboard, and how it should look there."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, MutableMapping
from dataclasses import replace
from typing import TextIO

from .errors import TuiError
from .settings import Settings

IN_SCRIPTS = "In scripts use `celery-tui status`, which needs no terminal."
COLOURFUL = ("256color", "direct", "kitty")
"""Endings of TERM that mean more than 16 colours, as Rich reads them."""
LIGHT = frozenset({"7", "15"})
"""Background numbers in COLORFGBG that are light."""


def require(environ: Mapping[str, str] | None = None) -> None:
    """Raise TuiError unless keys can be read from and a screen drawn on this terminal.

    stderr counts because Textual draws there.
    """
    term = (os.environ if environ is None else environ).get("TERM", "")
    if not is_terminal(sys.stdin):
        raise TuiError("The dashboard needs a keyboard, and stdin is no terminal", IN_SCRIPTS)
    if not is_terminal(sys.stdout):
        raise TuiError("The dashboard needs a terminal, and stdout is none", IN_SCRIPTS)
    if not is_terminal(sys.stderr):
        raise TuiError(
            "The dashboard draws on stderr, which is no terminal", "To keep a log use --log FILE."
        )
    if term in ("", "dumb", "unknown"):
        told = f"TERM={term} cannot move the cursor" if term else "TERM is not set"
        raise TuiError(
            f"The dashboard cannot draw here: {told}",
            "Set TERM to your terminal's type, such as xterm-256color.",
        )


def is_terminal(stream: TextIO | None) -> bool:
    """A stream that the caller closed is None, or raises."""
    try:
        return stream is not None and stream.isatty()
    except ValueError:
        return False


def dressed(settings: Settings, environ: MutableMapping[str, str] | None = None) -> Settings:
    """Settings with the theme and the glyphs that suit the terminal, where none were asked for.

    Read before Textual's App is built, which takes NO_COLOR out of the environment, and reads
    COLORTERM: what GNU screen hands on from the terminal around it is taken out here, for screen
    takes true colours for other codes.
    """
    environ = os.environ if environ is None else environ
    if environ.get("STY"):
        environ.pop("COLORTERM", None)
    ascii_only = settings.ascii if settings.ascii is not None else not shows_unicode(environ)
    return replace(settings, theme=settings.theme or theme_for(environ), ascii=ascii_only)


def theme_for(environ: Mapping[str, str]) -> str:
    """The theme for this environment: colours it lacks are not asked of it."""
    term = environ.get("TERM", "").lower()
    if environ.get("NO_COLOR") or term.startswith("vt"):
        return "mono"
    rich_enough = environ.get("COLORTERM", "").lower() in ("truecolor", "24bit")
    if not rich_enough and not term.endswith(COLOURFUL):
        return "ansi"
    return "paper" if environ.get("COLORFGBG", "").rpartition(";")[2] in LIGHT else "night"


def shows_unicode(environ: Mapping[str, str]) -> bool:
    """Whether the locale is UTF-8, and the terminal more than Linux's own console.

    Python turns an unset locale into LC_CTYPE=C.UTF-8, and `LANG=C` too: the latter was meant.
    """
    if environ.get("TERM") == "linux":
        return False
    if environ.get("LC_ALL"):
        return _is_utf8(environ["LC_ALL"])
    if environ.get("LANG") in ("C", "POSIX"):
        return False
    return _is_utf8(environ.get("LC_CTYPE") or environ.get("LANG", ""))


def erases_with_background(environ: Mapping[str, str] | None = None) -> bool:
    """Whether what is erased takes the background colour: where in doubt, not.

    GNU screen does not, whatever TERM says inside it. Asks terminfo, which reads one TERM in the
    life of a process.
    """
    environ = os.environ if environ is None else environ
    if environ.get("STY"):
        return False
    try:
        import curses
    except ImportError:  # a Python built without it
        return False
    try:
        curses.setupterm(environ.get("TERM", ""), 2)
    except curses.error:  # a TERM this machine has never heard of
        return False
    return curses.tigetflag("bce") == 1


def _is_utf8(locale: str) -> bool:
    return locale.lower().replace("-", "").partition("@")[0].endswith("utf8")
