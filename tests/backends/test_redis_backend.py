"""The Redis result backend, read as Celery writes it."""

from typing import Any

import pytest
import redis
from celery import Celery, states

from celery_tui.backends import open_backend
from celery_tui.backends.meta import COMPRESSED
from celery_tui.backends.redis import RedisBackend
from celery_tui.errors import BackendError
from celery_tui.settings import Settings
from tests.servers import RedisServer

# What Celery itself calls when it stores a result.
pytestmark = pytest.mark.filterwarnings("ignore:Call to deprecated setex:DeprecationWarning")


def writer(server: RedisServer, **conf: Any) -> Celery:
    """An app whose backend writes as a worker does."""
    app = Celery("w", broker="memory://", backend=server.url(1), set_as_current=False)
    app.conf.update(**conf)
    return app


def test_what_celery_stores_is_read(server: RedisServer) -> None:
    app = writer(server)
    app.backend.store_result("ok", {"a": 1}, states.SUCCESS)
    app.backend.store_result("bad", ValueError("card declined", 5), states.FAILURE, "Traceback")
    backend = RedisBackend(server.url(1))
    assert backend.ping() < 1_000
    fetched = backend.fetch(["ok", "bad", "nobody"])
    backend.close()
    by_id = {meta.id: meta for meta in fetched.metas}
    assert by_id["ok"].result == "{'a': 1}"
    assert by_id["ok"].date_done is not None
    assert by_id["bad"].exception == "ValueError('card declined', 5)"
    assert by_id["bad"].traceback == "Traceback"
    assert fetched.missing == ("nobody",)


def test_pickled_results_are_shown_as_not_readable(server: RedisServer) -> None:
    app = writer(server, result_serializer="pickle", accept_content=["pickle"])
    app.backend.store_result("pickled", {1, 2}, states.SUCCESS)
    backend = RedisBackend(server.url(1))
    (meta,) = backend.fetch(["pickled"]).metas
    backend.close()
    assert meta.result == "not readable: pickle"


def test_compressed_results_are_read(server: RedisServer) -> None:
    app = writer(server, result_compression="gzip")
    app.backend.store_result("packed", "x" * 1_000, states.SUCCESS)
    with redis.Redis.from_url(server.url(1)) as client:
        stored = client.get("celery-task-meta-packed")
    assert isinstance(stored, bytes)
    assert stored.startswith(COMPRESSED)
    backend = RedisBackend(server.url(1))
    (meta,) = backend.fetch(["packed"]).metas
    backend.close()
    assert meta.result == repr("x" * 1_000)


@pytest.mark.parametrize("prefix", ["pfx:", "pfx"])
def test_a_key_prefix_is_joined_as_celery_does(server: RedisServer, prefix: str) -> None:
    app = writer(server, result_backend_transport_options={"global_keyprefix": prefix})
    app.backend.store_result(f"under-{prefix}", 1, states.SUCCESS)
    backend = RedisBackend(server.url(1), prefix)
    assert [meta.id for meta in backend.fetch([f"under-{prefix}", "x"]).metas] == [
        f"under-{prefix}"
    ]
    backend.close()
    given = Settings(result_backend=server.url(1), celery_app=app)
    opened = open_backend(given)
    assert opened is not None
    assert opened.fetch([f"under-{prefix}"]).missing == ()
    opened.close()


def test_hostile_ids_and_foreign_keys_are_just_missing(server: RedisServer) -> None:
    backend = RedisBackend(server.url(1))
    with redis.Redis.from_url(server.url(1)) as client:
        client.lpush("celery-task-meta-list", "x")
    ids = ["list", "", "nul\x00", "\ud800", "漢字", "*", "x" * 10_000]
    assert set(backend.fetch(ids).missing) == set(ids)
    assert backend.fetch([]).metas == ()
    backend.close()


def test_a_lost_backend_is_an_error_in_words(server: RedisServer) -> None:
    with RedisServer(password="hunter2") as own:
        backend = RedisBackend(own.url())
    with pytest.raises(BackendError) as caught:
        backend.fetch(["a"])
    assert "The result backend" in caught.value.title
    assert "hunter2" not in str(caught.value)
    backend.close()
