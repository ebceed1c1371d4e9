"""Where to connect: a broker's URL, and the names and options that its Celery uses there."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from .. import urls
from ..errors import AppError, BrokerError
from ..settings import Settings
from . import sentinel

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
        return 1 if self.scheme == sentinel.SCHEME else len(urls.alternates(self.url))


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
    with _app_errors(settings.app or str(app), secrets_of(settings)):
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
    with _app_errors(settings.app or str(app), secrets_of(settings)):
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


SECRET_SETTINGS = (
    "broker_url", "broker_read_url", "broker_write_url", "broker_password", "broker_use_ssl",
    "broker_transport_options", "result_backend", "result_backend_transport_options",
    "redis_backend_use_ssl", "redis_password", "database_url", "database_engine_options",
    "cache_backend", "cache_backend_options", "mongodb_backend_settings", "security_key_password",
)  # fmt: skip
"""Settings of Celery that may hold passwords, or URLs with such."""


def secrets_of(settings: Settings) -> tuple[str, ...]:
    """All that must not be shown: the URLs, and passwords in the settings of a loaded app."""
    named = (settings.broker, settings.result_backend, settings.management_url)
    app = settings.celery_app
    loading = _secrets_of_any_app() if app is None and settings.app else ()
    words = app_secrets(app) if app is not None else loading
    return (*(url for url in named if url), *words)


def app_secrets(app: Any) -> tuple[str, ...]:
    """URLs and passwords in the app's configuration, such as those of its sentinels."""
    # The user's code may raise anything; a configuration that cannot be read holds nothing.
    with contextlib.suppress(Exception, SystemExit):
        return _app_secrets(app.conf)
    return ()


def _secrets_of_any_app() -> tuple[str, ...]:
    """While an app is loaded: it is there before its module has run to its end."""
    state: Any = sys.modules.get("celery._state")
    apps = list(state._get_active_apps()) if state is not None else []
    return tuple(word for app in apps for word in app_secrets(app))


def _app_secrets(conf: Any) -> tuple[str, ...]:
    return urls.secret_words({name: getattr(conf, name, None) for name in SECRET_SETTINGS})


def joined(url: Any) -> str | None:
    """A broker URL as one string: Celery also takes a list of alternates."""
    if isinstance(url, (list, tuple)):
        return ";".join(str(part) for part in url)
    return str(url) if url else None


def load_app(name: str, secrets: tuple[str, ...] = ()) -> Any:
    """The Celery app called ``name`` as ``celery -A`` would find it.

    Runs the user's code. Raises AppError for whatever goes wrong in there, without ``secrets``.
    """
    with _app_errors(name, secrets):
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
def _app_errors(name: str, secrets: tuple[str, ...] = ()) -> Iterator[None]:
    shown = urls.in_text(name)
    try:
        yield
    except (AppError, BrokerError):
        raise
    except ModuleNotFoundError as error:
        raise AppError(
            f"Cannot load the Celery app {shown!r}: {_said(str(error), secrets)}",
            "Run in the folder from which celery -A works, and in its virtual environment.",
        ) from error
    except (Exception, SystemExit) as error:  # the user's code may raise anything
        text = _said(f"{type(error).__name__}: {error}", secrets)
        raise AppError(
            f"Cannot load the Celery app {shown!r}: {text}",
            f"Try `celery -A {shown} report`: it meets the same error and shows where.",
        ) from error


def _said(text: str, secrets: tuple[str, ...]) -> str:
    return urls.clean(text, *secrets, *_secrets_of_any_app())
