"""What compares with the ledger sees each way in which something can differ from it."""

from __future__ import annotations

import json
import os
import subprocess
import time
from pathlib import Path
from typing import Any, cast

import pytest

from tests.faults.ground import Ground
from tests.faults.ledger import KILLED, Ledger
from tests.faults.watch import screen_differs, tasks_differ, workers_differ

RUNS, DONE, DEAD = "11111111-a", "22222222-b", "33333333-c"


class Told:
    """A ledger without a cluster."""

    def __init__(self, path: Path) -> None:
        self.ledger = Ledger(path)


@pytest.fixture
def shop(tmp_path: Path) -> Ground:
    """One task runs, here; one is done; of one the process has gone."""
    gone = subprocess.Popen(["true"])
    gone.wait()
    lines = [
        line("start", RUNS, os.getpid()),
        line("start", DONE, os.getpid()),
        line("end", DONE, os.getpid(), "SUCCESS"),
        line("start", DEAD, gone.pid),
    ]
    path = tmp_path / "ledger"
    path.write_text("".join(f"{json.dumps(one)}\n" for one in lines))
    return cast("Ground", Told(path))


def line(what: str, task_id: str, pid: int, state: str | None = None) -> dict[str, Any]:
    """As a task writes it."""
    who = {"id": task_id, "name": "shop.work", "worker": "w1@test", "pid": pid}
    return {"at": time.time(), "what": what, "state": state, **who}


def document(active: list[str], **ended: str) -> dict[str, Any]:
    """What might be said: ids that run, and how others ended."""
    recent = [{"id": task_id, "state": state} for task_id, state in ended.items()]
    counts = {"STARTED": len(active)}
    running = [{"id": task_id} for task_id in active]
    return {"tasks": {"counts": counts, "active": running, "recent": recent, "unknown": []}}


def test_the_ledger_tells_what_runs_and_what_was_killed(shop: Ground) -> None:
    assert shop.ledger.running() == {RUNS}
    assert shop.ledger.ended() == {DONE: "SUCCESS", DEAD: KILLED}


def test_a_document_that_agrees_differs_in_nothing(shop: Ground) -> None:
    assert tasks_differ(document([RUNS], **{DONE: "SUCCESS", DEAD: "UNKNOWN"}), shop) == []


@pytest.mark.parametrize(
    ("active", "ended", "words"),
    [
        ([RUNS, DONE], {DONE: "SUCCESS", DEAD: "UNKNOWN"}, f"{DONE} is said to run"),
        ([RUNS, DEAD], {DONE: "SUCCESS", DEAD: "UNKNOWN"}, f"{DEAD} is said to run"),
        ([], {DONE: "SUCCESS", DEAD: "UNKNOWN"}, f"{RUNS} runs and is not said to"),
        ([RUNS], {DONE: "FAILURE", DEAD: "UNKNOWN"}, f"{DONE} ended with SUCCESS"),
        ([RUNS], {DEAD: "UNKNOWN"}, f"{DONE} ended with SUCCESS and is said to be None"),
        ([RUNS], {DONE: "SUCCESS", DEAD: "SUCCESS"}, f"{DEAD} ended with KILLED"),
    ],
)
def test_each_difference_is_named(
    shop: Ground, active: list[str], ended: dict[str, str], words: str
) -> None:
    (told,) = tasks_differ(document(active, **ended), shop)
    assert words in told


def test_a_row_with_another_word_is_named_and_a_screen_without_rows_too(shop: Ground) -> None:
    rows = [
        "▐ ▸ started   shop.work   11111111  ?  w1",
        "  ✓ success   shop.work   22222222  ?  w1",
        "  ? lost?     shop.work   33333333  ?  w1",
    ]
    assert screen_differs(rows, shop) == []
    wrong = [rows[0], rows[1].replace("✓ success", "▸ started"), rows[2]]
    assert screen_differs(wrong, shop) == ["22222222 is started on screen, not success"]
    assert screen_differs(["nothing here"], shop) == ["no task of the ledger is on screen"]


def test_a_worker_in_another_state_or_left_out_is_named() -> None:
    told = {"workers": [{"hostname": "w1@test", "state": "online"}]}
    assert workers_differ(told, {"w1": "online"}) == []
    assert workers_differ(told, {"w1": "lost"}) == ["w1 is lost, not online"]
    assert workers_differ(told, {"w2": "online"}) == ["w2 is online, not None"]
