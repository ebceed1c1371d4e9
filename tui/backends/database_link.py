"""One read-only connection to a SQL database, and its errors in words for people."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from .. import urls
from ..errors import BackendError
from ..links.redis_link import NotPermitted
from .hang_up import HangUp

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine
    from sqlalchemy.engine import URL

PATIENCE_S = 3
"""How long a server may take to let us in, or to answer."""
READ_ONLY = "SET TRANSACTION READ ONLY"
PATIENCE = f"SET LOCAL statement_timeout = '{PATIENCE_S}s'"
"""For PostgreSQL. Of this transaction only: behind a pooler the session is not ours."""
FIRST = {
    "postgresql": (READ_ONLY, PATIENCE),
    "mysql": (READ_ONLY,),
    "mariadb": (READ_ONLY,),
}
"""What a transaction begins with, by SQLAlchemy's name of the database."""
DRIVERS = {
    "psycopg": "psycopg[binary]", "psycopg2": "psycopg2-binary", "MySQLdb": "mysqlclient",
    "pymysql": "PyMySQL", "oracledb": "oracledb", "pyodbc": "pyodbc",
}  # fmt: skip
"""Module of a driver -> the package that holds it."""
_RELATION = re.compile(
    r"""relation "([^"]+)" does not exist|no such table: (\S+)|Table '(\S+)' doesn't exist"""
)
_COLUMN = re.compile(r"no such column: (\S+)|column (\S+) does not exist|Unknown column '([^']+)'")


def engine_for(url: str, options: dict[str, Any]) -> Engine:
    """An engine that opens one connection, at its first use. Raises BackendError."""
    who = f"The result backend {urls.redact(url)}"
    try:
        import sqlalchemy
        from sqlalchemy.pool import QueuePool
    except ImportError:
        raise BackendError(
            f"{who} is a database and the package sqlalchemy is missing",
            "Install it: pip install 'celery-tui[database]'",
        ) from None
    try:
        parsed = sqlalchemy.make_url(url.partition("+")[2])
        where, connect = _where(parsed, who)
        options = {**options, "connect_args": {**connect, **options.get("connect_args", {})}}
        return sqlalchemy.create_engine(
            where, poolclass=QueuePool, pool_size=1, max_overflow=0, **options
        )
    except ModuleNotFoundError as error:
        raise _no_driver(error, who) from None
    except (sqlalchemy.exc.SQLAlchemyError, ValueError) as error:
        raise BackendError(
            f"{who} cannot be read: {_said(error, url)}",
            "Write it as db+postgresql://user:password@host/database or db+sqlite:///file.",
        ) from None


def _where(url: URL, who: str) -> tuple[URL, dict[str, Any]]:
    """The URL to open and the driver's options: nothing is written, nobody waits for ever."""
    dialect = url.get_backend_name()
    if url.get_driver_name() == "psycopg":
        # A statement that psycopg prepares by itself is unknown behind a pooler.
        return url, {"connect_timeout": PATIENCE_S, "prepare_threshold": None}
    if url.get_driver_name() in ("pymysql", "mysqldb"):
        # Greetings, too, are read before we can hang up.
        patience = dict.fromkeys(("connect_timeout", "read_timeout", "write_timeout"), PATIENCE_S)
        return url, patience
    if dialect in ("postgresql", "mysql", "mariadb"):
        return url, {"connect_timeout": PATIENCE_S}
    file = url.database or ""
    if dialect != "sqlite" or file in ("", ":memory:") or file.startswith("file:"):
        return url, {}
    path = Path(file).absolute()
    if not path.is_file():
        # SQLite would make an empty database of a mistyped name.
        raise BackendError(
            f"{who} has no file {path}", "Start in the folder of the workers, or name it in full."
        )
    query = {**url.query, "mode": "ro", "uri": "true"}
    return url.set(database=f"file:{quote(str(path))}", query=query), {"timeout": PATIENCE_S}


def _no_driver(error: ModuleNotFoundError, who: str) -> BackendError:
    package = DRIVERS.get(error.name or "", error.name or "it")
    return BackendError(
        f"{who} needs the driver {error.name}, which is not installed",
        f"Install it: pip install '{package}'",
    )


class Database:
    """One connection to one database, opened at its first use; it belongs to one thread."""

    def __init__(self, url: str, options: dict[str, Any]) -> None:
        self.url = url
        self._secrets = urls.secret_words(options)
        self.engine = engine_for(url, options)
        self._watch = HangUp()
        from sqlalchemy import event

        event.listen(self.engine, "do_connect", self._connect)

    def close(self) -> None:
        """Let the connection go."""
        self.engine.dispose()

    def without(self, table: str, column: str) -> BackendError:
        """The error of a table that is none of Celery's."""
        return BackendError(
            f"The result backend {urls.redact(self.url)} has a table {table}"
            f" without the column {column}",
            "Another table is named with -A and database_table_names.",
        )

    def _connect(self, dialect: Any, _record: Any, args: Any, options: Any) -> Any:
        """A driver's connection that is watched from the first: SQLAlchemy greets it unasked."""
        connection = dialect.connect(*args, **options)
        self._watch.over(connection)
        return connection

    @contextmanager
    def question(self) -> Iterator[Connection]:
        """The connection for one question; its transaction reads only, and ends with the block.

        Raises BackendError in words and without a password.
        """
        from sqlalchemy.exc import SQLAlchemyError

        try:
            with HangUp() as self._watch, self.engine.connect() as connection:
                self._watch.over(connection.connection.driver_connection)
                for statement in FIRST.get(self.engine.dialect.name, ()):
                    connection.exec_driver_sql(statement)
                yield connection
                connection.rollback()
        except ModuleNotFoundError as error:
            raise _no_driver(error, f"The result backend {urls.redact(self.url)}") from None
        except (SQLAlchemyError, OSError, ValueError) as error:
            reason = self._watch.reason(error)
            raise in_words(reason, self.url, secrets=self._secrets) from None


MADE_BY_WORKERS = "Workers make it with the first result; another name is known with -A only."


def in_words(
    error: Exception, url: str, no_table_hint: str = MADE_BY_WORKERS, secrets: tuple[str, ...] = ()
) -> BackendError:
    """The error as one sentence and what to do next; no password in either, or of ``secrets``."""
    if type(error).__name__ == "NoSuchTableError":
        return _no_table(url, str(error), no_table_hint)
    who, said = f"The result backend {urls.redact(url)}", _said(error, url, *secrets)
    table = _RELATION.search(said)
    if "permission denied" in said or "command denied" in said:
        refused = NotPermitted(
            f"{who} does not permit this user: {said}",
            "Ask for SELECT on the table it names; r tries again.",
        )
        refused.said = said
        return refused
    if table is not None:
        return _no_table(url, next(filter(None, table.groups())), no_table_hint)
    column = _COLUMN.search(said)
    if column is not None:
        lacking = next(filter(None, column.groups()))
        return BackendError(f"{who} changed its table: {lacking} is gone", no_table_hint)
    for words, title, hint in EXPLAINED:
        if any(word in said for word in words):
            return BackendError(f"{who} {title}", hint)
    return BackendError(f"{who} answered: {said}", "Check its URL and its log.")


def _no_table(url: str, table: str, hint: str) -> BackendError:
    return BackendError(f"The result backend {urls.redact(url)} has no table {table}", hint)


EXPLAINED = (
    (("' to database '",), "does not let this user into the database", "Ask for SELECT in it."),
    (
        ("password authentication failed", "Access denied", "no password supplied"),
        "refused the user name or password",
        "Check both in the URL.",
    ),
    (("does not exist", "Unknown database"), "has no such database or role", "Check the URL."),
    (("refused",), "refused the connection", "Check host and port, and that the database runs."),
    (
        ("could not translate host", "Name or service not known", "name resolution", "getaddrinfo"),
        "is on a host that nobody knows",
        "Check the host name, or the name service.",
    ),
    (
        ("timeout expired", "timed out", "statement timeout", "query_canceled"),
        "does not answer in time",
        "Check host, port and firewall, and its load.",
    ),
    (("starting up", "shutting down", "terminating connection"), "is being restarted", "Wait."),
    (
        ("server closed the connection", "connection is lost", "gone away", "Lost connection"),
        "closed the connection",
        "Check that the database still runs.",
    ),
    (("is not a database",), "is no SQLite database", "Check the path in the URL."),
    (("unable to open",), "cannot be opened", "Check the path and the permissions of the file."),
    (("database is locked",), "is locked by a writer", "Wait; it is tried again."),
)
"""Words in what a driver says -> our sentence, and what to do."""


def _said(error: Exception, *secrets: str) -> str:
    """What the driver said, in one line; cut only once no password is in it."""
    text = urls.clean(str(getattr(error, "orig", None) or error), *secrets)
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return " ".join(lines)[:300].rstrip(".") or type(error).__name__
