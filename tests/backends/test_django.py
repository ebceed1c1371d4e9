"""django-celery-results in a real Django project, on SQLite and PostgreSQL, with a real worker."""

import json
import os
import subprocess
import sys
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
