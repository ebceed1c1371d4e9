"""A Redis for the tests of this folder, empty at the start of each."""

from collections.abc import Iterator
from typing import Any

import pytest
import redis

from tests.servers import RedisServer


@pytest.fixture
def client(server: RedisServer) -> Iterator[Any]:
    """A plain client on the emptied database 0."""
    with redis.Redis.from_url(server.url()) as plain:
        plain.flushall()
        yield plain
