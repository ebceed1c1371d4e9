"""The real app on sample data in a real terminal: does the steps it is told, writes what it shows.

    python -m tests.terminals.shown_app STEPS SHOWN

The test appends lines to the file STEPS: ``tasks N NAME...`` lets tasks come in and time go on,
``flow`` lets them come all the time until ``still``.
SHOWN is a file of JSON, written again and again: what a terminal must show, cell by cell.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from celery_tui import diversion, terminal
from celery_tui import settings as settings_of
from celery_tui.app import CeleryTui
from celery_tui.model.events import Event
from tests.screens.capture import strips
from tests.screens.sample import NOW, WORKERS, StillMonitor, busy_cluster, events, task_id
from tests.terminals.cells import Cells, painted

EVERY_S = 0.1


class Play:
    """The app, what it is told, and what it shows."""

    def __init__(self, steps: Path, shown: Path, aside: diversion.Diversion) -> None:
        self.now, self.done = NOW, 0
        self.steps, self.shown = steps, shown
        settings = terminal.dressed(settings_of.load({"broker": "redis://10.0.3.7:6379/0"}))
        self.cluster = busy_cluster()
        monitor: Any = StillMonitor(self.cluster, settings)
        self.app = CeleryTui(settings, None, monitor, lambda: self.now, aside)
        self.flowing = False
        self.app.call_later(lambda: self.app.set_interval(EVERY_S, self.obey))

    def obey(self) -> None:
        """Do what was told since, then write what is shown."""
        lines = self.steps.read_text(encoding="utf-8").split("\n")[:-1]
        for line in lines[self.done :]:
            verb, *words = line.split(" ")
            self.flowing = verb == "flow"
            for number, name in enumerate(words[1:], int(words[0]) if words else 0):
                self.come(number, name)
        if len(lines) > self.done:
            self.done = len(lines)
            self.app.paint()
        if self.flowing:
            self.come(int(self.now) % 100_000, "pay.charge")
            return
        self.app.call_after_refresh(self.tell)

    def come(self, number: int, name: str) -> None:
        """A task comes in and runs."""
        self.now += 1.0
        who = {"uuid": task_id(number), "pid": 4410}
        told = {"name": name, "args": f"({name!r},)", "kwargs": "{}", **who}
        events(
            self.cluster,
            Event("task-received", self.now - 0.2, WORKERS[0], **told),  # type: ignore[arg-type]
            Event("task-started", self.now - 0.1, WORKERS[0], **who),  # type: ignore[arg-type]
        )

    def tell(self) -> None:
        """Write what is shown, all at once."""
        half = self.shown.with_suffix(".half")
        half.write_text(json.dumps({"done": self.done, "cells": self.cells()}), encoding="utf-8")
        half.replace(self.shown)

    def cells(self) -> Cells:
        """The screen as Textual would paint it from nothing."""
        lines = [strip.render(self.app.console) for strip in strips(self.app)]
        return painted("\r\n".join(lines), *self.app.size)


def main(steps: Path, shown: Path) -> int:
    """Run until it is quit."""
    with diversion.begun() as aside:
        app = Play(steps, shown, aside).app
        code = app.run(mouse=False)
    if app.crash is not None:
        raise app.crash
    return code or 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), Path(sys.argv[2])))
