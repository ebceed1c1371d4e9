"""What sources and actions ask of a result backend."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

import msgspec

from ..errors import BackendError
from ..links.redis_vitals import Refused
from ..model.observations import ResultMeta


class Fetched(msgspec.Struct, frozen=True):
    """What is stored of the ids asked for, and of which ids nothing is."""

    metas: tuple[ResultMeta, ...]
    missing: tuple[str, ...]


class Unlisted(BackendError):
    """The backend stands, and nobody can ask it for what it holds but by id."""


class Walk(Protocol):
    """A search for the newest results, in steps that may be spread over time.

    ``look`` until it says False, then ``read`` until it gives None.
    """

    looked_at: int
    """Keys so far."""
    of: int
    """Keys there are, as far as is known."""
    commands: int
    """What the last step cost."""
    unread: dict[str, int]
    """Results that were found and cannot be shown: why, and how many."""

    def look(self) -> bool:
        """Look a little further; False when all was looked through."""

    def read(self) -> tuple[ResultMeta, ...] | None:
        """The next of the newest results found; None when there are no more."""


@runtime_checkable
class Takes(Protocol):
    """A backend that can tell whether results can be stored at all."""

    def refused(self) -> Refused | None:
        """What it takes from nobody now, while it can be read; None: nothing, as far as told."""


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

    def recent(self, most: int) -> Walk:
        """A search for the newest results, at most so many; Unlisted where there is none."""

    def close(self) -> None:
        """Let the connection go."""
