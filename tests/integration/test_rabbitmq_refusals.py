"""Each way in which a RabbitMQ is not to be had is one clear sentence, before and while we run."""

from __future__ import annotations

import ssl
import sys
from collections.abc import Iterator

import pytest
from celery import Celery

from celery_tui import preflight
from celery_tui.brokers.rabbitmq import RabbitBroker
from celery_tui.brokers.rabbitmq_api import Management
from celery_tui.errors import BrokerError, SettingsError, TuiError
from celery_tui.links.amqp_link import AmqpLink
from celery_tui.links.site import Site
from tests.integration.odd_brokers import answering, odd_rabbit
from tests.rabbit_tls import TlsRabbit
from tests.servers import free_port, wait_for
from tests.shell import OURS, in_terminal

SECRET = "hunter2"


@pytest.fixture(scope="module")
def odd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TlsRabbit]:
    with odd_rabbit(tmp_path_factory.mktemp("tls")) as one:
        yield one


def before(url: str) -> str:
    """What is said before the first frame."""
    with pytest.raises(BrokerError) as told:
        preflight.check_broker(url)
    return sentence(told.value)


def later(url: str) -> str:
    """What is said of a connection that is made while the dashboard runs."""
    with pytest.raises(BrokerError) as told:
        AmqpLink(Site(url))
    return sentence(told.value)


def sentence(error: TuiError) -> str:
    assert SECRET not in f"{error!r} {error}"
    assert error.hint
    assert "\n" not in str(error)
    return error.title


def both(url: str) -> str:
    """The same is said before and later."""
    told = before(url)
    assert later(url) == told
    return told


def test_a_wrong_password(odd: TlsRabbit) -> None:
    assert "refused the user name or password" in both(odd.server.url(password=SECRET))


def test_a_virtual_host_that_is_not_there(odd: TlsRabbit) -> None:
    assert both(odd.server.url("nowhere")).endswith("has no virtual host 'nowhere'")


def test_a_virtual_host_that_the_user_may_not_enter(odd: TlsRabbit) -> None:
    told = both(odd.server.url("closed", "ann", SECRET))
    assert told.endswith("does not let 'ann' into the virtual host 'closed'")


def test_nobody_listens() -> None:
    told = both(f"amqp://ann:{SECRET}@127.0.0.1:{free_port()}//")
    assert told.endswith("refused the connection")


def test_a_host_that_nobody_knows() -> None:
    assert "host that nobody knows" in both(f"amqp://ann:{SECRET}@no-such-host.invalid//")


def test_tls_is_spoken_to_a_plain_port(odd: TlsRabbit) -> None:
    url = odd.server.url(password=SECRET).replace("amqp://", "amqps://")
    assert both(url).endswith("does not speak TLS there")


def test_no_tls_is_spoken_to_a_port_of_tls(odd: TlsRabbit) -> None:
    told = both(f"amqp://guest:{SECRET}@127.0.0.1:{odd.tls_port}//")
    assert told.endswith("speaks TLS there, and we do not")


def test_a_certificate_that_nobody_trusts(odd: TlsRabbit) -> None:
    told = both(f"amqps://guest:{SECRET}@localhost:{odd.tls_port}//")
    assert "certificate that is not trusted: self" in told


def test_a_certificate_that_the_app_trusts(odd: TlsRabbit) -> None:
    url = f"amqps://guest:guest@localhost:{odd.tls_port}//"
    with Celery(broker=url, set_as_current=False) as app:
        app.conf.broker_use_ssl = {
            "ca_certs": str(odd.certificate),
            "cert_reqs": ssl.CERT_REQUIRED,
        }
        preflight.check_broker(url, app)


@pytest.mark.parametrize(
    ("reply", "who"),
    [
        (b"-ERR unknown command 'AMQP'\r\n", "Redis"),
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", "HTTP"),
        (b"AMQP\x00\x01\x00\x00", "another version of AMQP"),
        (b"220 mail.example.org ESMTP\r\n", "something else"),
    ],
)
def test_something_else_answers(reply: bytes, who: str, monkeypatch: pytest.MonkeyPatch) -> None:
    shorter(monkeypatch)
    with answering(reply) as port:
        url = f"amqp://ann:{SECRET}@127.0.0.1:{port}//"
        assert both(url).endswith(f"is no RabbitMQ: {who} answers")


def test_the_management_api_is_no_broker(odd: TlsRabbit, monkeypatch: pytest.MonkeyPatch) -> None:
    shorter(monkeypatch)
    url = f"amqp://ann:{SECRET}@127.0.0.1:{odd.server.management_port}//"
    assert both(url).endswith("is no RabbitMQ: HTTP answers")


def test_silence_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    shorter(monkeypatch)
    with answering(b"") as port:
        told = both(f"amqp://ann:{SECRET}@127.0.0.1:{port}//")
    assert told.endswith("does not answer in time")


def shorter(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(preflight, "PATIENCE_S", 0.3)
    monkeypatch.setattr("celery_tui.links.kombu_link.CONNECT_TIMEOUT_S", 0.3)
    monkeypatch.setattr("celery_tui.links.site.CONNECT_TIMEOUT_S", 0.3)


def test_one_alternate_that_lets_us_in_is_enough(odd: TlsRabbit) -> None:
    url = f"amqp://ann:{SECRET}@127.0.0.1:{free_port()}//;{odd.server.url()}"
    preflight.check_broker(url)
    link = AmqpLink(Site(url))
    assert link.place == f"127.0.0.1:{odd.server.port}//"
    link.close()
    refused = f"amqp://ann:{SECRET}@127.0.0.1:{free_port()}//"
    with pytest.raises(BrokerError, match=r"None of 2 brokers.*refused the connection"):
        preflight.check_broker(f"{refused};{refused}")


def test_a_driver_that_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "amqp", None)
    monkeypatch.setattr(preflight, "find_spec", lambda name: None)
    told = before(f"amqp://ann:{SECRET}@127.0.0.1:{free_port()}//")
    assert told.startswith("The driver for amqp:// is not installed")


# -- the management API -----------------------------------------------------------------------


def api_said(odd: TlsRabbit, url: str) -> str:
    """What is said of it while we run; it takes nothing else away."""
    broker = RabbitBroker(Site(odd.server.url()), ("celery",), url)
    assert broker.discover()
    broker.depths()
    broker.close()
    assert broker.unacked() is None
    assert SECRET not in broker.limit
    return broker.limit


def api_refused(odd: TlsRabbit, url: str) -> str:
    """What ends the command at its start."""
    with pytest.raises(SettingsError) as told:
        preflight.check_management(odd.server.url(), url)
    said = sentence(told.value)
    assert api_said(odd, url).rstrip("?") == f"t{said[1:]}"
    return said


def as_user(odd: TlsRabbit, user: str) -> str:
    return odd.server.management_url.replace("guest:guest", f"{user}:{SECRET}")


def test_the_plugin_is_not_on_or_nobody_is_there(odd: TlsRabbit) -> None:
    url = f"http://ann:{SECRET}@127.0.0.1:{free_port()}"
    preflight.check_management(odd.server.url(), url)  # it may come back: the broker is there
    assert "refuses the connection: is its plugin on" in api_said(odd, url)


def test_the_api_refuses_the_password(odd: TlsRabbit) -> None:
    assert api_refused(odd, as_user(odd, "guest")).endswith("refused the user name or password")


def test_the_api_is_not_for_users_without_a_tag(odd: TlsRabbit) -> None:
    assert "it takes the tag monitoring" in api_refused(odd, as_user(odd, "ann"))


def test_the_api_hides_a_virtual_host(odd: TlsRabbit) -> None:
    told = api_refused(odd, as_user(odd, "mia"))
    assert "does not let this user see the virtual host '/'" in told


def test_the_path_of_the_api_is_wrong(odd: TlsRabbit) -> None:
    told = api_refused(odd, odd.server.management_url + "/elsewhere")
    assert "is its address right" in told


def test_the_api_is_that_of_another_broker(odd: TlsRabbit) -> None:
    with pytest.raises(SettingsError, match="nothing on the virtual host 'nowhere'"):
        preflight.check_management(odd.server.url("nowhere"), odd.server.management_url)


@pytest.mark.parametrize(
    "reply",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}",
        b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\n<html>",
        b"-ERR unknown command\r\n",
    ],
)
def test_something_else_is_at_the_address_of_the_api(odd: TlsRabbit, reply: bytes) -> None:
    with answering(reply) as port:
        url = f"http://guest:{SECRET}@127.0.0.1:{port}"
        assert api_refused(odd, url).endswith("is none: something else answers there")


def test_the_port_of_the_broker_is_not_that_of_the_api(odd: TlsRabbit) -> None:
    url = f"http://guest:{SECRET}@127.0.0.1:{odd.server.port}"
    assert "hangs up: is its address right" in api_said(odd, url)


def test_a_web_server_without_the_api_is_told_apart(odd: TlsRabbit) -> None:
    with answering(b"HTTP/1.1 404 Not Found\r\nContent-Length: 6\r\n\r\n<html>") as port:
        url = f"http://guest:{SECRET}@127.0.0.1:{port}"
        assert "is not there: is its plugin on" in api_refused(odd, url)


def test_the_api_is_asked_in_the_wrong_protocol(odd: TlsRabbit) -> None:
    url = odd.server.management_url.replace("http:", "https:")
    assert "does not speak TLS there" in api_refused(odd, url)


def test_the_api_that_comes_back_is_read_again(
    odd: TlsRabbit, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("celery_tui.brokers.rabbitmq_api.ROUND_EVERY_S", 0.0)
    api = Management(odd.server.management_url, "/", ("", ""))
    monkeypatch.setattr("celery_tui.links.management.ANSWER_WITHIN_S", 0.3)
    odd.server.pause()
    try:
        assert api.step()
    finally:
        odd.server.resume()
    assert "does not answer in time" in api.trouble
    assert api.unacked() is None
    wait_for(lambda: api.step() and not api.trouble, "it is read again")
    assert api.unacked() == 0


# -- the command itself -----------------------------------------------------------------------


@pytest.mark.parametrize("what", ["vhost", "api"])
def test_the_command_ends_with_one_line_and_code_3(odd: TlsRabbit, what: str) -> None:
    options = {
        "vhost": ("-b", odd.server.url("closed", "ann", SECRET)),
        "api": ("-b", odd.server.url(), "--management-url", as_user(odd, "guest")),
    }[what]
    ended = in_terminal([*OURS, *options])
    assert ended.code == 3, ended
    assert SECRET not in ended.said
    words = {"vhost": "does not let 'ann' into", "api": "The management API"}[what]
    assert words in ended.said
    assert "Traceback" not in ended.said
