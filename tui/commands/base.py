"""What a command is: bindings, footer, palette and help are derived from it."""

from __future__ import annotations

import enum
from dataclasses import dataclass


class Group(enum.StrEnum):
    """Sections of the help screen."""

    MOVE = "Look: move"
    VIEW = "Look: view"
    MARK = "Look: marks"
    ACT = "Act, each asks first"


@dataclass(frozen=True, slots=True)
class Command:
    """One thing a person can do with a key. Lowercase looks, UPPERCASE acts and asks."""

    id: str
    """Stable: users remap keys by it; the screen's method is ``do_<id>``."""
    keys: tuple[str, ...]
    """Textual key names, the first is shown."""
    word: str
    """The footer's word."""
    help: str
    """The help line."""
    group: Group
    footer: int = 0
    """Rank in the footer, 1 first; 0: not in the footer."""
    act: bool = False
    """It changes the cluster: absent in read-only, off while the broker is lost."""
    targets: str = ""
    """Acts: what kind of row they need: task, queue, worker; empty: none."""
    typing: bool = False
    """What is typed next is text for what it opens: no key may overtake it."""


SHOWN = {
    "enter": "Enter", "escape": "Esc", "space": "Space", "tab": "Tab", "slash": "/",
    "question_mark": "?", "colon": ":", "left_square_bracket": "[", "right_square_bracket": "]",
    "up": "↑", "down": "↓", "left": "←", "right": "→",
    "pageup": "PgUp", "pagedown": "PgDn", "home": "Home", "end": "End",
    "shift+tab": "S-Tab", "ctrl+p": "Ctrl+P", "ctrl+t": "Ctrl+T", "ctrl+l": "Ctrl+L",
    "plus": "+", "minus": "-",
}  # fmt: skip


def shown_key(key: str) -> str:
    """A key as the footer and the help name it."""
    return SHOWN.get(key, key)
