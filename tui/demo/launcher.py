"""The demo as the dashboard sees it: URLs at once, progress without waiting, a complete end.

Standard library only, and nothing slow: it stands between a command and its first frame.
"""

import atexit
import os
import subprocess
from contextlib import suppress
from types import TracebackType
from typing import Self

from ..errors import DemoError
from . import broker, rundir
from .cluster import ERROR_MARK, supervisor_command


class Demo:
    """A demo cluster that lives as long as this process, at most.

    `broker_url` and `backend_url` are known before anything runs; connect until they answer.
    """

    def __init__(self, *, plain: bool = False, rate: float = 10.0) -> None:
        self.plain = plain
        """Whether the cluster runs with Celery's defaults: no events, nothing extended."""
        self.rate = rate
        """Steady traffic, in tasks per second."""
        self.port = broker.free_port()
        self.broker_url = broker.broker_url(self.port)
        self.backend_url = broker.backend_url(self.port)
        self.directory = rundir.base_directory() / f"{os.getpid()}-{self.port}"
        """Everything the demo writes is in here; it exists only while the demo runs."""
        self.error: DemoError | None = None
        """Why the demo ended by itself; up to date after `progress()`."""
        self._supervisor: subprocess.Popen[bytes] | None = None
        self._lines: list[str] = []
        self._rest = b""

    def start(self) -> None:
        """Start the supervisor and return; DemoError when there is no server to run."""
        arguments = ["--directory", str(self.directory), "--port", str(self.port)]
        arguments += ["--program", str(broker.server_program()), "--rate", str(self.rate)]
        arguments += ["--owner", str(os.getpid()), *(["--plain"] if self.plain else [])]
        self._supervisor = subprocess.Popen(
            supervisor_command(*arguments),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # keys and hang-ups of the terminal are not for it
        )
        if self._supervisor.stdout is not None:
            os.set_blocking(self._supervisor.stdout.fileno(), False)
        atexit.register(self.stop)

    def progress(self) -> tuple[str, ...]:
        """All that was said so far, such as "worker pay-worker@demo ready"; never waits."""
        supervisor = self._supervisor
        if supervisor is None or supervisor.stdout is None or supervisor.stdout.closed:
            return tuple(self._lines)
        ended = supervisor.poll() is not None
        with suppress(BlockingIOError):
            while text := os.read(supervisor.stdout.fileno(), 4096):
                self._rest += text
        *lines, self._rest = self._rest.split(b"\n")
        for line in lines:
            self._hear(line.decode(errors="replace"))
        if ended and self.error is None:
            last = self._lines[-1] if self._lines else f"exit code {supervisor.returncode}"
            self.error = DemoError("The demo ended", f"Its last words: {last}")
        return tuple(self._lines)

    def _hear(self, line: str) -> None:
        if line.startswith(ERROR_MARK):
            title, _, hint = line.removeprefix(ERROR_MARK).partition("\t")
            self.error = DemoError(title, hint)
        else:
            self._lines.append(line)

    def stop(self, timeout_s: float = 5.0) -> None:
        """End every process of the demo and remove its files; harmless when repeated."""
        atexit.unregister(self.stop)
        supervisor, self._supervisor = self._supervisor, None
        if supervisor is None:
            return
        if supervisor.stdin is not None:
            supervisor.stdin.close()
        try:
            supervisor.wait(timeout_s)
        except subprocess.TimeoutExpired:
            supervisor.kill()
            supervisor.wait()
        if supervisor.stdout is not None:
            supervisor.stdout.close()
        if self.directory.exists():  # the supervisor was killed before it could clean up
            rundir.clean(self.directory, own_pid=os.getpid())

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()
