"""The filesystem result backend in a real folder, read as Celery writes it."""

import json
import os
from pathlib import Path
from typing import Any

import pytest
from celery import Celery, states

from celery_tui.backends import open_backend
from celery_tui.backends.files import FILES_A_STEP, FilesBackend
from celery_tui.backends.meta import COMPRESSED
from celery_tui.backends.naming import META
from celery_tui.errors import BackendError
from celery_tui.model.observations import ResultMeta
from celery_tui.settings import Settings
from tests.servers import RedisServer, Worker, client, wait_for


def walked(backend: FilesBackend, most: int) -> tuple[list[ResultMeta], dict[str, int]]:
    """All that a search brings, and what it left out."""
    walk = backend.recent(most)
    while walk.look():
        assert walk.looked_at <= walk.of
    metas: list[ResultMeta] = []
    while (some := walk.read()) is not None:
        metas += some
    return metas, walk.unread


def put(folder: Path, name: str, at: int = 0, **meta: Any) -> None:
    """A result that was stored then."""
    path = folder / f"{META}{name}"
    path.write_text(json.dumps({"status": "SUCCESS", **meta}))
    os.utime(path, (at, at))


def test_a_real_worker_s_results_are_read(server: RedisServer, tmp_path: Path) -> None:
    url = f"file://{tmp_path}"
    conf = '{"result_extended": true}'
    with Worker(server.url(), url, env={"CT_CONF": conf}, concurrency=1) as worker:
        app = client(server.url())
        done = app.send_task("sample.add", (1, 2)).id
        failed = app.send_task("sample.fail", ("card declined",)).id
        app.close()
        backend = FilesBackend(url)
        wait_for(lambda: len(backend.fetch([done, failed]).metas) == 2, "both are stored")
        fetched = backend.fetch([done, failed, "nobody"])
        assert worker.pid
    by_id = {meta.id: meta for meta in fetched.metas}
    assert (by_id[done].result, by_id[done].name, by_id[done].args) == ("3", "sample.add", [1, 2])
    assert by_id[failed].exception == "ValueError('card declined')"
    assert fetched.missing == ("nobody",)
    assert [meta.id for meta in walked(backend, 10)[0]] == [failed, done]


def test_the_newest_come_first_of_many_files(tmp_path: Path) -> None:
    for number in range(2 * FILES_A_STEP):
        put(tmp_path, f"t{number}", at=number)
    (tmp_path / "readme").write_text("x")
    metas, unread = walked(FilesBackend(f"file://localhost{tmp_path}"), 250)
    assert [meta.id for meta in metas] == [f"t{number}" for number in range(1_999, 1_749, -1)]
    assert unread == {}


def test_hostile_files_and_ids_do_no_harm(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text(json.dumps({"status": "SUCCESS"}))
    (tmp_path / f"{META}folder").mkdir()
    (tmp_path / f"{META}being-written").touch()
    (tmp_path / f"{META}garbage").write_bytes(b"\xff\xfe")
    (tmp_path / f"{META}pickled").write_bytes(b"\x80\x04N.")
    os.mkfifo(tmp_path / f"{META}pipe")
    put(tmp_path, "huge", result="x" * 2_000_000)
    put(tmp_path, "good")
    (tmp_path / f"{META}dangling").symlink_to("nowhere")
    backend = FilesBackend(f"file://{tmp_path}")
    ids = ["/../secret", "../secret", "", "nul\x00", "\ud800", "x" * 10_000, "pipe", "folder",
           "being-written", "dangling"]  # fmt: skip
    assert set(backend.fetch(ids).missing) == set(ids)
    (huge,) = backend.fetch(["huge"]).metas
    assert huge.state == "SUCCESS"
    metas, unread = walked(backend, 100)
    assert [meta.id for meta in metas] == ["good"]
    assert unread == {"too large": 1, "not JSON": 1, "pickle": 1}


def test_a_folder_that_is_not_there_is_said_and_not_made(tmp_path: Path) -> None:
    url = f"file://{tmp_path / 'none'}"
    with pytest.raises(BackendError) as caught:
        FilesBackend(url)
    assert f"has no folder {tmp_path / 'none'}" in caught.value.title
    (tmp_path / "none").mkdir()
    backend = FilesBackend(url)
    (tmp_path / "none").rmdir()
    with pytest.raises(BackendError):
        backend.fetch(["a"])
    with pytest.raises(BackendError):
        backend.recent(10)


def test_the_app_s_key_prefix_is_used(tmp_path: Path) -> None:
    app = Celery("w", broker="memory://", backend=f"file://{tmp_path}", set_as_current=False)
    app.conf.result_backend_transport_options = {"global_keyprefix": "pfx"}
    app.backend.store_result("mine", 1, states.SUCCESS)
    backend = open_backend(Settings(result_backend=f"file://{tmp_path}", celery_app=app))
    assert backend is not None
    assert backend.fetch(["mine"]).missing == ()


def test_compressed_results_are_read_and_listed(tmp_path: Path) -> None:
    app = Celery("w", broker="memory://", backend=f"file://{tmp_path}", set_as_current=False)
    app.conf.result_compression = "gzip"
    app.backend.store_result("packed", "x" * 1_000, states.SUCCESS)
    assert (tmp_path / f"{META}packed").read_bytes().startswith(COMPRESSED)
    backend = FilesBackend(f"file://{tmp_path}")
    (meta,) = backend.fetch(["packed"]).metas
    assert meta.result == repr("x" * 1_000)
    assert walked(backend, 10) == ([meta], {})
