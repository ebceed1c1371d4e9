"""Figures of a benchmark: printed as they come, and once more as a table."""

import os
import platform
import time
from collections.abc import Iterable
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version

NAMED = ("celery-tui", "textual", "celery", "kombu", "redis", "hiredis", "msgspec")
"""Packages whose versions matter for what is measured."""


@dataclass(frozen=True)
class Figure:
    """One line of the table."""

    what: str
    measured: str
    target: str = ""
    reached: bool | None = None
    others: tuple[str, ...] = ()
    """The same of each program that is measured beside ours; empty: it was not."""

    @property
    def verdict(self) -> str:
        """In a word."""
        return "" if self.reached is None else "ok" if self.reached else "MISSED"


def machine() -> str:
    """Where and with what this ran."""
    found = []
    for name in NAMED:
        try:
            found.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            found.append(f"{name} missing")
    load_1, load_5, _ = os.getloadavg()
    words = f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores"
    python = f"{platform.python_implementation()} {platform.python_version()}"
    return f"{words}, load {load_1:.1f} ({load_5:.1f}); {python}; {', '.join(found)}"


@dataclass(frozen=True)
class Heads:
    """Of the columns that differ from table to table."""

    target: str = "target"
    others: tuple[str, ...] = ()


def table(figures: list[Figure], heads: Heads) -> str:
    """As Markdown."""
    none = ("",) * len(heads.others)
    rows = [("what", "measured", *heads.others, heads.target, "")]
    rows.append(("---",) * len(rows[0]))
    for one in figures:
        rows.append((one.what, one.measured, *(one.others or none), one.target, one.verdict))
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = []
    for row in rows:
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def tell(figures: Iterable[Figure], heads: Heads | None = None) -> None:
    """Print where this runs, each figure when it is known, and all of them at the end."""
    began, heads = time.monotonic(), heads or Heads()
    print(machine(), flush=True)
    known = []
    for figure in figures:
        named = zip(heads.others, figure.others, strict=False)
        beside = "".join(f"; {name} {words}" for name, words in named if words)
        print(f"  {figure.what}: {figure.measured}{beside} {figure.verdict}", flush=True)
        known.append(figure)
    print(f"\n{table(known, heads)}\n\nTook {time.monotonic() - began:.0f} s.")
