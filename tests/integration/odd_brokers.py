"""A RabbitMQ with all that can be wrong about it, and what answers at its address instead."""

from __future__ import annotations

import contextlib
import json
import socket
import subprocess
import threading
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.conftest import a_rabbit
from tests.rabbit import RabbitServer
from tests.servers import free_port

ALL = {"configure": ".*", "write": ".*", "read": ".*"}


@dataclass(frozen=True)
class Odd:
    """A RabbitMQ that is also behind TLS: users guest, ann (not in ``closed``) and mia."""

    server: RabbitServer
    tls_port: int
    certificate: Path


@contextlib.contextmanager
def odd_rabbit(folder: Path) -> Iterator[Odd]:
    """Start it; ended at the end."""
    port = free_port()
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
        put(server, "vhosts/closed", {})
        put(server, "permissions/closed/guest", ALL)
        for user, tags in (("ann", ""), ("mia", "management")):
            put(server, f"users/{user}", {"password": "hunter2", "tags": tags})
        put(server, "permissions/%2F/ann", ALL)
        yield Odd(server, port, certificate)


def put(server: RabbitServer, path: str, body: dict[str, Any]) -> None:
    address = f"http://127.0.0.1:{server.management_port}/api/{path}"
    headers = {"Authorization": "Basic Z3Vlc3Q6Z3Vlc3Q=", "Content-Type": "application/json"}
    request = urllib.request.Request(address, json.dumps(body).encode(), headers, method="PUT")
    urllib.request.urlopen(request, timeout=10).close()  # noqa: S310  our own, on loopback


@contextlib.contextmanager
def answering(reply: bytes) -> Iterator[int]:
    """The port of something that says the same whatever it is told; nothing if that is empty."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            with contextlib.suppress(OSError):
                while True:
                    peer, _ = listener.accept()
                    threading.Thread(target=say, args=(peer,), daemon=True).start()

        def say(peer: socket.socket) -> None:
            with contextlib.suppress(OSError), peer:
                while peer.recv(4096):
                    peer.sendall(reply)

        threading.Thread(target=serve, daemon=True).start()
        yield listener.getsockname()[1]
