"""The real app on a hostile cluster, in a terminal; writes what it composed to a file."""

from __future__ import annotations

import json
import sys
import unicodedata
from pathlib import Path

from rich.style import Style
from wcwidth import wcwidth

from celery_tui.app import CeleryTui
from tests.screens.capture import strips
from tests.screens.hostile import HOSTILE, hostile_cluster
from tests.screens.sample import app_on

LEFT_OUT = frozenset({"combining flood", "jamo flood", "decomposed Korean", "combining first"})
"""pyte drops the rest of a text behind marks without a combining class."""

Cell = tuple[str, str, str, bool]
"""Character, colour, background, bold: as pyte names them. Of a blank only what is seen."""


def composed(app: CeleryTui) -> list[list[Cell]]:
    """The cells of the screen, line by line; behind a wide character stands an empty one."""
    lines: list[list[Cell]] = []
    for strip in strips(app):
        cells: list[Cell] = []
        for segment in strip:
            style = segment.style or Style.null()
            for char in segment.text:
                if unicodedata.combining(char) and cells:
                    last = cells[-1]
                    cells[-1] = (unicodedata.normalize("NFC", last[0] + char), *last[1:])
                    continue
                seen = char != " " or style.reverse or style.underline
                front, bold = (_hex(style, True), bool(style.bold)) if seen else ("default", False)
                cells.append((char, front, _hex(style, False), bold))
                cells += [("", *cells[-1][1:])] * (wcwidth(char) - 1)
        lines.append(cells)
    return lines


def _hex(style: Style, front: bool) -> str:
    color = style.color if front != bool(style.reverse) else style.bgcolor
    return color.triplet.hex.lstrip("#") if color is not None and color.triplet else "default"


def dump(app: CeleryTui, path: Path) -> None:
    """Write the cells, all at once."""
    half = path.with_suffix(".half")
    half.write_text(json.dumps(composed(app)), encoding="utf-8")
    half.replace(path)


def main(path: Path) -> None:
    """Run until it is quit."""
    app = app_on(hostile_cluster(*(t for n, t in HOSTILE.items() if n not in LEFT_OUT)))
    app.call_later(lambda: app.set_interval(0.2, lambda: dump(app, path)))
    app.run(mouse=False)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
