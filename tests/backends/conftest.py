"""Databases of results for the tests of backends: real servers, each with a database a module."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import a_postgres
from tests.servers import PostgresServer


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """A PostgreSQL for the tests of this process."""
    with a_postgres() as started:
        yield started


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def database(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """The URL of an empty database, as Celery takes it."""
    if request.param == "sqlite":
        yield f"db+sqlite:///{Path(tmp_path_factory.mktemp('db')) / 'results.sqlite'}"
        return
    server: PostgresServer = request.getfixturevalue("postgres")
    server.execute("DROP DATABASE IF EXISTS results WITH (FORCE)", "CREATE DATABASE results")
    yield f"db+{server.url('results')}"
