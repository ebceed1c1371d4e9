"""What sources and actions ask of a result backend."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import msgspec

from ..model.observations import ResultMeta


class Fetched(msgspec.Struct, frozen=True):
    """What is stored of the ids asked for, and of which ids nothing is."""

    metas: tuple[ResultMeta, ...]
    missing: tuple[str, ...]


class Backend(Protocol):
    """One connection to one result backend; it belongs to the thread that opened it.

    Every method raises BackendError when the link is lost or the backend refuses.
    """

    kind: str
    """``redis``, as in the URL."""

    def ping(self) -> float:
        """Milliseconds of one round trip."""

    def fetch(self, ids: Sequence[str]) -> Fetched:
        """What is stored of these tasks, in one round trip."""

    def close(self) -> None:
        """Let the connection go."""
