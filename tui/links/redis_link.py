"""One client on one Redis from a kombu-style URL, and Redis errors in words for people."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from .. import refusals, urls
from ..errors import BackendError, BrokerError
from . import sentinel
from .redis_vitals import ping

if TYPE_CHECKING:
    from redis import Redis, RedisError

SCHEMES = ("redis", "rediss", "redis+socket", "socket", sentinel.SCHEME)
CONNECT_TIMEOUT_S = 2.5
"""A server that hangs must be called lost within 3 s."""
ANSWER_TIMEOUT_S = 3.0
UNKNOWN = "unknown command"
"""So Redis calls one that its configuration has taken away (``rename-command``)."""
IN_A_SCRIPT = "The user executing the script can't"
"""How Redis 7.0 tells of a permission that a script lacks; it does not name the command."""
LinkError = type[BrokerError] | type[BackendError]
WHAT: dict[LinkError, str] = {BrokerError: "broker", BackendError: "result backend"}
TAKES: dict[LinkError, str] = {BrokerError: "messages", BackendError: "results"}


def scheme_of(url: str) -> str:
    """The transport a URL names: ``redis``, ``amqp``, ``db+sqlite``; of a bare name the name."""
    first = url.split(";", 1)[0].strip()
    return first.partition("://")[0].lower()


def is_redis(url: str) -> bool:
    """Whether this module can open the URL."""
    return scheme_of(url) in SCHEMES


def connect(
    url: str,
    kind: LinkError,
    tls: Mapping[str, Any] | None = None,
    transport: Mapping[str, Any] | None = None,
) -> Redis:
    """A client on the first alternate of ``url`` (``a;b``) that answers a PING.

    The alternates of a Sentinel URL are asked together for their master. ``tls`` are options
    that the URL does not tell (``tls_of``), ``transport`` the app's transport options. A client
    belongs to one thread. Raises ``kind`` when no alternate answers.
    """
    try:
        import redis
    except ImportError:
        raise kind(
            f"The {WHAT[kind]} is a Redis and the package redis is missing",
            "Install it: pip install 'redis[hiredis]'",
        ) from None
    failure: TuiLinkError | None = None
    for alternate in alternates(url):
        try:
            return _opened(alternate, kind, tls or {}, transport or {})
        except (redis.RedisError, OSError) as error:
            failure = failure or in_words(error, alternate, kind)
    if failure is not None:
        failure.title = urls.clean(failure.title, url)
    raise failure or kind(f"The {WHAT[kind]} URL is empty", "Name one as redis://host:6379/0.")


def alternates(url: str) -> list[str]:
    """What is tried one after the other: all sentinels are one."""
    if scheme_of(url) == sentinel.SCHEME:
        return [url]
    return urls.alternates(url)


def _opened(
    url: str, kind: LinkError, tls: Mapping[str, Any], transport: Mapping[str, Any]
) -> Redis:
    """A client that has answered. Raises redis.RedisError or OSError, and ``kind``."""
    import redis

    if scheme_of(url) == sentinel.SCHEME:
        where = sentinel.read(url, transport, kind, WHAT[kind])
        options = _login(where.database, where.username, where.password, url, kind)
        secured = _tls(where.query) if any(n.startswith("ssl_") for n in where.query) else {}
        return sentinel.master_client(where, {**options, **secured, **tls})
    client = redis.Redis(**{**_options(url, kind), **tls})
    try:
        ping(client)
    except BaseException:
        client.close()
        raise
    return client


TuiLinkError = BrokerError | BackendError


class NotPermitted(BrokerError, BackendError):
    """The server stands and knows us, and its rules (ACL) do not let this user do that."""

    said = ""
    """What exactly, in the server's words."""


@contextmanager
def told(url: str, kind: LinkError) -> Iterator[None]:
    """Redis errors raised inside leave as ``kind``, in words and without a password."""
    import redis

    try:
        yield
    except (redis.RedisError, OSError) as error:
        raise in_words(error, url, kind) from None


def _options(url: str, kind: LinkError) -> dict[str, Any]:
    """Keyword arguments of ``redis.Redis``, read from the URL as kombu reads it."""
    from kombu.utils.url import url_to_parts

    try:
        parts = url_to_parts(url)
        port = parts.port or 6379
    except ValueError:
        raise _unreadable(url, kind) from None
    on_socket = parts.scheme.endswith("socket")
    database = parts.query.get("virtual_host") if on_socket else parts.path
    options = _login(database, parts.username, parts.password, url, kind)
    if on_socket:
        return {**options, "unix_socket_path": f"/{parts.path or ''}"}
    tls = _tls(parts.query) if parts.scheme == "rediss" else {}
    return {**options, "host": parts.hostname or "127.0.0.1", "port": port, **tls}


def _login(
    database: str | None, username: str | None, password: str | None, url: str, kind: LinkError
) -> dict[str, Any]:
    """Options that every way of connecting needs."""
    from redis.backoff import NoBackoff
    from redis.retry import Retry

    try:
        number = int((database or "0").strip("/") or 0)
    except ValueError:
        raise _unreadable(url, kind) from None
    return {
        "db": number,
        "username": username,
        "password": password,
        "socket_connect_timeout": CONNECT_TIMEOUT_S,
        "socket_timeout": ANSWER_TIMEOUT_S,
        "protocol": 2,
        # The source that owns the client tries again itself, and says so.
        "retry": Retry(NoBackoff(), 0),
    }


def _unreadable(url: str, kind: LinkError) -> TuiLinkError:
    return kind(
        f"The {WHAT[kind]} URL {urls.redact(url)} cannot be read",
        "Write it as redis://user:password@host:port/database-number.",
    )


def _tls(query: Mapping[str, str]) -> dict[str, Any]:
    """TLS options of the query string. Without ssl_cert_reqs kombu verifies nothing; so do we."""
    wanted = query.get("ssl_cert_reqs", "none").lower().removeprefix("cert_")
    verify = wanted if wanted in ("none", "optional", "required") else "required"
    checked = query.get("ssl_check_hostname", "true").lower() != "false" and verify == "required"
    options = {"ssl": True, "ssl_cert_reqs": verify, "ssl_check_hostname": checked}
    files = ("ssl_ca_certs", "ssl_certfile", "ssl_keyfile")
    return options | {name: query[name] for name in files if name in query}


def tls_of(use_ssl: object) -> dict[str, Any]:
    """Celery's ``broker_use_ssl`` or ``redis_backend_use_ssl`` as options of redis-py."""
    if not use_ssl:
        return {}
    if not isinstance(use_ssl, Mapping):
        return {"ssl": True, "ssl_cert_reqs": "none", "ssl_check_hostname": False}
    return {"ssl": True} | {k: v for k, v in use_ssl.items() if str(k).startswith("ssl_")}


def in_words(error: RedisError | OSError, url: str, kind: LinkError) -> TuiLinkError:
    """The error as one sentence and what to do next; no password in either."""
    who = f"The {WHAT[kind]} {urls.redact(url)}"
    if _not_permitted(error):
        return _forbidden(error, who, url)
    refusal = refusals.of(error)
    if refusal is not None and type(error).__name__ != "MasterNotFoundError":
        refused = kind(refusal.sentence(who, TAKES[kind]), refusal.hint)
        refused.refusal = refusal.kind
        return refused
    return kind(*_explain(error, who, url, WHAT[kind]))


def _not_permitted(error: Exception) -> bool:
    from redis.exceptions import NoPermissionError

    told = str(error)
    if isinstance(error, NoPermissionError) or "NOPERM" in told or IN_A_SCRIPT in told:
        return True
    return UNKNOWN in told.lower()


def _forbidden(error: Exception, who: str, url: str) -> NotPermitted:
    said = urls.clean(refusals.said(error), url).removeprefix("NOPERM ").rstrip(".")
    if UNKNOWN in said.lower():
        said = said.partition(", with args")[0]
        title, hint = f"{who} knows no such command: {said}", "Was it renamed or taken away there?"
        disabled = NotPermitted(title, f"{hint} r tries again.")
        disabled.said = said
        return disabled
    if IN_A_SCRIPT in said:
        said = "a command of the script that moves messages"
    refused = NotPermitted(
        f"{who} does not permit this user: {said}",
        "Ask for the permission it names; r tries again.",
    )
    refused.said = said
    return refused


def _explain(error: RedisError | OSError, who: str, url: str, what: str) -> tuple[str, str]:
    import redis

    text = refusals.said(error)
    said = urls.clean(text, url).rstrip(".")
    if type(error).__name__ == "MasterNotFoundError":
        return _no_master(text, who)
    if isinstance(error, redis.TimeoutError | TimeoutError):
        return f"{who} does not answer in time", "Check host, port and firewall, and its load."
    if "SSL" in text or "certificate" in text:
        return f"{who} and we do not agree on TLS: {said}", "Check ssl_ca_certs in the URL."
    if "Connection reset" in text:
        return f"{who} hung up: {said}", "If it speaks TLS, write rediss:// instead of redis://."
    if "refused" in text:
        return f"{who} refused the connection", f"Check host and port, and that the {what} runs."
    if isinstance(error, redis.ConnectionError | OSError):
        return f"{who} cannot be reached: {said}", f"Check host and port, and that the {what} runs."
    return f"{who} answered: {said}", "Check its version and its configuration."


def _no_master(text: str, who: str) -> tuple[str, str]:
    """No sentinel named a master: each could not be asked, or knows none of that name."""
    name, _, reasons = text.removeprefix("No master found for ").partition(" : ")
    if "Authentication" in reasons or "NOAUTH" in reasons:
        return (
            f"{who}: its sentinels refused us",
            "Give their own password: sentinel_kwargs, or ?sentinel_password= in the URL.",
        )
    if reasons.count("host=") > who.count(";"):
        return f"{who}: no sentinel answers", "Check hosts and ports of the sentinels."
    return (
        f"{who}: the sentinels know no working master called {name}",
        "Check master_name; while a failover lasts, wait.",
    )
