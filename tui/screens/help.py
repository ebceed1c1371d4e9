"""The keys of a screen, searchable, and what its numbers and states mean."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from rich.cells import cell_len
from textual import on
from textual.app import ComposeResult
from textual.widget import Widget

from ..columns.base import Cell, View
from ..commands.base import Command, Group, shown_key
from ..commands.catalog import LOG, ROOTS, SCREEN_KEYS
from ..widgets.cells import cut_cells
from ..widgets.filter_bar import FilterBar
from ..widgets.lines import BLANK, Line, Lines
from ..widgets.wrapping import wrapped
from .base import BaseScreen

NUMBERS: tuple[tuple[str, str, str], ...] = (
    ("?", "bold", "unknown, never 0"),
    ("(88,110)", "bold", "old: the source is lost"),
    ("~3", "bold", "young or estimated"),
    ("-", "bold", "does not apply"),
    ("‹hidden›", "bold", "a secret, not shown"),
    ("…", "bold", "cut here"),
)
STATES: tuple[tuple[str, str, str], ...] = (
    ("⋅ pending", "dim", "sent, not seen on a worker"),
    ("◦ received", "dim", "waits inside a worker"),
    ("▸ started", "bold", "runs now"),
    ("✓ success", "ok", "done"),
    ("↻ retry", "warn", "failed, will try again"),
    ("✗ failure", "crit", "failed for good"),
    ("⊘ revoke?", "acc", "asked, not yet proven"),
    ("⊘ revoked", "dim", "the cluster said so"),
    ("◷ eta", "dim", "waits for its time"),
    ("⊖ rejected", "warn", "the worker refused it"),
)
CLOSE = Command("escape", ("escape", "q", "question_mark"), "close", "close", Group.VIEW, 2)
SEARCH = Command("filter", ("slash",), "search", "search keys and words", Group.VIEW, 1)
DOWN = Command("down", ("j", "down"), "down", "a line down", Group.MOVE, 3)
UP = Command("up", ("k", "up"), "up", "a line up", Group.MOVE, 4)
PAGE_DOWN = Command("page_down", ("pagedown", "space"), "page down", "a page down", Group.MOVE)
PAGE_UP = Command("page_up", ("pageup",), "page up", "a page up", Group.MOVE)
TOP = Command("top", ("g", "home"), "top", "top", Group.MOVE)
BOTTOM = Command("bottom", ("G", "end"), "bottom", "bottom", Group.MOVE)
THREE, TWO = 110, 74
"""Widths from which there are three columns, two."""
GAP = 4


@dataclass(frozen=True, slots=True)
class Section:
    """A title and entries: (key or word, its style, what it means)."""

    title: str
    entries: tuple[tuple[str, str, str], ...]
    lead: int
    """Cells of the first part, so that meanings stand below each other."""

    def matching(self, text: str) -> Section:
        """The section with the entries that hold ``text``, in any case."""
        wanted = text.casefold().strip()
        if not wanted or wanted in self.title.casefold():
            return self
        kept = tuple(e for e in self.entries if wanted in f"{e[0]} {e[2]}".casefold())
        return Section(self.title, kept, self.lead)


def key_sections(commands: Sequence[Command]) -> dict[str, Section]:
    """Group -> its commands; keys of the screens become one line."""
    found: dict[str, Section] = {}
    for group in Group:
        mine = [c for c in commands if c.group is group and not c.id.startswith("show_")]
        entries = [(_keys(command), "acc bold", command.help) for command in mine]
        if group is Group.MOVE:
            screens = [c.keys[0] for c in commands if c.id.startswith("show_")]
            if screens:
                entries.append((" ".join(screens), "acc bold", "screens"))
        lead = max([8, *(cell_len(keys) for keys, _, _ in entries)])
        if entries:
            found[group.name] = Section(group.value, tuple(entries), lead)
    return found


def _keys(command: Command) -> str:
    return " ".join(shown_key(key) for key in command.keys[:2])


def columns_of(sections: dict[str, Section], width: int) -> list[list[Section]]:
    """Which sections stand in which column, at this width."""
    order = [["MOVE", "MARK"], ["VIEW", "numbers"], ["ACT", "states"]]
    if width < THREE:
        order = [["MOVE", "MARK", "ACT"], ["VIEW", "numbers", "states"]]
    if width < TWO:
        order = [["MOVE", "VIEW", "MARK", "ACT", "numbers", "states"]]
    columns = [[sections[n] for n in names if n in sections] for names in order]
    return [[s for s in column if s.entries] for column in columns]


def page(sections: dict[str, Section], width: int, cut: str) -> list[Line]:
    """All of it as lines."""
    columns = columns_of(sections, width)
    each = (width - 3 - GAP * (len(columns) - 1)) // len(columns)
    blocks = [_block(column, each, cut) for column in columns if column]
    if not blocks:
        return [Line((("Nothing here has that word.", "dim"),))]
    rows = range(max(len(block) for block in blocks))
    return [_beside([b[row] if row < len(b) else () for b in blocks], each) for row in rows]


def _block(column: Sequence[Section], width: int, cut: str) -> list[tuple[Cell, ...]]:
    lines: list[tuple[Cell, ...]] = []
    for section in column:
        if lines:
            lines.append(())
        rule = "─" * max(0, width - len(section.title) - 1)
        lines.append(((section.title, "bright"), (f" {rule}", "line")))
        for key, style, meaning in section.entries:
            lines += _entry(key, style, meaning, min(section.lead, width // 2), width, cut)
    return lines


def _entry(
    key: str, style: str, meaning: str, lead: int, width: int, cut: str
) -> list[tuple[Cell, ...]]:
    first, *more = wrapped(meaning, width - lead - 2)
    shown = cut_cells(key, lead, cut)
    blanks = " " * (lead + 2 - cell_len(shown))
    return [
        ((shown, style), (blanks, ""), (first, "")),
        *(((" " * (lead + 2), ""), (line, "")) for line in more),
    ]


def _beside(parts: Sequence[tuple[Cell, ...]], width: int) -> Line:
    cells: list[Cell] = []
    for index, part in enumerate(parts):
        cells += part
        if index < len(parts) - 1:
            used = sum(cell_len(words) for words, _ in part)
            cells.append((" " * (width - used + GAP), ""))
    return Line(tuple(cells)) if any(parts) else BLANK


class HelpScreen(BaseScreen):
    """Keys by group, numbers, states. ``/`` searches; Esc, q and ? close."""

    commands = (SEARCH, DOWN, UP, CLOSE, PAGE_DOWN, PAGE_UP, TOP, BOTTOM)
    AUTO_FOCUS = ""
    CSS_PATH = "help.tcss"

    def __init__(self, commands: Sequence[Command]) -> None:
        super().__init__()
        self.sections = key_sections(commands)
        self.sections["numbers"] = Section("Numbers", NUMBERS, 10)
        self.sections["states"] = Section("States", STATES, 10)

    def body(self) -> ComposeResult:
        """The search line, and the page."""
        yield FilterBar(hint="searches keys and words")
        yield Lines(id="page")

    def crumbs(self) -> tuple[str, ...]:
        """Where it was opened."""
        stack: Iterable[Widget] = self.app.screen_stack[:-1]
        behind = next((s for s in reversed(list(stack)) if isinstance(s, BaseScreen)), None)
        if behind is None:
            return ("Keys",)
        if behind.root:
            title = dict((*ROOTS, LOG)).get(behind.root, behind.root)
            return (f"{SCREEN_KEYS.get(behind.root, '')} {title}".strip(), "Keys")
        return (*behind.crumbs()[-1:], "Keys")

    def paint(self, view: View) -> None:
        """The sections that match."""
        text = self.query_one(FilterBar).text
        found = {name: section.matching(text) for name, section in self.sections.items()}
        self.query_one("#page", Lines).show(page(found, self.app.size.width, view.cut))

    @on(FilterBar.Changed)
    def _changed(self) -> None:
        self.query_one("#page", Lines).scroll_lines(-10_000)
        self.tick()

    def _scroll(self, lines: int) -> None:
        self.query_one("#page", Lines).scroll_lines(lines)

    def do_filter(self) -> None:
        """Search."""
        self.query_one(FilterBar).open()

    def do_down(self) -> None:
        """A line down."""
        self._scroll(1)

    def do_up(self) -> None:
        """A line up."""
        self._scroll(-1)

    def do_page_down(self) -> None:
        """A page down."""
        self._scroll(max(1, self.query_one("#page").size.height - 1))

    def do_page_up(self) -> None:
        """A page up."""
        self._scroll(-max(1, self.query_one("#page").size.height - 1))

    def do_top(self) -> None:
        """Top."""
        self._scroll(-10_000)

    def do_bottom(self) -> None:
        """Bottom."""
        self._scroll(10_000)

    def do_escape(self) -> None:
        """The search first, then the page."""
        bar = self.query_one(FilterBar)
        if bar.text:
            bar.clear()
        else:
            self.dismiss()
