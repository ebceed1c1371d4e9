"""The SQLAlchemy result backend: one SELECT for many tasks, the newest by an index.

Celery writes the result, args, kwargs and children with its serializer (before 5.7 the result
always as a pickle) into columns; which columns there are depends on the version and on
``result_extended``, so the table itself is asked.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..model.observations import ResultMeta
from .base import Fetched
from .database_link import Database
from .database_rows import RecentRows
from .meta import of_row
from .naming import storable

if TYPE_CHECKING:
    from sqlalchemy import Table

TABLE = "celery_taskmeta"
LONGEST_ID = 155
"""Characters of a task id that Celery's column holds."""
COLUMNS = (
    "task_id", "status", "result", "date_done", "traceback", "children",
    "name", "args", "kwargs", "worker", "retries", "queue",
)  # fmt: skip
NEEDED = ("id", "task_id", "status")
SIZED = ("result", "args", "kwargs")


@dataclass(frozen=True, slots=True)
class Naming:
    """Where in the database the results lie, and how Celery itself connects to it."""

    table: str = TABLE
    schema: str | None = None
    engine_options: tuple[tuple[str, Any], ...] = ()


def named_by(app: Any) -> Naming:
    """What the app's configuration says of it."""
    if app is None:
        return Naming()
    conf = app.conf
    names, schemas = conf.database_table_names or {}, conf.database_table_schemas or {}
    given = (conf.database_engine_options or {}).items()
    # Of a pool we use nothing: one connection is all we open.
    kept = tuple((k, v) for k, v in given if k in ("connect_args", "execution_options"))
    return Naming(names.get("task") or TABLE, schemas.get("task"), kept)


class DatabaseBackend:
    """One connection to one database; it belongs to the thread that made it."""

    kind = "db"

    def __init__(self, url: str, naming: Naming = Naming()) -> None:
        self._database = Database(url, dict(naming.engine_options))
        try:
            self._table, self._by = self._looked_up(naming)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Let the connection go."""
        self._database.close()

    def ping(self) -> float:
        """Milliseconds of one round trip."""
        began = time.perf_counter()
        with self._database.question() as connection:
            connection.exec_driver_sql("SELECT 1").fetchone()
        return (time.perf_counter() - began) * 1000

    def fetch(self, ids: Sequence[str]) -> Fetched:
        """What is stored of these tasks, by the unique index on their ids."""
        asked = [task_id for task_id in ids if storable(task_id, LONGEST_ID)]
        metas = self.read(self._table.c.task_id, asked) if asked else ()
        found = {meta.id for meta in metas}
        return Fetched(metas, tuple(task_id for task_id in ids if task_id not in found))

    def recent(self, most: int) -> RecentRows:
        """A search for the newest results, at most so many."""
        return RecentRows(self, most)

    def read(self, column: Any, values: Sequence[Any]) -> tuple[ResultMeta, ...]:
        """The metas of the rows whose indexed column has one of these values."""
        from sqlalchemy import select

        columns = [self._table.c[name] for name in COLUMNS if name in self._table.c]
        with self._database.question() as connection:
            rows = connection.execute(select(*columns).where(column.in_(values))).mappings().all()
        return tuple(of_row(row["task_id"], dict(row)) for row in rows if row["task_id"])

    def newest(self, most: int) -> list[tuple[int, int]]:
        """Primary key and size in bytes of the newest rows: a walk along an index, no sort."""
        from sqlalchemy import func, select

        table = self._table
        sizes = [func.coalesce(func.length(table.c[name]), 0) for name in SIZED if name in table.c]
        size: Any = sum(sizes[1:], sizes[0])
        query = select(table.c.id, size).order_by(table.c[self._by].desc()).limit(most)
        if self._by == "date_done":
            query = query.where(table.c.date_done.is_not(None))
        with self._database.question() as connection:
            return [(row[0], row[1]) for row in connection.execute(query)]

    def read_rows(self, keys: Sequence[int]) -> tuple[ResultMeta, ...]:
        """The metas of these rows, by primary key."""
        return self.read(self._table.c.id, keys)

    def _looked_up(self, naming: Naming) -> tuple[Table, str]:
        """The table as it is, and the indexed column that tells which rows are the newest.

        Tables of former releases have no index on date_done; rows are numbered as tasks begin.
        """
        from sqlalchemy import MetaData, Table, inspect

        with self._database.question() as connection:
            table = Table(
                naming.table,
                MetaData(),
                schema=naming.schema,
                autoload_with=connection,
                resolve_fks=False,
            )
            indexes = inspect(connection).get_indexes(naming.table, naming.schema)
        for column in NEEDED:
            if column not in table.c:
                raise self._database.without(naming.table, column)
        dated = any(index["column_names"][:1] == ["date_done"] for index in indexes)
        return table, "date_done" if dated else "id"
