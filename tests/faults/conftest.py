"""The cluster on which faults are made that break one worker and no other."""

from collections.abc import Iterator

import pytest

from tests.faults.ground import WELL, Ground, ground


@pytest.fixture(scope="module")
def shop() -> Iterator[Ground]:
    """One worker that nothing happens to; those of the tests come and go."""
    with ground() as one, one.workers(one.worker(WELL, concurrency=1)):
        yield one
