"""No broker was named: what was looked for, what answers here, a field for a URL, the demo."""

from __future__ import annotations

import os
import textwrap
import threading
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import ClassVar, Protocol, cast

from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.widgets import Input

from .. import __version__, urls
from ..columns.base import Cell, View
from ..columns.names import literal
from ..columns.numbers import clock
from ..columns.places import PlaceRows
from ..commands.base import Command
from ..commands.start import CONNECT, LEAVE, PROJECT, START_ALL
from ..errors import TuiError
from ..probe import Found, local_rabbitmq, local_redis
from ..projects import Project, projects
from ..settings import ENVIRONMENT
from ..widgets.fields import Field
from ..widgets.header import Header
from ..widgets.keybar import KeyBar
from ..widgets.lines import BLANK, Line, Lines
from ..widgets.table import VirtualTable
from ..widgets.toasts import Toasts
from .base import BaseScreen

HEAR_EVERY_S = 0.05
EXAMPLES = (
    ("celery-tui -b redis://host:6379/0", "broker only"),
    ("celery -A proj tui", "with a project"),
    ("celery-tui demo", "no cluster at hand"),
)


class Starter(Protocol):
    """What the start screen asks of the program when nothing else was given to it."""

    def check_choice(self, kind: str, value: str) -> None:
        """Raise TuiError unless this can be watched; called in a thread."""

    def chosen(self, kind: str, value: str) -> None:
        """Watch it: ``url`` and a broker URL, ``app`` and a name for ``-A``, or ``demo``."""


class StartScreen(BaseScreen):
    """The first screen of somebody who only typed ``celery-tui``.

    ``check(kind, value)`` runs in a thread and raises TuiError for what cannot be used, which is
    then told under the field; else ``on_chosen(kind, value)`` follows.
    """

    commands: ClassVar[tuple[Command, ...]] = START_ALL
    CSS_PATH = "start.tcss"

    def __init__(
        self,
        on_chosen: Callable[[str, str], None] | None = None,
        check: Callable[[str, str], None] | None = None,
    ) -> None:
        super().__init__()
        self._on_chosen, self._check = on_chosen, check
        self.places = PlaceRows()
        self.found: list[Project] = []
        self.looked = False
        self._trouble: tuple[Cell, ...] = ()
        self._busy = False
        self._news: deque[Callable[[], None]] = deque()

    # -- what it shows ------------------------------------------------------------------------

    def body(self) -> ComposeResult:
        """Title, places, what was looked for, the field, what is wrong with it, examples."""
        yield Lines(id="title")
        yield VirtualTable(self.places)
        yield Lines(id="looked")
        with Horizontal(id="entry"):
            yield Lines(id="label")
            yield Field(placeholder="redis://host:6379/0", id="url")
        yield Lines(id="trouble")
        yield Lines(id="examples")

    def on_mount(self) -> None:
        """Look around while the first frame is drawn."""
        super().on_mount()
        self.set_interval(HEAR_EVERY_S, self._hear)
        self.do_refresh()

    def tick(self) -> None:
        """Everything; it is little."""
        if not self.stands:
            return
        view = self.host.view()
        height = self.app.size.height
        self.query_one(Header).show((self._first_line(view),))
        self._lines("title", TITLE if height >= 20 else ())
        self.query_one(VirtualTable).styles.height = 1 + max(1, len(self.places.ids(view)))
        self.query_one(VirtualTable).tick(view)
        self._lines("looked", self._looked() if height >= 14 else ())
        self._lines("label", (Line((("url", "dim"),)),))
        self._lines("trouble", self._trouble_lines())
        self._lines("examples", examples() if height >= 24 and not self._trouble else ())
        self.query_one(Toasts).update(view.now)
        self.query_one(KeyBar).update(self.footer_commands(), {}, "")

    def _lines(self, name: str, lines: tuple[Line, ...]) -> None:
        self.query_one(f"#{name}", Lines).show(lines)

    def _first_line(self, view: View) -> Line:
        time = clock(view.now, view, seconds=False) + ("Z" if view.utc else "")
        left = (("celery-tui", "bright"), ("  no broker given", "dim"))
        return Line(left, ((time, "dim"), (" ", "")), "band")

    def _looked(self) -> tuple[Line, ...]:
        rows: list[tuple[str, tuple[Cell, ...]]] = [
            ("-b, --broker-file, -A", (("not given", "dim"),)),
            (" or ".join(ENVIRONMENT["broker"][::-1]), environment()),
        ]
        if self.found:
            project = self.found[0]
            key: tuple[Cell, ...] = (("a Celery app: ", "dim"), ("p", "acc bold"))
            rows.append((literal(project.path, 40), (*key, (" uses its settings", "dim"))))
        else:
            told = "no Celery app" if self.looked else "looking…"
            rows.append(("./*.py and ./*/celery.py", ((told, "dim"),)))
        lines = [Line(((name.ljust(40), ""), *cells)) for name, cells in rows]
        roomy = (BLANK,) if self.app.size.height >= 20 else ()
        width = self.size.width
        return (*roomy, titled("Looked for", width), *lines, *roomy, titled("Or type one", width))

    def _trouble_lines(self) -> tuple[Line, ...]:
        """Wrapped: what is wrong must be readable to its end."""
        width = max(20, self.size.width - 9)
        return tuple(
            Line(((part, words),))
            for text, words in self._trouble
            for part in textwrap.wrap(text, width)
        )

    def footer_commands(self) -> tuple[Command, ...]:
        """What works now: in the field letters are text."""
        if isinstance(self.focused, Input):
            return (CONNECT, LEAVE)
        shown = super().footer_commands()
        return shown if self.found else tuple(c for c in shown if c is not PROJECT)

    # -- what threads find --------------------------------------------------------------------

    def do_refresh(self) -> None:
        """Look again what answers here."""
        self.places.clear()
        self.places.asking, self.looked = True, False
        self._in_thread(self._look_around)

    def _in_thread(self, work: Callable[[], None]) -> None:
        threading.Thread(target=work, name="start-screen", daemon=True).start()

    def _look_around(self) -> None:
        apps = projects(Path.cwd())
        self._news.append(lambda: self._set_projects(apps))
        redis = local_redis()
        self._news.append(lambda: self.places.put(redis))
        rabbitmq = local_rabbitmq()
        self._news.append(lambda: self._last_place(rabbitmq))

    def _set_projects(self, apps: list[Project]) -> None:
        self.found, self.looked = apps, True

    def _last_place(self, place: Found) -> None:
        self.places.put([place])
        self.places.asking = False

    def _hear(self) -> None:
        """What threads have found, in this one."""
        heard = bool(self._news)
        while self._news:
            self._news.popleft()()
        if heard:
            self.tick()

    # -- choosing -----------------------------------------------------------------------------

    def choose(self, kind: str, value: str) -> None:
        """Check it in a thread, and then hand it over; one at a time."""
        if self._busy:
            return
        self._busy = True
        self._trouble = ((f"{WAITING[kind]} {literal(urls.redact(value), 200)}…", "dim"),)
        check = self._check or cast(Starter, self.app).check_choice
        self._in_thread(lambda: self._checked(check, kind, value))
        self.tick()

    def _checked(self, check: Callable[[str, str], None], kind: str, value: str) -> None:
        try:
            check(kind, value)
        except TuiError as error:
            told = error
            self._news.append(lambda: self._refused(told))
        else:
            self._news.append(lambda: self._accepted(kind, value))

    def _refused(self, error: TuiError) -> None:
        self._busy = False
        self.tell(error.title, error.hint)

    def _accepted(self, kind: str, value: str) -> None:
        self._busy = False
        self._trouble = ()
        self.query_one(Input).value = ""
        (self._on_chosen or cast(Starter, self.app).chosen)(kind, value)

    def tell(self, title: str, hint: str = "") -> None:
        """What is wrong, under the field."""
        told: list[Cell] = [(f"✗ {literal(title, 400)}.", "crit")]
        self._trouble = (*told, *([(literal(hint, 400), "")] if hint else []))

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Enter in the field."""
        url = event.value.strip()
        if url:
            self.choose("url", url)

    def on_input_changed(self) -> None:
        """Another URL: what was wrong with the last one is no longer said."""
        if not self._busy:
            self._trouble = ()
            self.tick()

    # -- keys ---------------------------------------------------------------------------------

    def do_open(self) -> None:
        """Connect to the place under the cursor, or say why not."""
        place = self.places.get(self.table.cursor_id if self.table is not None else None)
        if place is None:
            return
        if place.took_ms is not None:
            self.choose("url", place.url)
        elif place.said == "wants a password":
            self._ask_password(place.url)
        else:
            self.tell(f"Nothing to watch at {place.url}", "Type another URL, or d for the demo.")

    def _ask_password(self, url: str) -> None:
        """The URL in the field, the cursor where the password goes."""
        field = self.query_one(Input)
        scheme, _, rest = url.partition("://")
        field.value = f"{scheme}://:@{rest}"
        field.focus()
        field.cursor_position = len(scheme) + 4

    def do_url(self) -> None:
        """Into the field."""
        self.query_one(Input).focus()

    def do_escape(self) -> None:
        """Out of the field."""
        self._trouble = ()
        self.query_one(VirtualTable).focus()

    def do_project(self) -> None:
        """Use the first app found."""
        if self.found:
            self.choose("app", self.found[0].app)

    def do_demo(self) -> None:
        """A cluster of its own."""
        self.choose("demo", "")

    def do_back(self) -> None:
        """Nothing is running yet: quit at once."""
        self.app.exit(0)


WAITING = {"url": "connecting to", "app": "loading the app", "demo": "starting the demo"}
TITLE = (
    BLANK,
    Line((("celery-tui", "bright"), (f"  {__version__}", "dim"))),
    Line((("what is wrong, since when, and what to press", "dim"),)),
    BLANK,
)


def titled(text: str, width: int) -> Line:
    """A section's head with its hairline."""
    return Line(((text, "bright"), (" ", ""), ("─" * max(0, width - len(text) - 8), "line")))


def environment() -> tuple[Cell, ...]:
    """What the environment says of a broker, without repeating it."""
    given = [name for name in ENVIRONMENT["broker"] if name in os.environ]
    return ((f"{given[0]} is empty" if given else "not set", "dim"),)


def examples() -> tuple[Line, ...]:
    """The three commands."""
    rows = [Line(((command.ljust(40), ""), (words, "dim"))) for command, words in EXAMPLES]
    return (BLANK, *rows)
