"""Task results, read from the store that keeps them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..links.redis_link import is_redis, scheme_of, tls_of

if TYPE_CHECKING:
    from ..settings import Settings
    from .base import Backend


def open_backend(settings: Settings) -> Backend | None:
    """A connected result backend for the calling thread; None when its kind is not read.

    Raises BackendError when it cannot be reached.
    """
    if not settings.result_backend or not is_redis(settings.result_backend):
        return None
    from .redis import RedisBackend

    app = settings.celery_app
    if app is None:
        return RedisBackend(settings.result_backend, settings.key_prefix)
    transport = app.conf.result_backend_transport_options or {}
    prefix, tls = transport.get("global_keyprefix", ""), tls_of(app.conf.redis_backend_use_ssl)
    return RedisBackend(settings.result_backend, prefix, tls, transport)


def why_not(settings: Settings) -> str:
    """One sentence for people on why ``open_backend`` gives None."""
    if not settings.result_backend:
        return "no result backend is named"
    scheme = scheme_of(settings.result_backend)
    if scheme.startswith("disabled"):
        return "results are disabled"
    if scheme == "rpc":
        return "results of rpc:// can only be read by who sent the task"
    return f"results in {scheme}:// are not read yet"
