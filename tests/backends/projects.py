"""A real Django project with django-celery-results, read in processes of its own."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.servers import PostgresAddress, wait_for

FOLDER = Path(__file__).parent / "django_project"
READ = """
import sys, threading, msgspec
from celery_tui.backends import open_backend
from celery_tui.errors import TuiError
from celery_tui.preflight import with_app
from celery_tui.settings import Settings
from celery_tui.sources.recent import by_date

def read():
    try:
        backend = open_backend(with_app(Settings(app="proj")))
        fetched, walk, newest = backend.fetch(sys.argv[1:]), backend.recent(100), []
        walk.look()
        while (some := walk.read()) is not None:
            newest += some
        backend.close()
        told = {"fetched": fetched, "newest": [meta.id for meta in by_date(newest)]}
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


def migrated(request: pytest.FixtureRequest, broker: str, folder: Path, kind: str) -> Project:
    """The project with an empty database of its own in SQLite or PostgreSQL."""
    database: dict[str, Any] = {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": str(folder / "db.sqlite3"),
    }
    if kind == "postgresql":
        postgres: PostgresAddress = request.getfixturevalue("postgres")
        database = {
            "ENGINE": "django.db.backends.postgresql", "NAME": postgres.database,
            "HOST": "127.0.0.1", "PORT": postgres.port,
            "USER": postgres.user, "PASSWORD": postgres.password,
        }  # fmt: skip
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("CELERY", "DJANGO"))}
    one = Project({**kept, "CT_BROKER": broker, "CT_DATABASE": json.dumps(database)})
    one.manage("migrate", "-v", "0")
    return one
