"""Servers that all processes of one run share: the first that needs one starts it, the run ends it.

xdist has one process for the run and several that test. The first makes a folder and names it in
the environment; whoever needs a server looks there for it, under a lock, and starts it if there is
none. It belongs to nobody but the run, which ends it by the process ids that lie there.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import psutil

FOLDER = "CELERY_TUI_TESTS_FOLDER"
"""The environment variable with the folder of the run."""
ENDS_WITHIN_S = 30.0
Description = dict[str, Any]
"""What another process needs to use a server; ``pids`` and ``folder`` are what ends it."""


_keeper: subprocess.Popen[bytes] | None = None
"""Who ends what was started when the run has ended, in whatever way."""


def begin() -> None:
    """Make the run's folder; called once, by the process that starts the other ones."""
    global _keeper
    folder = os.environ[FOLDER] = tempfile.mkdtemp(prefix="celery-tui-run-")
    command = [sys.executable, __file__, folder]
    _keeper = subprocess.Popen(command, stdin=subprocess.PIPE, start_new_session=True)


def end() -> None:
    """End whatever was started, and remove what it leaves."""
    del os.environ[FOLDER]
    assert _keeper is not None
    _keeper.communicate(timeout=2 * ENDS_WITHIN_S)


def keep(folder: Path) -> None:
    """Until whoever has the other end of our stdin is gone, killed perhaps; then end it all."""
    sys.stdin.read()
    for path in folder.glob("*.json"):
        _end(json.loads(path.read_text()))
    shutil.rmtree(folder, ignore_errors=True)


def shared(name: str, start: Callable[[], Description]) -> Description:
    """The run's server of that name, started now if nobody has needed it before."""
    folder = Path(os.environ[FOLDER])
    described = folder / f"{name}.json"
    with _locked(folder / f"{name}.lock"):
        if not described.exists():
            described.write_text(json.dumps(start()))
        found: Description = json.loads(described.read_text())
        return found


def left_to_the_run(*processes: subprocess.Popen[bytes]) -> list[tuple[int, float]]:
    """Their ids, each with when it began: nobody in this process waits for their end."""
    ids = [(one.pid, psutil.Process(one.pid).create_time()) for one in processes]
    for one in processes:
        one.returncode = 0  # or Python warns of a process that still runs
    return ids


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _end(server: Description) -> None:
    """Kill its processes with all that these have started: its data is not to be kept."""
    family = list(_family(server["pids"]))
    for one in family:
        with suppress(psutil.NoSuchProcess):
            one.kill()
    psutil.wait_procs(family, timeout=ENDS_WITHIN_S)
    shutil.rmtree(server["folder"], ignore_errors=True)


def _family(pids: Iterable[tuple[int, float]]) -> Iterator[psutil.Process]:
    for pid, began in pids:
        with suppress(psutil.NoSuchProcess):
            one = psutil.Process(pid)
            if one.create_time() == began:  # or the id is somebody else's by now
                yield from (one, *one.children(recursive=True))


if __name__ == "__main__":
    keep(Path(sys.argv[1]))
