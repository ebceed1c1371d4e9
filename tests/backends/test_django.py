"""django-celery-results in a real Django project, on SQLite and PostgreSQL, with a real worker."""

import json
import sqlite3
import sys
from collections.abc import Iterator

import pytest

from celery_tui.backends import open_backend
from celery_tui.errors import BackendError
from celery_tui.settings import Settings
from tests.backends.projects import FOLDER, READ, Project, migrated
from tests.benchmarks.kit.terminal import Terminal
from tests.conftest import a_postgres
from tests.servers import PostgresServer, RedisServer, Worker, client, wait_for


@pytest.fixture(scope="module")
def postgres() -> Iterator[PostgresServer]:
    """One that may hang."""
    with a_postgres() as own:
        yield own


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def project(
    request: pytest.FixtureRequest,
    server: RedisServer,
    tmp_path_factory: pytest.TempPathFactory,
) -> Project:
    """The project, migrated."""
    return migrated(request, server.url(), tmp_path_factory.mktemp("django"), request.param)


def test_a_real_worker_s_results_are_read_and_shown(server: RedisServer, project: Project) -> None:
    with Worker(
        server.url(), app="proj", folder=FOLDER, env={"CT_DATABASE": project.env["CT_DATABASE"]}
    ) as worker:
        app = client(server.url())
        done = app.send_task("proj.tasks.add", (1, 2)).id
        failed = app.send_task("proj.tasks.fail", ("card declined",), {}).id
        running = app.send_task("proj.tasks.stepping", (45, 100)).id
        app.close()

        def states() -> list[str]:
            metas = project.read(done, failed, running)["fetched"]["metas"]
            return sorted(meta["state"] for meta in metas)

        wait_for(lambda: states() == ["FAILURE", "PROGRESS", "SUCCESS"], "all are stored")
        told = project.read(done, failed, running, "nobody", "nul")
        with Terminal(
            [sys.executable, "-m", "celery", "-A", "proj", "tui"],
            columns=160,
            rows=48,
            cwd=str(FOLDER),
            env={k: project.env[k] for k in ("CT_BROKER", "CT_DATABASE")},
        ) as terminal:
            terminal.wait_for("card declined")
            terminal.press("4")
            terminal.wait_for("45 of 100")
        worker.kill()
    by_id = {meta["id"]: meta for meta in told["fetched"]["metas"]}
    ok, bad, now = by_id[done], by_id[failed], by_id[running]
    assert (ok["result"], ok["name"], ok["worker"]) == ("3", "proj.tasks.add", "w1@test")
    assert (ok["args_text"], ok["kwargs_text"], ok["args"]) == ("(1, 2)", "{}", None)
    assert ok["date_done"] is not None
    assert bad["exception"] == "ValueError('card declined')"
    assert bad["traceback"].startswith("Traceback")
    assert (now["state"], now["progress"]["current"], now["date_done"]) == ("PROGRESS", 45, None)
    assert sorted(told["fetched"]["missing"]) == ["nobody", "nul"]
    assert set(told["newest"]) == {done, failed, running}


def test_a_project_that_was_not_migrated_is_told(project: Project) -> None:
    project.manage("migrate", "-v", "0", "django_celery_results", "zero")
    try:
        error = project.read("a")["error"]
    finally:
        project.manage("migrate", "-v", "0")
    assert error == (
        "The result backend django-db has no table django_celery_results_taskresult."
        " Run: python manage.py migrate"
    )


def test_tables_that_go_while_we_read_are_told_and_found_again(project: Project) -> None:
    with project.watched() as until:
        until("live")
        project.manage("migrate", "-v", "0", "django_celery_results", "zero")
        try:
            assert "has no table django_celery_results_taskresult" in until("lost 2")
        finally:
            project.manage("migrate", "-v", "0")
        until("live")


def test_a_database_that_hangs_is_lost_and_live_again(
    project: Project, request: pytest.FixtureRequest
) -> None:
    database = json.loads(project.env["CT_DATABASE"])
    if "PASSWORD" in database:
        postgres: PostgresServer = request.getfixturevalue("postgres")
        hang, go_on, words = postgres.pause, postgres.resume, "does not answer in time"
    else:
        greedy = sqlite3.connect(database["NAME"], isolation_level=None)
        words = "is locked by a writer"

        def hang() -> None:
            greedy.execute("BEGIN EXCLUSIVE")

        def go_on() -> None:
            greedy.execute("ROLLBACK")

    with project.watched() as until:
        until("live")
        hang()
        try:
            assert words in until("lost 1")
            assert words in until("lost 2")
        finally:
            go_on()
        until("live")


def test_a_driver_that_is_missing_is_told(project: Project) -> None:
    if "PASSWORD" not in project.env["CT_DATABASE"]:
        return  # Python itself brings SQLite's
    without = "import sys; sys.modules['psycopg'] = sys.modules['psycopg2'] = None\n"
    error = json.loads(project.run("-c", without + READ, "a"))["error"]
    assert "Error loading psycopg2 or psycopg module. " in error
    assert "\n" not in error


def test_a_database_without_a_name_is_told(project: Project) -> None:
    database = {**json.loads(project.env["CT_DATABASE"]), "NAME": ""}
    if "PASSWORD" in database:
        return  # PostgreSQL has one by default
    error = Project({**project.env, "CT_DATABASE": json.dumps(database)}).read("a")["error"]
    assert error.startswith("The result backend django-db cannot open its database: settings.DATA")


def test_a_wrong_password_is_told_and_not_shown(project: Project) -> None:
    database = json.loads(project.env["CT_DATABASE"])
    if "PASSWORD" not in database:
        database["NAME"] = "/nowhere/db.sqlite3"
    database["PASSWORD"] = "hunter2"
    wrong = Project({**project.env, "CT_DATABASE": json.dumps(database)})
    error = wrong.read("a")["error"]
    assert "refused the user name or password" in error or "cannot be opened" in error
    assert "hunter2" not in error


def test_without_the_project_it_is_said_where_to_start() -> None:
    with pytest.raises(BackendError) as caught:
        open_backend(Settings(result_backend="django-db"))
    assert "lies in the database of a Django project" in caught.value.title
