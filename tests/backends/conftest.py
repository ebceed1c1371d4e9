"""Databases of results for the tests of backends: real servers, each with a database a module."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import a_database, named_after, unique
from tests.servers import Database


@pytest.fixture(scope="module")
def postgres(request: pytest.FixtureRequest) -> Iterator[Database]:
    """A database for the tests of one module, on the PostgreSQL that all of the run share."""
    with a_database(named_after(request)) as one:
        yield one


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def database(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """The URL of an empty database, as Celery takes it."""
    if request.param == "sqlite":
        yield f"db+sqlite:///{Path(tmp_path_factory.mktemp('db')) / 'results.sqlite'}"
        return
    with a_database(unique("results")) as one:
        yield f"db+{one.url()}"
