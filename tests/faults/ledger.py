"""What really happened: the lines that tasks wrote, and whether their processes still live."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import psutil

KILLED = "KILLED"
"""Its process has gone without a word."""


@dataclass
class Run:
    """One start of a task, and its end if there was one."""

    id: str
    name: str
    worker: str
    pid: int
    began: float
    ended: float | None = None
    state: str | None = None

    def goes_on(self) -> bool:
        """Whether it runs now."""
        return self.ended is None and lives(self.pid, self.began)


class Ledger:
    """Reads the file anew at each question."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def runs(self) -> list[Run]:
        """All of them, in the order of their starts."""
        found: list[Run] = []
        if not self.path.exists():
            return found
        for line in self.path.read_text().splitlines():
            told = json.loads(line)
            if told["what"] == "start":
                found.append(Run(told["id"], told["name"], told["worker"], told["pid"], told["at"]))
            else:
                _end(found, told)
        return found

    def running(self) -> set[str]:
        """Ids of the tasks that run now."""
        return {run.id for run in self.runs() if run.goes_on()}

    def began(self, task_id: str) -> bool:
        """Whether it was ever begun."""
        return any(run.id == task_id for run in self.runs())

    def ended(self) -> dict[str, str]:
        """Task id -> how its last run ended, of all that do not run now."""
        runs = self.runs()
        going = {run.id for run in runs if run.goes_on()}
        return {run.id: run.state or KILLED for run in runs if run.id not in going}


def _end(runs: list[Run], told: dict[str, object]) -> None:
    for run in reversed(runs):
        if (run.id, run.pid, run.ended) == (told["id"], told["pid"], None):
            run.ended, run.state = float(str(told["at"])), str(told["state"])
            return


def lives(pid: int, at: float) -> bool:
    """Whether the process that had this id then is still there (a zombie is not)."""
    try:
        process = psutil.Process(pid)
        born, status = process.create_time(), process.status()
    except psutil.NoSuchProcess:
        return False
    return born <= at + 1.0 and status != psutil.STATUS_ZOMBIE
