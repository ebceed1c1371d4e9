"""Every way to write where a Redis is: alternates, sockets, TLS, an app's own options."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from celery_tui.backends import open_backend
from celery_tui.brokers import open_broker
from celery_tui.errors import BackendError, BrokerError, TuiError
from celery_tui.links.kombu_link import opened
from celery_tui.links.site import Site
from celery_tui.model.seam import Link
from celery_tui.monitor import SOURCES
from celery_tui.settings import Settings
from tests.owner import Owner, is_live
from tests.servers import RedisServer, Worker, client, free_port


def dead() -> str:
    """A Redis that is not there."""
    return f"redis://:hunter1@127.0.0.1:{free_port()}"


def live_since(owner: Owner) -> dict[str, float]:
    """Source -> since when it stands."""
    return {name: health.since for name, health in owner.monitor.cluster.health.items()}


# -- alternates --------------------------------------------------------------------------------


def test_the_next_alternate_is_taken_when_the_one_in_use_dies() -> None:
    with RedisServer(password="hunter2") as first, RedisServer(password="hunter3") as second:
        alternates = [dead(), first.url().rpartition("/")[0], second.url().rpartition("/")[0]]
        broker, backend = (";".join(f"{one}/{db}" for one in alternates) for db in (0, 1))
        with Owner(Settings(broker=broker, result_backend=backend)) as owner:
            owner.until(is_live, "all four links are live on the second alternate")
            before = live_since(owner)
            first.kill()
            owner.until(
                lambda c: is_live(c) and all(c.health[n].since > before[n] for n in SOURCES),
                "all four links are live on the third",
            )
            texts = [line.text for line in owner.monitor.cluster.log]
            texts += [
                gap.reason for gaps in owner.monitor.cluster.links.gaps.values() for gap in gaps
            ]
            assert any("lost" in text for text in texts)
            assert not any(f"hunter{n}" in text for text in texts for n in (1, 2, 3))
            url = f"{owner.monitor.broker_url} {owner.monitor.backend_url}"
            assert url.count("***") == 6
            assert "hunter" not in url


def test_when_no_alternate_answers_the_sentence_holds_no_password_of_any() -> None:
    url = f"{dead()}/0;redis://u:hunter2@127.0.0.1:{free_port()}/0?x=1;{dead()}/1"
    with pytest.raises(BrokerError) as raw:
        open_broker(Settings(broker=url))
    with pytest.raises(BrokerError) as kombu, opened(Site(url)):
        pass
    for error in (raw.value, kombu.value):
        assert "refused the connection" in error.title
        assert "hunter" not in f"{error!r} {error}"


# -- a socket ----------------------------------------------------------------------------------


def test_a_cluster_on_a_socket_is_seen_whole_in_its_own_database(tmp_path: Path) -> None:
    path = tmp_path / "redis.sock"
    with RedisServer("--unixsocket", str(path)) as server:
        broker, backend = (f"redis+socket://{path}?virtual_host={db}" for db in (3, 4))
        app = client(broker, backend)
        try:
            with (
                Worker(broker, backend, name="anna"),
                Owner(Settings(broker=broker, result_backend=backend)) as owner,
            ):
                owner.until(is_live, "all four links are live over the socket")
                (task_id,) = (str(app.send_task("sample.add", (1, 2)).id),)
                owner.until(lambda c: task_id in c.tasks and c.tasks[task_id].final, "a task")
                owner.monitor.watch([task_id])
                owner.until(lambda c: "result backend" in c.tasks[task_id].sources, "its result")
                owner.until(lambda c: "celery" in c.queues, "the queue")
                owner.until(lambda c: all(w.queues for w in c.workers.values()), "an answer")
        finally:
            app.close()
        with Owner(Settings(broker=server.url(0))) as owner:
            owner.until(lambda c: c.health.get("queues") and is_read(c.health["queues"].state),
                        "the first database")  # fmt: skip
            assert "celery" not in owner.monitor.cluster.queues


def is_read(state: Link) -> bool:
    """Whether depths come."""
    return state == Link.LIVE


# -- TLS ---------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Certificates:
    """A certificate authority made for the test, a server it vouches for, and a stranger."""

    folder: Path

    def path(self, name: str) -> Path:
        """One of the files."""
        return self.folder / name


def openssl(folder: Path, *words: str) -> None:
    """Run it, or fail with what it says."""
    done = subprocess.run(["openssl", *words], cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    folder = tmp_path_factory.mktemp("tls")
    (folder / "names").write_text("subjectAltName=IP:127.0.0.1,DNS:redis.test\n")
    for name in ("ca", "stranger"):
        openssl(folder, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2",
                "-subj", f"/CN={name}", "-addext", "keyUsage=critical,keyCertSign,cRLSign",
                "-keyout", f"{name}.key", "-out", f"{name}.crt")  # fmt: skip
    openssl(folder, "req", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=redis.test",
            "-keyout", "redis.key", "-out", "redis.csr")  # fmt: skip
    openssl(folder, "x509", "-req", "-in", "redis.csr", "-CA", "ca.crt", "-CAkey", "ca.key",
            "-CAcreateserial", "-days", "2", "-extfile", "names", "-out", "redis.crt")  # fmt: skip
    return Certificates(folder)


@dataclass(frozen=True)
class Tls:
    """A Redis that speaks TLS beside its plain port."""

    server: RedisServer
    port: int
    certificates: Certificates

    def url(self, db: int = 0, **query: str) -> str:
        """With what stands after the ``?``."""
        rest = "&".join(f"{name}={value}" for name, value in query.items())
        tail = f"?{rest}" if rest else ""
        return f"rediss://:hunter2@127.0.0.1:{self.port}/{db}{tail}"

    def ca(self, name: str = "ca") -> str:
        """Path of an authority's certificate."""
        return str(self.certificates.path(f"{name}.crt"))


@contextmanager
def tls_server(certificates: Certificates, clients: str) -> Iterator[Tls]:
    port = free_port()
    files = ("--tls-cert-file", "redis.crt", "--tls-key-file", "redis.key",
             "--tls-ca-cert-file", "ca.crt")  # fmt: skip
    words = [str(certificates.path(w)) if w.endswith((".crt", ".key")) else w for w in files]
    options = ("--tls-port", str(port), "--tls-auth-clients", clients, *words)
    with RedisServer(*options, password="hunter2") as server:
        yield Tls(server, port, certificates)


@pytest.fixture(scope="module")
def tls(certificates: Certificates) -> Iterator[Tls]:
    with tls_server(certificates, "no") as one:
        yield one


@pytest.mark.parametrize("verify", ["none", "required", "CERT_REQUIRED"])
def test_tls_is_spoken_with_and_without_verification(tls: Tls, verify: str) -> None:
    query = {"ssl_cert_reqs": verify}
    if verify != "none":
        query["ssl_ca_certs"] = tls.ca()
    settings = Settings(broker=tls.url(0, **query), result_backend=tls.url(1, **query))
    with Owner(settings) as owner:
        owner.until(is_live, f"all four links are live over TLS, verification {verify}")


def refused(url: str) -> set[str]:
    """What the raw client says of it, as broker and as backend, and what kombu says."""
    with pytest.raises(TuiError) as broker:
        open_broker(Settings(broker=url))
    with pytest.raises(BackendError) as backend:
        open_backend(Settings(result_backend=url))
    with pytest.raises(BrokerError) as kombu, opened(Site(url)):
        pass
    said = {str(one.value) for one in (broker, backend, kombu)}
    assert not any("hunter2" in one or "\n" in one for one in said)
    return said


def test_a_wrong_authority_is_one_sentence(tls: Tls) -> None:
    url = tls.url(0, ssl_cert_reqs="required", ssl_ca_certs=tls.ca("stranger"))
    for said in refused(url):
        assert "certificate" in said
        assert "Check ssl_ca_certs in the URL" in said


def test_an_authority_that_cannot_be_read_is_one_sentence(tls: Tls) -> None:
    url = tls.url(0, ssl_cert_reqs="required", ssl_ca_certs="/no/such/file.crt")
    for said in refused(url):
        assert "/no/such/file.crt" in said


def test_plain_words_to_a_tls_port_are_one_sentence(tls: Tls) -> None:
    for said in refused(tls.url().replace("rediss://", "redis://")):
        assert "rediss://" in said or "closed the connection" in said


def test_a_server_that_wants_our_certificate_gets_it(certificates: Certificates, tls: Tls) -> None:
    del tls  # only where TLS is spoken
    with tls_server(certificates, "yes") as strict:
        files = {"ssl_certfile": "redis.crt", "ssl_keyfile": "redis.key"}
        query = {name: str(certificates.path(file)) for name, file in files.items()}
        query |= {"ssl_cert_reqs": "required", "ssl_ca_certs": strict.ca()}
        broker = open_broker(Settings(broker=strict.url(0, **query)))
        assert broker is not None
        broker.close()
        with opened(Site(strict.url(0, **query))) as connection:
            assert connection.connected


def test_an_apps_own_tls_options_are_used_by_all_four_sources(
    tls: Tls, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The URL alone would fail: it names no authority."""
    url = f"rediss://:hunter2@127.0.0.1:{tls.port}"
    (tmp_path / "tls_project.py").write_text(
        "import ssl\n"
        "from celery import Celery\n"
        f"app = Celery('p', broker='{url}/0', backend='{url}/1?ssl_cert_reqs=required',\n"
        "             set_as_current=False)\n"
        "wanted = {'ssl_cert_reqs': ssl.CERT_REQUIRED,\n"
        f"          'ssl_ca_certs': {tls.ca()!r}}}\n"
        "app.conf.broker_use_ssl = app.conf.redis_backend_use_ssl = wanted\n"
    )
    monkeypatch.chdir(tmp_path)
    try:
        with Owner(Settings(app="tls_project")) as owner:
            owner.until(is_live, "all four links are live with the app's TLS options")
    finally:
        sys.modules.pop("tls_project", None)


# -- an app's own transport options ------------------------------------------------------------


def test_an_apps_key_prefix_and_separator_are_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Priority lists are then called `shop:mail:3`, and bindings are joined by it as well."""
    options = {"global_keyprefix": "shop:", "sep": ":"}
    conf = {"broker_transport_options": options}
    with RedisServer() as server:
        (tmp_path / "shop_project.py").write_text(
            "from celery import Celery\n"
            f"app = Celery('p', broker={server.url(0)!r}, backend={server.url(1)!r},\n"
            "             set_as_current=False)\n"
            f"app.conf.broker_transport_options = {options!r}\n"
        )
        monkeypatch.chdir(tmp_path)
        app = client(server.url(0), server.url(1), **conf)
        worker = Worker(server.url(0), server.url(1), name="anna",
                        env={"CT_CONF": json.dumps(conf)})  # fmt: skip
        worker.launch()
        try:
            for priority in (0, 0, 3, 9):
                app.send_task("sample.add", (1, 2), queue="mail", priority=priority)
            with Owner(Settings(app="shop_project")) as owner:
                owner.until(
                    lambda c: "mail" in c.queues and c.queues["mail"].depth == 4, "four messages"
                )
                cluster = owner.monitor.cluster
                assert cluster.queues["mail"].by_priority == {"0": 2, "3": 1, "9": 1}
                assert not [name for name in cluster.queues if ":" in name]
                owner.until(lambda c: all(w.queues for w in c.workers.values()) and c.workers,
                            "the worker's answer")  # fmt: skip
                (task_id,) = (str(app.send_task("sample.add", (1, 2)).id),)
                owner.until(lambda c: task_id in c.tasks and c.tasks[task_id].final, "a task")
                broker = open_broker(owner.monitor.settings)
                assert broker is not None
                broker.discover()
                aside = broker.quarantine("mail")
                assert aside.moved == 4
                assert broker.restore(aside.name) == 4
                broker.close()
                owner.until(
                    lambda c: c.queues["mail"].by_priority == {"0": 2, "3": 1, "9": 1},
                    "all are back in their lists",
                )
        finally:
            app.close()
            worker.stop()
            sys.modules.pop("shop_project", None)
