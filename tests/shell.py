"""Our command as a person runs it: in a process of its own, with or without a terminal."""

import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

OURS = (sys.executable, "-P", "-m", "celery_tui")
"""`celery-tui`, without the checkout on its path."""
WIPED_OFF = re.compile(r"\r(?:loading the app [^\r]*| +)\r")
XTERM = {"TERM": "xterm-256color", "LANG": "en_GB.UTF-8"}


@dataclass(frozen=True)
class Ended:
    """How a command ended and what it said."""

    code: int
    out: str
    err: str = ""

    @property
    def said(self) -> str:
        """Both streams, without what is wiped off again while an app is imported."""
        return WIPED_OFF.sub("", self.out + self.err)


def environment(**more: str) -> dict[str, str]:
    """Ours, without anything that names a broker or a locale."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("CELERY_", "LC_", "DJANGO_")) and name not in ("NO_COLOR", "LANG")
    }
    return {**kept, **XTERM, **more}


def run(
    *command: str, cwd: Path | None = None, stdin: int | None = subprocess.DEVNULL, **env: str
) -> Ended:
    """Without a terminal."""
    done = subprocess.run(
        command, cwd=cwd, env=environment(**env), stdin=stdin, capture_output=True, text=True,
        timeout=120, check=False,
    )  # fmt: skip
    return Ended(done.returncode, done.stdout, done.stderr)


def in_terminal(
    command: Sequence[str],
    cwd: Path | None = None,
    keys: bytes = b"",
    until: str = "",
    env: Mapping[str, str] | None = None,
) -> Ended:
    """In a terminal of 80x24; ``keys`` are typed once ``until`` was seen. Ends within 120 s."""
    leader, follower = pty.openpty()
    fcntl.ioctl(follower, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    process = subprocess.Popen(
        command, cwd=cwd, env=environment(**(env or {})), stdin=follower, stdout=follower,
        stderr=follower, start_new_session=True,
    )  # fmt: skip
    os.close(follower)
    try:
        text = _conversation(leader, process, keys, until)
        return Ended(process.wait(30), text)
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()
        os.close(leader)


def _conversation(leader: int, process: "subprocess.Popen[bytes]", keys: bytes, until: str) -> str:
    text, typed, end = "", not keys, time.monotonic() + 120
    while time.monotonic() < end:
        ready, _, _ = select.select([leader], [], [], 0.2)
        if ready:
            try:
                text += os.read(leader, 65536).decode(errors="replace")
            except OSError:  # Linux says so when the last process has closed its end
                break
        elif process.poll() is not None:
            break
        if not typed and until in text:
            os.write(leader, keys)
            typed = True
    return text
