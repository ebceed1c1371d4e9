"""The one place with colours and glyphs: style words to looks, per theme."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from rich.cells import cell_len
from rich.color import Color
from rich.style import Style
from textual.theme import Theme

NIGHT = {
    "bg": "#101316", "band": "#191E22", "select": "#22314A", "mark": "#192333",
    "track": "#2A3238", "line": "#3B454C", "ghost": "#59646C", "dim": "#939EA6",
    "fg": "#C8CED2", "bright": "#F3F6F8", "acc": "#98B8FA", "crit": "#F4756B",
    "warn": "#F5B942", "ok": "#86E0A6", "data": "#6F8DAE", "area": "#58728F",
    "heat": "#A65D56", "ink": "#101316",
}  # fmt: skip
PAPER = {
    "bg": "#FAF9F5", "band": "#EFEDE6", "select": "#D9E4FA", "mark": "#EBF0FA",
    "track": "#E2E0D8", "line": "#C9C7BE", "ghost": "#A3A29A", "dim": "#5B646B",
    "fg": "#2B3136", "bright": "#0B0E10", "acc": "#1B48B0", "crit": "#930A16",
    "warn": "#875200", "ok": "#1F6642", "data": "#5C7FA8", "area": "#7F9CBF",
    "heat": "#C2726B", "ink": "#FAF9F5",
}  # fmt: skip
ANSI = {"acc": "cyan", "crit": "red", "heat": "red", "warn": "yellow", "ok": "green"}
"""The terminal's own colours; everything else is default, bold or faint."""
FAINT = frozenset({"dim", "line", "ghost", "track"})
ALWAYS_BOLD = frozenset({"bright", "crit"})

TO_ASCII = str.maketrans(
    {
        "✗": "X", "✓": "o", "⋅": ".", "◦": "-", "▸": ">", "↻": "r", "⊘": "/", "⊖": "%", "◷": "@",
        "◌": "?", "▐": ">", "✱": "*", "▴": "^", "▾": "v", "›": ">", "‹": "<", "─": "-", "│": "|",
        "├": "|", "└": "`", "━": "#", "╸": ".", "╌": ".", "█": "#", "•": "*", "↑": "^", "↓": "v",
        "▁": ".", "▂": ":", "▃": "-", "▄": "=", "▅": "+", "▆": "*", "▇": "#", "…": ".",
    }
)  # fmt: skip
"""One cell for one cell; a cut text gets its ``..`` where it is cut."""


def _textual_theme(name: str, tone: dict[str, str], dark: bool) -> Theme:
    """A Textual theme whose variables carry every tone, as ``$tone-dim`` and so on."""
    return Theme(
        name=name, dark=dark, primary=tone["acc"], secondary=tone["data"], accent=tone["acc"],
        foreground=tone["fg"], background=tone["bg"], surface=tone["bg"], panel=tone["band"],
        success=tone["ok"], warning=tone["warn"], error=tone["crit"], text_alpha=1.0,
        variables=_variables(tone),
    )  # fmt: skip


def _variables(tone: dict[str, str]) -> dict[str, str]:
    return {
        **{f"tone-{key}": value for key, value in tone.items()},
        "block-cursor-background": tone["select"],
        "block-cursor-foreground": tone["bright"],
        "block-cursor-text-style": "bold",
        "input-cursor-background": tone["acc"],
        "input-cursor-foreground": tone["ink"],
        "input-selection-background": tone["select"],
        "scrollbar": tone["track"],
        "scrollbar-background": tone["bg"],
        "scrollbar-hover": tone["line"],
        "scrollbar-active": tone["line"],
    }


def _ansi_theme(name: str, coloured: bool) -> Theme:
    """A theme of the terminal's own colours; without ``coloured`` of none at all."""
    tone = dict.fromkeys(NIGHT, "ansi_default")
    if coloured:
        tone.update({key: f"ansi_{value}" for key, value in ANSI.items()})
    theme = _textual_theme(name, tone, True)
    theme.ansi = True
    theme.variables["ansi-background"] = "ansi_default"  # Textual's own styles read it
    return theme


THEMES = {
    "night": _textual_theme("night", NIGHT, True),
    "paper": _textual_theme("paper", PAPER, False),
    "ansi": _ansi_theme("ansi", True),
    "mono": _ansi_theme("mono", False),
}
_TONES = {"night": NIGHT, "paper": PAPER}


@dataclass(frozen=True)
class Look:
    """How style words and glyphs are drawn: one theme, Unicode or ASCII."""

    theme: str = "night"
    ascii: bool = False

    @property
    def cut(self) -> str:
        """Sign of a cut text."""
        return ".." if self.ascii else "…"

    @property
    def cursor(self) -> str:
        """Sign in column 0 of the cursor row: half a block in a reversed row looks like a fault."""
        return ">" if self.ascii or not self.rgb else "▐"

    @property
    def rgb(self) -> bool:
        """Whether the theme has colours of its own."""
        return self.theme in _TONES

    def glyphs(self, text: str) -> str:
        """``text`` in the glyphs of this look; ASCII when that is asked for."""
        if not self.ascii or text.isascii():
            return text
        text = text.translate(TO_ASCII)
        if text.isascii():
            return text
        return "".join(char if char.isascii() else "?" * cell_len(char) for char in text)

    def style(self, words: str, on: str = "bg") -> Style:
        """Rich style of ``words`` (``"crit bold"``, ``"filled acc"``) on a background token.

        Words: a token of the palette, ``bold``, ``underline``, ``filled`` (ink on the token).
        """
        return _style(self.theme, words, on)


@lru_cache(maxsize=1024)
def _style(theme: str, words: str, on: str) -> Style:
    parts = words.split()
    token = next((part for part in parts if part in NIGHT), "fg")
    filled, bold = "filled" in parts, "bold" in parts or token in ALWAYS_BOLD
    underline = "underline" in parts
    if theme in _TONES:
        return _rgb(_TONES[theme], token, on, filled, bold, underline)
    return _plain(theme, token, on, filled, bold, underline)


def _rgb(
    tone: dict[str, str], token: str, on: str, filled: bool, bold: bool, underline: bool
) -> Style:
    ink, paper = (tone["ink"], tone[token]) if filled else (tone[token], tone[on])
    return Style(color=ink, bgcolor=paper, bold=bold or filled, underline=underline)


def _plain(theme: str, token: str, on: str, filled: bool, bold: bool, underline: bool) -> Style:
    """16 colours or none. A reversed row drops its colours: a red word would be a red hole."""
    selected = on == "select"
    colour = ANSI.get(token) if theme == "ansi" and not selected and not filled else None
    return Style(
        color=Color.parse(colour) if colour else None,
        bold=bold or filled or token == "acc",  # noqa: S105  a palette token, not a password
        dim=token in FAINT and not selected,
        reverse=selected or filled,
        underline=underline,
    )
