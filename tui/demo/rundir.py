"""The private directory of one demo, the record of its processes, and what a killed one left."""

import json
import os
import shutil
import signal
import stat
import tempfile
import time
from contextlib import suppress
from pathlib import Path

from ..errors import DemoError
from .processes import command_lines, identity, signal_group, signal_process, wait_gone

RECORD = "processes.json"
_UNRECORDED_S = 60.0
"""Age from which a directory without a record is a leftover and not a demo that just starts."""


def base_directory() -> Path:
    """Where all demos of this user live; it is private (0700) and exists only while one does."""
    return Path(tempfile.gettempdir()) / f"celery-tui-demo-{os.getuid()}"


def make_directory(directory: Path) -> None:
    """Create the directory of one demo, readable by its user only.

    Raises DemoError when the base belongs to somebody else: the temp directory is shared.
    """
    for _ in range(3):  # another demo that ends may remove the empty base between our two steps
        directory.parent.mkdir(mode=0o700, exist_ok=True)
        _check_private(directory.parent)
        with suppress(FileNotFoundError):
            directory.mkdir(mode=0o700)
            return
    raise DemoError("The demo has no directory", f"{directory} could not be created.")


def _check_private(base: Path) -> None:
    found = base.lstat()
    private = stat.S_ISDIR(found.st_mode) and not found.st_mode & 0o077
    if not private or found.st_uid != os.getuid():
        raise DemoError(
            "The demo's directory is not private",
            f"{base} must be a directory of yours with mode 0700; remove it or set TMPDIR.",
        )


def remove_directory(directory: Path) -> None:
    """Remove the directory of one demo, and the base when no other demo lives in it."""
    shutil.rmtree(directory, ignore_errors=True)
    with suppress(OSError):
        directory.parent.rmdir()


def write_record(directory: Path, keepers: list[int], children: list[int]) -> None:
    """Write down who keeps this demo alive (dashboard, supervisor) and what was started for it."""
    record = {
        "keepers": {str(pid): identity(pid) for pid in keepers},
        "children": {str(pid): identity(pid) for pid in children},
    }
    fresh = directory / f"{RECORD}.new"
    fresh.write_text(json.dumps(record))
    fresh.replace(directory / RECORD)


def marker(directory: Path) -> str:
    """The argument that every worker of a demo has in its command line, pool processes included."""
    return f"--pidfile={directory}/"


def clean_leftovers() -> int:
    """End what killed demos of this user left behind; how many demos those were.

    A demo with a living dashboard or supervisor is never touched.
    """
    base = base_directory()
    try:
        _check_private(base)
        found = [directory for directory in base.iterdir() if directory.is_dir()]
    except FileNotFoundError:  # no other demo, or the last one just ended
        return 0
    return sum(clean(directory) for directory in found)


def clean(directory: Path, own_pid: int | None = None) -> bool:
    """End the processes of one dead demo and remove its directory; False when it is alive.

    The dashboard itself passes `own_pid`: that it still runs does not keep the demo alive.
    """
    try:
        record = json.loads((directory / RECORD).read_text())
    except (OSError, ValueError):
        if _age_s(directory) < _UNRECORDED_S:
            return False
        record = {"keepers": {}, "children": {}}
    keepers = {pid: known for pid, known in record["keepers"].items() if pid != str(own_pid)}
    if any(_is_same(pid, known) for pid, known in keepers.items()):
        return False
    leaders = [int(pid) for pid, known in record["children"].items() if _is_same(pid, known)]
    marked = [pid for pid, line in command_lines() if marker(directory) in line]
    for pid in leaders:
        signal_group(pid, signal.SIGKILL)
    for pid in marked:
        signal_process(pid, signal.SIGKILL)
    wait_gone([*leaders, *marked], limit_s=5.0)
    remove_directory(directory)
    return True


def _is_same(pid: str, known: str | None) -> bool:
    return known is not None and identity(int(pid)) == known


def _age_s(directory: Path) -> float:
    try:
        return time.time() - directory.stat().st_mtime
    except OSError:
        return 0.0
