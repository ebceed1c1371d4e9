"""Every screen and state as text and styles, one reviewed file each under ``snapshots/``."""

from __future__ import annotations

from difflib import unified_diff
from pathlib import Path
from typing import Any

import pytest
from syrupy.assertion import SnapshotAssertion
from syrupy.extensions.single_file import SingleFileSnapshotExtension, WriteMode
from syrupy.location import PyTestLocation

from celery_tui.theme import Look
from tests.screens.capture import screen_text
from tests.screens.states import STATES, State, dressed, resized, standing

FOLDER = Path(__file__).parents[2] / "snapshots"
SIZES = ((80, 24), (160, 48))
LOOKS = {"mono": Look("mono"), "ascii": Look("night", True), "paper": Look("paper")}


class ScreenFile(SingleFileSnapshotExtension):
    """``snapshots/<name>.txt``, readable as it is."""

    _write_mode = WriteMode.TEXT
    file_extension = "txt"

    @classmethod
    def dirname(cls, *, test_location: PyTestLocation) -> str:
        """One folder for all, at the top."""
        return str(FOLDER)

    @classmethod
    def get_snapshot_name(cls, *, test_location: PyTestLocation, index: Any = 0) -> str:
        """The name that was asked for."""
        return str(index)

    @classmethod
    def matches_test_location(
        cls, *, test_location: PyTestLocation, snapshot_location: str
    ) -> bool:
        """All files of the folder are ours."""
        return Path(snapshot_location).parent == FOLDER


class Shown:
    """Compares every picture of a state before it says which differ."""

    def __init__(self, snapshot: SnapshotAssertion) -> None:
        self.snapshot = snapshot.use_extension(ScreenFile)
        self.differ: list[str] = []

    def take(self, name: str, text: str) -> None:
        """Compare, or write when snapshots are being updated; the difference is printed."""
        path = FOLDER / f"{name}.txt"
        before = path.read_text(encoding="utf-8") if path.exists() else ""
        if text != self.snapshot(name=name):
            self.differ.append(name)
            lines = unified_diff(before.splitlines(), text.splitlines(), name, "now", n=0)
            print(*lines, sep="\n")


@pytest.mark.filterwarnings("ignore:\\sCan not relate snapshot name")  # it is the file's name
@pytest.mark.parametrize("state", STATES, ids=lambda state: state.name)
async def test_a_screen_looks_as_it_was_reviewed(state: State, snapshot: SnapshotAssertion) -> None:
    shown = Shown(snapshot)
    async with standing(state) as (app, pilot):
        for width, height in SIZES:
            await resized(app, pilot, width, height)
            shown.take(f"{state.name}-{width}x{height}", screen_text(app))
        if state.screen:
            await resized(app, pilot, 40, 10)
            shown.take(f"{state.name}-40x10", screen_text(app))
            await resized(app, pilot, 80, 24)
            for name, look in LOOKS.items():
                await dressed(app, pilot, look)
                shown.take(f"{state.name}-80x24-{name}", screen_text(app))
    assert not shown.differ, f"differ from snapshots/: {', '.join(shown.differ)}"


def test_every_snapshot_is_of_a_state_there_is(snapshot: SnapshotAssertion) -> None:
    wanted = {f"{s.name}-{width}x{height}" for s in STATES for width, height in SIZES}
    wanted |= {f"{s.name}-40x10" for s in STATES if s.screen}
    wanted |= {f"{s.name}-80x24-{look}" for s in STATES if s.screen for look in LOOKS}
    left = [path for path in FOLDER.glob("*") if path.stem not in wanted]
    if snapshot.update_snapshots:
        for path in left:
            path.unlink()
    else:
        assert not left
