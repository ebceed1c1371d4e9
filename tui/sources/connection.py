"""Kombu connections for watching: where to connect, and what a driver's error means in words."""

from __future__ import annotations

import contextlib
import os
import socket
import ssl
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from .. import urls
from ..errors import AppError, BrokerError, TuiError
from ..redis_link import in_words
from ..settings import Settings

if TYPE_CHECKING:
    from kombu.connection import Connection

CONNECT_TIMEOUT_S = 3.0
"""How long a dead host may keep us waiting."""
ANSWER_TIMEOUT_S = 3.0
"""How long a broker that took our connection may be silent when asked something."""
AMQP_HEARTBEAT_S = 10

REDIS = frozenset({"redis", "rediss", "sentinel", "sentinels", "valkey", "valkeys"})
AMQP = frozenset({"amqp", "amqps", "pyamqp", "librabbitmq"})
EXTRAS = {
    "redis": "celery[redis]",
    "rediss": "celery[redis]",
    "sentinel": "celery[redis]",
    "sqs": "celery[sqs]",
    "mongodb": "celery[mongodb]",
    "sqla": "celery[sqlalchemy]",
    "sqlalchemy": "celery[sqlalchemy]",
    "qpid": "celery[qpid]",
    "confluentkafka": "kombu[confluentkafka]",
    "gcpubsub": "celery[gcpubsub]",
    "librabbitmq": "celery[librabbitmq]",
}
"""URL scheme -> what pip installs for it."""


@dataclass(frozen=True, slots=True)
class Site:
    """Where to look: a broker, and the names that its Celery uses there."""

    url: str
    """Broker URL, alternates separated by ``;``. Holds the password: never show it."""
    key_prefix: str = ""
    app: Any = field(default=None, repr=False)
    """The user's Celery app, where one was named: it knows TLS and transport options."""
    event_exchange: str = "celeryev"
    event_queue_prefix: str = "celeryev"
    control_exchange: str = "celery"

    @property
    def scheme(self) -> str:
        """Transport name in the URL, in small letters."""
        return self.url.partition("://")[0].partition("+")[0].lower()

    def connect(self) -> Connection:
        """A new connection, not yet established; each thread has its own."""
        options = {
            "connect_timeout": CONNECT_TIMEOUT_S,
            "transport_options": transport_options(self.scheme, self.key_prefix),
            "heartbeat": AMQP_HEARTBEAT_S if self.scheme in AMQP else 0,
        }
        if self.app is not None:
            connection: Connection = self.app.connection_for_read(self.url, **options)
            return connection
        from kombu.connection import Connection

        return Connection(self.url, **options)


def transport_options(scheme: str, key_prefix: str = "") -> dict[str, Any]:
    """Options that let kombu notice a dead broker soon, and the Redis key prefix."""
    if scheme in AMQP:
        return {"read_timeout": ANSWER_TIMEOUT_S, "write_timeout": ANSWER_TIMEOUT_S}
    if scheme not in REDIS:
        return {}
    options: dict[str, Any] = {
        "socket_connect_timeout": CONNECT_TIMEOUT_S,
        "socket_timeout": ANSWER_TIMEOUT_S,
        "socket_keepalive": True,
    }
    return {**options, "global_keyprefix": key_prefix} if key_prefix else options


def site_of(settings: Settings, app: Any = None) -> Site:
    """Where ``settings`` point to; with an app, what it leaves open is the app's own.

    Raises BrokerError if no broker is named, AppError if the app's configuration is broken.
    """
    if app is None:
        if not settings.broker:
            raise BrokerError("No broker is named", "Use -b URL, -A app or CELERY_BROKER_URL.")
        return Site(settings.broker, settings.key_prefix)
    with _app_errors(settings.app or str(app)):
        conf = app.conf
        return Site(
            settings.broker or joined(conf.broker_read_url) or "amqp://guest@localhost//",
            key_prefix(settings, app),
            app,
            conf.event_exchange,
            conf.event_queue_prefix,
            conf.control_exchange,
        )


def completed(settings: Settings, app: Any) -> Settings:
    """Settings in which the app's broker, backend and key prefix fill what was not given."""
    with _app_errors(settings.app or str(app)):
        return replace(
            settings,
            broker=site_of(settings, app).url,
            result_backend=settings.result_backend or _backend(app),
            key_prefix=key_prefix(settings, app),
        )


def key_prefix(settings: Settings, app: Any) -> str:
    """The given key prefix, or the one in the app's transport options."""
    if settings.key_prefix:
        return settings.key_prefix
    return str((app.conf.broker_transport_options or {}).get("global_keyprefix", ""))


def _backend(app: Any) -> str | None:
    backend = app.conf.result_backend
    return backend if isinstance(backend, str) and backend not in ("", "disabled") else None


def joined(url: Any) -> str | None:
    """A broker URL as one string: Celery also takes a list of alternates."""
    if isinstance(url, (list, tuple)):
        return ";".join(str(part) for part in url)
    return str(url) if url else None


def load_app(name: str) -> Any:
    """The Celery app called ``name`` as ``celery -A`` would find it.

    Runs the user's code. Raises AppError for whatever goes wrong in there.
    """
    with _app_errors(name):
        from celery.app.utils import find_app

        app = find_app(name)
        if not hasattr(app, "connection_for_read"):
            raise AppError(
                f"{name!r} is not a Celery app but {type(app).__name__}",
                "Name the module or module:attribute as for celery -A.",
            )
        if os.environ.get("DJANGO_SETTINGS_MODULE"):
            # Only this sets Django up; finding the app does not.
            app.loader.import_default_modules()
        return app


@contextlib.contextmanager
def _app_errors(name: str) -> Iterator[None]:
    try:
        yield
    except (AppError, BrokerError):
        raise
    except ModuleNotFoundError as error:
        raise AppError(
            f"Cannot load the Celery app {name!r}: {urls.clean(str(error))}",
            "Run in the folder from which celery -A works, and in its virtual environment.",
        ) from error
    except (Exception, SystemExit) as error:  # the user's code may raise anything
        text = urls.clean(f"{type(error).__name__}: {error}")
        raise AppError(
            f"Cannot load the Celery app {name!r}: {text}",
            f"Try `celery -A {name} report`: it meets the same error and shows where.",
        ) from error


# -- connections that stand ------------------------------------------------------------------


@contextlib.contextmanager
def opened(site: Site) -> Iterator[Connection]:
    """An established connection, closed at the end; its driver's errors become BrokerError."""
    connection = established(site)
    try:
        yield connection
    except TuiError:
        raise
    except link_errors(connection) as error:
        raise broker_error(error, site.url) from error
    finally:
        release(connection)


def established(site: Site) -> Connection:
    """A connection that stands. Raises BrokerError, whatever is wrong with URL or broker."""
    connection = None
    try:
        connection = site.connect()
        tries = len(connection.alt) or 1
        # kombu tries once more than it is told, but not after the timeout.
        connection.ensure_connection(
            max_retries=tries,
            timeout=tries * CONNECT_TIMEOUT_S / 2,
            interval_start=0,
            interval_step=0,
        )
    except Exception as error:  # transports raise anything over options that they do not know
        if connection is not None:
            release(connection)
        raise broker_error(error, site.url) from error
    return connection


def release(connection: Connection) -> None:
    """Close, whatever state the link is in."""
    with contextlib.suppress(Exception):
        connection.release()


def link_errors(connection: Connection) -> tuple[type[Exception], ...]:
    """What a driver raises; KeyError, which kombu lists for Redis, would hide mistakes of ours."""
    from kombu.exceptions import KombuError

    found = (OSError, KombuError, *connection.connection_errors, *connection.channel_errors)
    return tuple(error for error in found if error is not KeyError)


def broadcasts(connection: Connection) -> bool:
    """Whether the broker can send one message to everybody, as events and questions need it."""
    return "fanout" in connection.transport.implements.exchange_type


NO_BROADCAST = "this broker cannot broadcast: workers can be neither heard nor asked"


def latency_ms(connection: Connection) -> float | None:
    """Prove that the broker answers; how long that took, where it can be asked.

    Raises the driver's error when it does not answer.
    """
    connection.heartbeat_check(rate=2)
    transport: Any = connection.transport
    if transport.driver_type != "redis":
        return None
    began = time.monotonic()
    redis_client(connection.default_channel).ping()
    check = getattr(transport.cycle, "maybe_check_subclient_health", None)
    if check is not None:
        check()  # a half-open subscription is silent for ever
    return (time.monotonic() - began) * 1000


def redis_client(channel: Any) -> Any:
    """A plain client on the channel's own pool: same TLS, sentinel and login, keys as written."""
    import redis

    return redis.Redis(connection_pool=channel.pool)


# -- what an error means ---------------------------------------------------------------------


def broker_error(error: BaseException, url: str) -> BrokerError:
    """The error in one sentence and with a hint, without any password of ``url``."""
    chain = tuple(_chain(error))
    for recognise in _RECOGNISERS:
        for link in chain:
            found = recognise(link, url)
            if found is not None:
                return BrokerError(urls.clean(found[0], url), found[1])
    return _redis_words(chain, url) or BrokerError(
        urls.clean(f"{who(url)} cannot be used: {type(error).__name__}: {error}", url),
        "Check the URL, and that the broker runs.",
    )


def who(url: str) -> str:
    """The broker as the subject of a sentence."""
    return f"The broker {urls.redact(url)}"


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ or error.__context__


def _redis_words(chain: tuple[BaseException, ...], url: str) -> BrokerError | None:
    try:
        from redis import RedisError
    except ImportError:
        return None
    for link in chain:
        if isinstance(link, RedisError):
            said = in_words(link, url, BrokerError)
            return BrokerError(said.title, said.hint)
    return None


Said = tuple[str, str] | None


def _driver(error: BaseException, url: str) -> Said:
    if not isinstance(error, ImportError):
        return None
    scheme = url.partition("://")[0].partition("+")[0].lower()
    hint = f'Install it: pip install "{EXTRAS[scheme]}"' if scheme in EXTRAS else "Install it."
    return f"The driver for {scheme}:// is not installed ({error})", hint


def _scheme(error: BaseException, url: str) -> Said:
    if not (isinstance(error, KeyError) and "No such transport" in str(error)):
        return None
    return (
        f"Celery knows no broker called {url.partition('://')[0]!r}",
        "Use a URL such as redis://host:6379/0 or amqp://user:password@host:5672//.",
    )


def _wrong_url(error: BaseException, url: str) -> Said:
    if not isinstance(error, ValueError) or isinstance(error, UnicodeError):
        return None
    return (
        f"The broker URL {urls.redact(url)} cannot be read: {str(error).rstrip('.')}",
        "Write it as scheme://user:password@host:port/path.",
    )


def _refused_login(error: BaseException, url: str) -> Said:
    if type(error).__name__ != "AccessRefused":
        return None
    return f"{who(url)} refused the user name or password", "Check both in the URL."


def _vhost(error: BaseException, url: str) -> Said:
    if type(error).__name__ == "NotAllowed":
        return f"{who(url)} refused the virtual host: {error}", "Check the path of the URL."
    if "DB index" in str(error):
        return f"{who(url)} has no such database: {error}", "Check the number in the URL's path."
    return None


def _unknown_host(error: BaseException, url: str) -> Said:
    words = ("Name or service not known", "Temporary failure in name resolution", "nodename nor")
    if not (isinstance(error, socket.gaierror) or any(word in str(error) for word in words)):
        return None
    return f"{who(url)} is on a host that nobody knows", "Check the host name, or the name service."


def _tls(error: BaseException, url: str) -> Said:
    if not isinstance(error, ssl.SSLError):
        return None
    return f"{who(url)} and we do not agree on TLS: {error}", "Check the scheme and certificates."


def _refused(error: BaseException, url: str) -> Said:
    if not (isinstance(error, ConnectionRefusedError) or "Connection refused" in str(error)):
        return None
    return f"{who(url)} refused the connection", "Check host and port, and that the broker runs."


def _timeout(error: BaseException, url: str) -> Said:
    if not isinstance(error, TimeoutError):
        return None
    return f"{who(url)} does not answer in time", "Check host, port and firewall, and its load."


def _closed(error: BaseException, url: str) -> Said:
    words = ("closed by server", "reset by peer", "Broken pipe", "Socket closed", "closed the conn")
    if not any(word in str(error) for word in words):
        return None
    return f"{who(url)} closed the connection", "Check that the broker still runs."


_RECOGNISERS: tuple[Callable[[BaseException, str], Said], ...] = (
    _driver,
    _scheme,
    _refused_login,
    _vhost,
    _unknown_host,
    _tls,
    _refused,
    _closed,
    _timeout,
    _wrong_url,
)
