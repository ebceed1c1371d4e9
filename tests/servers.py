"""Real servers and real workers for tests: started on free ports, ended by process id."""

import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

import psutil
from celery import Celery

from tests.shared import Description, left_to_the_run, shared

APPS = Path(__file__).parent / "integration"
"""Where the sample app lies; workers start here, so that nothing of ours is on their path."""

PATIENCE_S = 120.0
"""How long a fact is waited for: a machine may be slow and busy. What fails fails late."""
STARTS_WITHIN_S = 30.0
"""A server that is given a port; then it is given another."""

T = TypeVar("T")


class ServerMissing(Exception):
    """This machine has no such server program."""


def wait_for(predicate: Callable[[], T], what: str, timeout: float = PATIENCE_S) -> T:
    """The first true answer of the predicate; prints how long that took.

    Raises AssertionError naming `what` after `timeout` seconds.
    """
    began = time.monotonic()
    while True:
        answer = predicate()
        took_s = time.monotonic() - began
        if answer:
            print(f"[took] {what}: {took_s:.3f} s")
            return answer
        if took_s > timeout:
            raise AssertionError(f"not within {timeout:g} s: {what} (last answer: {answer!r})")
        time.sleep(0.02)


def free_port() -> int:
    """A loopback port nobody listens on at this moment."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port: int = sock.getsockname()[1]
        return port


def redis_program() -> str:
    """The path of redis-server, or of valkey-server where only that is installed."""
    program = shutil.which("redis-server") or shutil.which("valkey-server")
    if program is None:
        raise ServerMissing("needs a redis-server or valkey-server on PATH")
    return program


class Started(ABC):
    """A process of a test's own, there as long as a ``with`` block lasts."""

    _process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """The process id, while it runs."""
        assert self._process is not None, "it is not running"
        return self._process.pid

    @abstractmethod
    def start(self) -> Self:
        """Start, and return once it answers."""

    @abstractmethod
    def stop(self) -> None:
        """End it, and remove what it leaves."""

    def pause(self) -> None:
        """Let it hang: connections stay open and nothing is answered."""
        os.kill(self.pid, signal.SIGSTOP)

    def resume(self) -> None:
        """End a pause."""
        os.kill(self.pid, signal.SIGCONT)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()


class RedisServer(Started):
    """A redis-server of our own on a loopback port: nothing on disk outlives it.

    Restarting keeps the port and forgets the data, as a Redis without persistence does.
    """

    def __init__(self, *options: str, password: str | None = None) -> None:
        self.password = password
        self.port = 0
        self._options = (*options, *(("--requirepass", password) if password else ()))
        self._program = redis_program()
        self._folder = Path(tempfile.mkdtemp(prefix="celery-tui-redis-"))
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def log(self) -> Path:
        """Where the server writes its log."""
        return self._folder / "redis.log"

    def url(self, db: int = 0) -> str:
        """The URL of one of its databases, password included."""
        password = f":{self.password}@" if self.password else ""
        return f"redis://{password}127.0.0.1:{self.port}/{db}"

    def start(self) -> Self:
        """Start, on a new port at the first time, and return once it answers."""
        for attempt in range(5):
            # Somebody else may take a free port before the server does: ask for another one then.
            port = self.port or free_port()
            self._process = subprocess.Popen(self._command(port), stdin=subprocess.DEVNULL)
            if self._answers(port):
                self.port = port
                return self
            self._end(signal.SIGKILL)
            if self.port:
                time.sleep(0.2 * (attempt + 1))
        raise AssertionError(f"redis-server does not start; its log: {self._log_text()}")

    def stop(self) -> None:
        """End the server politely and remove its folder; the port stays ours for `start`."""
        self._end(signal.SIGTERM)
        shutil.rmtree(self._folder, ignore_errors=True)

    def kill(self) -> None:
        """End the server as a power cut does."""
        self._end(signal.SIGKILL)

    def restart(self) -> Self:
        """Start again on the same port, empty."""
        self.kill()
        return self.start()

    def _command(self, port: int) -> list[str]:
        self._folder.mkdir(parents=True, exist_ok=True)
        settings = {
            "--bind": "127.0.0.1",
            "--port": str(port),
            "--dir": str(self._folder),
            "--logfile": str(self.log),
            "--save": "",
            "--appendonly": "no",
        }
        return [
            self._program,
            *(word for pair in settings.items() for word in pair),
            *self._options,
        ]

    def _answers(self, port: int) -> bool:
        """Whether the process started last answers in time."""
        assert self._process is not None
        until = time.monotonic() + STARTS_WITHIN_S
        while time.monotonic() < until and self._process.poll() is None:
            try:
                with socket.create_connection(("127.0.0.1", port), timeout=1) as sock:
                    sock.sendall(b"PING\r\n")
                    reply = sock.recv(64)
            except OSError:
                reply = b""
            # A stranger's server on this port answers too: then ours has ended, or soon will.
            if reply.startswith((b"+PONG", b"-NOAUTH")) and self._process.poll() is None:
                return True
            time.sleep(0.02)
        return False

    def _end(self, number: int) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        # A paused process takes no SIGTERM.
        process.send_signal(signal.SIGCONT)
        process.send_signal(number)
        _reap(process, 10)

    def _log_text(self) -> str:
        return self.log.read_text(errors="replace") if self.log.exists() else "(none)"


def postgres_program(name: str) -> str:
    """The path of one of PostgreSQL's programs; Debian keeps them off PATH."""
    program = shutil.which(name)
    if program is None:
        found = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"))
        if not found:
            raise ServerMissing("needs a PostgreSQL server (initdb and postgres)")
        program = str(found[-1])
    return program


class PostgresAddress:
    """Where a PostgreSQL is, and who may log in."""

    user, password = "celery", "pg-secret"
    port = 0
    database = "postgres"
    """The database that is meant where none is named."""

    def url(self, database: str = "", user: str = "", password: str = "") -> str:
        """The URL as SQLAlchemy takes it."""
        login = f"{user or self.user}:{password or self.password}"
        return f"postgresql+psycopg://{login}@127.0.0.1:{self.port}/{database or self.database}"

    def execute(self, *statements: str, database: str = "") -> None:
        """Run statements, each in a transaction of its own."""
        with self._connected(database or self.database) as connection:
            for statement in statements:
                connection.execute(statement.encode())

    def _connected(self, database: str) -> Any:
        import psycopg

        return psycopg.connect(
            host="127.0.0.1", port=self.port, user=self.user, password=self.password,
            dbname=database, autocommit=True, connect_timeout=10,
        )  # fmt: skip


class Database(PostgresAddress):
    """A database of a PostgreSQL that others use as well: empty, and dropped afterwards."""

    def __init__(self, port: int, name: str) -> None:
        self.port, self.database = port, name

    def __enter__(self) -> Self:
        self.execute(*self._dropped, f"CREATE DATABASE {self.database}", database="postgres")
        return self

    def __exit__(self, *error: object) -> None:
        self.execute(*self._dropped, database="postgres")

    @property
    def _dropped(self) -> tuple[str]:
        return (f"DROP DATABASE IF EXISTS {self.database} WITH (FORCE)",)


def shared_postgres() -> int:
    """The port of this run's PostgreSQL: for databases of one's own."""
    port: int = shared("postgresql", lambda: PostgresServer().left_to_the_run())["port"]
    return port


class PostgresServer(PostgresAddress, Started):
    """A PostgreSQL of our own on a loopback port, with its data in a folder that it dies with.

    PostgreSQL refuses to run as root: it then runs as ``postgres``, or as ``nobody``.
    """

    def __init__(self) -> None:
        self.port = 0
        self._initdb, self._postgres = postgres_program("initdb"), postgres_program("postgres")
        self._account = _unprivileged()
        self._folder = Path(tempfile.mkdtemp(prefix="celery-tui-postgres-"))
        self._data = self._folder / "data"
        self._process: subprocess.Popen[bytes] | None = None

    def left_to_the_run(self) -> Description:
        """Started, and described for whoever shares it; the run ends it, not this process."""
        self.start()
        assert self._process is not None
        pids = left_to_the_run(self._process)
        return {"pids": pids, "folder": str(self._folder), "port": self.port}

    def start(self) -> Self:
        """Start and return once it lets us in."""
        if not self._data.exists():
            self._init()
        for _ in range(5):
            port = self.port or free_port()
            self._process = self._launch(port)
            if self._answers(port):
                self.port = port
                return self
            self._end(signal.SIGQUIT)
        raise AssertionError(f"postgres does not start; its log: {self._log_text()}")

    def stop(self) -> None:
        """End it and remove its folder; sessions are cut."""
        self._end(signal.SIGINT)
        shutil.rmtree(self._folder, ignore_errors=True)

    def kill(self) -> None:
        """End it as a crash does; what it holds is there again after `start`."""
        self._end(signal.SIGQUIT)

    def pause(self) -> None:
        """Let it hang: each process of it stands still, connections stay open."""
        self._signal(signal.SIGSTOP)

    def resume(self) -> None:
        """End a pause."""
        self._signal(signal.SIGCONT)

    def _signal(self, number: int) -> None:
        """To each of its processes; those that end by themselves meanwhile are none of it."""
        assert self._process is not None, "the server is not running"
        self._process.send_signal(number)
        for child in _children(self._process.pid):
            with suppress(psutil.NoSuchProcess):
                child.send_signal(number)

    def _init(self) -> None:
        secret = self._folder / "password"
        secret.write_text(self.password)
        if self._account is not None:
            for path in (self._folder, secret):
                shutil.chown(path, self._account)
        subprocess.run(
            [
                *(self._initdb, "-D", str(self._data), "-U", self.user, "--pwfile", str(secret)),
                *("--auth", "scram-sha-256", "--encoding", "UTF8", "--locale", "C", "--no-sync"),
            ],
            check=True,
            cwd=self._folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            user=self._account,
        )

    def _launch(self, port: int) -> subprocess.Popen[bytes]:
        settings = {
            "listen_addresses": "127.0.0.1", "port": port, "unix_socket_directories": "",
            "fsync": "off", "max_connections": 100, "shared_buffers": "16MB",
        }  # fmt: skip
        command = [self._postgres, "-D", str(self._data)]
        for name, value in settings.items():
            command += ["-c", f"{name}={value}"]
        with (self._folder / "postgres.log").open("ab") as log:
            return subprocess.Popen(
                command,
                cwd=self._folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                user=self._account,
                start_new_session=True,
            )

    def _answers(self, port: int) -> bool:
        import psycopg

        assert self._process is not None
        before, self.port = self.port, port
        until = time.monotonic() + 30
        while time.monotonic() < until and self._process.poll() is None:
            try:
                self._connected("postgres").close()
            except psycopg.OperationalError:
                time.sleep(0.05)
            else:
                return self._process.poll() is None
        self.port = before
        return False

    def _end(self, number: int) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        self._process = process
        self.resume()
        self._process = None
        family = _children(process.pid)
        process.send_signal(number)
        _reap(process, 15)
        psutil.wait_procs(family, timeout=10)

    def _log_text(self) -> str:
        log = self._folder / "postgres.log"
        return log.read_text(errors="replace") if log.exists() else "(none)"


def _unprivileged() -> str | None:
    """The user that a server runs as which refuses root; None: ourselves."""
    if os.geteuid() != 0:
        return None
    names = {entry.pw_name for entry in pwd.getpwall()}
    return "postgres" if "postgres" in names else "nobody"


class Worker(Started):
    """A `celery worker` process of a given app, as a user would start it.

    The app finds its broker, its result backend and its ledger in CT_BROKER, CT_BACKEND and
    CT_LEDGER.
    """

    def __init__(
        self,
        broker: str,
        backend: str = "",
        *,
        app: str = "sample",
        folder: Path = APPS,
        queues: Sequence[str] = ("celery",),
        pool: str = "prefork",
        concurrency: int = 2,
        name: str = "w1",
        events: bool = True,
        ledger: Path | None = None,
        env: Mapping[str, str] | None = None,
        options: Sequence[str] = (),
    ) -> None:
        self.broker = broker
        self.hostname = name if "@" in name else f"{name}@test"
        self._own = Path(tempfile.mkdtemp(prefix="celery-tui-worker-"))
        self.log = self._own / "worker.log"
        self.ledger = ledger or self._own / "ledger"
        self._app = app
        self._folder = folder
        self._arguments = [
            *("-Q", ",".join(queues), "-P", pool, "-c", str(concurrency), "-n", self.hostname),
            *("--loglevel", "INFO", "--logfile", str(self.log), *(("-E",) if events else ())),
            *options,
        ]
        self._env = {
            **os.environ,
            "CT_BROKER": broker,
            "CT_BACKEND": backend,
            "CT_LEDGER": str(self.ledger),
            **(env or {}),
        }
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, timeout: float = PATIENCE_S) -> Self:
        """Start and return once the worker answers a ping."""
        self.launch()
        wait_for(self.is_ready, f"worker {self.hostname} answers", timeout)
        return self

    def launch(self) -> Self:
        """Start without waiting: for tests that watch a worker come up."""
        command = [sys.executable, "-m", "celery", "-A", self._app, "worker", *self._arguments]
        with self.log.with_suffix(".out").open("ab") as out:
            self._process = subprocess.Popen(
                command,
                cwd=self._folder,
                env=self._env,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                # A Ctrl-C meant for the test run must not reach the worker a second time.
                start_new_session=True,
            )
        return self

    def is_ready(self) -> bool:
        """Whether the worker answers a ping; an AssertionError with its log if it has ended."""
        assert self._process is not None
        assert self._process.poll() is None, f"worker ended at once: {self.log_text()}"
        app = client(self.broker)
        try:
            replies = app.control.ping(destination=[self.hostname], timeout=1.0, limit=1)
        finally:
            app.close()
        return bool(replies)

    def stop(self, timeout: float = 30.0) -> None:
        """Warm shutdown as TERM asks for it; what is still there after `timeout` is killed."""
        self._end(signal.SIGTERM, timeout)
        shutil.rmtree(self._own, ignore_errors=True)

    def kill(self) -> None:
        """End the worker and its children as the out-of-memory killer does: no goodbye."""
        self._end(signal.SIGKILL, 10.0)

    def log_text(self) -> str:
        """What the worker has logged and printed so far."""
        paths = (self.log, self.log.with_suffix(".out"))
        return "".join(path.read_text(errors="replace") for path in paths if path.exists())

    def _end(self, number: int, timeout: float) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        family = _children(process.pid)
        process.send_signal(signal.SIGCONT)
        process.send_signal(number)
        _reap(process, timeout)
        # Children of a killed worker would go on with their task.
        for child in family:
            _kill(child)
        psutil.wait_procs(family, timeout=10)


def client(broker: str, backend: str = "", **settings: Any) -> Celery:
    """A Celery app for sending to a test's broker and asking its workers: `send_task("…")`."""
    app = Celery("client", broker=broker, backend=backend or None, set_as_current=False)
    app.conf.update(broker_connection_retry_on_startup=True, **settings)
    return app


def _children(pid: int) -> list[psutil.Process]:
    try:
        return psutil.Process(pid).children(recursive=True)
    except psutil.NoSuchProcess:
        return []


def _kill(process: psutil.Process) -> None:
    """psutil compares start times, so a reused process id is never hit."""
    try:
        process.kill()
    except psutil.NoSuchProcess:
        return


def _reap(process: subprocess.Popen[bytes], timeout: float) -> None:
    try:
        process.wait(timeout)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
