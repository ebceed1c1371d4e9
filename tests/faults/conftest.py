"""The clusters on which faults are made, on each kind of broker."""

from collections.abc import Iterator

import pytest

from tests.faults.ground import WELL, Ground, ground
from tests.faults.places import KINDS


@pytest.fixture(scope="module", params=KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    """The kind of broker; of all that AMQP can carry, too."""
    return str(request.param)


@pytest.fixture(scope="module")
def shop(kind: str) -> Iterator[Ground]:
    """One worker that nothing happens to; those of the tests come and go."""
    with ground(kind) as one, one.workers(one.worker(WELL, concurrency=1)):
        yield one
