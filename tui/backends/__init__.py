"""Task results, read from the store that keeps them."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ..links.redis_link import is_redis, scheme_of, tls_of

if TYPE_CHECKING:
    from ..settings import Settings
    from .base import Backend


def open_backend(settings: Settings) -> Backend | None:
    """A connected result backend for the calling thread; None when its kind is not read.

    Raises BackendError when it cannot be reached. What a kind needs is imported only here.
    """
    url = settings.result_backend or ""
    if is_redis(url):
        return _redis(url, settings)
    opener = OPENERS.get(kind_of(url))
    return opener(url, settings.celery_app) if opener is not None else None


def kind_of(url: str) -> str:
    """What keeps the results: ``db`` of ``db+sqlite:///x``, ``file`` of ``file:///x``."""
    return scheme_of(url).partition("+")[0]


def _redis(url: str, settings: Settings) -> Backend:
    from .redis import RedisBackend

    app = settings.celery_app
    if app is None:
        return RedisBackend(url, settings.key_prefix)
    transport = app.conf.result_backend_transport_options or {}
    prefix, tls = transport.get("global_keyprefix", ""), tls_of(app.conf.redis_backend_use_ssl)
    return RedisBackend(url, prefix, tls, transport)


def _database(url: str, app: Any) -> Backend:
    from .database import DatabaseBackend, named_by

    if "://" not in url:  # result_backend = "database": the URL stands in a setting of its own
        url = f"db+{app.conf.database_url or ''}" if app is not None else url
    return DatabaseBackend(url, named_by(app))


def _django(url: str, app: Any) -> Backend:
    from .django import DjangoBackend

    return DjangoBackend(url, app is not None)


def _files(url: str, app: Any) -> Backend:
    from .files import FilesBackend

    return FilesBackend(url, _key_prefix(app))


def _key_prefix(app: Any) -> str:
    """The prefix that the app gives to all that it stores by key."""
    options = (app.conf.result_backend_transport_options or {}) if app is not None else {}
    return str(options.get("global_keyprefix") or "")


OPENERS: dict[str, Callable[[str, Any], Backend]] = {
    "db": _database,
    "database": _database,
    "file": _files,
    "django-db": _django,
    "django_celery_results.backends:databasebackend": _django,
    "django_celery_results.backends.databasebackend": _django,
}
"""What a URL's kind opens, from the URL and the app, if there is one."""


def why_not(settings: Settings) -> str:
    """One sentence for people on why ``open_backend`` gives None."""
    if not settings.result_backend:
        return "no result backend is named"
    scheme = scheme_of(settings.result_backend)
    if scheme.startswith("disabled"):
        return "results are disabled"
    if scheme == "rpc":
        return "results of rpc:// can only be read by who sent the task"
    if scheme == "django-cache":
        return "results in Django's cache are pickled, and pickle is never loaded"
    return f"results in {scheme}:// are not read yet"
