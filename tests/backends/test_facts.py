"""The README's table of facts and backends: the same tasks, a real worker for each backend."""

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any, NamedTuple
from uuid import uuid4

import msgspec
import pytest

from celery_tui.backends import open_backend
from celery_tui.backends.base import Fetched, Unlisted
from celery_tui.model.cluster import Cluster
from celery_tui.model.observations import ResultMeta, Results
from celery_tui.model.task import SUCCESS
from celery_tui.model.tree import tree
from celery_tui.settings import Settings
from celery_tui.sources.recent import by_date
from tests.backends.projects import FOLDER, Project, migrated
from tests.caches import MemcachedServer, MongoStandIn
from tests.conftest import a_database, missing, unique
from tests.servers import RedisServer, ServerMissing, Worker, client, wait_for

TASKS = Path(__file__).parent / "tasks"
KINDS = ("redis", "sqlite", "postgresql", "django-sqlite", "django-postgresql", "file",
         "memcached", "mongodb")  # fmt: skip
CONF = '{"result_extended": true, "task_track_started": true}'


class Told(NamedTuple):
    """What one backend tells of the tasks."""

    kind: str
    done: ResultMeta
    failed: ResultMeta
    stepping: ResultMeta
    top: str
    family: list[str]
    """A chain of three, a chord of two and its body, all sent by ``top``."""
    metas: dict[str, ResultMeta]
    newest: list[str] | None
    """None: it cannot be listed."""


class Ours:
    """Read by our backend in this process."""

    def __init__(self, url: str) -> None:
        self._settings = Settings(result_backend=url)

    def read(self, *ids: str) -> tuple[Fetched, list[str] | None]:
        """Those by id, and the ids of the newest."""
        backend = open_backend(self._settings)
        assert backend is not None
        with closing(backend):
            return backend.fetch(ids), self._newest(backend)

    def _newest(self, backend: Any) -> list[str] | None:
        try:
            walk = backend.recent(100)
        except Unlisted:
            return None
        while walk.look():
            pass
        found: list[ResultMeta] = []
        while (some := walk.read()) is not None:
            found += some
        return [meta.id for meta in by_date(found)]


class Djangos:
    """Read in the process of a Django project."""

    def __init__(self, project: Project) -> None:
        self._project = project

    def read(self, *ids: str) -> tuple[Fetched, list[str] | None]:
        """Those by id, and the ids of the newest."""
        told = self._project.read(*ids)
        return msgspec.convert(told["fetched"], Fetched), told["newest"]


@pytest.fixture(scope="module", params=KINDS)
def told(
    request: pytest.FixtureRequest, server: RedisServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Told]:
    """What a backend tells of the tasks, read once."""
    kind: str = request.param
    folder = tmp_path_factory.mktemp(kind)
    with ExitStack() as stack:
        reader, worker = _reader_and_worker(kind, request, server, folder, stack)
        stack.enter_context(worker)
        yield _run(kind, reader.read, server.url(), folder / "stays")
        worker.kill()


def _reader_and_worker(
    kind: str,
    request: pytest.FixtureRequest,
    server: RedisServer,
    folder: Path,
    stack: ExitStack,
) -> tuple[Ours | Djangos, Worker]:
    env = {"PYTHONPATH": str(TASKS), "CT_CONF": CONF}
    options = ("-I", "facts_tasks")
    if kind.startswith("django"):
        project = migrated(request, server.url(), folder, kind.partition("-")[2])
        env |= {"CT_DATABASE": project.env["CT_DATABASE"]}
        worker = Worker(server.url(), app="proj", folder=FOLDER, env=env, options=options)
        return Djangos(project), worker
    url = _url(kind, request, server, folder, stack)
    return Ours(url), Worker(server.url(), url, env=env, options=options)


def _url(
    kind: str,
    request: pytest.FixtureRequest,
    server: RedisServer,
    folder: Path,
    stack: ExitStack,
) -> str:
    if kind == "postgresql":
        return f"db+{stack.enter_context(a_database(unique('facts'))).url()}"
    if kind == "memcached":
        try:
            return stack.enter_context(MemcachedServer()).url
        except ServerMissing as error:
            missing(str(error))
    if kind == "mongodb":
        return stack.enter_context(MongoStandIn()).url
    return {
        "redis": server.url(1),
        "sqlite": f"db+sqlite:///{folder / 'results.sqlite'}",
        "file": f"file://{folder}",
    }[kind]


def _run(kind: str, read: Callable[..., Any], broker: str, stays: Path) -> Told:
    stays.touch()
    app = client(broker)
    top, *family = ids = [str(uuid4()) for _ in range(7)]
    done = app.send_task("facts.add", (1,), {"y": 2}).id
    failed = app.send_task("facts.fail", ("card declined",)).id
    app.send_task("facts.begin", (family,), task_id=top)

    def finished(*of: str) -> bool:
        try:
            metas = read(*of)[0].metas
        except Exception as error:
            if "has no" in str(error):  # the table is not made yet
                return False
            raise
        return len([meta for meta in metas if meta.date_done]) == len(of)

    wait_for(lambda: finished(done, failed, *ids), f"all is stored in {kind}")
    stepping = app.send_task("facts.stepping", (str(stays),)).id
    app.close()
    wait_for(lambda: any(m.progress for m in read(stepping)[0].metas), "how far it is")
    fetched, newest = read(done, failed, stepping, *ids)
    metas = {meta.id: meta for meta in fetched.metas}
    stays.unlink()
    return Told(kind, metas[done], metas[failed], metas[stepping], top, family, metas, newest)


@pytest.mark.fact("state and result", "Redis", "SQL", "django-db", "files", "memcached", "MongoDB")
def test_state_and_result(told: Told) -> None:
    assert (told.done.state, told.done.result) == (SUCCESS, "3")


@pytest.mark.fact(
    "exception and traceback", "Redis", "SQL", "django-db", "files", "memcached", "MongoDB"
)
def test_exception_and_traceback(told: Told) -> None:
    assert told.failed.exception == "ValueError('card declined')"
    assert (told.failed.traceback or "").startswith("Traceback (most recent call last)")


@pytest.mark.fact("exact args", "Redis", "SQL", "files", "memcached", "MongoDB")
def test_exact_args_but_in_django_only_their_text(told: Told) -> None:
    if told.kind.startswith("django"):
        assert (told.done.args, told.done.kwargs) == (None, None)
        assert (told.done.args_text, told.done.kwargs_text) == ("(1,)", "{'y': 2}")
    else:
        assert (told.done.args, told.done.kwargs) == ([1], {"y": 2})


@pytest.mark.fact(
    "task name and who ran it", "Redis", "SQL", "django-db", "files", "memcached", "MongoDB"
)
def test_name_and_who_ran_it(told: Told) -> None:
    for meta in (told.done, told.failed):
        assert meta.worker == "w1@test"
    assert (told.done.name, told.failed.name) == ("facts.add", "facts.fail")


@pytest.mark.fact("queue and tries", "Redis", "SQL", "files", "memcached", "MongoDB")
def test_queue_and_tries_but_not_in_django(told: Told) -> None:
    known = (None, None) if told.kind.startswith("django") else ("celery", 0)
    assert (told.done.queue, told.done.retries) == known


@pytest.mark.fact(
    "how far it is (`update_state`)", "Redis", "SQL", "django-db", "files", "memcached", "MongoDB"
)
def test_progress(told: Told) -> None:
    progress = told.stepping.progress
    assert progress is not None
    assert (told.stepping.state, progress.current, progress.total) == ("PROGRESS", 45, 100)


@pytest.mark.fact("when it ended", "Redis", "SQL", "django-db", "files", "memcached", "MongoDB")
def test_when_it_ended_and_that_a_running_one_did_not(told: Told) -> None:
    for meta in (told.done, told.failed):
        assert meta.date_done is not None
        assert abs(meta.date_done - time.time()) < 300
    assert told.stepping.date_done is None


STORE_PARENTS = ("redis", "file", "memcached", "mongodb")
"""Where Celery stores parent_id and group_id; tables have no such columns."""


@pytest.mark.fact(
    "who was sent by it (the tree)", "Redis", "SQL", "django-db", "files", "memcached", "MongoDB"
)
def test_the_tree_of_a_chain_and_a_chord(told: Told) -> None:
    cluster = Cluster(time.time())
    cluster.apply(Results(time.time(), tuple(told.metas.values())))
    *sent, body = told.family
    for start in (told.top, sent[2], sent[3]):
        rows = {kin.id: kin.depth for kin in tree(cluster.tasks, cluster.families, start).rows}
        assert {told.top, *sent} <= set(rows)
        assert (rows[told.top], rows[sent[1]], rows[sent[2]]) == (0, 2, 3)
        # Who sent it stored its own result before; here only the body itself can tell.
        assert (body in rows) == (told.kind in STORE_PARENTS)


@pytest.mark.fact("parent", "Redis", "SQL", "django-db", "files", "memcached", "MongoDB")
@pytest.mark.fact("group", "Redis", "files", "memcached", "MongoDB")
def test_parent_and_group_where_celery_stores_them(told: Told) -> None:
    stored = told.kind in STORE_PARENTS
    second, header = told.metas[told.family[1]], told.metas[told.family[3]]
    assert second.parent_id == (told.family[0] if stored else None)
    assert (header.group_id is not None) == stored


@pytest.mark.fact("the newest first", "Redis", "SQL", "django-db", "files")
def test_the_newest_first_where_it_can_be_listed(told: Told) -> None:
    if told.kind in ("memcached", "mongodb"):
        assert told.newest is None
        return
    assert told.newest is not None
    assert {told.done.id, told.failed.id, told.top, *told.family} <= set(told.newest)
    assert told.newest.index(told.family[2]) < told.newest.index(told.top)
