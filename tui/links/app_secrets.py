"""What must not be shown of the settings, of an app that is loaded, and of one that is loading."""

from __future__ import annotations

import contextlib
import sys
from typing import Any

from .. import urls
from ..settings import Settings

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
    loading = secrets_of_any_app() if app is None and settings.app else ()
    words = app_secrets(app) if app is not None else loading
    return (*(url for url in named if url), *words)


def app_secrets(app: Any) -> tuple[str, ...]:
    """URLs and passwords in the app's configuration, such as those of its sentinels."""
    # The user's code may raise anything; a configuration that cannot be read holds nothing.
    with contextlib.suppress(Exception, SystemExit):
        return _app_secrets(app.conf)
    return ()


def secrets_of_any_app() -> tuple[str, ...]:
    """While an app is loaded: it is there before its module has run to its end."""
    state: Any = sys.modules.get("celery._state")
    apps = list(state._get_active_apps()) if state is not None else []
    return tuple(word for app in apps for word in app_secrets(app))


def _app_secrets(conf: Any) -> tuple[str, ...]:
    return urls.secret_words({name: getattr(conf, name, None) for name in SECRET_SETTINGS})
