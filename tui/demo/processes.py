"""Which process is which: identity by process id and start time, command lines, signals."""

import os
import signal
import subprocess
import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path

_PROC = Path("/proc")
_BOOT_ID = _PROC / "sys/kernel/random/boot_id"


def identity(pid: int) -> str | None:
    """A text that no later process with the same id shares; None when it is gone or a zombie.

    Linux: boot id and field 22 of `/proc/<pid>/stat` (start in ticks since boot, proc(5)).
    Elsewhere: the `lstart` column of ps(1).
    """
    if _BOOT_ID.exists():
        return _identity_from_proc(pid)
    listed = _ps("-p", str(pid), "-o", "stat=,lstart=").split(maxsplit=1)
    return None if len(listed) < 2 or listed[0].startswith("Z") else listed[1].strip()


def _identity_from_proc(pid: int) -> str | None:
    try:
        stat = (_PROC / str(pid) / "stat").read_text(errors="replace")
        boot = _BOOT_ID.read_text().strip()
    except OSError:
        return None
    state, *fields = stat.rpartition(")")[2].split()  # the name in parentheses may hold anything
    return None if state in "ZX" else f"{boot} {fields[18]}"


def command_lines() -> Iterator[tuple[int, str]]:
    """Every visible process as (pid, its arguments joined by blanks)."""
    if not _BOOT_ID.exists():
        for line in _ps("-ax", "-o", "pid=,args=").splitlines():
            pid, _, arguments = line.strip().partition(" ")
            yield int(pid), arguments
        return
    for entry in _PROC.iterdir():
        if entry.name.isdigit():
            with suppress(OSError):
                raw = (entry / "cmdline").read_bytes()
                yield int(entry.name), raw.replace(b"\0", b" ").decode(errors="replace")


def _ps(*arguments: str) -> str:
    """What ps(1) prints, in the C locale; empty when it finds nothing."""
    environment = {**os.environ, "LC_ALL": "C"}
    command = ["ps", *arguments]
    result = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    return result.stdout


def signal_group(pid: int, number: signal.Signals) -> None:
    """Send a signal to the process group that `pid` leads (every child of ours leads one)."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, number)


def signal_process(pid: int, number: signal.Signals) -> None:
    """Send a signal to one process that may be gone already."""
    with suppress(ProcessLookupError, PermissionError):
        os.kill(pid, number)


def wait_gone(pids: Iterable[int], limit_s: float) -> bool:
    """Whether every process ended (or is a zombie) within the limit."""
    deadline = time.monotonic() + limit_s
    left = list(pids)
    while left := [pid for pid in left if identity(pid) is not None]:
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True
