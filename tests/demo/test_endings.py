"""However a demo ends, its processes and files go; a living one is left alone."""

import signal
import socket
import subprocess
import sys
from pathlib import Path

from celery_tui.demo import broker, rundir
from celery_tui.demo.launcher import Demo
from celery_tui.demo.processes import command_lines, identity, signal_process

from ..servers import wait_for
from .conftest import processes_of

OWNER = """
import time
from celery_tui.demo.launcher import Demo
from celery_tui.demo.processes import command_lines, identity, signal_process
demo = Demo()
demo.start()
print(demo.directory, demo.port, flush=True)
while True:
    time.sleep(1)
"""

ALL = 8
"""Supervisor, broker, two workers and four pool processes."""


class Owner:
    """A process of its own that runs a demo, as the dashboard does."""

    def __init__(self) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-P", "-c", OWNER], stdout=subprocess.PIPE, text=True
        )
        assert self.process.stdout is not None
        directory, port = self.process.stdout.readline().split()
        self.directory, self.port = Path(directory), int(port)
        wait_for(lambda: len(self.processes()) >= ALL, "demo of another process runs")

    def processes(self) -> list[str]:
        """Supervisor, workers with their pool processes, and broker."""
        return processes_of(self.directory) + processes_of(f"{broker.HOST}:{self.port}")

    def gone(self) -> bool:
        """Whether nothing is left of the demo."""
        return not self.processes() and not self.directory.exists()

    def end(self, number: signal.Signals) -> None:
        """Signal the owner and collect it."""
        self.process.send_signal(number)
        self.process.wait()
        assert self.process.stdout is not None
        self.process.stdout.close()


def supervisor_of(directory: Path) -> int:
    """Process id of the supervisor of a demo."""
    words = ("demo.supervisor", str(directory))
    (pid,) = [pid for pid, line in command_lines() if all(word in line for word in words)]
    return pid


def test_a_killed_dashboard_takes_the_whole_demo_along() -> None:
    owner = Owner()
    owner.end(signal.SIGKILL)
    wait_for(owner.gone, "nothing left after SIGKILL of the dashboard")


def test_a_hung_up_dashboard_takes_the_whole_demo_along() -> None:
    owner = Owner()
    owner.end(signal.SIGHUP)
    wait_for(owner.gone, "nothing left after SIGHUP of the dashboard")


def test_leftovers_of_a_killed_supervisor_go_at_the_next_start() -> None:
    owner, living = Owner(), Owner()
    supervisor_pid = supervisor_of(owner.directory)
    signal_process(supervisor_pid, signal.SIGKILL)
    owner.end(signal.SIGKILL)
    wait_for(lambda: identity(supervisor_pid) is None, "supervisor killed")
    assert owner.processes()
    with Demo() as demo:
        wait_for(owner.gone, "leftovers gone")
        wait_for(demo.directory.exists, "the new demo's own directory")
        assert len(living.processes()) >= ALL, "a living demo is not touched"
        wait_for(
            lambda: "leftovers of 1 killed demo cleaned" in demo.progress(), "leftovers reported"
        )
    living.end(signal.SIGTERM)
    wait_for(living.gone, "nothing left after SIGTERM of the dashboard")
    assert not rundir.base_directory().exists()


def test_stop_cleans_up_after_a_killed_supervisor() -> None:
    with Demo() as demo:
        wait_for(lambda: len(demo.progress()) >= 4, "demo runs")
        signal_process(supervisor_of(demo.directory), signal.SIGKILL)
        wait_for(lambda: demo.progress() and demo.error, "the end is noticed")
    assert not demo.directory.exists()
    assert not processes_of(demo.directory)
    assert not processes_of(f"{broker.HOST}:{demo.port}")


def test_a_taken_port_is_reported() -> None:
    demo = Demo()
    with socket.create_server((broker.HOST, demo.port)):
        demo.start()
        wait_for(lambda: demo.progress() is not None and demo.error, "taken port reported")
        assert demo.error is not None
        assert str(demo.port) in demo.error.hint
        demo.stop()
    assert not demo.directory.exists()
