"""django-celery-results in a real Django project, on SQLite and PostgreSQL, with a real worker."""

import json
import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from celery_tui.backends import open_backend
from celery_tui.errors import BackendError
from celery_tui.settings import Settings
from tests.benchmarks.kit.terminal import Terminal
from tests.servers import PostgresServer, RedisServer, Worker, client, wait_for

FOLDER = Path(__file__).parent / "django_project"
READ = """
import sys, threading, msgspec
from celery_tui.backends import open_backend
from celery_tui.errors import TuiError
from celery_tui.preflight import with_app
from celery_tui.settings import Settings

def read():
    try:
        backend = open_backend(with_app(Settings(app="proj")))
        fetched, walk, newest = backend.fetch(sys.argv[1:]), backend.recent(100), []
        walk.look()
        while (some := walk.read()) is not None:
            newest += some
        backend.close()
        told = {"fetched": fetched, "newest": [meta.id for meta in newest]}
    except TuiError as error:
        told = {"error": str(error)}
    print(msgspec.json.encode(told).decode())

thread = threading.Thread(target=read)
thread.start()
thread.join()
"""


WATCH = """
import sys, time
from celery_tui.model.seam import Health
from celery_tui.preflight import with_app
from celery_tui.settings import Settings
from celery_tui.sources.inbox import Inbox
from celery_tui.sources.results import ResultSource

source = ResultSource(Inbox(), with_app(Settings(app="proj")))
source.want(("a",))
source.start()
while source._thread.is_alive():
    told = source.inbox.take()
    if isinstance(told, Health):
        print(told.state.value, told.tries, told.error or "", flush=True)
    elif told is None:
        print(flush=True)  # who reads this never waits for ever
        time.sleep(0.05)
"""


@dataclass
class Project:
    """The project with a broker and a database of its own."""

    env: dict[str, str]

    def run(self, *words: str) -> str:
        """One Python command in its folder; what it prints."""
        command = [sys.executable, *words]
        done = subprocess.run(
            command, cwd=FOLDER, env=self.env, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def manage(self, *words: str) -> None:
        """One of Django's commands."""
        self.run("-m", "django", *words, "--settings", "proj.settings", "--pythonpath", ".")

    @contextmanager
    def watched(self) -> Iterator[Callable[[str], str]]:
        """A source of results in a process of its own; waits for the next health that begins so."""
        with subprocess.Popen(
            [sys.executable, "-c", WATCH],
            cwd=FOLDER,
            env=self.env,
            stdout=subprocess.PIPE,
            text=True,
        ) as process:
            assert process.stdout is not None
            lines = process.stdout

            def until(words: str) -> str:
                return wait_for(
                    lambda: [line for line in [lines.readline()] if line.startswith(words)], words
                )[0]

            try:
                yield until
            finally:
                process.kill()

    def read(self, *ids: str) -> Any:
        """What our backend says, in a process and a thread of its own."""
        return json.loads(self.run("-c", READ, *ids))


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def project(
    request: pytest.FixtureRequest,
    server: RedisServer,
    tmp_path_factory: pytest.TempPathFactory,
) -> Project:
    """The project, migrated."""
    database: dict[str, Any] = {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": str(tmp_path_factory.mktemp("django") / "db.sqlite3"),
    }
    if request.param == "postgresql":
        postgres: PostgresServer = request.getfixturevalue("postgres")
        postgres.execute("DROP DATABASE IF EXISTS django WITH (FORCE)", "CREATE DATABASE django")
        database = {
            "ENGINE": "django.db.backends.postgresql", "NAME": "django", "HOST": "127.0.0.1",
            "PORT": postgres.port, "USER": postgres.user, "PASSWORD": postgres.password,
        }  # fmt: skip
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("CELERY", "DJANGO"))}
    env = {**kept, "CT_BROKER": server.url(), "CT_DATABASE": json.dumps(database)}
    one = Project(env)
    one.manage("migrate", "-v", "0")
    return one


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
