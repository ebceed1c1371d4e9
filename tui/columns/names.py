"""Names that do not fit, and text from the cluster made literal: shown, never obeyed."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

from .base import cut_tail

LITERAL_LIMIT = 4_000
"""Cells that any single line may need; more of a text is not looked at."""


def _spelled(code: int) -> str:
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"


def _table() -> dict[int, str]:
    shown = {code: f"^{chr(code + 64)}" for code in range(32)}
    shown.update({9: "\\t", 10: "\\n", 13: "\\r", 127: "^?"})
    shown.update({code: f"\\x{code:02x}" for code in range(0x80, 0xA0)})
    # directions, zero widths, joiners, variation selectors, tags: they move or hide other text
    hidden = [
        0x00AD,
        0x034F,
        0x061C,
        0x115F,
        0x1160,
        0x17B4,
        0x17B5,
        0x180E,
        0x3164,
        0xFEFF,
        0xFFA0,
    ]
    ranges = [
        (0x200B, 0x200F),
        (0x2028, 0x202E),
        (0x2060, 0x206F),
        (0xFE00, 0xFE0F),
        (0xFFF0, 0xFFFB),
        # skin tones and flags: terminals disagree on how wide they make what stands before them
        (0x1F1E6, 0x1F1FF),
        (0x1F3FB, 0x1F3FF),
    ]
    hidden += [code for low, high in ranges for code in range(low, high + 1)]
    shown.update({code: _spelled(code) for code in hidden})
    shown.update({code: _spelled(code) for code in range(0xE0000, 0xE01F0)})
    return shown


_SHOWN = _table()
_BLOCKS = {chr(code): shown for code, shown in _SHOWN.items() if shown not in ("\\n", "\\t")}


def literal(text: str, limit: int = LITERAL_LIMIT) -> str:
    """One line of ``text`` with every control, direction and zero-width character made visible.

    Looks at the first ``limit`` characters only, so that a megabyte costs nothing.
    """
    text = text[:limit]
    if text.isascii() and text.isprintable():
        return text
    text = text.translate(_SHOWN)
    if text.isprintable():
        return _bounded_marks(text)
    return _bounded_marks("".join(_visible(char) for char in text))


def literal_lines(text: str, limit: int = 200_000, most: int = 2_000) -> list[str]:
    """The lines of a traceback or result, each literal."""
    return [literal(line) for line in text[:limit].expandtabs(4).split("\n")[:most]]


def _visible(char: str) -> str:
    return char if char.isprintable() or char == " " else _spelled(ord(char))


def _joins(char: str) -> bool:
    """Whether it stands on the character before it: a mark, or the rest of a Korean syllable."""
    if char < "\u0300":
        return False
    jamo = "\u1160" <= char <= "\u11ff" or "\ud7b0" <= char <= "\ud7ff"
    return jamo or unicodedata.category(char)[0] == "M"


def _bounded_marks(text: str) -> str:
    """At most three marks on a character: more would climb over other lines."""
    if text.isascii() or not any(map(_joins, text)):
        return text
    kept: list[str] = []
    run = 0
    for char in text:
        run = run + 1 if _joins(char) else 0
        if run <= 3 and not (run and not kept):
            kept.append(char)
    return "".join(kept)


def short_id(task_id: str) -> str:
    """First 8 digits, for tables."""
    return literal(task_id, 8)


def cut_task_name(name: str, width: int, sign: str = "…") -> str:
    """Task names lose their head: packages shrink to a letter, then the sign."""
    if len(name) <= width:
        return name
    parts = name.split(".")
    for index in range(len(parts) - 1):
        parts[index] = parts[index][:1]
        short = ".".join(parts)
        if len(short) <= width:
            return short
    return cut_head(".".join(parts), width, sign)


def cut_head(text: str, width: int, sign: str = "…") -> str:
    """The tail, which tells names apart."""
    if len(text) <= width:
        return text
    keep = max(0, width - len(sign))
    return sign[:width] + (text[len(text) - keep :] if keep else "")


def cut_middle(text: str, width: int, sign: str = "…") -> str:
    """Hostnames: the middle goes, the tail keeps the bigger half."""
    if len(text) <= width:
        return text
    keep = max(0, width - len(sign))
    tail = (keep * 3 + 4) // 5
    return text[: keep - tail] + sign[:width] + (text[len(text) - tail :] if tail else "")


_PACKAGES = re.compile(r"(?:(?:[^\W\d]\w*|<\w+>)\.)+(?=[^\W\d]\w*(?:[(:]|$))")
"""What stands before the class in ``billiard.exceptions.WorkerLostError: signal 9``."""
LONGEST_CLASS = 500
"""Characters, packages included."""


def exception_class(text: str) -> str:
    """The class of an exception, without its packages and its message.

    Looked for in the beginning only: whoever sent the text may have sent a megabyte of it.
    """
    head = text[:LONGEST_CLASS]
    packages = _PACKAGES.match(head)
    name = head[packages.end() :] if packages is not None else head
    return name.partition("(")[0].partition(":")[0]


def cut_exception(text: str, width: int, sign: str = "…") -> str:
    """Exceptions lose their packages and then their tail: the class tells what happened."""
    packages = _PACKAGES.match(text[:LONGEST_CLASS])
    if len(text) <= width or packages is None:
        return cut_tail(text, width, sign)
    rest = text[packages.end() :]
    room = len(sign) + len(exception_class(rest)) <= width
    # Blanks: where the class itself just fits, its packages are missing all the same.
    return cut_tail(f"{sign}{rest}" if room else rest + " " * len(sign), width, sign)


def shared_suffix(hostnames: Iterable[str]) -> str:
    """``@host`` that all of at least two node names end with, else nothing."""
    names = list(hostnames)
    suffixes = {name[name.find("@") :] for name in names if "@" in name}
    whole = all("@" in name and not name.startswith("celery@") for name in names)
    return suffixes.pop() if len(names) > 1 and len(suffixes) == 1 and whole else ""


def node(hostname: str, suffix: str = "") -> str:
    """A node name without ``celery@`` and without what all share."""
    hostname = hostname.removesuffix(suffix) if suffix else hostname
    return literal(hostname.removeprefix("celery@") or "?", 300)


SHORTEST_TAIL = 5


def tail(hostname: str, others: Iterable[str], suffix: str = "") -> str:
    """For running text: the shortest tail of a node name that no other ends with, ``9wq7m``."""
    name = node(hostname, suffix)
    rest = [node(other, suffix) for other in others if other != hostname]
    parts = name.split("-")
    for first in range(len(parts) - 1, 0, -1):
        short = "-".join(parts[first:])
        if len(short) >= SHORTEST_TAIL and not any(other.endswith(short) for other in rest):
            return short
    return name
