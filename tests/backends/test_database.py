"""The SQLAlchemy result backend on real SQLite and PostgreSQL, read as Celery writes it."""

import json
import pickle
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy
from celery import Celery, states

from celery_tui.backends import database_rows, open_backend
from celery_tui.backends.database import DatabaseBackend, Naming
from celery_tui.errors import BackendError
from celery_tui.links.redis_link import NotPermitted
from celery_tui.model.observations import ResultMeta
from celery_tui.settings import Settings
from tests.servers import Database, PostgresServer, RedisServer, Worker, client, wait_for

FIRST = 100_000
"""Rows of ours are numbered apart from Celery's own."""


def writer(url: str, **conf: Any) -> Celery:
    """An app whose backend writes as a worker does."""
    app = Celery("w", broker="memory://", backend=url, set_as_current=False)
    app.conf.update(**conf)
    return app


def execute(url: str, statement: str, *rows: Any) -> None:
    """Change the database behind Celery's back."""
    engine = sqlalchemy.create_engine(url.removeprefix("db+"))
    with engine.begin() as connection:
        connection.execute(sqlalchemy.text(statement), *rows)
    engine.dispose()


def walked(backend: DatabaseBackend, most: int) -> tuple[list[ResultMeta], dict[str, int]]:
    """All that a search brings, and what it left out."""
    walk = backend.recent(most)
    while walk.look():
        pass
    metas: list[ResultMeta] = []
    while (some := walk.read()) is not None:
        metas += some
    return metas, walk.unread


@pytest.fixture
def empty(database: str) -> str:
    """A database with Celery's tables and nothing in them."""
    app = writer(database, result_extended=True)
    app.backend.store_result("first", 1, states.SUCCESS)
    execute(database, "DELETE FROM celery_taskmeta")
    return database


def test_a_real_worker_s_results_are_read(server: RedisServer, database: str) -> None:
    conf = '{"result_extended": true, "task_track_started": true}'
    with Worker(server.url(), database, env={"CT_CONF": conf}) as worker:
        app = client(server.url())
        done = app.send_task("sample.add", (1, 2)).id
        failed = app.send_task("sample.fail", ("card declined",)).id
        running = app.send_task("sample.slow", (600,)).id
        wait_for(lambda: running in worker.log_text(), "the last task is received")
        app.close()
        wait_for(lambda: is_there(database), "the table is there")
        backend = DatabaseBackend(database)
        ends = {done: "SUCCESS", failed: "FAILURE", running: "STARTED"}
        wait_for(
            lambda: {one.id: one.state for one in backend.fetch([*ends]).metas} == ends,
            "two have ended, one runs",
        )
        fetched = backend.fetch([done, failed, running, "nobody"])
        history, _ = walked(backend, 10)
        backend.close()
        worker.kill()
    by_id = {meta.id: meta for meta in fetched.metas}
    ok, bad, now = by_id[done], by_id[failed], by_id[running]
    assert (ok.state, ok.result, ok.name) == ("SUCCESS", "3", "sample.add")
    assert (ok.args, ok.kwargs, ok.queue) == ([1, 2], {}, "celery")
    assert ok.worker == "w1@test"
    assert ok.date_done is not None
    assert abs(ok.date_done - time.time()) < 300
    assert bad.exception == "ValueError('card declined')"
    assert bad.traceback is not None
    assert bad.traceback.startswith("Traceback")
    assert (now.state, now.worker) == ("STARTED", "w1@test")
    assert now.pid is not None
    assert fetched.missing == ("nobody",)
    assert {meta.id for meta in history} == {done, failed}


def is_there(url: str) -> bool:
    try:
        DatabaseBackend(url).close()
    except BackendError:
        return False
    return True


def test_what_older_releases_pickled_stays_closed_and_the_rest_is_shown(empty: str) -> None:
    class Bomb:
        def __reduce__(self) -> Any:
            return (pytest.fail, ("it was loaded",))

    insert = (
        "INSERT INTO celery_taskmeta (id, task_id, status, result, args, traceback, name)"
        " VALUES (:id, :task_id, :status, :result, :args, :traceback, 'pay.charge')"
    )
    bomb = pickle.dumps(Bomb())
    trace = "Traceback (most recent call last):\n  File\nValueError: card declined\n"
    execute(
        empty, insert,
        [
            {"id": FIRST, "task_id": "p", "status": "SUCCESS", "result": bomb, "args": bomb,
             "traceback": None},
            {"id": FIRST + 1, "task_id": "f", "status": "FAILURE", "result": bomb, "args": None,
             "traceback": trace},
        ],
    )  # fmt: skip
    backend = DatabaseBackend(empty)
    by_id = {meta.id: meta for meta in backend.fetch(["p", "f"]).metas}
    backend.close()
    assert (by_id["p"].state, by_id["p"].result) == ("SUCCESS", "not readable: pickle")
    assert (by_id["p"].args, by_id["p"].name) == (None, "pay.charge")
    assert by_id["f"].exception == "ValueError: card declined"


def test_names_and_schemas_of_the_app_s_configuration_are_used(
    database: str, postgres: Database
) -> None:
    conf: dict[str, Any] = {"database_table_names": {"task": "my_results", "group": "my_groups"}}
    if "postgresql" in database:
        execute(database, "CREATE SCHEMA IF NOT EXISTS ours")
        conf["database_table_schemas"] = {"task": "ours", "group": "ours"}
    write = (
        "import sys, json; from celery import Celery; "
        "app = Celery(broker='memory://', backend=sys.argv[1]); "
        "app.conf.update(json.loads(sys.argv[2])); "
        "app.backend.store_result('mine', 1, 'SUCCESS')"
    )
    subprocess.run([sys.executable, "-c", write, database, json.dumps(conf)], check=True)
    app = Celery("reader", broker="memory://", backend=database, set_as_current=False)
    app.conf.update(conf)
    backend = open_backend(Settings(result_backend=database, celery_app=app))
    assert backend is not None
    assert backend.fetch(["mine"]).missing == ()
    backend.close()


def test_the_url_may_stand_in_database_url(empty: str) -> None:
    app = Celery("reader", broker="memory://", backend="database", set_as_current=False)
    app.conf.database_url = empty.removeprefix("db+")
    backend = open_backend(Settings(result_backend="database", celery_app=app))
    assert backend is not None
    assert backend.fetch(["x"]).missing == ("x",)
    backend.close()


def test_the_newest_come_first_and_large_ones_are_left_out(
    empty: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database_rows, "LARGEST_BYTES", 10_000)
    rows = [
        {"id": FIRST + n, "t": f"t{n}", "d": f"2026-11-20 12:{n // 60:02d}:{n % 60:02d}", "r": b"1"}
        for n in range(1, 500)
    ]
    rows[-1]["r"] = b'"' + b"x" * 20_000 + b'"'
    execute(
        empty,
        "INSERT INTO celery_taskmeta (id, task_id, status, date_done, result)"
        " VALUES (:id, :t, 'SUCCESS', :d, :r)",
        rows,
    )
    execute(
        empty, "INSERT INTO celery_taskmeta (id, task_id, status) VALUES (900000, 'now', 'STARTED')"
    )
    backend = DatabaseBackend(empty)
    metas, unread = walked(backend, 250)
    backend.close()
    assert {meta.id for meta in metas} == {f"t{n}" for n in range(250, 499)}
    assert unread == {"too large": 1}


def test_questions_go_along_an_index_and_scan_nothing(empty: str) -> None:
    rows = [
        {"id": FIRST + n, "t": f"t{n}", "d": f"2026-11-20 12:00:{n % 60:02d}"}
        for n in range(20_000)
    ]
    execute(
        empty,
        "INSERT INTO celery_taskmeta (id, task_id, status, date_done)"
        " VALUES (:id, :t, 'SUCCESS', :d)",
        rows,
    )
    if "postgresql" in empty:
        execute(empty, "ANALYZE celery_taskmeta")
    backend = DatabaseBackend(empty)
    asked: list[tuple[str, Any]] = []

    def listen(conn: Any, cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        if statement.startswith("SELECT celery"):
            asked.append((statement, parameters))

    sqlalchemy.event.listen(backend._database.engine, "before_cursor_execute", listen)
    backend.fetch([f"t{n}" for n in range(100)])
    walked(backend, 1_000)
    assert len(asked) == 12
    explain = "EXPLAIN " if "postgresql" in empty else "EXPLAIN QUERY PLAN "
    with backend._database.engine.connect() as connection:
        for statement, parameters in asked:
            plan = str(connection.exec_driver_sql(explain + statement, parameters).fetchall())
            assert "Seq Scan" not in plan
            assert "SCAN celery_taskmeta'" not in plan
            assert "TEMP B-TREE" not in plan
    backend.close()


def test_hostile_ids_are_just_missing(empty: str) -> None:
    backend = DatabaseBackend(empty)
    ids = ["", "nul\x00", "\ud800", "漢字", "'; DROP TABLE celery_taskmeta; --", "%", "x" * 10_000]
    assert set(backend.fetch(ids).missing) == set(ids)
    assert backend.fetch([]).metas == ()
    assert backend.ping() < 1_000
    backend.close()


def test_a_table_that_is_not_there_is_said(empty: str) -> None:
    with pytest.raises(BackendError) as caught:
        DatabaseBackend(empty, Naming("elsewhere"))
    assert caught.value.title.endswith("has no table elsewhere")
    backend = DatabaseBackend(empty)
    execute(empty, "ALTER TABLE celery_taskmeta RENAME TO moved_away")
    try:
        with pytest.raises(BackendError) as caught:
            backend.fetch(["a"])
        assert caught.value.title.endswith("has no table celery_taskmeta")
    finally:
        execute(empty, "ALTER TABLE moved_away RENAME TO celery_taskmeta")
    # The same connection goes on once it is back.
    assert backend.fetch(["a"]).missing == ("a",)
    backend.close()


def test_a_mistyped_sqlite_file_is_said_and_not_made(tmp_path: Path) -> None:
    file = tmp_path / "none.sqlite"
    with pytest.raises(BackendError) as caught:
        DatabaseBackend(f"db+sqlite:///{file}")
    assert f"has no file {file}" in caught.value.title
    assert not file.exists()
    file.write_bytes(b"no database" * 1_000)
    with pytest.raises(BackendError) as caught:
        DatabaseBackend(f"db+sqlite:///{file}")
    assert "is no SQLite database" in caught.value.title


def test_nothing_is_written(empty: str) -> None:
    backend = DatabaseBackend(empty)
    with (
        pytest.raises(BackendError),
        backend._database.question() as connection,
    ):
        connection.exec_driver_sql("DELETE FROM celery_taskmeta")
    backend.close()


def test_refusals_of_postgresql_are_one_sentence_without_a_password(
    postgres: Database,
) -> None:
    postgres.execute(
        "DROP TABLE IF EXISTS celery_taskmeta",
        "CREATE TABLE celery_taskmeta (id int primary key, task_id text unique, status text)",
        "DROP ROLE IF EXISTS blind",
        "CREATE ROLE blind LOGIN PASSWORD 'hunter2'",
    )
    for url, words in {
        postgres.url(password="hunter3"): "refused the user name or password",
        postgres.url("nobody"): "has no such database",
        postgres.url().replace(str(postgres.port), "1"): "refused the connection",
        postgres.url().replace("127.0.0.1", "no-such-host.invalid"): "a host that nobody knows",
        "postgresql+nodriver://u:hunter3@h/x": "cannot be read",
        "mysql+pymysql://u:hunter3@h/x": "needs the driver pymysql",
    }.items():
        with pytest.raises(BackendError) as caught:
            DatabaseBackend(f"db+{url}")
        assert words in caught.value.title
        assert "hunter" not in str(caught.value)
        assert postgres.password not in str(caught.value)
        assert "\n" not in str(caught.value)
    backend = DatabaseBackend(f"db+{postgres.url(user='blind', password='hunter2')}")
    with pytest.raises(NotPermitted) as refused:
        backend.fetch(["a"])
    backend.close()
    assert "permission denied for table celery_taskmeta" in refused.value.title


def test_a_lost_postgresql_is_said_and_found_again(postgres: Database) -> None:
    with PostgresServer() as own:
        app = writer(f"db+{own.url()}")
        app.backend.store_result("a", 1, states.SUCCESS)
        backend = DatabaseBackend(f"db+{own.url()}")
        own.kill()
        with pytest.raises(BackendError) as caught:
            backend.fetch(["a"])
        assert "The result backend" in caught.value.title
        assert own.password not in str(caught.value)
        backend.close()
        own.start()
        again = DatabaseBackend(f"db+{own.url()}")
        assert again.fetch(["a"]).missing == ()
        again.close()


def test_without_sqlalchemy_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sqlalchemy", None)
    with pytest.raises(BackendError) as caught:
        DatabaseBackend("db+sqlite:///x")
    assert "package sqlalchemy is missing" in caught.value.title
    assert "celery-tui[database]" in caught.value.hint
