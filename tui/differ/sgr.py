"""Colour codes (SGR): what they set, and the shortest way from one to another."""

from __future__ import annotations

from functools import lru_cache

OFF = {
    "1": "22", "2": "22", "3": "23", "4": "24", "5": "25", "6": "25", "7": "27", "8": "28",
    "9": "29", "21": "24", "51": "54", "52": "54", "53": "55",
}  # fmt: skip
"""Attribute -> what switches it off, and with it others that share the switch."""
ON_BLANKS = frozenset({"4", "5", "6", "7", "9", "21", "51", "52", "53"})
"""Attributes that are seen where nothing is written."""


@lru_cache(maxsize=1024)
def parts(sgr: str) -> tuple[tuple[str, ...], str, str]:
    """Attributes, foreground and background of a colour code; empty: the terminal's own."""
    attributes: list[str] = []
    front = back = ""
    codes = iter(sgr.split(";") if sgr else ())
    for code in codes:
        if code in ("38", "48"):
            kind = next(codes)
            rest = [next(codes) for _ in range(3 if kind == "2" else 1)]
            whole = ";".join((code, kind, *rest))
            front, back = (whole, back) if code == "38" else (front, whole)
        elif code in OFF:
            attributes.append(code)
        elif code.startswith(("4", "10")):
            back = "" if code == "49" else code
        else:
            front = "" if code == "39" else code
    return tuple(attributes), front, back


@lru_cache(maxsize=1024)
def seen_on_blank(sgr: str) -> str:
    """The colour code of a blank that looks the same."""
    attributes, _, back = parts(sgr)
    return back if ON_BLANKS.isdisjoint(attributes) else sgr


@lru_cache(maxsize=8192)
def turn(old: str, new: str) -> str:
    """The shortest sequence that turns a terminal from one style to another."""
    full = f"\x1b[0;{new}m" if new else "\x1b[m"
    had, old_front, old_back = parts(old)
    has, front, back = parts(new)
    off = {OFF[code] for code in had if code not in has}
    codes = [*sorted(off), *(code for code in has if code not in had or OFF[code] in off)]
    codes += [front or "39"] if front != old_front else []
    codes += [back or "49"] if back != old_back else []
    if not codes:
        return ""
    return min(full, f"\x1b[{';'.join(codes)}m", key=len)
