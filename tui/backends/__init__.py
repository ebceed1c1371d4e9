"""Task results, read from the store that keeps them."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from .. import urls
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
    if _named(url, settings.celery_app) in WHY_NOT:
        return None
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


def _memcached(url: str, app: Any) -> Backend:
    from .memcached import MemcachedBackend

    options = app.conf.cache_backend_options if app is not None else {}
    # Celery's own client, too, takes all that stands behind the scheme for servers.
    servers = urls.alternates(_cache_url(url, app).partition("://")[2].rstrip("/"))
    return MemcachedBackend(servers, _key_prefix(app), options)


def _cache_url(url: str, app: Any) -> str:
    """``memcached://a;b``, of ``cache+memcached://a;b`` or of a setting of its own."""
    if "://" in url:
        return url.partition("+")[2]
    return str(app.conf.cache_backend or "") if app is not None else ""


def _mongodb(url: str, app: Any) -> Backend:
    from .mongodb import MongoBackend

    return MongoBackend(url, app)


def _key_prefix(app: Any) -> str:
    """The prefix that the app gives to all that it stores by key."""
    options = (app.conf.result_backend_transport_options or {}) if app is not None else {}
    return str(options.get("global_keyprefix") or "")


OPENERS: dict[str, Callable[[str, Any], Backend]] = {
    "db": _database,
    "database": _database,
    "file": _files,
    "cache": _memcached,
    "mongodb": _mongodb,
    "django-db": _django,
    "django_celery_results.backends:databasebackend": _django,
    "django_celery_results.backends.databasebackend": _django,
}
"""What a URL's kind opens, from the URL and the app, if there is one."""
EACH_A_REQUEST = "each would be a request of its own, every second"
MAKES = "Celery's client makes {} where there is none, and we write nothing"
WHY_NOT = {
    "disabled": "results are disabled",
    "rpc": "results of rpc:// can only be read by who sent the task",
    "django-cache": "results in Django's cache are pickled, and pickle is never loaded",
    "cache+memory": "results in cache+memory:// lie in the memory of each process",
    "s3": f"results in s3:// are not read: {EACH_A_REQUEST}",
    "gs": f"results in gs:// are not read: {EACH_A_REQUEST}",
    "consul": f"results in consul:// are not read: {EACH_A_REQUEST}",
    "azureblockblob": f"results in azureblockblob:// are not read: {MAKES.format('a container')}",
    "dynamodb": f"results in dynamodb:// are not read: {MAKES.format('a table')}",
    "cosmosdbsql": f"results in cosmosdbsql:// are not read: {MAKES.format('a database')}",
    "couchdb": f"results in couchdb:// are not read: {MAKES.format('a database')}",
}
"""Scheme or name -> one sentence for people; of all others it is said that they are not read."""


def why_not(settings: Settings) -> str:
    """One sentence for people on why ``open_backend`` gives None."""
    url = settings.result_backend
    if not url:
        return "no result backend is named"
    scheme = _named(url, settings.celery_app)
    shown = urls.redact(url)
    unread = f"results in {scheme}:// are not read" if "://" in url else f"{shown} is not read"
    return WHY_NOT.get(scheme, unread)


def _named(url: str, app: Any) -> str:
    """The scheme or name; of a cache also where it is."""
    scheme = scheme_of(url)
    return f"cache+{scheme_of(_cache_url(url, app))}" if scheme == "cache" else scheme
