"""Results in a real memcached, read as Celery writes them."""

import pickle
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any

import pytest
from celery import Celery, states
from pymemcache.client.base import Client

from celery_tui.backends import open_backend
from celery_tui.backends.base import Unlisted
from celery_tui.backends.memcached import MemcachedBackend
from celery_tui.errors import BackendError
from celery_tui.model.observations import ResultsLookedThrough
from celery_tui.model.seam import Link
from celery_tui.settings import Settings
from tests.backends.test_database import writer
from tests.backends.watching import Watched
from tests.caches import MemcachedServer
from tests.conftest import missing
from tests.servers import RedisServer, ServerMissing


@pytest.fixture(scope="module")
def memcached() -> Iterator[MemcachedServer]:
    """A memcached for the tests of this module."""
    try:
        server = MemcachedServer()
    except ServerMissing as error:
        missing(str(error))
        raise
    with server:
        yield server


@contextmanager
def opened(url: str, app: Celery | None = None) -> Iterator[MemcachedBackend]:
    """Our reader, closed at the end."""
    backend = open_backend(Settings(result_backend=url, celery_app=app))
    assert isinstance(backend, MemcachedBackend)
    with closing(backend):
        yield backend


def store(app: Celery, *ids: str) -> None:
    """As a worker does."""
    for task_id in ids:
        app.backend.store_result(task_id, {"a": 1}, states.SUCCESS)
    app.backend.client.close()


def lacks(url: str, *ids: str, app: Celery | None = None) -> set[str]:
    """Of which of these nothing is found."""
    with opened(url, app) as backend:
        return set(backend.fetch(ids).missing)


def test_what_celery_stores_is_read_by_id_and_cannot_be_listed(memcached: MemcachedServer) -> None:
    store(writer(memcached.url), "ok")
    with opened(memcached.url) as backend:
        fetched = backend.fetch(["ok", "nobody"])
        assert [(meta.id, meta.result) for meta in fetched.metas] == [("ok", "{'a': 1}")]
        assert fetched.missing == ("nobody",)
        assert backend.ping() < 1_000
        with pytest.raises(Unlisted):
            backend.recent(10)


def test_each_of_several_servers_is_asked(memcached: MemcachedServer) -> None:
    with MemcachedServer() as other:
        both = f"cache+memcached://127.0.0.1:{memcached.port};127.0.0.1:{other.port}/"
        ids = [f"shared-{number}" for number in range(20)]
        store(writer(both), *ids)
        assert 0 < len(lacks(other.url, *ids)) < 20
        assert lacks(both, *ids) == set()


def test_prefixes_and_the_setting_cache_backend_are_used(memcached: MemcachedServer) -> None:
    app = Celery("w", broker="memory://", backend="cache", set_as_current=False)
    app.conf.cache_backend = memcached.url.removeprefix("cache+")
    app.conf.cache_backend_options = {"key_prefix": b"ours:"}
    app.conf.result_backend_transport_options = {"global_keyprefix": "shop"}
    store(app, "prefixed")
    assert lacks("cache", "prefixed", app=app) == set()
    assert lacks(memcached.url, "prefixed") == {"prefixed"}


def test_pickle_is_never_loaded_and_hostile_ids_are_just_missing(
    memcached: MemcachedServer,
) -> None:
    class Bomb:
        def __reduce__(self) -> Any:
            return (pytest.fail, ("it was loaded",))

    with closing(Client(f"127.0.0.1:{memcached.port}")) as client:
        client.set("celery-task-meta-bomb", pickle.dumps(Bomb()), noreply=False, flags=1)
    ids = ["", "a b", "a\r\nflush_all", "nul\x00", "\ud800", "漢字", "x" * 10_000, "\x7f"]
    with opened(memcached.url) as backend:
        (meta,) = backend.fetch(["bomb"]).metas
        assert (meta.state, meta.result) == ("UNKNOWN", "not readable: pickle")
        assert set(backend.fetch(ids).missing) == set(ids)
        assert backend.fetch(["bomb"]).missing == ()


def test_a_memcached_that_hangs_or_goes_is_lost_and_live_again(memcached: MemcachedServer) -> None:
    store(writer(memcached.url), "a")
    with Watched(memcached.url) as watched:
        watched.until_live()
        found = [one for one in watched.heard() if isinstance(one, ResultsLookedThrough)]
        assert found[-1].done
        assert "cannot list" in found[-1].note
        lost = watched.since(memcached.pause, Link.LOST, "it is lost")
        again = watched.since(lambda: None, Link.LOST, "it is tried again")
        for one in (lost, again):
            assert (one.error or "").endswith("does not answer in time")
        watched.since(memcached.resume, Link.LIVE, "it is live again")
        lost = watched.since(memcached.stop, Link.LOST, "it is lost")
        again = watched.since(lambda: None, Link.LOST, "it is tried again")
        assert (again.error or "").endswith(f"127.0.0.1:{memcached.port} refused the connection")
        watched.since(memcached.start, Link.LIVE, "it is live again")


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("cache+memcached://no-such-host.invalid:1/", "a host that nobody knows"),
        ("cache+memcached:///", "names no memcached"),
        ("cache", "names no memcached"),
        ("cache+memcached://127.0.0.1:port/", "cannot be read"),
    ],
)
def test_what_is_wrong_is_one_sentence(url: str, words: str) -> None:
    with pytest.raises(BackendError) as caught, opened(url):
        pass
    assert words in caught.value.title
    assert "\n" not in str(caught.value)


def test_a_server_that_is_no_memcached_is_said(server: RedisServer) -> None:
    with (
        pytest.raises(BackendError) as caught,
        opened(f"cache+memcached://127.0.0.1:{server.port}/"),
    ):
        pass
    assert caught.value.hint == "Check that it is a memcached."


def test_without_its_client_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pymemcache.client.base", None)
    with pytest.raises(BackendError) as caught, opened("cache+memcached://127.0.0.1:1/"):
        pass
    assert "package pymemcache is missing" in caught.value.title
    assert "pip install pymemcache" in caught.value.hint
