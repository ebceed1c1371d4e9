"""The only module that names private parts of Textual; where one is missing, all is unknown."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any, TextIO

from rich.color import ColorSystem
from textual.app import App
from textual.driver import Driver
from textual.strip import Strip

from .cells import UnknownContent

try:
    from textual._compositor import ChopsUpdate, LayoutUpdate
except ImportError:  # another Textual: no update is of a known kind then

    class ChopsUpdate:  # type: ignore[no-redef]
        """Nothing is one."""

    class LayoutUpdate:  # type: ignore[no-redef]
        """Nothing is one."""


if TYPE_CHECKING:
    from .grid import Patch, Run

SYNC_START, SYNC_END = "\x1b[?2026h", "\x1b[?2026l"
BROKEN = (AttributeError, TypeError, ValueError, LookupError, UnknownContent)
"""What reading private parts raises when Textual has changed."""


def draws(app: App[Any]) -> bool:
    """Whether Textual would write an update to a whole terminal now."""
    try:
        driver = app._driver
        if driver is None or driver.is_headless or driver.is_inline or driver.is_web:
            return False
        return app._running and not app._closed and not app._batch_count
    except AttributeError:
        return False


def send(app: App[Any], frame: str) -> None:
    """To the terminal, as one piece where it can."""
    driver = app._driver
    if driver is not None and frame:
        at_once = getattr(app, "_sync_available", False)
        driver.write(f"{SYNC_START}{frame}{SYNC_END}" if at_once else frame)
        driver.flush()


def queued(app: App[Any]) -> int:
    """Writes that wait for the terminal; 0 if nobody knows."""
    try:
        return int(app._driver._writer_thread._queue.qsize())  # type: ignore[union-attr]
    except AttributeError:
        return 0


def draw_on(driver: Driver, terminal: TextIO) -> bool:
    """Let a driver write there instead of to stderr; False: nobody knows how."""
    if not hasattr(driver, "_file"):
        return False
    driver._file = terminal
    return True


def let_print(app: App[Any]) -> None:
    """Leave what is printed to whoever has stdout and stderr: Textual would swallow it."""
    if hasattr(app, "_capture_stdout") and hasattr(app, "_capture_stderr"):
        for name, stream in (("_capture_stdout", sys.stdout), ("_capture_stderr", sys.stderr)):
            setattr(app, name, stream)


def patches(app: App[Any], update: object) -> tuple[int, int, Iterator[Patch]]:
    """Width, height and the parts of an update. Raises UnknownContent for one of another kind."""
    colours = app.console._color_system or ColorSystem.TRUECOLOR
    if type(update) is LayoutUpdate:
        x, y, width, height = update.region
        if (x, y) != (0, 0) or len(update.strips) != height:
            raise UnknownContent(f"an update of {update.region}")
        return width, height, _of_layout(update, colours)
    if type(update) is ChopsUpdate:
        width, height = app.screen._compositor.size
        if len(update.chops) != height:
            raise UnknownContent(f"an update of {len(update.chops)} lines")
        return width, height, _of_chops(update, colours)
    raise UnknownContent(f"an update of type {type(update).__name__}")


def _of_layout(update: LayoutUpdate, colours: ColorSystem) -> Iterator[Patch]:
    for y, strips in enumerate(update.strips):
        yield y, 0, (run for strip in strips for run in _runs(strip, colours))


def _of_chops(update: ChopsUpdate, colours: ColorSystem) -> Iterator[Patch]:
    """The same pieces as ``ChopsUpdate.render_segments`` writes."""
    for y, left, right in update.spans:
        for end, (x, strip) in zip(update.chop_ends[y], update.chops[y].items(), strict=False):
            if strip is None or x >= right or end <= left:
                continue
            whole = x >= left and end <= right
            yield y, x, _runs(strip if whole else strip.crop(0, min(end, right) - x), colours)


def _runs(strip: Strip, colours: ColorSystem) -> Iterable[Run]:
    for text, style, control in strip:
        if control:
            raise UnknownContent("a control segment")
        if style is None:
            yield text, ""
            continue
        if style._link:
            raise UnknownContent("a link")
        sgr = style._ansi
        yield text, Strip.render_ansi(style, colours) if sgr is None else sgr
