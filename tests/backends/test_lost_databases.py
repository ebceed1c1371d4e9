"""Databases that hang, are locked or changed below us: lost in one sentence, and found again."""

import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from celery import states

from celery_tui.model.seam import Health, Link
from tests.backends.test_database import execute, writer
from tests.backends.watching import Watched
from tests.conftest import missing
from tests.servers import Database, PostgresServer, ServerMissing, wait_for


@pytest.fixture(scope="module")
def hanging() -> Iterator[PostgresServer]:
    """A PostgreSQL that may be stopped, with one result."""
    try:
        server = PostgresServer().start()
    except ServerMissing as error:
        missing(str(error))
        raise
    try:
        writer(f"db+{server.url()}").backend.store_result("a", 1, states.SUCCESS)
        yield server
    finally:
        server.stop()


def test_a_postgresql_that_hangs_is_lost_in_time_and_live_again(hanging: PostgresServer) -> None:
    with Watched(f"db+{hanging.url()}") as watched:
        watched.until_live()
        lost = watched.since(hanging.pause, Link.LOST, "it is lost")
        try:
            assert lost.error is not None
            assert lost.error.endswith("does not answer in time")
            assert hanging.password not in f"{lost.error} {lost.hint}"
            again = watched.since(lambda: None, Link.LOST, "it is tried again")
            assert again.tries > lost.tries
            assert again.error == lost.error
            assert (again.retry_at or 0) - again.at > (lost.retry_at or 0) - lost.at
        finally:
            live = watched.since(hanging.resume, Link.LIVE, "it is live again")
        assert live.error is None


def test_who_quits_does_not_wait_for_a_postgresql_that_hangs(hanging: PostgresServer) -> None:
    with Watched(f"db+{hanging.url()}") as watched:
        watched.until_live()
        hanging.pause()
        try:
            time.sleep(1.2)  # a poll is under way
            began = time.monotonic()
            watched.source.stop()
            watched.source.join(60)
            assert watched.source._thread is not None
            assert not watched.source._thread.is_alive()
            print(f"[took] the end of the source: {time.monotonic() - began:.3f} s")
        finally:
            hanging.resume()


def test_a_sqlite_that_somebody_locks_is_lost_and_live_again(tmp_path: Path) -> None:
    file = tmp_path / "results.sqlite"
    writer(f"db+sqlite:///{file}").backend.store_result("a", 1, states.SUCCESS)
    with Watched(f"db+sqlite:///{file}") as watched:
        watched.until_live()
        greedy = sqlite3.connect(file, isolation_level=None)
        lost = watched.since(lambda: greedy.execute("BEGIN EXCLUSIVE"), Link.LOST, "it is lost")
        assert lost.error is not None
        assert lost.error.endswith("is locked by a writer")
        watched.since(lambda: greedy.execute("ROLLBACK"), Link.LIVE, "it is live again")
        greedy.close()


@pytest.mark.parametrize(
    ("away", "back", "words"),
    [
        (
            "ALTER TABLE celery_taskmeta RENAME TO moved_away",
            "ALTER TABLE moved_away RENAME TO celery_taskmeta",
            "has no table celery_taskmeta",
        ),
        (
            "ALTER TABLE celery_taskmeta RENAME COLUMN task_id TO task",
            "ALTER TABLE celery_taskmeta RENAME COLUMN task TO task_id",
            "has a table celery_taskmeta without the column task_id",
        ),
    ],
    ids=["table", "column"],
)
def test_a_table_that_is_changed_below_us_is_lost_and_found_again(
    database: str, away: str, back: str, words: str
) -> None:
    writer(database).backend.store_result("a", 1, states.SUCCESS)
    with Watched(database) as watched:
        watched.until_live()

        def told() -> list[Health]:
            found = [one for one in watched.heard() if isinstance(one, Health)]
            return [one for one in found if (one.error or "").endswith(words) and one.tries > 1]

        execute(database, away)
        try:
            wait_for(told, words)  # and once more: nothing pretends to be live in between
        finally:
            watched.since(lambda: execute(database, back), Link.LIVE, "it is live again")


def test_a_column_that_goes_while_we_read_is_just_unknown_from_then_on(database: str) -> None:
    writer(database).backend.store_result("a", 1, states.SUCCESS)
    with Watched(database) as watched:
        watched.until_live()
        lost = watched.since(
            lambda: execute(database, "ALTER TABLE celery_taskmeta DROP COLUMN traceback"),
            Link.LOST, "lost",
        )  # fmt: skip
        assert (lost.error or "").endswith("changed its table: celery_taskmeta.traceback is gone")
        watched.since(lambda: None, Link.LIVE, "it is live again")
    execute(database, "DROP TABLE celery_taskmeta")


def test_a_table_that_is_made_later_is_found(database: str) -> None:
    execute(database, "DROP TABLE IF EXISTS celery_taskmeta")
    with Watched(database) as watched:
        lost = watched.since(lambda: None, Link.LOST, "lost")
        assert (lost.error or "").endswith("has no table celery_taskmeta")
        made = "CREATE TABLE celery_taskmeta (id integer, task_id varchar(155), status varchar(50))"
        watched.since(lambda: execute(database, made), Link.LIVE, "it is live")


def test_who_may_not_select_is_told_so_and_asks_again_with_r(postgres: Database) -> None:
    postgres.execute(
        "DROP TABLE IF EXISTS celery_taskmeta",
        "CREATE TABLE celery_taskmeta (id int primary key, task_id text unique, status text)",
        "DROP ROLE IF EXISTS reader",
        "CREATE ROLE reader LOGIN PASSWORD 'hunter2'",
    )
    url = f"db+{postgres.url(user='reader', password='hunter2')}"
    with Watched(url) as watched:
        off = watched.since(lambda: None, Link.OFF, "refused")
        assert off.refused
        assert "permission denied for table celery_taskmeta" in (off.error or "")
        postgres.execute("GRANT SELECT ON celery_taskmeta TO reader")
        watched.since(watched.source.retry_now.set, Link.LIVE, "it is live")
        watched.until_live()
    postgres.execute("DROP OWNED BY reader", "DROP ROLE reader")
