"""Where to connect: a broker's URL, and the names and options that its Celery uses there."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from .. import urls
from ..errors import BrokerError
from ..settings import Settings
from . import sentinel
from .load import app_errors

if TYPE_CHECKING:
    from kombu.connection import Connection

CONNECT_TIMEOUT_S = 3.0
"""How long a dead host may keep us waiting."""
ANSWER_TIMEOUT_S = 3.0
"""How long a broker that took our connection may be silent when asked something."""
AMQP_HEARTBEAT_S = 10

REDIS = frozenset({"redis", "rediss", sentinel.SCHEME, "valkey", "valkeys"})
AMQP = frozenset({"amqp", "amqps", "pyamqp", "librabbitmq"})


@dataclass(frozen=True, slots=True)
class Site:
    """Where to look: a broker, and the names that its Celery uses there."""

    url: str = field(repr=False)
    """Broker URL, alternates separated by ``;``. Holds the password: never show it."""
    key_prefix: str = ""
    app: Any = field(default=None, repr=False)
    """The user's Celery app, where one was named: it knows TLS and transport options."""
    event_exchange: str = "celeryev"
    event_queue_prefix: str = "celeryev"
    control_exchange: str = "celery"
    serializer: str = "json"
    """Content type in which Celery's own remote control writes to the workers."""

    @property
    def scheme(self) -> str:
        """Transport name in the URL, in small letters."""
        return self.url.partition("://")[0].partition("+")[0].lower()

    def connect(self) -> Connection:
        """A new connection, not yet established; each thread has its own."""
        url, transport = self.url, transport_options(self.scheme, self.key_prefix)
        if self.scheme == sentinel.SCHEME:
            where = sentinel.read(url, self.app_options, BrokerError, "broker")
            url, transport = where.kombu_url(), {**transport, **where.transport_options()}
            transport["sentinel_kwargs"] = {**sentinel_patience(), **where.login}
        options = {
            "connect_timeout": CONNECT_TIMEOUT_S,
            "transport_options": transport,
            "heartbeat": AMQP_HEARTBEAT_S if self.scheme in AMQP else 0,
        }
        if self.app is not None:
            connection: Connection = self.app.connection_for_read(url, **options)
            return connection
        from kombu.connection import Connection

        return Connection(url, **options)

    @property
    def app_options(self) -> dict[str, Any]:
        """The transport options of the user's app."""
        return dict((self.app.conf.broker_transport_options or {}) if self.app is not None else {})

    @property
    def tries(self) -> int:
        """How many alternates are tried in turn: the sentinels are asked together."""
        return 1 if self.scheme == sentinel.SCHEME else self.url.count(";") + 1


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


def sentinel_patience() -> dict[str, Any]:
    """How long a sentinel is waited for; the next one is asked at once, not after six tries."""
    from redis.backoff import NoBackoff
    from redis.retry import Retry

    return {
        "socket_connect_timeout": CONNECT_TIMEOUT_S,
        "socket_timeout": ANSWER_TIMEOUT_S,
        "retry": Retry(NoBackoff(), 0),
    }


def site_of(settings: Settings, app: Any = None) -> Site:
    """Where ``settings`` point to; with an app, what it leaves open is the app's own.

    Raises BrokerError if no broker is named, AppError if the app's configuration is broken.
    """
    if app is None:
        if not settings.broker:
            raise BrokerError("No broker is named", "Use -b URL, -A app or CELERY_BROKER_URL.")
        return Site(settings.broker, settings.key_prefix)
    with app_errors(settings.app or str(app)):
        conf = app.conf
        return Site(
            settings.broker or joined(conf.broker_read_url) or "amqp://guest@localhost//",
            key_prefix(settings, app),
            app,
            conf.event_exchange,
            conf.event_queue_prefix,
            conf.control_exchange,
            conf.task_serializer,
        )


def completed(settings: Settings, app: Any) -> Settings:
    """Settings in which the app's broker, backend and key prefix fill what was not given."""
    with app_errors(settings.app or str(app)):
        return replace(
            settings,
            celery_app=app,
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


def app_secrets(app: Any) -> tuple[str, ...]:
    """Passwords in the app's transport options, such as those of the sentinels."""
    conf = app.conf
    options = (conf.broker_transport_options, conf.result_backend_transport_options)
    return tuple(word for one in options for word in urls.secret_words(one))


def joined(url: Any) -> str | None:
    """A broker URL as one string: Celery also takes a list of alternates."""
    if isinstance(url, (list, tuple)):
        return ";".join(str(part) for part in url)
    return str(url) if url else None
