"""A RabbitMQ of one's own on loopback ports: broker, Erlang's port mapper, data folder."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Self

import psutil
from kombu.connection import Connection

from tests.servers import ServerMissing, Started, free_port
from tests.shared import Description, left_to_the_run, shared

PLACES = ("/usr/lib/rabbitmq/bin", "/opt/rabbitmq/sbin", "/opt/homebrew/sbin", "/usr/local/sbin")
"""Before PATH: Debian's script there changes the user and starts for two users only."""
STARTS_WITHIN_S = 90.0
ENDS_WITHIN_S = 30.0
ERLANG = (
    "-kernel inet_dist_use_interface {127,0,0,1}",
    # One scheduler that does not spin: tests run beside each other on small machines.
    "+S 1:1 +sbwt none +sbwtdcpu none +sbwtdio none",
)


def rabbit_programs() -> tuple[str, str]:
    """The paths of rabbitmq-server and of epmd, Erlang's port mapper."""
    path = os.pathsep.join((*PLACES, os.environ.get("PATH", os.defpath)))
    server = shutil.which("rabbitmq-server", path=path)
    epmd = shutil.which("epmd") or next(iter(map(str, _erlang_epmds())), None)
    if server is None or epmd is None:
        raise ServerMissing("needs a rabbitmq-server")
    return server, epmd


def _erlang_epmds() -> Iterator[Path]:
    for root in ("/usr/lib/erlang", "/opt/erlang/lib/erlang", "/opt/homebrew/lib/erlang"):
        yield from Path(root).glob("erts-*/bin/epmd")


class Address:
    """Where a RabbitMQ is, and its management API."""

    port = 0
    management_port = 0
    vhost = "/"
    """The virtual host that is meant where none is named."""

    def url(self, vhost: str = "", user: str = "guest", password: str = "guest") -> str:
        """The URL of one of its virtual hosts."""
        path = urllib.parse.quote(vhost or self.vhost, safe="")
        return f"amqp://{user}:{password}@127.0.0.1:{self.port}/{path}"

    @property
    def management_url(self) -> str:
        """The management API, where it was asked for."""
        return f"http://guest:guest@127.0.0.1:{self.management_port}"

    def manage(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        """Ask its management API as guest; the answer, if it has one."""
        address = f"http://127.0.0.1:{self.management_port}/api/{path}"
        login = {"Authorization": "Basic Z3Vlc3Q6Z3Vlc3Q=", "Content-Type": "application/json"}
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(address, data, login, method=method)
        with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310  our own
            text = answer.read()
        return json.loads(text) if text else None

    def listed(self, what: str) -> list[dict[str, Any]]:
        """``queues``, ``exchanges``, ``bindings`` or ``consumers`` of the virtual host."""
        found: list[dict[str, Any]] = self.manage("GET", f"{what}/{self._quoted}")
        return found

    @property
    def _quoted(self) -> str:
        return urllib.parse.quote(self.vhost, safe="")


class VirtualHost(Address):
    """A virtual host of a RabbitMQ that others use as well: nothing is in it at first."""

    def __init__(self, port: int, management_port: int, name: str) -> None:
        self.port, self.management_port, self.vhost = port, management_port, name

    def __enter__(self) -> Self:
        everything = {"configure": ".*", "write": ".*", "read": ".*"}
        self.manage("PUT", f"vhosts/{self._quoted}", {})
        self.manage("PUT", f"permissions/{self._quoted}/guest", everything)
        return self

    def __exit__(self, *error: object) -> None:
        self.manage("DELETE", f"vhosts/{self._quoted}")

    def permit(self, user: str, secret: str, configure: str, write: str, read: str) -> str:
        """The URL of a user, made here, who may do that with what matches these."""
        name = urllib.parse.quote(user, safe="")
        self.manage("PUT", f"users/{name}", {"password": secret, "tags": ""})
        rights = {"configure": configure, "write": write, "read": read}
        self.manage("PUT", f"permissions/{self._quoted}/{name}", rights)
        return self.url(user=user, password=secret)

    def rule(self, name: str, policy: dict[str, Any]) -> None:
        """Set a policy."""
        self.manage("PUT", f"policies/{self._quoted}/{name}", policy)

    def lift(self, name: str) -> None:
        """Take a policy away."""
        self.manage("DELETE", f"policies/{self._quoted}/{name}")


class RabbitServer(Address, Started):
    """A rabbitmq-server with its own node name, port mapper, cookie and folders.

    Unlike the tests' Redis it keeps what is durable over `restart`; `stop` removes everything.
    """

    def __init__(self, *, management: bool = False, conf: str = "") -> None:
        self.port = self.management_port = 0
        self._management, self._conf = management, conf
        self._server, self._epmd_program = rabbit_programs()
        self._folder = Path(tempfile.mkdtemp(prefix="celery-tui-rabbit-"))
        self._epmd_port = self._dist_port = 0
        self._process: subprocess.Popen[bytes] | None = None
        self._epmd: subprocess.Popen[bytes] | None = None

    @property
    def epmd_pid(self) -> int:
        """The process id of its port mapper."""
        assert self._epmd is not None, "the server is not running"
        return self._epmd.pid

    @property
    def folder(self) -> Path:
        """Where all its files lie."""
        return self._folder

    def left_to_the_run(self) -> Description:
        """Started, and described for whoever shares it; the run ends it, not this process."""
        self.start()
        assert self._process is not None
        assert self._epmd is not None
        return {
            "pids": left_to_the_run(self._process, self._epmd),
            "folder": str(self._folder),
            "port": self.port,
            "management_port": self.management_port,
        }

    def start(self) -> Self:
        """Start, on new ports at the first time, and return once it answers."""
        first = not self.port
        for _ in range(3):
            # Somebody else may take a free port before the server does: ask for others then.
            if first:
                self.port, self.management_port = free_port(), free_port()
                self._epmd_port, self._dist_port = free_port(), free_port()
            self._launch()
            if self._answers():
                return self
            self._end(signal.SIGKILL)
        raise AssertionError(f"rabbitmq-server does not start; its log: {self.log_text()}")

    def stop(self) -> None:
        """End both processes and remove the folder. Nothing durable is kept: no need to wait."""
        self._end(signal.SIGKILL)
        shutil.rmtree(self._folder, ignore_errors=True)

    def kill(self) -> None:
        """End the broker as a power cut does."""
        self._end(signal.SIGKILL)

    def restart(self) -> Self:
        """End it in order and start it again on the same ports, with what is durable."""
        self._end(signal.SIGTERM)
        return self.start()

    def ctl(self, *command: str) -> str:
        """What rabbitmqctl says, asked as the node itself."""
        program = Path(self._server).with_name("rabbitmqctl")
        done = subprocess.run(
            [program, *command], env=self._environment(), capture_output=True, text=True,
            timeout=300, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def processes(self) -> list[psutil.Process]:
        """Everything that runs for it."""
        family = []
        for pid in (self.pid, self.epmd_pid):
            one = psutil.Process(pid)
            family += [one, *one.children(recursive=True)]
        return family

    def log_text(self) -> str:
        """What it has printed so far."""
        path = self._folder / "out"
        return path.read_text(errors="replace")[-4000:] if path.exists() else "(none)"

    def _launch(self) -> None:
        env = self._environment()
        self._epmd = subprocess.Popen(
            [self._epmd_program, "-port", str(self._epmd_port), "-address", "127.0.0.1"],
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        with (self._folder / "out").open("ab") as out:
            self._process = subprocess.Popen(
                [self._server],
                env=env,
                cwd=self._folder,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def _environment(self) -> dict[str, str]:
        folder = self._folder
        (folder / "rabbitmq.conf").write_text(
            f"listeners.tcp.1 = 127.0.0.1:{self.port}\n"
            "disk_free_limit.absolute = 1MB\n"
            "collect_statistics_interval = 1000\n"
            + (
                f"management.tcp.ip = 127.0.0.1\nmanagement.tcp.port = {self.management_port}\n"
                if self._management
                else ""
            )
            + self._conf
        )
        plugins = "[rabbitmq_management]." if self._management else "[]."
        (folder / "enabled_plugins").write_text(plugins)
        (folder / "env.conf").touch()
        ours = {
            "HOME": folder,
            "RABBITMQ_NODENAME": f"celery-tui-{self.port}@localhost",
            "RABBITMQ_CONF_ENV_FILE": folder / "env.conf",
            "RABBITMQ_CONFIG_FILE": folder / "rabbitmq.conf",
            "RABBITMQ_ADVANCED_CONFIG_FILE": folder / "advanced.config",
            "RABBITMQ_ENABLED_PLUGINS_FILE": folder / "enabled_plugins",
            "RABBITMQ_MNESIA_BASE": folder / "mnesia",
            "RABBITMQ_LOG_BASE": folder / "log",
            "RABBITMQ_PID_FILE": folder / "pid",
            "RABBITMQ_DIST_PORT": self._dist_port,
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": " ".join(ERLANG),
            # The script becomes the broker instead of waiting for it: one process id for both.
            "RUNNING_UNDER_SYSTEMD": "true",
            "ERL_EPMD_PORT": self._epmd_port,
            "ERL_EPMD_ADDRESS": "127.0.0.1",
        }
        foreign = ("RABBITMQ_", "ERL_", "NOTIFY_SOCKET")
        rest = {name: value for name, value in os.environ.items() if not name.startswith(foreign)}
        return {**rest, **{name: str(value) for name, value in ours.items()}}

    def _answers(self) -> bool:
        """Whether the process started last answers in time, on all its ports."""
        assert self._process is not None
        ports = [self.port, *([self.management_port] if self._management else [])]
        until = time.monotonic() + STARTS_WITHIN_S
        while time.monotonic() < until and self._process.poll() is None:
            if all(map(_speaks, ports)) and self._can_log_in() and self._process.poll() is None:
                return True
            time.sleep(0.1)
        return False

    def _can_log_in(self) -> bool:
        """The port is open a moment before users are known."""
        try:
            with Connection(self.url(), connect_timeout=5) as connection:
                connection.connect()
        except Exception:
            return False
        return True

    def _end(self, number: int) -> None:
        process, self._process = self._process, None
        epmd, self._epmd = self._epmd, None
        helpers = []
        if process is not None:
            helpers = _children(process.pid)
            process.send_signal(signal.SIGCONT)
            process.send_signal(number)
            _reap(process)
        if epmd is not None:
            epmd.kill()
            _reap(epmd)
        # They notice the end of their Erlang by themselves; a test must not end before.
        until = time.monotonic() + 5
        while any(map(is_alive, helpers)) and time.monotonic() < until:
            time.sleep(0.02)
        for one in filter(is_alive, helpers):
            one.kill()


def shared_rabbit() -> Address:
    """The RabbitMQ of this run, with its management API: for virtual hosts of one's own."""
    where = shared("rabbitmq", lambda: RabbitServer(management=True).left_to_the_run())
    one = Address()
    one.port, one.management_port = where["port"], where["management_port"]
    return one


def is_alive(process: psutil.Process) -> bool:
    """Not ended, and not waiting for a parent that never asks."""
    try:
        return bool(process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def _children(pid: int) -> list[psutil.Process]:
    try:
        return psutil.Process(pid).children(recursive=True)
    except psutil.NoSuchProcess:
        return []


def _speaks(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1):
            return True
    except OSError:
        return False


def _reap(process: subprocess.Popen[bytes]) -> None:
    try:
        process.wait(ENDS_WITHIN_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
