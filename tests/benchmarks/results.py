"""`scripts/bench results`: what a poll costs in a database of a million results.

SQLite in a folder of its own and a PostgreSQL that is started and ended here; some 40 seconds.
"""

import random
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import sqlalchemy
from celery import Celery

from celery_tui.backends.database import DatabaseBackend
from tests.servers import PostgresServer, ServerMissing

ROWS, IDS, POLLS, RECENT = 1_000_000, 100, 100, 1_000
COLUMNS = "(id, task_id, status, result, date_done, name, args, kwargs)"
BODY = '{"a": 1, "x": "' + "y" * 200 + '"}'
FILL = {
    "sqlite": f"""INSERT INTO celery_taskmeta {COLUMNS}
        WITH RECURSIVE s(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM s WHERE n < {ROWS})
        SELECT 1000 + n, hex(n * 7919) || '-' || n, 'SUCCESS', CAST('{BODY}' AS BLOB),
               datetime('2026-11-01', '+' || n || ' seconds') || '.000000', 'pay.charge',
               CAST('[1]' AS BLOB), CAST('{{}}' AS BLOB) FROM s""",  # noqa: S608  of our own constants
    "postgresql": f"""INSERT INTO celery_taskmeta {COLUMNS}
        SELECT 1000 + n, md5(n::text) || n, 'SUCCESS', convert_to('{BODY}', 'UTF8'),
               timestamp '2026-11-01' + n * interval '1 second', 'pay.charge',
               '[1]'::bytea, '{{}}'::bytea FROM generate_series(1, {ROWS}) n""",  # noqa: S608  the same
}


def main() -> None:
    """Print the figures of each database there is."""
    with tempfile.TemporaryDirectory() as folder:
        measure(f"db+sqlite:///{Path(folder) / 'results.sqlite'}")
    try:
        with PostgresServer() as server:
            measure(f"db+{server.url()}")
    except ServerMissing as error:
        print(f"PostgreSQL did not run: {error}")


def measure(url: str) -> None:
    """Fill a database, poll it as the dashboard does, look for the newest once."""
    kind, ids = filled(url)
    backend = DatabaseBackend(url)
    polls = [timed(lambda: backend.fetch(random.sample(ids, IDS))) for _ in range(POLLS)]
    walk, steps = backend.recent(RECENT), []
    steps.append(timed(walk.look))
    for _ in range(RECENT // IDS):
        steps.append(timed(walk.read))
    backend.close()
    print(f"{kind}, {ROWS:,} results")
    print(f"  poll of {IDS} ids: {statistics.median(polls):.1f} ms, longest {max(polls):.1f} ms")
    print(f"  the {RECENT:,} newest: {sum(steps):.1f} ms, longest step {max(steps):.1f} ms")


def filled(url: str) -> tuple[str, list[str]]:
    """The kind of database, and some of the ids in it."""
    app = Celery("bench", broker="memory://", backend=url, set_as_current=False)
    app.conf.result_extended = True
    app.backend.store_result("first", 1, "SUCCESS")
    engine = sqlalchemy.create_engine(url.removeprefix("db+"))
    with engine.begin() as connection:
        connection.exec_driver_sql(FILL[engine.dialect.name])
        some = sqlalchemy.text("SELECT task_id FROM celery_taskmeta WHERE id % 997 = 0")
        ids = [row[0] for row in connection.execute(some)]
    engine.dispose()
    return engine.dialect.name, ids


def timed(what: Callable[[], object]) -> float:
    """Milliseconds it takes."""
    began = time.perf_counter()
    what()
    return (time.perf_counter() - began) * 1000


if __name__ == "__main__":
    main()
