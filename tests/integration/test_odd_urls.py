"""The real program is given passwords in odd URLs: they stand in nothing that it says or writes."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from redis import Redis

from tests.benchmarks.kit.terminal import environment
from tests.conftest import a_vhost
from tests.odd_urls import MARK
from tests.rabbit import VirtualHost
from tests.servers import RedisServer, free_port, wait_for
from tests.shell import OURS, Ended, in_terminal, run
from tests.terminals.emulator import Pty

PASSWORD = f"{MARK}:p@ss"
"""As kombu takes it unescaped."""


@pytest.fixture(scope="module")
def redis_url() -> Iterator[str]:
    """A Redis that lets in a user with an @ in its name."""
    with RedisServer() as server:
        with Redis(port=server.port) as client:
            rules = ("on", f">{PASSWORD}", "~*", "&*", "+@all")
            client.execute_command("ACL", "SETUSER", "ops@tenant", *rules)
            client.execute_command("CONFIG", "SET", "requirepass", "another")
        yield f"redis://ops@tenant:{PASSWORD}@127.0.0.1:{server.port}/0"


@pytest.fixture(scope="module")
def odd_rabbit() -> Iterator[VirtualHost]:
    """The same for a RabbitMQ with its management API."""
    with a_vhost("shop.eu") as vhost:
        vhost.permit("ops@tenant", PASSWORD, ".*", ".*", ".*")
        yield vhost


def rabbit_url(server: VirtualHost) -> str:
    return f"amqp://ops@tenant:{PASSWORD}@127.0.0.1:{server.port}/shop.eu"


def dead(scheme: str = "redis") -> str:
    """The same where nobody listens."""
    return f"{scheme}://ops@tenant:{PASSWORD}@127.0.0.1:{free_port()}/0"


def says_nothing(ended: Ended, log: Path, state_home: Path) -> None:
    """The password stands in no stream and in no file."""
    written = [log, *(path for path in state_home.rglob("*") if path.is_file())]
    texts = [path.read_text(encoding="utf-8") for path in written if path.exists()]
    for text in (ended.said, *texts):
        assert MARK not in text
    assert "Traceback" not in ended.said


def looked(url: str, tmp_path: Path, state_home: Path, *more: str, **env: str) -> Ended:
    """`status` of a broker that answers."""
    log = tmp_path / "log"
    where = ("-b", url) if url else ()
    command = [*OURS, *where, "--log", str(log), *more]
    ended = run(*command, cwd=tmp_path, stdin=subprocess.DEVNULL, **env)
    assert ended.code in (0, 1, 2), ended
    says_nothing(ended, log, state_home)
    return ended


# -- status ------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", ["status", "status --json"])
def test_status_of_a_redis(form: str, redis_url: str, tmp_path: Path, state_home: Path) -> None:
    for url in (redis_url, f"{dead()};{redis_url}", f"{redis_url};{dead()}"):
        ended = looked(url, tmp_path, state_home, "--result-backend", redis_url, *form.split())
        assert ended.out.count("redis://ops@tenant:***@127.0.0.1:") >= 2
        assert ended.out.count("***") == url.count(MARK) + 1


def test_status_of_a_rabbitmq(odd_rabbit: VirtualHost, tmp_path: Path, state_home: Path) -> None:
    api = f"http://ops@tenant:{PASSWORD}@127.0.0.1:{odd_rabbit.management_port}"
    more = ("--management-url", api, "status", "--json")
    ended = looked(rabbit_url(odd_rabbit), tmp_path, state_home, *more)
    told = json.loads(ended.out)
    shown = f"amqp://ops@tenant:***@127.0.0.1:{odd_rabbit.port}/shop.eu"
    assert told["broker"]["url"] == shown


def test_status_where_environment_or_file_name_it(
    redis_url: str, tmp_path: Path, state_home: Path
) -> None:
    file = tmp_path / "broker"
    file.write_text(f"{redis_url}\n", encoding="utf-8")
    told = [
        looked("", tmp_path, state_home, "status", CELERY_BROKER_URL=redis_url),
        looked("", tmp_path, state_home, "status", CELERY_TUI_BROKER=redis_url,
               CELERY_TUI_RESULT_BACKEND=dead(), CELERY_TUI_MANAGEMENT_URL=dead("http")),
        looked("", tmp_path, state_home, "--broker-file", str(file), "status"),
        looked("", tmp_path, state_home, "status", CELERY_BROKER_URL=redis_url,
               CELERY_RESULT_BACKEND=dead("db+postgresql+psycopg")),
    ]  # fmt: skip
    assert all("ops@tenant:***@127.0.0.1" in one.out for one in told)


BACKENDS = (
    "db+postgresql+psycopg://ops@t:{}@127.0.0.1:{}/x",
    "db+postgresql+psycopg://ops:{};x@127.0.0.1:{}/x",
    "db+mysql+nosuchdriver://ops:{}@127.0.0.1:{}/x?ssl_password={}",
    "db+mssql+pyodbc:///?odbc_connect=DRIVER%3DX%3BPWD%3D{}%3BSERVER%3D{}",
    "cache+memcached://ops:{}@127.0.0.1:{}/",
    "mongodb://ops@t:{}@127.0.0.1:{},127.0.0.1:1/x?authSource=admin",
    "redis://:{};b@127.0.0.1:{}/0",
    "rediss://ops@t:{}@127.0.0.1:{}/0?ssl_cert_reqs=none&ssl_password={}",
    "sentinel://ops@t:{}@127.0.0.1:{}/0;127.0.0.1:1?master_name=m&sentinel_password={}",
    "redis//ops@t:{}@127.0.0.1:{}/0",
    "elasticsearch://ops@t:{}@127.0.0.1:{}/i",
    "azureblockblob://DefaultEndpointsProtocol=https;AccountKey={}==;EndpointSuffix={}",
    "rpc://ops@t:{}@127.0.0.1:{}//",
    "file://ops@t:{}@127.0.0.1:{}/x",
)


@pytest.mark.parametrize("backend", BACKENDS)
def test_status_with_a_result_backend_that_is_not_to_be_had(
    backend: str, redis_url: str, tmp_path: Path, state_home: Path
) -> None:
    url = backend.format(PASSWORD, free_port(), PASSWORD)
    told: dict[str, str] = {}
    for listen in ("1s", "5s", "30s"):  # on a busy machine a driver takes long to be loaded
        more = ("--result-backend", url, "status", "--listen", listen, "--json")
        told = json.loads(looked(redis_url, tmp_path, state_home, *more).out)["result_backend"]
        if told["error"]:
            break
    assert told["url"]
    assert told["error"]


# -- refusals ----------------------------------------------------------------------------------

REFUSED: dict[str, tuple[str, ...]] = {
    "nobody listens": ("-b", "redis://ops@tenant:{}@127.0.0.1:1/0"),
    "none of two": ("-b", "amqp://ops@tenant:{}@127.0.0.1:1//;amqp://v:{}@127.0.0.1:1//"),
    "sentinel": ("-b", "sentinel://ops@tenant:{}@127.0.0.1:1/0?sentinel_password={}"),
    "semicolon": ("-b", "amqp://ops:a;{}@127.0.0.1:1//"),
    "semicolon twice": ("-b", "redis://:a;{};b@127.0.0.1:1/0"),
    "slash": ("-b", "amqp://ops:1/{}@127.0.0.1:1/shop.eu"),
    "hash": ("-b", "redis://ops@t:#{}@127.0.0.1:1/0"),
    "question": ("-b", "redis://ops@t:?{}@127.0.0.1:1/0"),
    "bracket": ("-b", "redis://ops:[{}@127.0.0.1:1/0"),
    "blank": ("-b", "redis://ops:a {}@127.0.0.1:1/0"),
    "cut": ("-b", "redis://ops:{}"),
    "port": ("-b", "redis://ops@h:{}/0"),
    "no slashes": ("-b", "redis//ops@t:{}@h/0"),
    "no scheme": ("-b", "ops@t:{}@127.0.0.1"),
    "colon slash": ("-b", "redis:/:{}@h/0"),
    "other scheme": ("-b", "nosuch://ops@t:{}@h/0"),
    "in the query": ("-b", "redis://h/0?password={}"),
    "no -b": ("redis://ops@t:{}@h/0",),
    "a wrong option": ("--brocker=redis://ops@t:{}@h/0",),
    "as the app": ("-A", "redis://ops@t:{}@h/0"),
    "as the theme": ("--theme", "redis://ops@t:{}@h/0"),
    "management": (
        "-b", "amqp://127.0.0.1:1//", "--management-url", "http://ops:1/{}@127.0.0.1:1",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_a_refusal_before_the_first_frame(name: str, tmp_path: Path, state_home: Path) -> None:
    log = tmp_path / "log"
    words = [word.replace("{}", PASSWORD) for word in REFUSED[name]]
    for ended in _both([*OURS, "--log", str(log), *words], tmp_path):
        assert ended.code == 3, ended
        says_nothing(ended, log, state_home)


PLUGIN: dict[str, tuple[str, ...]] = {
    "nobody listens": ("-b", "redis://ops@t:{}@127.0.0.1:1/0", "tui", "status"),
    "a word too many": ("-b", "redis://h/0", "tui", "redis://ops@t:{}@h/0"),
    "a wrong option": ("-b", "redis://h/0", "tui", "--theme", "redis://ops@t:{}@h/0"),
}


@pytest.mark.parametrize("name", PLUGIN)
def test_a_refusal_of_the_plugin(name: str, tmp_path: Path) -> None:
    words = [word.replace("{}", PASSWORD) for word in PLUGIN[name]]
    ended = run(sys.executable, "-m", "celery", *words, cwd=tmp_path)
    assert ended.code
    assert MARK not in ended.said


def test_a_login_that_is_refused(
    odd_rabbit: VirtualHost, redis_url: str, tmp_path: Path, state_home: Path
) -> None:
    wrong = [
        ("-b", redis_url.replace(PASSWORD, f"{PASSWORD}x")),
        ("-b", rabbit_url(odd_rabbit).replace(PASSWORD, f"{PASSWORD}x")),
        ("-b", rabbit_url(odd_rabbit).replace("shop.eu", MARK.lower())),
        ("-b", rabbit_url(odd_rabbit), "--management-url",
         f"http://ops@tenant:{PASSWORD}x@127.0.0.1:{odd_rabbit.management_port}"),
    ]  # fmt: skip
    for words in wrong:
        ended = in_terminal([*OURS, "--log", str(tmp_path / "log"), *words], cwd=tmp_path)
        assert ended.code == 3, ended
        assert "127.0.0.1" in ended.said
        says_nothing(ended, tmp_path / "log", state_home)


def _both(command: Sequence[str], folder: Path) -> Iterator[Ended]:
    """As the dashboard and as `status`."""
    yield in_terminal(command, cwd=folder)
    yield run(*command, "status", cwd=folder)


# -- the dashboard -----------------------------------------------------------------------------


def test_on_no_screen(redis_url: str, tmp_path: Path) -> None:
    log = tmp_path / "log"
    command = [*OURS, "-b", f"{redis_url};{dead()}", "--result-backend", dead(), "--log", str(log)]
    with Pty(command, environment(), (200, 48)) as tty:
        wait_for(lambda: "Home" in "".join(tty.lines()), "the dashboard is there")
        tty.press(b"i")
        wait_for(lambda: "refused the connection" in "".join(tty.lines()), "the page of sources")
        assert "".join(tty.lines()).count("ops@tenant:***@127.0.0.1") > 4
        tty.press(b"\x1b")
        wait_for(lambda: "Log" in "".join(tty.lines()), "back on Home")
        tty.press(b"8")
        wait_for(lambda: "refused" in "".join(tty.lines()), "the Log tells of the lost backend")
        assert MARK not in tty.sent.decode(errors="replace")
        assert MARK not in "".join(tty.lines())
        tty.press(b"qq")
        wait_for(tty.has_ended, "it has ended")
    assert MARK not in log.read_text(encoding="utf-8")
