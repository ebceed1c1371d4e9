"""The sample app somewhere in a terminal, for tests: told what to do, and compared with it."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path

from tests.servers import wait_for
from tests.shell import environment
from tests.terminals.cells import Cells, differences

ROOT = Path(__file__).parents[2]
WITHIN_S = 60.0
LOCALE = {"LANG": "", "LC_ALL": "C.UTF-8"}
"""Of everything that runs in a test: it is there wherever Python 3.11 is."""

AROUND = dict.fromkeys(
    ("COLORTERM", "STY", "TMUX", "TMUX_PANE", "TERM_PROGRAM", "LINES", "COLUMNS"), ""
)
"""What tells of the terminal in which the tests run."""


class Shown:
    """An app that writes what it shows; ``look`` reads what the terminal shows."""

    def __init__(self, folder: Path, look: Callable[[], Cells]) -> None:
        self.steps, self.shown = folder / "steps", folder / "shown"
        self.steps.touch()
        self.look = look
        self.told = 0

    @property
    def command(self) -> tuple[str, ...]:
        """What runs the app."""
        return (sys.executable, "-m", "tests.terminals.shown_app", str(self.steps), str(self.shown))

    def environment(self, **more: str) -> dict[str, str]:
        """For the app; no terminal of whoever runs the tests shines through."""
        path = os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH"))))
        ours = environment(**{**AROUND, **LOCALE, "PYTHONPATH": path, **more})
        return {name: value for name, value in ours.items() if value or name in LOCALE}

    def come(self, first: int, *names: str) -> None:
        """Tasks come in; returns once the app has painted them."""
        with self.steps.open("a", encoding="utf-8") as steps:
            print("tasks", first, *names, file=steps)
        self.told += 1

    def flow(self, on: bool) -> None:
        """Tasks come in all the time, or no more."""
        with self.steps.open("a", encoding="utf-8") as steps:
            print("flow" if on else "still", file=steps)
        self.told += 1

    def agree(self, what: str, word: str = "") -> Cells:
        """Wait until the terminal shows what the app does, with this word somewhere.

        Raises AssertionError with the cells that differ.
        """
        wrong = ["nothing was compared"]

        def same() -> Cells | None:
            wanted = self._wanted()
            if wanted is None:
                return None
            found = self.look()
            wrong[:] = differences(wanted, found)
            if not wrong and word and not any(word in text(line) for line in found):
                wrong.append(f"no {word!r} is on the screen")
            return None if wrong else found

        try:
            return wait_for(same, what, WITHIN_S) or []
        except AssertionError as error:
            raise AssertionError(f"{error}: {len(wrong)}: {wrong[:8]}") from None

    def _wanted(self) -> Cells | None:
        """What the app shows, once it has done what it was told."""
        if not self.shown.exists():
            return None
        told = json.loads(self.shown.read_text(encoding="utf-8"))
        return told["cells"] if told["done"] == self.told else None


def text(line: list[list[object]]) -> str:
    """The characters of a line."""
    return "".join(str(cell[0]) for cell in line)
