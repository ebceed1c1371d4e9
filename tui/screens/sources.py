"""Sources: what we know from where, since when, and what we could not hear."""

from __future__ import annotations

from typing import ClassVar

from ..columns import sources as words
from ..columns import why_figures
from ..columns.base import View
from ..columns.facts import Fact
from ..columns.names import literal
from ..commands import catalog
from ..commands.base import Command
from ..widgets.lines import BLANK, Line
from ..widgets.wrapping import wrapped
from .page import PageScreen, fact, labelled, section, wrapped_facts
from .why import WhyScreen
from .why_lines import why_lines


class SourcesScreen(PageScreen):
    """One section for each of the four links."""

    commands: ClassVar[tuple[Command, ...]] = (
        *catalog.SCROLLS,
        catalog.LEAVE_WHY,
        *catalog.NOT_WHY,
    )

    def crumbs(self) -> tuple[str, ...]:
        """There is one of it."""
        return ("Sources", "what we know, and from where")

    def do_why(self) -> None:
        """The key that led here, once or twice, leads back."""
        self.app.pop_screen()
        if isinstance(self.app.screen, WhyScreen):
            self.app.pop_screen()

    def lines(self, view: View, width: int) -> list[Line]:
        """The four links, the most telling first."""
        lines: list[Line] = []
        for name in words.TITLES:
            lines += self._section(name, view, width)
            if self.app.size.height >= 32:
                lines.append(BLANK)
        return [*lines, *why_lines([why_figures.part(view)], view, width, False)]

    def _section(self, name: str, view: View, width: int) -> list[Line]:
        links, (title, about) = view.cluster.links, words.TITLES[name]
        health = links.health.get(name)
        url = self.host.backend_url if name == "results" else self.host.broker_url
        # A narrow line has room for one of the two.
        where = literal(url, 60) if width >= 100 else ""
        lines = [section(title, width, about, where)]
        facts = [Fact((cell,)) for cell in words.state(health, view)]
        facts += [fact(*pair) for pair in words.facts(name, view, self.standing())]
        lines += wrapped_facts(facts, width)
        for text, style in words.trouble(health):
            lines += [Line(((part, style),)) for part in wrapped(text, width - 3) if part]
        if name == "events":
            lines += self._missing(view, width)
        count = len(links.gaps.get(name, ()))
        for number, one in enumerate(words.gaps(links, name)):
            label = f"{'gap' if count == 1 else f'{count} gaps'} " if not number else ""
            lines.append(Line(((f"{label:8}", "dim"), *words.gap(one, view))))
        return lines

    def _missing(self, view: View, width: int) -> list[Line]:
        lines: list[Line] = []
        if losers := words.losers(view):
            lines += labelled(width, *losers)
        if reasons := words.unreadable(view.cluster.malformed):
            lines += labelled(width, *reasons)
        return lines
