"""Results in MongoDB, by id: one ``find`` for many tasks, through the client that Celery uses.

Where they lie is read by Celery's own backend class, from the URL and ``mongodb_backend_settings``.
Its ``collection`` is left alone, because that makes an index, and its decoder, because that loads
what the app accepts.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, NoReturn

from .. import urls
from ..errors import BackendError
from ..links.redis_link import NotPermitted
from ..model.observations import ResultMeta
from .base import Fetched, Unlisted
from .meta import of_row
from .naming import storable

PATIENCE_MS = 3_000
"""How long a server may take to be found, to let us in, or to answer."""
OPTIONS = {
    "serverSelectionTimeoutMS": PATIENCE_MS, "connectTimeoutMS": PATIENCE_MS,
    "socketTimeoutMS": PATIENCE_MS, "retryReads": False, "maxPoolSize": 1,
}  # fmt: skip
LONGEST_ID = 1_024


class MongoBackend:
    """One client of one database; it belongs to the thread that made it."""

    kind = "mongodb"

    def __init__(self, url: str, app: Any = None) -> None:
        self._url = url
        try:
            import pymongo  # noqa: F401
        except ImportError:
            raise BackendError(
                f"The result backend {urls.redact(url)} needs pymongo, which is not installed",
                "Install it: pip install pymongo",
            ) from None
        self._native = app is not None and app.conf.result_serializer == "bson"
        """Whether results are values of MongoDB, and not text in a serializer's hand."""
        with self._told():
            found = _as_celery_reads_it(url, app)
            self._client: Any = found._get_connection()
            self._tasks = found.database[found.taskmeta_collection]
        try:
            self.ping()
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Let the connection go."""
        self._client.close()

    def ping(self) -> float:
        """Milliseconds of one round trip, as somebody who may read the collection."""
        began = time.perf_counter()
        with self._told():
            self._tasks.find_one({"_id": ""})
        return (time.perf_counter() - began) * 1000

    def fetch(self, ids: Sequence[str]) -> Fetched:
        """What is stored of these tasks, by their primary key."""
        asked = [task_id for task_id in ids if storable(task_id, LONGEST_ID)]
        with self._told():
            found = list(self._tasks.find({"_id": {"$in": asked}})) if asked else []
        metas = tuple(self._meta(document) for document in found)
        there = {meta.id for meta in metas}
        return Fetched(metas, tuple(task_id for task_id in ids if task_id not in there))

    def recent(self, most: int) -> NoReturn:
        """There is no such search."""
        raise Unlisted("results in MongoDB are read by id, and not listed")

    def _meta(self, document: Mapping[str, Any]) -> ResultMeta:
        plain = {k: v for k, v in document.items() if self._native or k != "result"}
        return of_row(str(document["_id"]), document, plain)

    @contextmanager
    def _told(self) -> Iterator[None]:
        from celery.exceptions import ImproperlyConfigured
        from pymongo.errors import PyMongoError

        try:
            yield
        except (PyMongoError, ImproperlyConfigured, OSError, ValueError, TypeError) as error:
            raise in_words(error, self._url) from None


def _as_celery_reads_it(url: str, app: Any) -> Any:
    from celery import Celery
    from celery.backends.mongodb import MongoBackend as Celerys

    bare = Celery(set_as_current=False)
    settings = dict((app.conf.mongodb_backend_settings if app is not None else None) or {})
    bare.conf.mongodb_backend_settings = settings
    found = Celerys(app=bare, url=url if "://" in url else None)
    found.options |= OPTIONS
    return found


def in_words(error: Exception, url: str) -> BackendError:
    """The error as one sentence and what to do next; no password in either."""
    who, code = f"The result backend {urls.redact(url)}", getattr(error, "code", None)
    said = urls.clean(str(error), url).partition(" (configured timeouts")[0].partition(", full")[0]
    said = said.partition("\n")[0][:300].rstrip(".")
    if code == 18 or "uthentication failed" in said:
        return BackendError(f"{who} refused the user name or password", "Check both in the URL.")
    if code == 13 or "requires authentication" in said:
        refused = NotPermitted(f"{who} does not permit this user: {said}", "Ask for read on it.")
        refused.said = said
        return refused
    for words, title, hint in EXPLAINED:
        if any(word in said for word in words):
            return BackendError(f"{who} {title}", hint)
    return BackendError(f"{who} cannot be read: {said}", "Check its URL and its log.")


EXPLAINED = (
    (("refused",), "refused the connection", "Check host and port, and that MongoDB runs."),
    (
        ("Name or service not known", "name resolution", "nodename"),
        "is on a host that nobody knows",
        "Check the host name, or the name service.",
    ),
    (
        (
            "timed out",
            "operation cancelled",
            "No servers found",
            "No replica set members",
            "No primary",
        ),
        "does not answer in time",
        "Check host, port and firewall, and its load.",
    ),
    (("connection closed",), "closed the connection", "Check that it still runs."),
)
"""Words in what pymongo says -> our sentence, and what to do."""
