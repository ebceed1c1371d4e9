"""Where a RabbitMQ can be: another virtual host, another user, behind TLS."""

import json
import ssl
import subprocess
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from celery import Celery
from kombu.connection import Connection

from celery_tui import brokers
from celery_tui.brokers.rabbitmq import RabbitBroker
from celery_tui.errors import BrokerError
from celery_tui.links.site import Site, completed
from celery_tui.settings import Settings
from tests.conftest import a_rabbit
from tests.rabbit import RabbitServer
from tests.servers import client, free_port, wait_for

ALL = {"configure": ".*", "write": ".*", "read": ".*"}


@dataclass(frozen=True)
class Place:
    """A RabbitMQ that is also behind TLS."""

    server: RabbitServer
    tls_port: int
    certificate: Path


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    folder, port = tmp_path_factory.mktemp("tls"), free_port()
    certificate, key = folder / "c.pem", folder / "k.pem"
    done = subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2",
         "-keyout", key, "-out", certificate, "-subj", "/CN=rabbit",
         "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    conf = (
        f"listeners.ssl.1 = 127.0.0.1:{port}\n"
        f"ssl_options.certfile = {certificate}\nssl_options.keyfile = {key}\n"
        "ssl_options.verify = verify_none\n"
    )
    with a_rabbit(management=True, conf=conf) as server:
        put(server, "vhosts/shop", {})
        put(server, "users/ann", {"password": "p@ss/1", "tags": ""})
        put(server, "permissions/shop/guest", ALL)
        put(server, "permissions/shop/ann", {"configure": "", "write": "", "read": "^ok$"})
        yield Place(server, port, certificate)


def put(server: RabbitServer, path: str, body: dict[str, Any]) -> None:
    address = f"http://127.0.0.1:{server.management_port}/api/{path}"
    headers = {"Authorization": "Basic Z3Vlc3Q6Z3Vlc3Q=", "Content-Type": "application/json"}
    data = json.dumps(body).encode()
    request = urllib.request.Request(address, data, headers, method="PUT")
    urllib.request.urlopen(request, timeout=10).close()  # noqa: S310  our own, on loopback


def send(url: str, queue: str) -> None:
    with client(url) as app:
        app.send_task("proj.work", (1,), queue=queue)
    with Connection(url) as connection:
        channel = connection.channel()
        wait_for(
            lambda: channel.queue_declare(queue, passive=True).message_count, "it is in the queue"
        )


@pytest.mark.fact("another cluster on the same server", "RabbitMQ", "RabbitMQ + management")
def test_queues_and_quarantines_of_virtual_hosts_are_apart(place: Place) -> None:
    shop = RabbitBroker(Site(place.server.url("shop")), ("apart",), place.server.management_url)
    root = RabbitBroker(Site(place.server.url()), ("apart",), place.server.management_url)
    send(place.server.url("shop"), "apart")
    assert shop.depths()["apart"].depth == 1
    assert root.depths() == {}
    aside = shop.quarantine("apart")
    assert [one.name for one in shop.quarantines()] == [aside.name]
    assert root.quarantines() == []
    assert root.restore(aside.name) == 0
    assert shop.restore(aside.name) == 1
    for one in (shop, root):
        assert one.discover()
        assert one.limit == ""
        one.close()


def test_who_may_not_take_messages_is_told_so_and_nothing_is_left(place: Place) -> None:
    for queue in ("ok", "secret"):
        send(place.server.url("shop"), queue)
    ann = RabbitBroker(Site(place.server.url("shop", "ann", "p%40ss%2F1")), ("ok", "secret"))
    assert ann.depths()["ok"].depth == 1
    with pytest.raises(BrokerError) as told:
        ann.quarantine("secret")
    assert "p@ss" not in str(told.value)
    assert ann.quarantines() == []
    aside = ann.quarantine("ok")
    with pytest.raises(BrokerError):
        ann.restore(aside.name)
    ann.close()
    guest = RabbitBroker(Site(place.server.url("shop")))
    assert [one.moved for one in guest.quarantines()] == [1]
    assert guest.restore(aside.name) == 1
    assert guest.quarantines() == []
    guest.close()


def test_tls_is_spoken_and_a_stranger_refused(place: Place) -> None:
    url = f"amqps://guest:guest@localhost:{place.tls_port}//"
    with pytest.raises(BrokerError, match="TLS"):
        RabbitBroker(Site(url))
    app = Celery(broker=url, set_as_current=False)
    app.conf.broker_use_ssl = {
        "ca_certs": str(place.certificate),
        "cert_reqs": ssl.CERT_REQUIRED,
    }
    broker = brokers.open_broker(completed(Settings(), app))
    assert broker is not None
    assert broker.ping() > 0
    broker.close()
    app.close()
