"""Where a ``sentinel://`` URL leads: who is asked, for which master, and with which login."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from .. import urls
from ..errors import BackendError, BrokerError
from .redis_vitals import ping

if TYPE_CHECKING:
    from redis import Redis

SCHEME = "sentinel"
DEFAULT_PORT = 26379
OURS = ("master_name", "min_other_sentinels", "sentinel_username", "sentinel_password")
"""Read from the URL's query for those who have no app: kombu takes them as options only."""


@dataclass(frozen=True, slots=True)
class Sentinels:
    """The sentinels to ask, and the master to ask them for."""

    addresses: tuple[tuple[str, int], ...]
    master: str
    username: str | None
    """Of the Redis they watch, as the next two."""
    password: str | None = field(repr=False)
    database: str
    login: Mapping[str, Any] = field(repr=False)
    """How to connect to the sentinels themselves, Celery's ``sentinel_kwargs``."""
    min_other: int
    query: Mapping[str, str] = field(repr=False)
    """What else stood after the ``?``: TLS."""

    def kombu_url(self) -> str:
        """As kombu can read it: the login and database of the first at each alternate.

        Kombu takes them from the alternate whose turn it is, and after a failure that is the
        second, where people do not write them again.
        """
        login = ""
        if self.username or self.password:
            login = f"{_quoted(self.username)}:{_quoted(self.password)}@"
        query = "&".join(f"{name}={_quoted(value)}" for name, value in self.query.items())
        tail = f"/{_quoted(self.database)}" + (f"?{query}" if query else "")
        return ";".join(
            f"{SCHEME}://{login}{f'[{host}]' if ':' in host else host}:{port}{tail}"
            for host, port in self.addresses
        )

    def transport_options(self) -> dict[str, Any]:
        """As kombu wants them."""
        found: dict[str, Any] = {"master_name": self.master}
        if self.min_other:
            found["min_other_sentinels"] = self.min_other
        return found


def read(
    url: str, options: Mapping[str, Any], kind: type[BrokerError] | type[BackendError], what: str
) -> Sentinels:
    """The URL and the transport options of a Celery app taken together; the options win.

    ``what`` names the thing in errors. Raises ``kind`` when it is malformed or names no master.
    """
    from kombu.utils.url import url_to_parts

    try:
        parts = [url_to_parts(part) for part in _alternates(url)]
        addresses = tuple((p.hostname or "localhost", p.port or DEFAULT_PORT) for p in parts)
        query = {name: value for p in reversed(parts) for name, value in p.query.items()}
        told = {name: query.pop(name) for name in OURS if name in query}
        min_other = int(options.get("min_other_sentinels") or told.get("min_other_sentinels") or 0)
    except ValueError:
        raise kind(
            f"The {what} URL {urls.redact(url)} cannot be read",
            "Write it as sentinel://:password@host:26379/0;sentinel://host:26379?master_name=NAME.",
        ) from None
    master = options.get("master_name") or told.get("master_name")
    if not master:
        raise kind(
            f"The {what} {urls.redact(url)} is a Sentinel, and which master it is asked for "
            "is not said",
            "Add ?master_name=NAME to the URL, or name the app whose transport options say it.",
        )
    login = dict(options.get("sentinel_kwargs") or {})
    for name in ("username", "password"):
        if f"sentinel_{name}" in told:
            login.setdefault(name, told[f"sentinel_{name}"])
    first = parts[0]
    return Sentinels(
        addresses, str(master), first.username, first.password, first.path or "", login,
        min_other, query,
    )  # fmt: skip


def master_client(where: Sentinels, options: Mapping[str, Any]) -> Redis:
    """A client on the master of the moment, connected. Raises redis.RedisError or OSError.

    ``options`` are those of ``redis.Redis``. The sentinels' own connections are closed again:
    whoever loses the master opens a new client, and asks anew.
    """
    from redis.sentinel import Sentinel

    to_sentinel = {
        name: value
        for name, value in options.items()
        if name.startswith("socket_") or name in ("retry", "protocol")
    }
    manager: Any = Sentinel(list(where.addresses), where.min_other, {**to_sentinel, **where.login})
    try:
        client: Redis = manager.master_for(where.master, **options)
        try:
            ping(client)
        except BaseException:
            client.close()
            raise
        return client
    finally:
        manager.close()


def _alternates(url: str) -> list[str]:
    parts = urls.alternates(url)
    return [part if "://" in part else f"{SCHEME}://{part}" for part in parts]


def _quoted(text: str | None) -> str:
    return quote(text or "", safe="")
