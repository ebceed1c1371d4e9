"""What is told before the first frame, against servers that answer in every way."""

import contextlib
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from celery_tui import preflight, probe
from celery_tui.errors import AppError, BrokerError
from celery_tui.settings import Settings
from tests.conftest import missing
from tests.servers import RedisServer, ServerMissing, free_port

PASSWORD = "p@ss:w/rd"


@pytest.fixture(scope="module")
def redis_server() -> Iterator[RedisServer]:
    """A Redis without a password, with a socket file."""
    try:
        server = RedisServer()
    except ServerMissing as error:
        missing(str(error))
    with server:
        yield server


@pytest.fixture
def stranger() -> Iterator[int]:
    """The port of something that speaks HTTP."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def answer() -> None:
            # A test that never comes here closes the server under us.
            with contextlib.suppress(OSError), server.accept()[0] as client:
                client.recv(1000)
                client.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")

        threading.Thread(target=answer, daemon=True).start()
        yield server.getsockname()[1]


def test_every_transport_of_kombu_is_known() -> None:
    from kombu.transport import TRANSPORT_ALIASES

    assert set(map(str.lower, TRANSPORT_ALIASES)) <= set(preflight.DRIVERS)


def test_a_transport_of_ones_own_is_left_to_kombu() -> None:
    preflight.check_url("proj.transport://host")
    preflight.check_broker("proj.transport://host")


def test_a_redis_that_answers_is_fine(redis_server: RedisServer) -> None:
    preflight.check_broker(redis_server.url(0))


def test_one_alternate_that_answers_is_enough(redis_server: RedisServer) -> None:
    preflight.check_broker(f"redis://127.0.0.1:{free_port()}/0;{redis_server.url(0)}")


def test_without_any_alternate_the_first_ones_reason_is_told() -> None:
    dead = f"redis://127.0.0.1:{free_port()}/0"
    with pytest.raises(BrokerError, match=r"None of 2 brokers.*refused the connection"):
        preflight.check_broker(f"{dead};{dead}")


def test_a_database_that_does_not_exist(redis_server: RedisServer) -> None:
    with pytest.raises(BrokerError, match="no such database"):
        preflight.check_broker(redis_server.url(0).replace("/0", "/99"))


def test_a_password_where_none_is_wanted(redis_server: RedisServer) -> None:
    with pytest.raises(BrokerError, match="has no password"):
        preflight.check_broker(f"redis://:{'secret'}@127.0.0.1:{redis_server.port}/0")


def test_something_that_is_no_redis(stranger: int) -> None:
    with pytest.raises(BrokerError, match="is no Redis"):
        preflight.check_broker(f"redis://127.0.0.1:{stranger}/0")


def test_a_server_that_hangs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(preflight, "PATIENCE_S", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"redis://127.0.0.1:{server.getsockname()[1]}/0"
        with pytest.raises(BrokerError, match="does not answer in time"):
            preflight.check_broker(url)


def test_a_socket_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(BrokerError, match="sock"):
        preflight.check_broker(f"redis+socket://{tmp_path}/redis.sock")


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("redis://", probe.Address("redis", port=6379)),
        ("redis://u:p%40ss@h:1/3", probe.Address("redis", "h", 1, "", "u", "p@ss", 3)),
        ("amqps://h", probe.Address("amqps", "h", 5671)),
        ("redis://[::1]:7/0", probe.Address("redis", "::1", 7)),
        ("redis+socket:///run/r.sock?virtual_host=2",
         probe.Address("redis", path="/run/r.sock", delegated=True)),
    ],
)  # fmt: skip
def test_a_url_is_taken_apart_as_kombu_does(url: str, address: probe.Address) -> None:
    assert probe.address(url) == address


def test_an_app_that_brings_its_own_tls_is_not_spoken_to_in_the_clear(stranger: int) -> None:
    conf = SimpleNamespace(broker_use_ssl=True, broker_transport_options={})
    preflight.check_broker(f"redis://127.0.0.1:{stranger}/0", SimpleNamespace(conf=conf))


def test_an_app_whose_options_log_in_needs_no_password_in_the_url() -> None:
    try:
        server = RedisServer(password="secret")
    except ServerMissing as error:
        missing(str(error))
    options = {"credential_provider": object()}
    conf = SimpleNamespace(broker_use_ssl=None, broker_transport_options=options)
    with server:
        preflight.check_broker(f"redis://127.0.0.1:{server.port}/0", SimpleNamespace(conf=conf))


def test_databases_that_celery_used_are_offered_first(redis_server: RedisServer) -> None:
    from redis import Redis

    with Redis(port=redis_server.port, db=3) as client:
        client.sadd("_kombu.binding.celery", "x")
        found = probe.local_redis(5.0, "127.0.0.1", redis_server.port)
        client.delete("_kombu.binding.celery")
    assert [place.url[-2:] for place in found] == ["/3", "/0"]
    assert [bool(place.note) for place in found] == [True, False]


def test_nothing_on_this_machine() -> None:
    (found,) = probe.local_redis(1.0, "127.0.0.1", free_port())
    assert (found.took_ms, found.said) == (None, "")
    assert probe.local_rabbitmq(1.0, "127.0.0.1", free_port()).took_ms is None


def test_a_choice_becomes_settings(redis_server: RedisServer) -> None:
    url = redis_server.url(0)
    assert preflight.choose(Settings(read_only=True), "url", url) == Settings(
        broker=url, read_only=True
    )


def test_a_django_project_that_is_broken_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def import_default_modules() -> None:
        raise RuntimeError("redis://:secret@h/0 is unset")

    app = SimpleNamespace(loader=SimpleNamespace(import_default_modules=import_default_modules))
    monkeypatch.setenv("DJANGO_SETTINGS_MODULE", "proj.settings")
    with pytest.raises(AppError, match="Django") as caught:
        preflight.with_app(Settings(celery_app=app))
    assert "secret" not in str(caught.value)
