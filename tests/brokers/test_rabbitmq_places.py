"""Where a RabbitMQ can be: another virtual host, another user, behind TLS."""

import ssl
from collections.abc import Iterator
from functools import partial

import pytest
from celery import Celery
from kombu.connection import Connection

from celery_tui import brokers
from celery_tui.brokers.rabbitmq import RabbitBroker
from celery_tui.errors import BrokerError
from celery_tui.links.site import Site, completed
from celery_tui.settings import Settings
from tests.rabbit_tls import ALL, TlsRabbit, a_tls_rabbit
from tests.servers import client, wait_for


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TlsRabbit]:
    with a_tls_rabbit(tmp_path_factory.mktemp("tls")) as one:
        put = partial(one.server.manage, "PUT")
        put("vhosts/shop", {})
        put("users/ann", {"password": "p@ss/1", "tags": ""})
        put("permissions/shop/guest", ALL)
        put("permissions/shop/ann", {"configure": "", "write": "", "read": "^ok$"})
        yield one


def send(url: str, queue: str) -> None:
    with client(url) as app:
        app.send_task("proj.work", (1,), queue=queue)
    with Connection(url) as connection:
        channel = connection.channel()
        wait_for(
            lambda: channel.queue_declare(queue, passive=True).message_count, "it is in the queue"
        )


@pytest.mark.fact("another cluster on the same server", "RabbitMQ", "RabbitMQ + management")
def test_queues_and_quarantines_of_virtual_hosts_are_apart(place: TlsRabbit) -> None:
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


def test_who_may_not_take_messages_is_told_so_and_nothing_is_left(place: TlsRabbit) -> None:
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


def test_tls_is_spoken_and_a_stranger_refused(place: TlsRabbit) -> None:
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
