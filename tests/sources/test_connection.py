"""What is wrong with a broker or an app is told in one sentence, soon, and without a password."""

from __future__ import annotations

import socket
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from celery_tui.errors import AppError, BrokerError
from celery_tui.links.errors import broker_error
from celery_tui.links.kombu_link import opened
from celery_tui.links.load import load_app, load_config
from celery_tui.links.site import Site, completed, site_of, transport_options
from celery_tui.model.seam import Health, Link
from celery_tui.settings import Settings
from celery_tui.sources.events import EventSource
from celery_tui.sources.inbox import Inbox
from celery_tui.sources.inspect import InspectSource
from tests.conftest import missing
from tests.servers import RedisServer, ServerMissing


@pytest.fixture(scope="module")
def guarded() -> Iterator[RedisServer]:
    """A Redis that wants a password."""
    try:
        server = RedisServer(password="hunter2").start()
    except ServerMissing as error:
        missing(str(error))
        raise
    yield server
    server.stop()


def refusal(url: str) -> BrokerError:
    """The error that connecting to ``url`` ends in."""
    began = time.monotonic()
    with pytest.raises(BrokerError) as caught, opened(Site(url)):
        pass
    print(f"[took] {caught.value.title}: {time.monotonic() - began:.3f} s")
    assert "s3cret" not in str(caught.value)
    return caught.value


@pytest.mark.parametrize(
    ("url", "words", "hint"),
    [
        ("redis://:s3cret@127.0.0.1:1/0", "refused the connection", "Check host and port"),
        ("amqp://ann:s3cret@127.0.0.1:1//", "refused the connection", "Check host and port"),
        ("redis://:s3cret@no-such-host.invalid/0", "nobody knows", "Check the host name"),
        ("rabbit://ann:s3cret@host//", "knows no broker called 'rabbit'", "redis://"),
        ("redis://:s3cret@127.0.0.1:port/0", "cannot be read", "Write it as"),
        ("redis://:s3cret@127.0.0.1:1/queue", "cannot be read", "Write it as"),
        ("sqs://key:s3cret@", "driver for sqs:// is not installed", 'pip install "celery[sqs]"'),
        ("sentinel://:s3cret@127.0.0.1:1", "which master", "Add ?master_name="),
    ],
)
def test_a_wrong_url_is_one_sentence_with_what_to_do(url: str, words: str, hint: str) -> None:
    error = refusal(url)
    assert words in error.title
    assert hint in error.hint
    assert "\n" not in str(error)


def test_a_wrong_password_is_called_so(guarded: RedisServer) -> None:
    url = guarded.url().replace("hunter2", "s3cret")
    assert "refused the password" in refusal(url).title
    assert "wants a password" in refusal(url.replace(":s3cret@", "")).title


def test_a_wrong_database_is_called_so(guarded: RedisServer) -> None:
    error = refusal(guarded.url(99))
    assert "no such database" in error.title
    assert "hunter2" not in str(error)


def test_the_second_of_two_alternates_is_used_when_the_first_is_dead(guarded: RedisServer) -> None:
    with opened(Site(f"redis://127.0.0.1:1/0;{guarded.url()}")) as connection:
        assert connection.connected


def test_a_host_that_takes_the_connection_and_says_nothing_is_noticed() -> None:
    with socket.socket() as deaf:
        deaf.bind(("127.0.0.1", 0))
        deaf.listen()
        port = deaf.getsockname()[1]
        for url in (f"redis://127.0.0.1:{port}/0", f"amqp://a:s3cret@127.0.0.1:{port}//"):
            assert "does not answer in time" in refusal(url).title


def test_an_amqp_login_that_is_refused_is_called_so() -> None:
    from amqp.exceptions import AccessRefused, NotAllowed

    url = "amqp://ann:s3cret@rabbit//"
    refused = broker_error(AccessRefused("ACCESS_REFUSED - Login was refused"), url)
    assert "refused the user name or password" in refused.title
    assert "virtual host" in broker_error(NotAllowed("vhost /x not found"), url).title


def test_the_cause_behind_an_error_is_found() -> None:
    error = RuntimeError("kombu gave up")
    error.__cause__ = ConnectionRefusedError(111, "Connection refused")
    assert "refused the connection" in broker_error(error, "amqp://rabbit//").title


def test_without_a_broker_and_an_app_there_is_no_site() -> None:
    with pytest.raises(BrokerError, match="No broker is named"):
        site_of(Settings())


def test_the_key_prefix_reaches_the_redis_transport_only() -> None:
    assert transport_options("redis", "shop:")["global_keyprefix"] == "shop:"
    assert "global_keyprefix" not in transport_options("amqp", "shop:")
    assert transport_options("memory") == {}


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder to write modules of a user's project into."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("CELERY_BROKER_URL", raising=False)
    before = set(sys.modules)
    yield tmp_path
    for name in set(sys.modules) - before:
        if name.startswith("shop"):
            del sys.modules[name]


def test_an_app_tells_where_to_look(project: Path) -> None:
    (project / "shop_a.py").write_text(
        "from celery import Celery\n"
        "app = Celery('shop', broker='redis://:s3cret@10.0.0.1/3', backend='redis://b/1',\n"
        "             set_as_current=False)\n"
        "app.conf.broker_transport_options = {'global_keyprefix': 'shop:'}\n"
        "app.conf.event_exchange = 'shopev'\n"
        "app.conf.control_exchange = 'shopctl'\n"
    )
    settings = Settings(app="shop_a")
    app = load_app("shop_a")
    site = site_of(settings, app)
    assert site.url == "redis://:s3cret@10.0.0.1/3"
    assert (site.key_prefix, site.event_exchange) == ("shop:", "shopev")
    assert site.control_exchange == "shopctl"
    assert "s3cret" not in repr(app)
    filled = completed(settings, app)
    assert filled.result_backend == "redis://b/1"
    assert filled.key_prefix == "shop:"
    options = site.connect().transport_options or {}
    assert options["global_keyprefix"] == "shop:"
    assert options["socket_connect_timeout"] > 0


def test_what_is_given_beats_what_the_app_says(project: Path) -> None:
    (project / "shop_b.py").write_text(
        "from celery import Celery\n"
        "app = Celery('shop', broker='redis://a/0', backend='redis://a/1', set_as_current=False)\n"
    )
    given = Settings(app="shop_b", broker="redis://b/5", result_backend="redis://b/6")
    filled = completed(given, load_app("shop_b"))
    assert (filled.broker, filled.result_backend) == ("redis://b/5", "redis://b/6")


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("import nowhere_to_be_found", "No module named 'nowhere_to_be_found'"),
        ("raise RuntimeError('redis://:s3cret@h is wrong')", "RuntimeError"),
        ("import sys; sys.exit(4)", "ended the program while it was imported (sys.exit(4))"),
        ("def broken(:", "SyntaxError"),
        ("app = 3", "not a Celery app but int"),
        ("x = 3", "has no attribute"),
    ],
)
def test_an_app_that_fails_to_load_is_one_sentence(project: Path, source: str, words: str) -> None:
    (project / "shop_bad.py").write_text(source)
    with pytest.raises(AppError) as caught:
        load_app("shop_bad")
    assert words in caught.value.title
    assert "shop_bad" in caught.value.title
    assert caught.value.hint
    assert "s3cret" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "words", "hint"),
    [
        ("shop_c:nosuch", "The module 'shop_c' has no attribute 'nosuch'", "-A shop_c:app"),
        ("shop_c:app.nosuch", "has no attribute 'app.nosuch'", "-A shop_c:app"),
        ("shop_d:nosuch", "The module 'shop_d' has no attribute 'nosuch'", "no Celery app either"),
        ("shop_e:nosuch", "No module named 'shop_nowhere'", "-A works"),
        ("shop_nowhere:app", "No module named 'shop_nowhere'", "-A works"),
    ],
)
def test_an_attribute_that_is_not_there_is_not_taken_for_a_missing_module(
    project: Path, name: str, words: str, hint: str
) -> None:
    made = "from celery import Celery\napp = also = Celery('shop', set_as_current=False)\n"
    (project / "shop_c.py").write_text(f"{made}beat = Celery('beat', set_as_current=False)\n")
    (project / "shop_d.py").write_text("x = 1\n")
    (project / "shop_e.py").write_text("import shop_nowhere\n")
    with pytest.raises(AppError) as caught:
        load_app(name)
    assert words in caught.value.title
    assert hint in caught.value.hint
    if "-A shop_c" in hint:
        assert "-A shop_c:beat" in caught.value.hint


CONFIG = """
broker_url = "redis://:s3cret@10.0.0.1/3"
result_backend = "redis://b/1"
broker_transport_options = {"global_keyprefix": "shop:", "visibility_timeout": 60}
control_exchange = "shopctl"
"""


def test_a_module_that_configures_celery_tells_where_to_look(project: Path) -> None:
    (project / "shop_config.py").write_text(CONFIG)
    settings = Settings(config_module="shop_config")
    app = load_config("shop_config")
    site = site_of(settings, app)
    assert site.url == "redis://:s3cret@10.0.0.1/3"
    assert (site.key_prefix, site.control_exchange) == ("shop:", "shopctl")
    assert (site.connect().transport_options or {})["visibility_timeout"] == 60
    assert completed(settings, app).result_backend == "redis://b/1"


@pytest.mark.parametrize(
    ("source", "words"),
    [
        (None, "CELERY_CONFIG_MODULE names 'shop_config', and there is no such module"),
        ("import nowhere_to_be_found", "No module named 'nowhere_to_be_found'"),
        ("raise RuntimeError('redis://:s3cret@h is wrong')", "'shop_config': RuntimeError"),
        ("import sys; sys.exit(4)", "sys.exit(4)"),
    ],
)
def test_a_configuration_that_fails_to_load_is_one_sentence(
    project: Path, source: str | None, words: str
) -> None:
    if source is not None:
        (project / "shop_config.py").write_text(source)
    with pytest.raises(AppError) as caught:
        load_config("shop_config")
    assert words in caught.value.title
    assert "CELERY_CONFIG_MODULE" in caught.value.hint
    assert "s3cret" not in str(caught.value)


def test_an_app_that_is_not_there_is_one_sentence(project: Path) -> None:
    with pytest.raises(AppError, match="No module named 'shop_nowhere'"):
        load_app("shop_nowhere")


def test_a_broker_without_broadcast_is_off_and_says_why(tmp_path: Path) -> None:
    site = Site(f"sqla+sqlite:///{tmp_path}/broker.sqlite")
    for source in (EventSource(Inbox(), site, int), InspectSource(Inbox(), site)):
        source.start()
        source.join(30)
        told = [source.inbox.take(), source.inbox.take()]
        assert [one.state for one in told if isinstance(one, Health)] == [
            Link.CONNECTING,
            Link.OFF,
        ]
