"""The processes of a benchmark: the dashboard in a terminal, the load, and their helpers."""

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from .cost import cpu_s
from .terminal import Terminal

ROOT = Path(__file__).parents[3]
PROGRAM = str(Path(sys.executable).with_name("celery-tui"))
KIT = __package__
SMALL, LARGE = (80, 24), (160, 48)
BROUGHT_UP_S = 4.0
Told = dict[str, float]


def own(module: str, *arguments: object) -> list[str]:
    """The command of a module of the kit; it is to be run in ROOT."""
    return [sys.executable, "-m", f"{KIT}.{module}", *map(str, arguments)]


# -- helpers and load -------------------------------------------------------------------------


@contextmanager
def helper(module: str, *arguments: object) -> Iterator["subprocess.Popen[str]"]:
    """A process of the kit that says `ready` and ends when its stdin closes."""
    with subprocess.Popen(
        own(module, *arguments), cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        if process.stdout.readline().strip() != "ready":
            raise AssertionError(f"{module} did not start")
        try:
            yield process
        finally:
            assert process.stdin is not None
            if not process.stdin.closed:
                process.stdin.close()


def load(url: str, *arguments: object) -> "subprocess.Popen[str]":
    """A process that publishes events for a time that is known before."""
    return subprocess.Popen(
        own("producer", url, *arguments), cwd=ROOT, stdout=subprocess.PIPE, text=True
    )


def sent_by(process: "subprocess.Popen[str]") -> Told:
    """What the producer has sent, once it has ended."""
    out, _ = process.communicate(timeout=120)
    told: Told = json.loads(out)
    return told


@contextmanager
def steady(url: str, rate: float) -> Iterator[Told]:
    """Events at a rate for as long as the block lasts; then it says what was sent."""
    told: Told = {}
    command = own("producer", url, "--rate", rate, "--until-closed")
    process = subprocess.Popen(
        command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    try:
        yield told
    finally:
        told.update(sent_by(process))  # which closes its stdin


# -- the dashboard ----------------------------------------------------------------------------


def dashboard(url: str, size: tuple[int, int]) -> Terminal:
    """The real program, started by its own command."""
    return Terminal([PROGRAM, "-b", url], *size, cwd="/")


def settled(terminal: Terminal, seconds: float = BROUGHT_UP_S) -> None:
    """Let it come up, connect and ask its first questions."""
    terminal.wait_for("1 Home", 30)
    terminal.read(seconds)
    terminal.forget()


def cpu_percent(terminal: Terminal, seconds: float) -> float:
    """Of one core, over so long."""
    began, used = time.monotonic(), cpu_s(terminal.pid)
    terminal.read(seconds)
    terminal.must_run()
    terminal.forget()
    return (cpu_s(terminal.pid) - used) / (time.monotonic() - began) * 100
