"""Task results, read from the store that keeps them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..redis_link import is_redis, scheme_of

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

    return RedisBackend(settings.result_backend, settings.key_prefix)


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
