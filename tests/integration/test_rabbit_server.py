"""The tests' RabbitMQ: it answers on loopback only, keeps what is durable, leaves nothing."""

import psutil
from kombu.connection import Connection

from tests.rabbit import RabbitServer, is_alive
from tests.servers import wait_for


def test_it_listens_on_loopback_only_and_leaves_no_process_and_no_folder() -> None:
    with RabbitServer() as server:
        family, folder = server.processes(), server.folder
        listening = [
            one.laddr
            for process in family
            for one in process.net_connections("inet")
            if one.status == psutil.CONN_LISTEN
        ]
        assert {address.port for address in listening} >= {server.port}
        assert {address.ip for address in listening} <= {"127.0.0.1", "::1"}
        assert len({address.port for address in listening}) == 3  # broker, distribution, epmd
    assert not folder.exists()
    wait_for(lambda: not any(map(is_alive, family)), "the broker's processes are gone")


def test_a_restart_keeps_the_port_and_durable_messages() -> None:
    with RabbitServer() as server:
        port = server.port
        with Connection(server.url()) as connection:
            connection.SimpleQueue("kept").put({"a": 1})
        server.restart()
        assert server.port == port
        with Connection(server.url()) as connection:
            assert connection.SimpleQueue("kept").get(timeout=10).payload == {"a": 1}
