"""Results in memcached: by id only, for nobody can list what it holds.

Which of several servers holds a key depends on the client that wrote it, and Celery has had three
of them: so each server is asked for all. Values are taken as bytes, whatever their flags say.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, NoReturn

from .. import urls
from ..errors import BackendError
from .base import Fetched, Unlisted
from .meta import read
from .naming import META, separated

PATIENCE_S = 3.0
"""How long a server may take to let us in, or to answer."""
LONGEST_KEY_BYTES = 250
PASSED_ON = ("tls_context", "key_prefix", "no_delay")
"""Those of the app's ``cache_backend_options`` that say how to reach the servers and the keys."""


class MemcachedBackend:
    """A connection to each server; they belong to the thread that made them."""

    kind = "cache"

    def __init__(
        self, servers: Sequence[str], key_prefix: str = "", options: Mapping[str, Any] = {}
    ) -> None:
        try:
            from pymemcache.client.base import Client
        except ImportError:
            raise BackendError(
                "The result backend is a memcached and the package pymemcache is missing",
                "Install it: pip install pymemcache",
            ) from None
        if not servers:
            raise BackendError(
                "The result backend names no memcached",
                "Write it as cache+memcached://host:11211/.",
            )
        given = {name: options[name] for name in PASSED_ON if name in options}
        self._start = f"{separated(key_prefix) if key_prefix else ''}{META}".encode()
        self._longest = LONGEST_KEY_BYTES - len(given.get("key_prefix") or b"")
        self._clients: dict[str, Any] = {}
        for server in servers:
            with self._told(server):
                self._clients[server] = Client(
                    server, connect_timeout=PATIENCE_S, timeout=PATIENCE_S, **given
                )
        try:
            self.ping()
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Let the connections go."""
        for client in self._clients.values():
            client.close()

    def ping(self) -> float:
        """Milliseconds of a round trip to each server, one after the other."""
        began = time.perf_counter()
        for server, client in self._clients.items():
            with self._told(server):
                client.version()
        return (time.perf_counter() - began) * 1000

    def fetch(self, ids: Sequence[str]) -> Fetched:
        """What is stored of these tasks, in one round trip to each server."""
        keys = {self._key(task_id): task_id for task_id in ids}
        asked = [key for key in keys if self._is_key(key)]
        found: dict[str, bytes] = {}
        for server, client in self._clients.items():
            with self._told(server):
                values = client.get_many(asked) if asked else {}
            found |= {keys[key]: value for key, value in values.items()}
        metas = tuple(read(task_id, stored) for task_id, stored in found.items())
        return Fetched(metas, tuple(task_id for task_id in ids if task_id not in found))

    def recent(self, most: int) -> NoReturn:
        """There is no such search."""
        raise Unlisted("memcached cannot list what it holds; results are read by id")

    def _key(self, task_id: str) -> bytes:
        return self._start + task_id.encode("utf-8", "replace")

    def _is_key(self, key: bytes) -> bool:
        """Whether memcached can have such a key: no blank and no control character is in one."""
        return len(key) <= self._longest and min(key) > 32 and 127 not in key

    @contextmanager
    def _told(self, server: str) -> Iterator[None]:
        from pymemcache.exceptions import MemcacheError

        try:
            yield
        except (MemcacheError, OSError, ValueError) as error:
            where = f"memcached://{server}"
            said = in_words(error, f"The result backend memcached at {urls.redact(where)[12:]}")
            said.title = urls.clean(said.title, where)
            raise said from None


def in_words(error: Exception, who: str) -> BackendError:
    """The error as one sentence and what to do next."""
    said = str(error)
    if isinstance(error, TimeoutError):
        return BackendError(
            f"{who} does not answer in time", "Check host, port and firewall, and its load."
        )
    if isinstance(error, ConnectionRefusedError):
        return BackendError(
            f"{who} refused the connection", "Check host and port, and that memcached runs."
        )
    if "unauthenticated" in said:
        return BackendError(
            f"{who} wants a password, which Celery's client has none of", "Leave auth off (-Y)."
        )
    if type(error).__name__ == "gaierror":
        return BackendError(f"{who} is on a host that nobody knows", "Check the host name.")
    if isinstance(error, ValueError):
        return BackendError(f"{who} cannot be read: {said}", "Write it as host:11211.")
    if isinstance(error, OSError) or not said or "Close" in type(error).__name__:
        said = said or "it hung up"
        return BackendError(f"{who} cannot be reached: {said}", "Check host and port.")
    return BackendError(f"{who} answered: {said}", "Check that it is a memcached.")
