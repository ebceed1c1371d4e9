"""Numbers, durations and clocks as tables want them: fixed widths, no zero by rounding."""

from __future__ import annotations

from datetime import UTC, datetime

from .base import Cell, View

UNKNOWN: Cell = ("?", "dim")
NOT_APPLICABLE: Cell = ("-", "dim")


def count(value: int) -> str:
    """``0``, ``1,234``, from a million ``1.23M``."""
    if abs(value) < 1_000_000:
        return f"{value:,}"
    if abs(value) < 999_995_000:
        return f"{value / 1e6:.2f}M"
    return f"{value / 1e9:.2f}G"


def short_count(value: float) -> str:
    """For axes and titles: ``950``, ``88k``, ``1.2M``."""
    if value < 999.5:
        return f"{value:.0f}"
    if value < 999_500:
        return f"{value / 1e3:.0f}k"
    if value < 9_950_000:
        return f"{value / 1e6:.1f}M"
    return f"{value / 1e6:.0f}M" if value < 999_500_000 else f"{value / 1e9:.1f}G"


def rate(value: float) -> str:
    """``0.20`` below 1, ``41.0`` below 100, ``212`` above, ``12.4k`` from 10,000."""
    if value <= 0:
        return "0.0"
    if value < 0.01:
        return "<0.01"
    if value < 0.995:
        return f"{value:.2f}"
    if value < 99.95:
        return f"{value:.1f}"
    return f"{value:,.0f}" if value < 9_999.5 else f"{value / 1e3:.1f}k"


def duration(seconds: float) -> str:
    """``0.4s`` below 10 s, ``38s``, ``11m42s``, ``3h12m``, ``3d4h``, ``120d``: at most 6 cells.

    Less than nothing is ``<1s``: it came after the whole second for which the screen is painted.
    """
    if seconds < 0:
        return "<1s"
    if seconds < 0.05:
        return "<0.1s" if seconds else "0.0s"
    if seconds < 9.95:
        return f"{seconds:.1f}s"
    whole = int(seconds + 0.5) if seconds < 60 else int(seconds)
    if whole < 60:
        return f"{whole}s"
    if whole < 3_600:
        return f"{whole // 60}m{whole % 60:02d}s"
    if whole < 86_400:
        return f"{whole // 3_600}h{whole % 3_600 // 60:02d}m"
    days, hours = whole // 86_400, whole % 86_400 // 3_600
    if days < 10:
        return f"{days}d{hours}h"
    return f"{days}d" if days < 100_000 else ">273y"


def whole(seconds: float) -> str:
    """A duration that nobody needs tenths of: ``<1s``, ``1s``, ``38s``, ``11m42s``."""
    if seconds < 1 and seconds:
        return "<1s"
    return f"{int(seconds)}s" if seconds < 10 else duration(seconds)


def share(part: float) -> str:
    """``6.1%``; ``98%`` where one digit says nothing; ``<0.1%``. ``part`` is 0 to 1."""
    percent = part * 100
    if percent <= 0:
        return "0.0%"
    if percent < 0.1:
        return "<0.1%"
    return f"{percent:.1f}%" if percent < 9.95 else f"{percent:.0f}%"


def size(value: int) -> str:
    """``612M``, ``1.9G``; 1024-based."""
    amount = float(value)
    for unit in ("B", "K", "M"):
        if amount < 999.5:
            return f"{amount:.0f}{unit}"
        amount /= 1024
    return f"{amount:.1f}G" if amount < 100 else f"{amount:.0f}G"


def clock(epoch_s: float, view: View, seconds: bool = True, parts: bool = False) -> str:
    """``14:09:31``; with ``parts`` hundredths too. UTC unless the view says local."""
    try:
        moment = datetime.fromtimestamp(epoch_s, UTC)
    except (ValueError, OverflowError, OSError):
        return "?"
    moment = moment if view.utc else moment.astimezone()
    if parts:
        return f"{moment:%H:%M:%S}.{moment.microsecond // 10_000:02d}"
    return f"{moment:%H:%M:%S}" if seconds else f"{moment:%H:%M}"


def known(value: float | None, words: str, view: View, style: str = "") -> Cell:
    """A number's cell: ``?`` for None, parentheses and dim when the view is stale."""
    if value is None:
        return UNKNOWN
    return stale(words, view) if view.stale else (words, style)


def stale(words: str, view: View) -> Cell:
    """An old number: the closing parenthesis hangs in the gap behind the column."""
    return f"({words})", "dim"


def age(since: float | None, view: View, style: str = "dim") -> Cell:
    """How long ago, from our own clock."""
    if since is None:
        return UNKNOWN
    return known(since, whole(view.now - since), view, style)
