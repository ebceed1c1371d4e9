"""A RabbitMQ that is also behind TLS, with users and virtual hosts as a test wants them."""

from __future__ import annotations

import contextlib
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.conftest import a_rabbit
from tests.rabbit import RabbitServer
from tests.servers import free_port

ALL = {"configure": ".*", "write": ".*", "read": ".*"}
"""Every permission in a virtual host."""


@dataclass(frozen=True)
class TlsRabbit:
    """It answers on two ports."""

    server: RabbitServer
    tls_port: int
    certificate: Path


@contextlib.contextmanager
def a_tls_rabbit(folder: Path) -> Iterator[TlsRabbit]:
    """Started with a certificate of its own, ended at the end."""
    port, certificate, key = free_port(), folder / "c.pem", folder / "k.pem"
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
        yield TlsRabbit(server, port, certificate)
