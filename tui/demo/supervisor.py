"""The process that owns broker, workers and traffic, and ends them all when its stdin closes.

The other end of stdin is the dashboard. However that ends (SIGKILL too), the pipe closes.
Progress goes to stdout, one line each; a line that starts with ERROR_MARK is the reason of the end.
"""

import argparse
import os
import selectors
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import IO

from ..errors import DemoError
from . import broker, cluster, rundir
from .cluster import ERROR_MARK
from .processes import signal_group

_BROKER_LIMIT_S = 10.0
_WORKERS_LIMIT_S = 20.0
_GRACE_S = 0.3
_TICK_S = 0.5


class Closed(Exception):
    """The dashboard is gone, or asked us to end."""


def say(line: str) -> None:
    """One line of progress; nobody may be left to read it."""
    with suppress(OSError):
        os.write(1, f"{line}\n".encode())


class Supervisor:
    """Starts the cluster, watches it, ends it."""

    def __init__(self, options: argparse.Namespace) -> None:
        self.directory = Path(options.directory)
        self.program = Path(options.program)
        self.port: int = options.port
        self.owner: int = options.owner
        self.rate: float = options.rate
        self.plain: bool = options.plain
        self.children: dict[str, subprocess.Popen[bytes]] = {}
        self.ready = 0
        """Workers that said so."""
        self.selector = selectors.DefaultSelector()
        self.ends = {sys.stdin.fileno(), _signal_pipe()}
        """Descriptors that become readable when it is time to end."""
        for descriptor in self.ends:
            self.selector.register(descriptor, selectors.EVENT_READ)

    def run(self) -> None:
        """Start everything and watch it until stdin closes."""
        if cleaned := rundir.clean_leftovers():
            say(f"leftovers of {cleaned} killed demo{'s' if cleaned > 1 else ''} cleaned")
        rundir.make_directory(self.directory)
        self._record()
        self._start_broker()
        for worker in cluster.WORKERS:
            say(f"worker {worker.hostname} starting")
            command = cluster.worker_command(worker, self.directory, plain=self.plain)
            child = self._spawn(f"worker {worker.hostname}", command, stdout=subprocess.PIPE)
            self.selector.register(_pipe(child.stdout), selectors.EVENT_READ)
        self._await_workers()
        self._spawn("traffic", cluster.traffic_command(self.rate), stdin=subprocess.PIPE)
        say(f"traffic started, {self.rate:g} tasks/s")
        while True:
            self._wait(_TICK_S)
            self._check_children()

    def _await_workers(self) -> None:
        """No traffic before somebody works: a healthy demo must not begin with an alarm."""
        deadline = time.monotonic() + _WORKERS_LIMIT_S
        while self.ready < len(cluster.WORKERS) and time.monotonic() < deadline:
            self._wait(0.1)
            self._check_children()

    def _start_broker(self) -> None:
        command = broker.server_command(self.program, self.port, self.directory)
        child = self._spawn("broker", command)
        deadline = time.monotonic() + _BROKER_LIMIT_S
        while not broker.answers(self.port, child.pid):
            self._wait(0.02)
            if child.poll() is not None or time.monotonic() > deadline:
                raise DemoError(
                    "The demo's broker did not start",
                    f"{self.program} on port {self.port}: try again, the port may have been taken.",
                )
        say(f"broker started, {self.program.name} on port {self.port}")

    def _spawn(
        self,
        name: str,
        command: list[str],
        stdin: int = subprocess.DEVNULL,
        stdout: int = subprocess.DEVNULL,
    ) -> subprocess.Popen[bytes]:
        """Start a child as the leader of its own process group, and write it down."""
        child = subprocess.Popen(
            command,
            stdin=stdin,
            stdout=stdout,
            stderr=subprocess.DEVNULL,
            cwd=self.directory,
            env=cluster.environment(self.port, self.directory, plain=self.plain),
            start_new_session=True,
        )
        self.children[name] = child
        self._record()
        return child

    def _record(self) -> None:
        pids = [child.pid for child in self.children.values()]
        rundir.write_record(self.directory, [self.owner, os.getpid()], pids)

    def _wait(self, limit_s: float) -> None:
        """Pass on what workers say; Closed when stdin closes or a signal says so."""
        for key, _ in self.selector.select(limit_s):
            if key.fd in self.ends:
                raise Closed
            text = os.read(key.fd, 4096)
            if not text:
                self.selector.unregister(key.fd)
            for line in text.decode(errors="replace").splitlines():
                if line.startswith("worker ") and line.endswith(" ready"):
                    self.ready += 1
                    say(line)

    def _check_children(self) -> None:
        """Say which child ended; a cluster without a broker is over."""
        for name, child in list(self.children.items()):
            if child.poll() is None:
                continue
            say(f"{name} ended, exit code {child.returncode}")
            signal_group(child.pid, signal.SIGKILL)  # pool processes that outlived their worker
            del self.children[name]
            self._record()
            if name == "broker":
                raise DemoError("The demo's broker ended", "Start the demo again.")

    def stop(self) -> None:
        """TERM, then KILL after a grace time, to whole process groups; then the directory."""
        children = list(self.children.values())
        for child in children:
            signal_group(child.pid, signal.SIGTERM)
        deadline = time.monotonic() + _GRACE_S
        for child in children:
            with suppress(subprocess.TimeoutExpired):
                child.wait(max(0.0, deadline - time.monotonic()))
        for child in children:
            signal_group(child.pid, signal.SIGKILL)
            child.wait()
        rundir.remove_directory(self.directory)


def _pipe(stream: IO[bytes] | None) -> int:
    assert stream is not None  # noqa: S101 - asked for with PIPE
    return stream.fileno()


def _signal_pipe() -> int:
    """A descriptor that becomes readable with TERM, HUP or INT: no signal cuts a start in two."""
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    signal.set_wakeup_fd(writing, warn_on_full_buffer=False)
    for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
        signal.signal(number, lambda *_: None)
    return reading


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("--directory", required=True)
    parser.add_argument("--program", required=True, help="the server to run as broker")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--owner", type=int, required=True, help="process id of the dashboard")
    parser.add_argument("--rate", type=float, default=10.0)
    parser.add_argument("--plain", action="store_true")
    return parser.parse_args()


def main() -> None:
    """Entry point of the supervisor process."""
    supervisor = Supervisor(_options())
    try:
        supervisor.run()
    except Closed:
        pass
    except DemoError as error:
        say(f"{ERROR_MARK}{error.title}\t{error.hint}")
    except OSError as error:
        say(f"{ERROR_MARK}The demo could not start\t{error}")
    finally:
        supervisor.stop()


if __name__ == "__main__":
    main()
