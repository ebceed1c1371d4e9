"""The tasks in a DataTable of Textual's own: what one would write without a table of one's own.

Run by itself in a terminal: `python -m tests.benchmarks.kit.data_table URL --tasks 1000`. It shows
the columns of the Tasks screen, reads events as the dashboard does, and four times a second adds
a row for each new task and updates the cells whose text differs. It is spared what a DataTable
finds hardest: new rows come at its end, none is ever taken away, and nothing is sorted. Its cursor
follows the newest row until a key is pressed, and again after `f`.
"""

import argparse
import asyncio
import time
from collections.abc import Sequence
from typing import Any

from textual.app import App, ComposeResult
from textual.events import Key
from textual.widgets import DataTable

from celery_tui.app import DRAIN_EVERY_S, DRAIN_SLICE_S, NAP_S, PAINT_EVERY_S, tune
from celery_tui.columns.base import Placed, View, place
from celery_tui.columns.tasks import COLUMNS
from celery_tui.model.observations import EventBatch
from celery_tui.model.task import Task
from celery_tui.monitor import Monitor
from celery_tui.screens.tasks import BESIDE, PANE
from celery_tui.settings import Settings
from celery_tui.theme import NIGHT

from .fill import fill, room

Texts = tuple[str, ...]


class Table(DataTable[str]):
    """A DataTable that knows whether its cursor is to be left alone."""

    follows = True

    def on_key(self, event: Key) -> None:
        """Whoever moves the cursor does not want it moved."""
        self.follows = event.key == "f"


class Rival(App[None]):
    """One DataTable, fed by our own monitor."""

    CSS = f"""
    DataTable {{ height: 1fr; }}
    DataTable > .datatable--cursor {{ background: {NIGHT["select"]}; }}
    """
    ENABLE_COMMAND_PALETTE = False

    def __init__(self, monitor: Monitor) -> None:
        super().__init__()
        self.monitor = monitor
        self.animation_level = "none"
        self._moved: dict[str, None] = {}
        self._ids: list[str] = []
        self._shown: dict[str, Texts] = {}
        self._placed: Sequence[Placed[Task]] = ()

    def compose(self) -> ComposeResult:
        """Nothing but the table."""
        yield Table(cursor_type="row")

    @property
    def table(self) -> Table:
        """The table."""
        return self.query_one(Table)

    def on_mount(self) -> None:
        """All rows there are, then what comes."""
        width = self.size.width - (PANE if self.size.width >= BESIDE else 0)
        self._placed = place(COLUMNS, width - 1)
        for one in self._placed:
            self.table.add_column(one.column.title, width=one.width, key=one.column.id)
        self._moved = dict.fromkeys(self.monitor.cluster.tasks)
        self.monitor.start()
        self.run_worker(self._drain_forever())
        self.set_interval(PAINT_EVERY_S, self.tick)
        self.tick()

    async def _drain_forever(self) -> None:
        while True:
            while not self._drain():  # noqa: ASYNC110  as the dashboard does
                await asyncio.sleep(NAP_S)
            await asyncio.sleep(DRAIN_EVERY_S)

    def _drain(self) -> bool:
        until = time.perf_counter() + DRAIN_SLICE_S
        inbox, cluster = self.monitor.inbox, self.monitor.cluster
        while (observation := inbox.take()) is not None:
            cluster.apply(observation)
            if isinstance(observation, EventBatch):
                self._moved.update((event.uuid, None) for event in observation.events if event.uuid)
            if time.perf_counter() >= until:
                break
        return not len(inbox)

    def tick(self) -> None:
        """New rows, cells that differ, and the cursor on the last row if it follows."""
        table = self.table
        view = View(time.time(), self.monitor.cluster)
        moved, self._moved = self._moved, {}
        for task_id in {**moved, **self._visible()}:
            task = view.cluster.tasks.get(task_id)
            if task is not None:
                self._show(task, view)
        if table.follows and self._ids:
            table.move_cursor(row=len(self._ids) - 1)

    def _visible(self) -> dict[str, None]:
        top = self.table.scroll_offset.y
        return dict.fromkeys(self._ids[top : top + self.size.height])

    def _show(self, task: Task, view: View) -> None:
        texts = tuple(self._text(one, task, view) for one in self._placed)
        before = self._shown.get(task.id)
        self._shown[task.id] = texts
        if before is None:
            self._ids.append(task.id)
            self.table.add_row(*texts, key=task.id)
            return
        for one, old, new in zip(self._placed, before, texts, strict=True):
            if old != new:
                self.table.update_cell(task.id, one.column.id, new)

    def _text(self, one: Placed[Any], task: Task, view: View) -> str:
        text = one.column.cell(task, view)[0]
        return one.column.cut(text, one.width, view.cut)


def main() -> None:
    """Entry point."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("url")
    parser.add_argument("--tasks", type=int, default=1_000)
    options = parser.parse_args()
    monitor = Monitor(room(options.tasks, Settings(broker=options.url)))
    fill(monitor.cluster, options.tasks, time.time())
    tune()
    try:
        Rival(monitor).run(mouse=False)
    finally:
        monitor.stop()


if __name__ == "__main__":
    main()
