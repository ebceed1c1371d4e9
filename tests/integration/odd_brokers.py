"""A RabbitMQ with all that can be wrong about it, and what answers at its address instead."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from tests.rabbit_tls import ALL, TlsRabbit, a_tls_rabbit


@contextlib.contextmanager
def odd_rabbit(folder: Path) -> Iterator[TlsRabbit]:
    """With the users guest, ann (not in ``closed``) and mia; ended at the end."""
    with a_tls_rabbit(folder) as odd:
        put = partial(odd.server.manage, "PUT")
        put("vhosts/closed", {})
        put("permissions/closed/guest", ALL)
        for user, tags in (("ann", ""), ("mia", "management")):
            put(f"users/{user}", {"password": "hunter2", "tags": tags})
        put("permissions/%2F/ann", ALL)
        yield odd


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
