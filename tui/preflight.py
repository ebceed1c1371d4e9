"""What can be told to be wrong before the first frame: the app, the broker's URL, its driver.

Nothing heavy is imported for it unless an app was named.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from dataclasses import replace
from importlib.util import find_spec
from typing import Any
from urllib.parse import parse_qs, urlsplit

from . import probe, probe_amqp, urls
from .errors import AppError, BrokerError, TuiError
from .links import chatter, sentinel
from .links.errors import broker_error, foreign, who
from .links.load import load_app, load_config, told
from .links.site import AMQP, Site, completed
from .settings import Settings

PATIENCE_S = 3.0
"""How long a host may take that answers nothing at all: a lost packet alone costs one second."""
EXAMPLES = "Use a URL such as redis://host:6379/0 or amqp://user:password@host:5672//."

DRIVERS = {
    "amqp": "amqp", "amqps": "amqp", "pyamqp": "amqp", "librabbitmq": "librabbitmq",
    "redis": "redis", "rediss": "redis", "sentinel": "redis", "sqs": "boto3",
    "mongodb": "pymongo", "sqla": "sqlalchemy", "sqlalchemy": "sqlalchemy", "zookeeper": "kazoo",
    "consul": "consul", "etcd": "etcd", "pyro": "Pyro4", "qpid": "qpid",
    "slmq": "softlayer_messaging",
    "confluentkafka": "confluent_kafka", "kafka": "confluent_kafka",
    "azurestoragequeues": "azure.storage.queue", "azureservicebus": "azure.servicebus",
    "gcpubsub": "google.cloud.pubsub_v1", "pgmq": "pgmq", "filesystem": "", "memory": "",
}  # fmt: skip
"""Every transport of kombu, in small letters, and the module it imports; empty: none."""


def with_app(settings: Settings) -> Settings:
    """Settings completed from the app named or loaded in them, or the module that configures it.

    Runs the user's code. Raises AppError.
    """
    config = settings.config_module
    if settings.celery_app is None and not settings.app and not config:
        return settings
    chatter.quieten()
    app = settings.celery_app
    if app is None:
        app = load_app(settings.app) if settings.app else load_config(config or "")
    else:
        _set_up_django(app)
    chatter.quieten()  # the project's logging may have been set up just now
    return completed(replace(settings, celery_app=app), app)


def _set_up_django(app: Any) -> None:
    """`celery -A proj` finds a Django project's app and leaves Django itself asleep."""
    if not os.environ.get("DJANGO_SETTINGS_MODULE"):
        return
    try:
        app.loader.import_default_modules()
    except (Exception, SystemExit) as error:  # the user's code may raise anything
        raise AppError(
            f"Cannot load the Django project: {told(error)}",
            "Try `python manage.py check`: it meets the same error and shows where.",
        ) from error


def check_url(url: str) -> None:
    """Raise BrokerError for a URL that cannot be used, or whose driver is missing."""
    if not url.partition("://")[0] or "://" not in url.partition(";")[0]:
        raise BrokerError(f"{urls.redact(url)!r} is no broker URL", EXAMPLES)
    for part in probe.alternates(url):
        transport = part.partition("://")[0].partition("+")[0]
        known = transport.lower() in DRIVERS
        if not known and "." not in transport:
            raise broker_error(KeyError(f"No such transport: {transport}"), part)
        _check_parts(part)
        if known:
            _check_driver(DRIVERS[transport.lower()], part)


def _check_parts(url: str) -> None:
    try:
        parts = urlsplit(url)
        assert parts.port is None or parts.port >= 0  # noqa: S101  reading it is what may fail
    except ValueError as error:
        raise BrokerError(
            f"{urls.redact(url)} is malformed: {_without_values(error)}",
            "Write special characters of a password as %2F (/), %23 (#), %40 (@).",
        ) from None
    if "password" in parse_qs(parts.query):
        raise BrokerError(
            f"Celery takes no password after the ? of {urls.redact(url)}",
            "Write it before the host: redis://:password@host:6379/0.",
        )


def _without_values(error: ValueError) -> str:
    """urllib quotes what it could not read, which may be half a password."""
    return "its port is no number" if "Port" in str(error) else "a bracket is missing"


def _check_driver(module: str, url: str) -> None:
    parent = module.partition(".")[0]
    if not module or (find_spec(parent) is not None and find_spec(module) is not None):
        return
    raise broker_error(ModuleNotFoundError(f"No module named {module!r}"), url)


def check_broker(url: str, app: Any = None) -> None:
    """Raise BrokerError unless the broker at the URL, or an alternate of it, answers.

    A host that is merely slow gets 3 s.
    """
    check_url(url)
    if url.startswith(f"{sentinel.SCHEME}://"):
        options = app.conf.broker_transport_options if app is not None else None
        sentinel.read(url, options or {}, BrokerError, "broker")
    failures: list[BrokerError] = []
    for part in probe.alternates(url):
        failure = _failure(part, app)
        if failure is None:
            return
        failures.append(failure)
    if len(failures) > 1:
        raise BrokerError(f"None of {len(failures)} brokers can be used: {failures[0].title}",
                          failures[0].hint)  # fmt: skip
    raise failures[0]


def check_management(url: str, management_url: str | None) -> None:
    """Raise SettingsError for a management API of RabbitMQ that says no, or is none."""
    if not management_url or probe.address(probe.alternates(url)[0]).scheme not in AMQP:
        return
    from .links import management

    first = probe.alternates(url)[0]
    where = probe.address(first)
    login = where.user or "guest", where.password or "guest"
    management.check(management_url, probe_amqp.vhost_of(first), login)


def _failure(url: str, app: Any) -> BrokerError | None:
    """What is wrong with one alternate; None: it answers, or cannot be asked this way."""
    if probe.address(url).scheme not in probe.PORTS:
        return None
    own_tls = app is not None and bool(app.conf.broker_use_ssl)
    amqp = probe.address(url).scheme in AMQP
    if amqp and (own_tls or probe.address(url).scheme == "amqps"):
        return _driven(url, app)
    try:
        if amqp:
            probe_amqp.enter(url, PATIENCE_S, login=_plain_login(app))
            return None
        if own_tls:
            url = url.replace("redis://", "rediss://", 1)
        probe.reach(url, PATIENCE_S, login=not _delegated(app))
    except probe.Foreign as error:
        return foreign(url, str(error) if amqp else "")
    except probe.Refused as error:
        if amqp:
            return broker_error(error, url)
        return _refusal(error, url)
    except OSError as error:
        return broker_error(error, url)
    return None


def _driven(url: str, app: Any) -> BrokerError | None:
    """The same by the driver itself, which knows the app's certificates; it takes longer."""
    from .links.kombu_link import established, release

    try:
        release(established(Site(url, app=app)))
    except BrokerError as error:
        return error
    return None


def _plain_login(app: Any) -> bool:
    """Whether the URL's user and password are the login, and not a certificate of the app."""
    method = app.conf.broker_login_method if app is not None else None
    return method in (None, "PLAIN", "AMQPLAIN")


def _delegated(app: Any) -> bool:
    """The app's options, not the URL, say how to log in."""
    return app is not None and "credential_provider" in (app.conf.broker_transport_options or {})


def _refusal(error: probe.Refused, url: str) -> BrokerError:
    """In the same words as later, when redis itself meets it."""
    from redis import ResponseError

    text = str(error)
    if "without any password configured" in text:
        return BrokerError(f"{who(url)} has no password", "Leave it out of the URL.")
    if "invalid password" in text:  # Redis before 6
        text = f"WRONGPASS {text}"
    return broker_error(ResponseError(text), url)


def begin(settings: Settings) -> Callable[[], None]:
    """Start to check the broker in a thread; the call returned waits and raises what it found."""
    if settings.broker is None:
        return lambda: None
    url, found = settings.broker, list[TuiError]()

    def check() -> None:
        try:
            check_broker(url, settings.celery_app)
            check_management(url, settings.management_url)
        except TuiError as error:
            found.append(error)

    thread = threading.Thread(target=check, name="preflight", daemon=True)
    thread.start()

    def wait() -> None:
        thread.join()
        if found:
            raise found[0]

    return wait


def choose(settings: Settings, kind: str, value: str) -> Settings:
    """Settings for what was chosen on the start screen, once it proved usable.

    ``kind`` is ``url``, ``app`` or ``demo``. Raises TuiError. Takes its time: run it in a thread.
    """
    if kind == "demo":
        from .demo.broker import server_program

        server_program()
        return replace(settings, demo=True)
    if kind == "app":
        settings = with_app(replace(settings, app=value))
    else:
        settings = replace(settings, broker=value)
    check_broker(settings.broker or "", settings.celery_app)
    return settings
