"""Links to a Redis that fails in every way: one clear sentence, and never a password."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from celery_tui import brokers
from celery_tui.brokers.redis import RedisBroker
from celery_tui.errors import BackendError, BrokerError
from celery_tui.links.redis_link import NotPermitted, connect
from celery_tui.settings import Settings
from tests.brokers.messages import message
from tests.conftest import a_redis
from tests.servers import RedisServer, free_port


def refused(url: str) -> BrokerError:
    with pytest.raises(BrokerError) as caught:
        RedisBroker(url)
    assert "hunter2" not in f"{caught.value!r} {caught.value}"
    assert caught.value.hint
    assert "\n" not in str(caught.value)
    return caught.value


def test_a_broker_that_does_not_run_refuses_the_connection() -> None:
    error = refused(f"redis://:hunter2@127.0.0.1:{free_port()}/0")
    assert "refused the connection" in error.title


def test_a_host_that_does_not_exist_cannot_be_reached() -> None:
    assert "cannot be reached" in refused("redis://:hunter2@no-such-host.invalid/0").title


def test_a_missing_and_a_wrong_password_are_told_apart() -> None:
    with RedisServer(password="hunter2") as locked:
        bare = f"redis://127.0.0.1:{locked.port}/0"
        assert "wants a password" in refused(bare).title
        wrong = refused(f"redis://:nothunter2@127.0.0.1:{locked.port}/0")
        assert "refused the password" in wrong.title
        RedisBroker(locked.url()).close()


def test_a_user_without_permission_is_told_which(server: RedisServer, client: Any) -> None:
    client.execute_command("ACL", "SETUSER", "reader", "on", ">hunter2", "~*", "+ping")
    broker = RedisBroker(f"redis://reader:hunter2@127.0.0.1:{server.port}/0")
    with pytest.raises(NotPermitted, match=r"does not permit this user: .*scan"):
        broker.discover()
    broker.close()


def test_a_read_only_user_sees_queues(server: RedisServer, client: Any) -> None:
    client.execute_command(
        "ACL", "SETUSER", "viewer", "on", ">hunter2", "~*", "+@read", "+@connection"
    )
    client.lpush("emails", message())
    broker = RedisBroker(f"redis://viewer:hunter2@127.0.0.1:{server.port}/0")
    broker.discover()
    assert broker.depths()["emails"].depth == 1
    assert broker.unacked() == 0
    with pytest.raises(NotPermitted):
        broker.quarantine("emails")
    broker.close()


def test_urls_that_make_no_sense_are_explained() -> None:
    for url in ("redis://:hunter2@host/zero", "redis://:hunter2@host:port/0", "redis://[/0"):
        assert "cannot be read" in refused(url).title


@contextmanager
def answering(*replies: bytes) -> Iterator[str]:
    """A server that says the same whatever it is asked; silent when given nothing."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            peer, _ = listener.accept()
            with peer:
                while peer.recv(4096):
                    for reply in replies:
                        peer.sendall(reply)

        threading.Thread(target=serve, daemon=True).start()
        yield f"redis://:hunter2@127.0.0.1:{listener.getsockname()[1]}/0"


def test_a_server_that_loads_its_data_is_waited_for() -> None:
    with answering(b"-LOADING Redis is loading the dataset in memory\r\n" * 3) as url:
        assert "still loading" in refused(url).title


def test_a_server_that_is_no_redis_is_told() -> None:
    with answering(b"HTTP/1.1 400 Bad Request\r\n\r\n") as url:
        refused(url)


def test_a_broker_that_hangs_is_told_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("celery_tui.links.redis_link.ANSWER_TIMEOUT_S", 0.2)
    with a_redis() as own:
        broker = RedisBroker(own.url())
        own.pause()
        with pytest.raises(BrokerError, match="does not answer in time"):
            broker.ping()
        own.resume()
        broker.close()


def test_the_second_alternate_is_used_when_the_first_is_gone(server: RedisServer) -> None:
    broker = RedisBroker(f"redis://127.0.0.1:{free_port()}/0;{server.url()}")
    assert broker.ping() < 1_000
    broker.close()


def test_the_database_number_is_obeyed(server: RedisServer, client: Any) -> None:
    client.execute_command("SELECT", 0)
    client.lpush("only-in-0", message())
    for database, expected in ((0, {"only-in-0"}), (3, set())):
        broker = RedisBroker(server.url(database))
        broker.discover()
        assert broker.depths().keys() == expected
        broker.close()


def test_a_socket_url_works(tmp_path: Any) -> None:
    path = tmp_path / "redis.sock"
    with RedisServer("--unixsocket", str(path)):
        broker = RedisBroker(f"redis+socket://{path}?virtual_host=2")
        broker.ping()
        broker.close()


def test_errors_of_a_result_backend_are_called_so() -> None:
    with pytest.raises(BackendError, match="The result backend"):
        connect(f"redis://127.0.0.1:{free_port()}/0", BackendError)


def test_brokers_of_other_kinds_are_not_opened() -> None:
    settings = Settings(broker="sqs://guest:hunter2@localhost//")
    assert brokers.open_broker(settings) is None
    assert brokers.why_not(settings) == "queue depths of sqs:// brokers are not read yet"
    assert brokers.open_broker(Settings()) is None
