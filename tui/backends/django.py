"""django-celery-results: the project's own models, read through the project's own connection.

Django keeps a connection for each thread, so this one is the source's. Arguments are stored as
their reprs only, so none of them can be sent again unseen.
"""

from __future__ import annotations

import base64
import binascii
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from .. import urls
from ..errors import BackendError
from ..model.observations import ResultMeta
from . import database_link
from .base import Fetched
from .database_rows import RecentRows
from .hang_up import HangUp
from .meta import of_row, value_of
from .naming import storable

LONGEST_ID = 255
COLUMNS = (
    "task_id", "status", "result", "date_done", "traceback", "meta", "task_name", "task_args",
    "task_kwargs", "worker", "content_encoding",
)  # fmt: skip

NOT_OURS = ("pool", "transaction_mode")
"""Options of the project's connections that a reader has no use for: SQLite would be locked."""
OURS: dict[str, dict[str, Any]] = {
    "postgresql": {"connect_timeout": database_link.PATIENCE_S},
    "mysql": dict.fromkeys(
        ("connect_timeout", "read_timeout", "write_timeout"), database_link.PATIENCE_S
    ),
    "sqlite": {"timeout": database_link.PATIENCE_S},
}
"""Options that keep nobody waiting, by Django's name of the database."""


class DjangoBackend:
    """The results of a Django project that was set up before; it belongs to one thread."""

    kind = "django-db"

    def __init__(self, url: str, has_app: bool) -> None:
        self._url = url
        self._model: Any = _model(url, has_app)
        from django.db import router

        self._watch = HangUp()
        self._alias: str = router.db_for_read(self._model)
        self._connection = self._own_connection()
        self.ping()

    def close(self) -> None:
        """Let the thread's connection go."""
        self._connection.close()

    def ping(self) -> float:
        """Milliseconds of one round trip, in which the table was there."""
        began = time.perf_counter()
        with self._question() as rows:
            rows.filter(pk=0).exists()
        return (time.perf_counter() - began) * 1000

    def fetch(self, ids: Sequence[str]) -> Fetched:
        """What is stored of these tasks, by the unique index on their ids."""
        asked = [task_id for task_id in ids if storable(task_id, LONGEST_ID)]
        metas = self._read(task_id__in=asked) if asked else ()
        found = {meta.id for meta in metas}
        return Fetched(metas, tuple(task_id for task_id in ids if task_id not in found))

    def recent(self, most: int) -> RecentRows:
        """A search for the newest results, at most so many."""
        return RecentRows(self, most)

    def newest(self, most: int) -> list[tuple[int, int]]:
        """Primary key and size of the newest rows: a walk along the index on date_done."""
        from django.db.models.functions import Coalesce, Length

        with self._question() as rows:
            found = rows.order_by("-date_done").values_list("pk", Coalesce(Length("result"), 0))
            return list(found[:most])

    def read_rows(self, keys: Sequence[int]) -> tuple[ResultMeta, ...]:
        """The metas of these rows, by primary key."""
        return self._read(pk__in=keys)

    def _read(self, **which: Any) -> tuple[ResultMeta, ...]:
        with self._question() as rows:
            found = list(rows.filter(**which).order_by().values(*COLUMNS))
        return tuple(_meta_of(row) for row in found)

    def _own_connection(self) -> Any:
        """The thread's connection by the project's settings and a few of ours.

        Other threads of this process keep theirs.
        """
        from django.core.exceptions import ImproperlyConfigured
        from django.db import connections

        try:
            own = connections[self._alias].copy()
        except ImproperlyConfigured as error:  # as where its driver is missing
            raise _misconfigured(self._url, error) from None
        own.settings_dict["CONN_MAX_AGE"] = None  # else each question would connect anew
        options = own.settings_dict["OPTIONS"]
        for name in NOT_OURS:
            options.pop(name, None)
        options |= OURS.get(own.vendor, {})
        connect = own.get_new_connection

        def watched(params: Any) -> Any:
            """Django greets a new connection before we get hold of it, and replaces a lost one."""
            self._watch.in_time()
            connection = connect(params)
            self._watch.over(connection)
            return connection

        own.get_new_connection = watched
        connections[self._alias] = own
        return own

    @contextmanager
    def _question(self) -> Iterator[Any]:
        """All rows, for one question; its transaction ends with the block."""
        from django.core.exceptions import ImproperlyConfigured
        from django.db import Error

        try:
            with HangUp() as self._watch:
                self._watch.over(self._connection.connection)
                with self._transaction():
                    yield self._model._default_manager.using(self._alias).all()
        except ImproperlyConfigured as error:
            raise _misconfigured(self._url, error) from None
        except (Error, OSError, ValueError) as error:
            self._connection.close()
            raise self._in_words(self._watch.reason(error)) from None

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        from django.db import transaction

        self._connection.close_if_unusable_or_obsolete()
        with transaction.atomic(using=self._alias):
            first = database_link.FIRST.get(self._connection.vendor, ())
            with self._connection.cursor() as cursor:
                for statement in first:
                    cursor.execute(statement)
            yield

    def _in_words(self, error: Exception) -> BackendError:
        secrets = urls.secret_words(self._connection.settings_dict)
        return database_link.in_words(error, self._url, "Run: python manage.py migrate", secrets)


def _model(url: str, has_app: bool) -> Any:
    who = f"The result backend {url}"
    if not has_app:
        raise BackendError(
            f"{who} lies in the database of a Django project",
            "Start with -A PROJECT, in its folder.",
        )
    try:
        from django.apps import apps
        from django.core.exceptions import AppRegistryNotReady, ImproperlyConfigured
    except ImportError:
        raise BackendError(
            f"{who} needs Django, which is not installed here",
            "Install celery-tui into the project's own virtual environment.",
        ) from None
    try:
        return apps.get_model("django_celery_results", "TaskResult")
    except LookupError:
        raise BackendError(
            f"{who} needs django_celery_results among INSTALLED_APPS", "Add it and migrate."
        ) from None
    except (AppRegistryNotReady, ImproperlyConfigured) as error:
        raise BackendError(
            f"{who} needs Django, which is not set up: {urls.clean(str(error))}",
            "Set DJANGO_SETTINGS_MODULE, as the project's celery.py usually does.",
        ) from None


def _misconfigured(url: str, error: Exception) -> BackendError:
    said = urls.clean(str(error).strip().partition("\n")[0]).rstrip(".")
    return BackendError(
        f"The result backend {url} cannot open its database: {said}",
        "Install celery-tui into the project's own virtual environment, and check DATABASES.",
    )


def _meta_of(row: Mapping[str, Any]) -> ResultMeta:
    opened = {
        name: _serialized(row[name], row["content_encoding"])
        for name in ("result", "task_args", "task_kwargs", "meta")
    }
    about = value_of(opened["meta"]) if opened["meta"] else None
    fields = {
        "status": row["status"],
        "result": opened["result"],
        "traceback": row["traceback"],
        "name": row["task_name"],
        "worker": row["worker"],
        "args": opened["task_args"],
        "kwargs": opened["task_kwargs"],
        "date_done": row["date_done"],
    }
    children = about.get("children") if isinstance(about, dict) else None
    return of_row(row["task_id"], fields, {"children": children})


def _serialized(text: str | None, encoding: str) -> str | bytes | None:
    """What Celery's serializer wrote; in a text column binary is base64."""
    if text is None or encoding != "binary":
        return text
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return text
