"""`scripts/bench results`: what a poll costs in a database of a million results.

SQLite in a folder of its own and a PostgreSQL that is started and ended here; some 40 seconds. Of
the longest poll it is told what it waited for: the disk, another process, the collector of garbage.
"""

import gc
import os
import random
import resource
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import sqlalchemy
from celery import Celery

from celery_tui.app import tune
from celery_tui.backends.database import DatabaseBackend
from tests.servers import PostgresServer, ServerMissing

ROWS, IDS, POLLS, RUNS, RECENT = 1_000_000, 100, 200, 5, 1_000
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


class Poll(NamedTuple):
    """One poll, and what held it up."""

    ms: float
    own_ms: float
    """Of our own work; the rest is the server's, the disk's, or somebody else had our core."""
    read_blocks: int
    pushed_aside: int
    """Times that another process took our core."""
    gc_ms: float

    def __str__(self) -> str:
        return (
            f"{self.ms:.1f} ms ({self.own_ms:.1f} ms of work, {self.read_blocks} blocks from disk,"
            f" pushed aside {self.pushed_aside} times, garbage {self.gc_ms:.1f} ms)"
        )


def main() -> None:
    """Print the figures of each database there is, with garbage collected as the dashboard does."""
    tune()
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "results.sqlite"
        measure(f"db+sqlite:///{file}", lambda: forgotten(file))
    try:
        with PostgresServer() as server:
            measure(f"db+{server.url()}")
    except ServerMissing as error:
        print(f"PostgreSQL did not run: {error}")


def measure(url: str, forget: Callable[[], None] | None = None) -> None:
    """Fill a database, poll it as the dashboard does, look for the newest once."""
    kind, ids = filled(url)
    print(f"{kind}, {ROWS:,} results")
    polled("just written", url, ids)
    for run in range(1, RUNS):
        polled(f"run {run}", url, ids)
    if forget is not None:
        forget()
        polled("nothing of it in memory", url, ids)
    backend = DatabaseBackend(url)
    walk, steps = backend.recent(RECENT), []
    steps.append(timed(walk.look))
    for _ in range(RECENT // IDS):
        steps.append(timed(walk.read))
    backend.close()
    print(f"  the {RECENT:,} newest: {sum(steps):.1f} ms, longest step {max(steps):.1f} ms")


def polled(what: str, url: str, ids: list[str]) -> None:
    """Print what polls of many ids cost."""
    backend = DatabaseBackend(url)
    polls = [watched(lambda: backend.fetch(random.sample(ids, IDS))) for _ in range(POLLS)]
    backend.close()
    times = sorted(poll.ms for poll in polls)
    print(
        f"  {what}: {POLLS} polls of {IDS} ids: median {statistics.median(times):.1f} ms,"
        f" p99 {times[POLLS * 99 // 100]:.1f} ms, most work"
        f" {max(poll.own_ms for poll in polls):.1f} ms, longest {max(polls)}"
    )


def watched(poll: Callable[[], object]) -> Poll:
    """What it costs, and what it waited for."""
    collected, began_gc = 0.0, 0.0

    def listen(phase: str, _info: object) -> None:
        nonlocal collected, began_gc
        now = time.perf_counter()
        if phase == "start":
            began_gc = now
        else:
            collected += now - began_gc

    gc.callbacks.append(listen)
    before = resource.getrusage(resource.RUSAGE_THREAD)
    began_s = time.thread_time()
    took_ms = timed(poll)
    own_s = time.thread_time() - began_s
    after = resource.getrusage(resource.RUSAGE_THREAD)
    gc.callbacks.remove(listen)
    return Poll(
        took_ms,
        own_s * 1000,
        after.ru_inblock - before.ru_inblock,
        after.ru_nivcsw - before.ru_nivcsw,
        collected * 1000,
    )


def forgotten(file: Path) -> None:
    """Let the system drop the file from its memory."""
    descriptor = os.open(file, os.O_RDONLY)
    os.fsync(descriptor)
    os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
    os.close(descriptor)


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
