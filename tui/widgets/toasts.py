"""What became of an act, for some seconds, above the footer; nothing below it moves."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from rich.cells import cell_len
from textual.strip import Strip
from textual.widget import Widget

from ..columns.base import Cell
from ..columns.names import literal, short_id
from ..model.seam import Act, Outcome, Stage
from .cells import cut_cells, strip_of
from .look import look_of

SHOWN_S = 6.0
MOST = 3
NARROW = 90
"""Below so many columns there is one line, across the row above the footer."""
GLYPHS = {Act.REVOKE: "⊘", Act.TERMINATE: "⊘", Act.RETRY: "↻", Act.PURGE: "="}
DONE = {
    Act.REVOKE: "revoked", Act.TERMINATE: "terminated", Act.RETRY: "retried",
    Act.PURGE: "purged", Act.UNDO: "undone", Act.EVENTS_ON: "events on",
}  # fmt: skip
"""The word of an act that the cluster has confirmed."""


@dataclass(frozen=True, slots=True)
class Toast:
    """One line: its cells, the colour of its outcome, and until when it stands."""

    cells: tuple[Cell, ...]
    style: str
    until: float | None
    """Epoch seconds; None: until Esc."""
    key: str = ""
    """A later toast of the same key takes its place."""


class Shelf:
    """Toasts in order, the newest last. Pure; the time comes in."""

    def __init__(self) -> None:
        self.toasts: list[Toast] = []

    def add(self, toast: Toast) -> None:
        """Put it up, in the place of an older one of its key. What is sticky stays longest."""
        for index, old in enumerate(self.toasts):
            if toast.key and old.key == toast.key:
                self.toasts[index] = toast
                return
        self.toasts.append(toast)
        while len(self.toasts) > 50:
            del self.toasts[0]

    def say(self, text: str, style: str, now: float, sticky: bool = False, key: str = "") -> None:
        """One line of text; ``style`` crit, warn, ok, acc or dim."""
        until = None if sticky else now + SHOWN_S
        self.add(Toast(((literal(text, 400), style),), style, until, key))

    def tell(self, outcome: Outcome, now: float) -> None:
        """What became of a target; a later stage of the same act takes the place of the earlier."""
        failed = outcome.stage in (Stage.FAILED, Stage.NOT_CONFIRMED)
        key = f"{outcome.request.id}:{outcome.target.id}"
        until = None if failed else now + SHOWN_S
        self.add(Toast(outcome_cells(outcome), outcome_style(outcome), until, key))

    def expire(self, now: float) -> None:
        """Take down what has been up long enough."""
        self.toasts = [t for t in self.toasts if t.until is None or now < t.until]

    def clear(self) -> bool:
        """Take all down; whether there was any."""
        had = bool(self.toasts)
        self.toasts.clear()
        return had

    def since(self, before: Sequence[Toast]) -> Toast | None:
        """The newest that was not up then and goes by itself."""
        return next(
            (t for t in reversed(self.toasts) if t.until is not None and t not in before), None
        )

    def shown(self, most: int) -> list[Toast]:
        """The newest ``most``, failures before others, in order."""
        first = [t for t in self.toasts if t.until is None][-most:]
        room = most - len(first)
        others = [t for t in self.toasts if t.until is not None][-room:] if room else []
        kept = {id(toast) for toast in (*first, *others)}
        return [toast for toast in self.toasts if id(toast) in kept]


def outcome_style(outcome: Outcome) -> str:
    """Green only once the cluster has said so; until then it is ours."""
    return {
        Stage.SEEN: "ok",
        Stage.FAILED: "crit",
        Stage.NOT_CONFIRMED: "warn",
        Stage.DONE_ELSEWHERE: "dim",
    }.get(outcome.stage, "acc")


def outcome_cells(outcome: Outcome) -> tuple[Cell, ...]:
    """Glyph and word, id, proof: ``⊘ revoke?  e93d0c11  4 of 6 workers answered``."""
    act, stage = outcome.request.act, outcome.stage
    said = act is Act.EVENTS_ON and stage is Stage.ACKNOWLEDGED  # the worker itself, of itself
    glyph, word = {
        Stage.SEEN: ("✓", DONE.get(act, str(act))),
        Stage.FAILED: ("✗", f"{act} failed"),
        Stage.NOT_CONFIRMED: ("!", f"{act} not confirmed"),
        Stage.DONE_ELSEWHERE: ("⋅", f"{act} skipped"),
    }.get(stage, (GLYPHS.get(act, "⋅"), DONE[act] if said else f"{act}?"))
    target = outcome.target
    named = target.where if act is Act.UNDO and target.where else target.id
    subject = short_id(target.id) if target.kind == "task" else literal(named, 40)
    return (
        (f"{glyph} {word}", f"{outcome_style(outcome)} bold"),
        (f"  {subject}", "bold"),
        (f"  {literal(outcome.text, 300)}", "dim"),
    )


class Toasts(Widget):
    """Shows a shelf at the bottom right of its screen, on a layer of its own."""

    DEFAULT_CSS = "Toasts { position: absolute; layer: toasts; height: 1; display: none; }"

    def __init__(self, shelf: Shelf | None = None, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.shelf = shelf if shelf is not None else Shelf()
        self._lines: list[Toast] = []

    def on_mount(self) -> None:
        """A layer above all others: the layout below is not disturbed."""
        self.screen.styles.layers = "default toasts"

    def clear(self) -> bool:
        """Esc: take all down; whether there was any."""
        had = self.shelf.clear()
        self._place()
        return had

    def hide(self) -> None:
        """Show none until the next update."""
        self._lines, self.display = [], False

    def update(self, now: float) -> None:
        """Paint clock: take down what is over, and find the place again."""
        self.shelf.expire(now)
        self._place()

    def _place(self) -> None:
        if not self.is_attached or self.screen is not self.app.screen:
            return
        width, height = self.app.size
        lines = self.shelf.shown(1 if width < NARROW else MOST)
        lines = lines[-max(1, height - 4) :]
        if not lines:
            self.hide()
            return
        wide = width if width < NARROW else min(_widest(lines) + 4, width - 4)
        offset = (width - wide - (0 if wide == width else 1), height - 1 - len(lines))
        if (wide, len(lines), offset, lines) != (*self._at(), self._lines) or not self.display:
            self._lines = lines
            self.styles.width, self.styles.height = wide, len(lines)
            self.styles.offset = offset
            self.display = True
            self.refresh()

    def _at(self) -> tuple[float | None, float | None, tuple[int, int]]:
        width, height = self.styles.width, self.styles.height
        x, y = self.styles.offset.x.value, self.styles.offset.y.value
        return (
            width.value if width else None,
            height.value if height else None,
            (int(x), int(y)),
        )

    def render_line(self, y: int) -> Strip:
        """Textual's Line API."""
        look, width = look_of(self), self.size.width
        if y >= len(self._lines):
            return strip_of([], width, look, "band")
        toast = self._lines[y]
        cells = [("▐ ", toast.style), *_fitting(toast.cells, width - 3, look.cut)]
        return strip_of(cells, width, look, "band")

    def notify_style_update(self) -> None:
        """The theme changed."""
        super().notify_style_update()
        self.refresh()


def _widest(toasts: Iterable[Toast]) -> int:
    return max(sum(cell_len(words) for words, _ in toast.cells) for toast in toasts)


def _fitting(cells: Iterable[Cell], room: int, cut: str) -> list[Cell]:
    """The cells in ``room``; the one that does not fit is cut with its sign."""
    kept: list[Cell] = []
    for words, style in cells:
        if room <= 0:
            break
        kept.append((cut_cells(words, room, cut), style))
        room -= cell_len(words)
    return kept
