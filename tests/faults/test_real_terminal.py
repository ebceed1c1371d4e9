"""The real program on a real terminal, and the real command: a worker is killed before its eyes."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.benchmarks.kit.terminal import environment
from tests.faults.ground import Ground, ground
from tests.faults.watch import queues_differ, screen_differs, tasks_differ
from tests.servers import wait_for
from tests.terminals.emulator import Pty

PROGRAM = str(Path(sys.executable).with_name("celery-tui"))


def said(shop: Ground) -> dict[str, Any]:
    """What the command prints."""
    where = ("-b", shop.broker, "--result-backend", shop.backend)
    command = [PROGRAM, *where, "status", "--json", "--listen", "3s"]
    ran = subprocess.run(command, capture_output=True, text=True, env=environment(), check=False)
    told: dict[str, Any] = json.loads(ran.stdout)
    return told


def test_a_worker_killed_before_a_real_terminal_takes_its_tasks_along(kind: str) -> None:
    with ground(kind) as shop:
        worker, well = shop.worker("killed"), shop.worker("well", concurrency=1)
        with shop.workers(worker, well):
            gate = shop.gate()
            command = [PROGRAM, "-b", shop.broker, "--result-backend", shop.backend]
            with Pty(command, environment(), (160, 48)) as tty:
                lost, kept = shop.work(gate, "killed", 2), shop.work(gate, "well")
                wait_for(lambda: shop.ledger.running() == {*lost, *kept}, "three tasks run")
                # Home lists what runs, with the worker's name.
                wait_for(lambda: reads(tty, "Running 3"), "the terminal shows three")
                wait_for(lambda: reads(tty, "killed", "2/2"), "and who is busy with two")
                assert [*tasks_differ(told := said(shop), shop), *queues_differ(told, shop)] == []
                worker.kill()
                wait_for(lambda: reads(tty, "✗ crit", "killed@test", "lost"), "it reads lost")
                wait_for(lambda: reads(tty, "Running 1"), "and that one task runs")
                tty.press(b"4")
                wait_for(lambda: rows(tty, shop) == [], "its rows agree with the ledger")
                assert [*tasks_differ(told := said(shop), shop), *queues_differ(told, shop)] == []
                gate.touch()
                wait_for(lambda: set(kept) <= shop.ledger.ended().keys(), "the last ends")
                wait_for(lambda: reads(tty, "✓ success", kept[0][:8]), "and is shown as ended")
                wait_for(lambda: rows(tty, shop) == [], "all rows agree with the ledger")


def reads(tty: Pty, *words: str) -> bool:
    """Whether one line has them all."""
    return any(all(word in line for word in words) for line in tty.lines())


def rows(tty: Pty, shop: Ground) -> list[str]:
    """What the rows of the Tasks screen say otherwise than the ledger."""
    return screen_differs(tty.lines(), shop)
