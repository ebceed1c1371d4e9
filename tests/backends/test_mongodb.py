"""Results in MongoDB, written by Celery and read by us on the wire protocol of a stand-in."""

import json
import pickle
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any

import pytest
from celery import Celery, states
from kombu.serialization import register, unregister

from celery_tui.backends import open_backend
from celery_tui.backends.base import Unlisted
from celery_tui.backends.meta import COMPRESSED
from celery_tui.backends.mongodb import MongoBackend
from celery_tui.errors import BackendError
from celery_tui.links.redis_link import NotPermitted
from celery_tui.model.seam import Link
from celery_tui.settings import Settings
from tests.backends.test_database import writer
from tests.backends.watching import Watched
from tests.caches import MongoStandIn
from tests.servers import free_port

READS = {"hello", "ismaster", "isMaster", "find", "endSessions"}


@pytest.fixture
def mongo() -> Iterator[MongoStandIn]:
    """A stand-in without documents."""
    with MongoStandIn() as server:
        yield server


@contextmanager
def opened(url: str, app: Celery | None = None) -> Iterator[MongoBackend]:
    """Our reader, closed at the end."""
    backend = open_backend(Settings(result_backend=url, celery_app=app))
    assert isinstance(backend, MongoBackend)
    with closing(backend):
        yield backend


def store(app: Celery, task_id: str, result: Any, state: str = states.SUCCESS) -> None:
    """As a worker does."""
    app.backend.store_result(task_id, result, state, traceback="Traceback …")
    app.backend._get_connection().close()


def test_what_celery_stores_is_read_and_nothing_is_written(mongo: MongoStandIn) -> None:
    store(writer(mongo.url), "ok", {"a": 1})
    store(writer(mongo.url), "bad", ValueError("card declined"), states.FAILURE)
    mongo.commands.clear()
    with opened(mongo.url) as backend:
        fetched = backend.fetch(["ok", "bad", "nobody", "nul\x00", "\ud800"])
        with pytest.raises(Unlisted):
            backend.recent(10)
    by_id = {meta.id: meta for meta in fetched.metas}
    assert (by_id["ok"].result, by_id["bad"].exception) == (
        "{'a': 1}",
        "ValueError('card declined')",
    )
    assert by_id["bad"].traceback == "Traceback …"
    assert by_id["ok"].date_done is not None
    assert fetched.missing == ("nobody", "nul\x00", "\ud800")
    assert set(mongo.commands) <= READS


@pytest.fixture
def bson_serializer() -> Iterator[None]:
    """As an app makes it known to kombu; MongoDB's own values are what is stored then."""
    register("bson", json.dumps, json.loads, "application/bson")
    yield
    unregister("bson")


@pytest.mark.usefixtures("bson_serializer")
def test_the_app_s_settings_say_where_and_how(mongo: MongoStandIn) -> None:
    def app() -> Celery:
        made = writer("mongodb://", result_serializer="bson")
        port = mongo.server_address[1]
        made.conf.mongodb_backend_settings = {
            "host": "127.0.0.1", "port": port, "database": "shop", "taskmeta_collection": "ours",
        }  # fmt: skip
        return made

    store(app(), "mine", "as it is")
    assert set(mongo.documents) == {"ours"}
    with opened("mongodb://", app()) as backend:
        (meta,) = backend.fetch(["mine"]).metas
    assert meta.result == "'as it is'"


def test_compressed_results_are_read(mongo: MongoStandIn) -> None:
    store(writer(mongo.url, result_compression="gzip"), "packed", "x" * 1_000)
    assert mongo.documents["celery_taskmeta"]["packed"]["result"].startswith(COMPRESSED)
    with opened(mongo.url) as backend:
        (meta,) = backend.fetch(["packed"]).metas
    assert meta.result == repr("x" * 1_000)


def test_pickle_is_never_loaded(mongo: MongoStandIn) -> None:
    class Bomb:
        def __reduce__(self) -> Any:
            return (pytest.fail, ("it was loaded",))

    document = {"_id": "bomb", "status": "SUCCESS", "result": pickle.dumps(Bomb())}
    mongo.documents["celery_taskmeta"] = {"bomb": document}
    app = writer(mongo.url, result_serializer="pickle", accept_content=["pickle"])
    with opened(mongo.url, app) as backend:
        (meta,) = backend.fetch(["bomb"]).metas
    assert (meta.state, meta.result) == ("SUCCESS", "not readable: pickle")


def test_one_that_hangs_is_lost_and_live_again(mongo: MongoStandIn) -> None:
    store(writer(mongo.url), "a", 1)
    with Watched(mongo.url) as watched:
        watched.until_live()
        lost = watched.since(mongo.goes_on.clear, Link.LOST, "it is lost")
        assert (lost.error or "").endswith("does not answer in time")
        watched.since(mongo.goes_on.set, Link.LIVE, "it is live again")


def test_what_is_wrong_is_one_sentence_without_a_password(mongo: MongoStandIn) -> None:
    port = mongo.server_address[1]
    mongo.refusal = {"code": 18, "codeName": "AuthenticationFailed", "errmsg": "no"}
    for where, words in {
        f"127.0.0.1:{port}/celery": "refused the user name or password",
        f"127.0.0.1:{free_port()}/celery": "refused the connection",
        "no-such-host.invalid/celery": "a host that nobody knows",
        "127.0.0.1:port/celery": "cannot be read",
    }.items():
        with pytest.raises(BackendError) as caught, opened(f"mongodb://celery:hunter2@{where}"):
            pass
        assert words in caught.value.title
        assert "hunter2" not in str(caught.value)
        assert "\n" not in str(caught.value)
    mongo.refusal = {"code": 13, "codeName": "Unauthorized", "errmsg": "not authorized on celery"}
    with pytest.raises(NotPermitted) as refused, opened(mongo.url):
        pass
    assert "not authorized on celery" in refused.value.title


def test_without_its_client_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pymongo", None)
    with pytest.raises(BackendError) as caught, opened("mongodb://celery:hunter2@h/x"):
        pass
    assert "needs pymongo, which is not installed" in caught.value.title
    assert "hunter2" not in str(caught.value)
