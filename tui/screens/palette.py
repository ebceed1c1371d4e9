"""The command palette: every command of the screen by name, and nothing of Textual's own."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

from rich.console import RenderableType
from textual.command import (
    CommandInput,
    CommandList,
    CommandPalette,
    DiscoveryHit,
    Hit,
    Hits,
    Provider,
    SearchIcon,
)
from textual.content import Content

from ..commands.base import Command, shown_key
from ..widgets.look import look_of
from .base import BaseScreen
from .dialog import ghost_behind

LEFT_OUT = frozenset({"palette", "down", "up", "page_down", "page_up", "top", "bottom", "escape"})
"""Moves, which nobody looks for by name."""


class CommandProvider(Provider):
    """The commands of the screen from which the palette was opened."""

    def _commands(self) -> Iterator[tuple[Command, partial[None]]]:
        screen = self.screen
        if not isinstance(screen, BaseScreen):
            return
        for command in screen.available():
            if command.id not in LEFT_OUT:
                yield command, partial(screen.action_command, command.id)

    async def discover(self) -> Hits:
        """All of them, before anything is typed."""
        for command, run in self._commands():
            yield DiscoveryHit(_line(command, Content(_words(command))), run, text=command.word)

    async def search(self, query: str) -> Hits:
        """Those whose word or help matches."""
        matcher = self.matcher(query)
        for command, run in self._commands():
            score = max(matcher.match(command.word), matcher.match(command.help) * 0.9)
            if score > 0:
                found = _line(command, matcher.highlight(_words(command)))
                yield Hit(score, found, run, text=command.word)


def _words(command: Command) -> str:
    return f"{command.word:<12} {command.help}"


def _line(command: Command, words: Content) -> Content:
    """Key, word and help in one line."""
    key = Content.styled(f"{shown_key(command.keys[0]):<8}", "$tone-acc")
    return Content.assemble(key, words)


class Palette(CommandPalette):
    """Textual's palette in our look: no frame, no emoji, a steady cursor."""

    DEFAULT_CSS = """
    Palette { background: $tone-bg 60%; color: $tone-fg; }
    Palette > Vertical { margin-top: 3; width: 84; max-width: 100%; background: $tone-band; }
    Palette > Vertical:dark { background: $tone-band; }
    Palette #--input { border: none; height: 1; background: $tone-band; }
    Palette #--input.--list-visible { border: none; }
    Palette SearchIcon { color: $tone-acc; text-style: bold; margin: 0 0 0 2; width: 2; }
    Palette CommandInput, Palette CommandInput:focus {
        border: none; height: 1; padding: 0; background: $tone-band; color: $tone-bright;
    }
    Palette CommandInput > .input--placeholder { color: $tone-dim; }
    Palette:ansi CommandInput > .input--cursor {
        background: ansi_default; color: ansi_default; text-style: reverse;
    }
    Palette CommandList {
        border: none; background: $tone-band; padding: 1 0 0 0; max-height: 60vh;
        scrollbar-size-vertical: 1;
    }
    Palette CommandList > .option-list--option { color: $tone-fg; text-style: none; }
    Palette CommandList > .option-list--option-highlighted {
        background: $tone-select; color: $tone-bright; text-style: bold;
    }
    Palette:ansi CommandList > .option-list--option-highlighted { text-style: reverse; }
    Palette > .command-palette--help-text { color: $tone-dim; text-style: none; }
    Palette > .command-palette--highlight { color: $tone-acc; text-style: bold; }
    Palette LoadingIndicator { display: none; }
    """

    def __init__(self) -> None:
        super().__init__((CommandProvider,), placeholder="a command", id="palette")

    def on_mount(self) -> None:
        """A steady cursor, and a colon where Textual has an emoji."""
        self.query_one(CommandInput).cursor_blink = False
        self.query_one(SearchIcon).icon = ":"

    def run_worker(self, *args: Any, **options: Any) -> Any:
        """A search that outlives the palette finds its list gone: that must not end the app."""
        return super().run_worker(*args, **{**options, "exit_on_error": False})

    def _action_command_list(self, action: str) -> None:
        # Typed ahead of the first layout, Textual 8.2 looks for a page in a list without lines.
        if self.query_one(CommandList).size.height:
            super()._action_command_list(action)

    def render(self) -> RenderableType:
        """The screen behind, as a ghost."""
        return ghost_behind(super().render(), look_of(self))
