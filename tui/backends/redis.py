"""The Redis result backend: one MGET for many tasks."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from itertools import cycle
from typing import Any

from ..errors import BackendError
from ..links.redis_link import connect, told
from ..links.redis_vitals import Refused, Vitals, ping
from ..urls import redact
from .base import Fetched
from .meta import read
from .naming import META, separated
from .redis_recent import RedisWalk


class RedisBackend:
    """One client on one Redis database; it belongs to the thread that made it."""

    kind = "redis"

    def __init__(
        self,
        url: str,
        key_prefix: str = "",
        tls: Mapping[str, Any] | None = None,
        transport: Mapping[str, Any] | None = None,
    ) -> None:
        self._url = url
        self._client: Any = connect(url, BackendError, tls, transport)
        self._vitals = Vitals(self._client, f"The result backend {redact(url)}", "results")
        self._prefixes = ("", separated(key_prefix)) if key_prefix else ("",)

    def close(self) -> None:
        """Let the connection go."""
        self._client.close()

    def ping(self) -> float:
        """Milliseconds of one round trip."""
        began = time.perf_counter()
        with told(self._url, BackendError):
            ping(self._client)
        return (time.perf_counter() - began) * 1000

    def refused(self) -> Refused | None:
        """What it takes from nobody now, while it can be read; None: nothing, as far as told."""
        with told(self._url, BackendError):
            return self._vitals.look()

    def fetch(self, ids: Sequence[str]) -> Fetched:
        """What is stored of these tasks; a key of another type counts as nothing."""
        keys = [f"{p}{META}{_utf8(task_id)}" for p in self._prefixes for task_id in ids]
        if not keys:
            return Fetched((), ())
        with told(self._url, BackendError):
            values = self._client.mget(keys)
        found: dict[str, bytes] = {}
        for task_id, stored in zip(cycle(ids), values, strict=False):
            if stored is not None:
                found.setdefault(task_id, stored)
        metas = tuple(read(task_id, stored) for task_id, stored in found.items())
        return Fetched(metas, tuple(task_id for task_id in ids if task_id not in found))

    def recent(self, most: int) -> RedisWalk:
        """A search for the newest results, at most so many."""
        return RedisWalk(self._client, self._url, self._prefixes, META, most)


def _utf8(task_id: str) -> str:
    return task_id.encode("utf-8", "replace").decode()
