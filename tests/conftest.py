"""What every test shares: the report of what did not run, and of how long things took."""

import gc
import os
import re
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import hypothesis
import pytest
import redis
from kombu.connection import Connection
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

from tests import shared
from tests.rabbit import RabbitServer, VirtualHost, shared_rabbit
from tests.servers import Database, PostgresServer, RedisServer, ServerMissing, shared_postgres

# Machines differ too much for a deadline. What fails is written into the test, not into a folder,
# and on CI each run tries the same.
hypothesis.settings.register_profile(
    "here",
    deadline=None,
    database=None,
    print_blob=True,
    derandomize=os.environ.get("CI", "").lower() == "true",
    suppress_health_check=[hypothesis.HealthCheck.too_slow],
)
hypothesis.settings.load_profile("here")

TOOK = re.compile(r"^\[took\] (?P<what>.+): (?P<seconds>[\d.]+) s$", re.MULTILINE)
"""What `tests.servers.wait_for` prints."""

MISSING = "did not run: "
"""How the reason of a skip begins that must not go unnoticed."""


def missing(what: str) -> None:
    """Leave a test out because the machine lacks something: loudly, and on CI as a failure."""
    if os.environ.get("CI", "").lower() == "true":
        pytest.fail(f"{what} (on CI nothing may be left out)", pytrace=False)
    pytest.skip(MISSING + what)


@contextmanager
def found_here() -> Iterator[None]:
    """A server that this machine has not leaves the test out, as ``missing`` does."""
    try:
        yield
    except ServerMissing as error:
        missing(str(error))


@contextmanager
def a_redis(*options: str) -> Iterator[RedisServer]:
    """A Redis of one's own, ended afterwards; a machine without one leaves the test out."""
    with found_here():
        started = RedisServer(*options).start()
    try:
        yield started
    finally:
        started.stop()


@pytest.fixture(autouse=True)
def state_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the audit file lies during a test: never in the folder of whoever runs it."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    return tmp_path / "state"


@pytest.fixture
def collected() -> Iterator[None]:
    """What a test leaves to the garbage collector is collected in it, not in a later one."""
    yield
    gc.collect()


@pytest.fixture(scope="session")
def redis_of_this_process() -> Iterator[RedisServer]:
    """Not of the whole run: MONITOR and INFO see all of a server."""
    with a_redis() as started:
        yield started


@pytest.fixture(scope="module")
def server(redis_of_this_process: RedisServer) -> RedisServer:
    """A Redis for the tests of one module: with nothing in it, and nobody's rights but ours.

    Who stops, kills, fills or freezes one starts it with ``a_redis``.
    """
    with redis.Redis.from_url(redis_of_this_process.url()) as client:
        client.flushall()
        users = {str(name) for name in client.acl_users()} - {"default"}
        if users:
            client.acl_deluser(*users)
    return redis_of_this_process


@contextmanager
def a_rabbit(*, management: bool = False, conf: str = "") -> Iterator[RabbitServer]:
    """The same for a RabbitMQ."""
    with found_here():
        started = RabbitServer(management=management, conf=conf)
    with started:
        yield started


@contextmanager
def a_postgres() -> Iterator[PostgresServer]:
    """The same for a PostgreSQL."""
    with found_here():
        started = PostgresServer()
    with started:
        yield started


@contextmanager
def a_vhost(name: str) -> Iterator[VirtualHost]:
    """A virtual host of the run's RabbitMQ; nobody else may have that name."""
    with found_here():
        where = shared_rabbit()
    with VirtualHost(where.port, where.management_port, name) as vhost:
        yield vhost


@contextmanager
def a_database(name: str) -> Iterator[Database]:
    """The same for a database of the run's PostgreSQL."""
    with found_here():
        port = shared_postgres()
    with Database(port, name) as database:
        yield database


def unique(name: str) -> str:
    """A name of a virtual host or a database that no other process of the run has."""
    return f"{name}_{uuid.uuid4().hex[:8]}"


def named_after(request: pytest.FixtureRequest) -> str:
    """The same after the module whose fixture this is."""
    return unique(str(request.node.name).rpartition("/")[2].removesuffix(".py"))


@pytest.fixture(scope="module")
def rabbit(request: pytest.FixtureRequest) -> Iterator[VirtualHost]:
    """A virtual host for the tests of one module, on the RabbitMQ that all of the run share.

    Who stops, kills, fills or freezes a broker has one of its own: ``own_rabbit``.
    """
    with a_vhost(named_after(request)) as vhost:
        yield vhost


@pytest.fixture
def channel(rabbit: VirtualHost) -> Iterator[Any]:
    """The driver's own channel into it."""
    with Connection(rabbit.url()) as connection:
        yield connection.channel()


@pytest.fixture
def own_rabbit() -> Iterator[RabbitServer]:
    """A RabbitMQ for one test, which may do anything to it."""
    with a_rabbit() as started:
        yield started


def pytest_configure(config: pytest.Config) -> None:
    """The process of the run, not those that test for it, begins and ends what all share."""
    if not hasattr(config, "workerinput"):
        shared.begin()


def pytest_unconfigure(config: pytest.Config) -> None:
    """After the last test of every process."""
    if not hasattr(config, "workerinput"):
        shared.end()


INTEGRATION = ("tests/integration/", "tests/faults/", "tests/walk/")
"""Where the tests lie that talk to real servers."""
SHARED = (*INTEGRATION, "tests/backends/test_facts.py")
"""Whose tests stay together, because they share what is dear."""


class FilesOfServers(LoadScopeScheduling):  # type: ignore[misc]
    """Keeps each file of integration tests on one xdist worker: its tests share servers.

    Faults on RabbitMQ are another file's worth: they share nothing with those on Redis.

    `--dist loadgroup` would do that, but xdist 3.8 writes its groups into a private attribute
    that pytest 9.2 no longer reads (pytest-xdist issue 1386).
    """

    def _split_scope(self, nodeid: str) -> str:
        if not nodeid.startswith(SHARED):
            return nodeid.split("[", 1)[0]
        return nodeid.split("::", 1)[0] + ("[rabbitmq]" if "[rabbitmq" in nodeid else "")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> FilesOfServers:
    """Distribute single tests, and integration tests by file, in the order collected."""
    config.option.loadscopereorder = False
    return FilesOfServers(config, log)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what lies there as such; they go first: they wait, and the rest fills the gaps."""
    for item in items:
        if item.nodeid.startswith(INTEGRATION):
            item.add_marker(pytest.mark.integration)
    items.sort(key=lambda item: not item.nodeid.startswith(SHARED))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print how long things took, and which tests did not run and why."""
    took = list(_took(terminalreporter))
    if took:
        terminalreporter.section("how long things took")
        for line in took:
            terminalreporter.write_line(line)
    lines = list(_not_run(terminalreporter))
    if lines:
        terminalreporter.section("did not run")
        for line in lines:
            terminalreporter.write_line(line)
    if path := os.environ.get("CELERY_TUI_NOT_RUN"):
        Path(path).write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")


def _took(terminalreporter: pytest.TerminalReporter) -> Iterator[str]:
    for outcome in ("passed", "failed", "error"):
        for report in terminalreporter.stats.get(outcome, []):
            test = report.nodeid.split("::", 1)[-1]
            for match in TOOK.finditer(report.capstdout):
                yield f"{float(match['seconds']):9.3f} s  {match['what']}  ({test})"


def _not_run(terminalreporter: pytest.TerminalReporter) -> Iterator[str]:
    for report in terminalreporter.stats.get("skipped", []):
        # A skip's longrepr is (path, line, "Skipped: reason").
        reason = report.longrepr[-1] if isinstance(report.longrepr, tuple) else ""
        if MISSING in reason:
            yield f"{report.nodeid}: {reason.split(MISSING, 1)[1]}"
