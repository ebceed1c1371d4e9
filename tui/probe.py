"""Whether something answers at a broker URL, asked over a bare socket. Standard library only.

It stands between the command and the first frame, where importing a driver would take too long.
"""

from __future__ import annotations

import socket
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import BinaryIO
from urllib.parse import parse_qs, unquote, urlsplit

from . import urls

PORTS = {
    "redis": 6379, "rediss": 6379, "sentinel": 26379, "amqp": 5672, "pyamqp": 5672,
    "librabbitmq": 5672, "amqps": 5671,
}  # fmt: skip
"""Schemes that can be probed, with their ports; of others nothing is known here."""
LONGEST_LINE = 64 * 1024
THERE = ("-NOPERM", "-LOADING", "-BUSY ", "-MASTERDOWN", "-MISCONF")
"""First words of answers to PING of a server that can be used, or will be without our doing."""
BINDINGS = ("_kombu.binding.celery", "_kombu.binding.celeryev", "_kombu.binding.celery.pidbox")
"""Keys that Celery leaves in a Redis database it uses as a broker, with default names."""


class Refused(ConnectionError):
    """The server answered, with an error of its own."""


class Foreign(ConnectionError):
    """Something answered that is not this kind of server."""


@dataclass(frozen=True, slots=True)
class Address:
    """Where one alternate of a broker URL points to."""

    scheme: str
    host: str = "localhost"
    port: int = 0
    path: str = ""
    """A Unix socket, instead of host and port."""
    user: str = ""
    password: str = field(default="", repr=False)
    db: int = 0
    delegated: bool = False
    """Credentials come from elsewhere: the URL's say nothing."""


def alternates(url: str) -> list[str]:
    """The alternates of a failover URL ``a;b``; one without a scheme has the first one's."""
    parts = urls.alternates(url)
    scheme, separator, _ = parts[0].partition("://") if parts else ("", "", "")
    return [part if "://" in part else f"{scheme}{separator}{part}" for part in parts]


def address(url: str) -> Address:
    """One alternate taken apart as kombu does. Raises ValueError if it is malformed."""
    scheme, _, rest = url.partition("://")
    transport, _, inner = scheme.lower().partition("+")
    if inner == "socket":
        _, _, path = rest.rpartition("@")
        return Address("redis", path="/" + path.partition("?")[0].lstrip("/"), delegated=True)
    parts = urlsplit(url)
    return Address(
        transport,
        unquote(parts.hostname or "localhost"),
        parts.port or PORTS.get(transport, 0),
        "",
        unquote(parts.username or ""),
        unquote(parts.password or ""),
        _database(parts.path),
        "credential_provider" in parse_qs(parts.query),
    )


def _database(path: str) -> int:
    name = path.strip("/")
    return int(name) if name.isdigit() else 0


def reach(url: str, timeout_s: float, login: bool = True) -> float:
    """Milliseconds until the server at one alternate answered.

    A Redis without TLS is logged into with the URL's credentials and asked PING, of others a
    connection is all we ask. Raises OSError (Refused, Foreign) or ValueError.
    """
    where = address(url)
    began = time.monotonic()
    with connect(where, timeout_s) as sock:
        if where.scheme == "redis":
            with sock.makefile("rb") as stream:
                _greet(sock, stream, where, login and not where.delegated)
    return (time.monotonic() - began) * 1000


def connect(where: Address, timeout_s: float) -> socket.socket:
    """A socket to it, without TLS."""
    if where.path:
        sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        sock.settimeout(timeout_s)
        try:
            sock.connect(where.path)
        except OSError:
            sock.close()
            raise
        return sock
    return socket.create_connection((where.host, where.port), timeout_s)


def _greet(sock: socket.socket, stream: BinaryIO, where: Address, login: bool) -> None:
    """AUTH, SELECT, PING in one go, so that it takes one round trip."""
    commands: list[Sequence[str]] = []
    if login and where.password:
        user = [where.user] if where.user else []
        commands.append(("AUTH", *user, where.password))
    commands += [("SELECT", str(where.db)), ("PING",)]
    for reply in _ask(sock, stream, commands):
        if reply.startswith("-") and _matters(reply, login):
            raise Refused(reply[1:])


def _matters(reply: str, login: bool) -> bool:
    """A server that forbids PING, or will answer later, is there; so is one that wants a login."""
    if reply.startswith(THERE):
        return False
    return login or "NOAUTH" not in reply


def _ask(sock: socket.socket, stream: BinaryIO, commands: Sequence[Sequence[str]]) -> list[str]:
    sock.sendall(b"".join(_encoded(command) for command in commands))
    return [_reply(stream) for _ in commands]


def _encoded(command: Sequence[str]) -> bytes:
    words = [word.encode() for word in command]
    return b"*%d\r\n" % len(words) + b"".join(b"$%d\r\n%s\r\n" % (len(w), w) for w in words)


def _reply(stream: BinaryIO) -> str:
    """A status, number or text; an error with its leading ``-``."""
    line = stream.readline(LONGEST_LINE)
    if not line:
        raise ConnectionResetError("closed by server")
    kind, text = line[:1], line[1:].decode(errors="replace").strip()
    if kind in (b"+", b":"):
        return text
    if kind == b"-":
        return f"-{text}"
    if kind == b"$" and text.isdigit():
        return stream.read(int(text) + 2).decode(errors="replace")
    raise Foreign("not a Redis")


# -- what there is on this machine -------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Found:
    """A place where a broker may be, and what was heard there."""

    url: str
    took_ms: float | None = None
    """None: nothing answered, or not as hoped."""
    said: str = ""
    """Why not; empty: nothing is there."""
    note: str = ""
    """What lies in it."""


def local_redis(timeout_s: float = 0.5, host: str = "localhost", port: int = 6379) -> list[Found]:
    """A Redis at its usual port: its first database, and each that Celery has been using."""
    base = f"redis://{host}:{port}"
    try:
        with connect(Address("redis", host, port), timeout_s) as sock, sock.makefile("rb") as file:
            began = time.monotonic()
            _greet(sock, file, Address("redis"), True)
            took_ms = (time.monotonic() - began) * 1000
            used = _used_by_celery(sock, file)
    except Refused as error:
        return [Found(f"{base}/0", said="wants a password" if _login(error) else "refused")]
    except Foreign:
        return [Found(f"{base}/0", said="not a Redis")]
    except OSError:
        return [Found(f"{base}/0")]
    return [
        Found(f"{base}/{db}", took_ms, note="used by Celery" if db in used else "")
        for db in sorted({0, *used}, key=lambda db: (db not in used, db))
    ]


def _login(error: Refused) -> bool:
    return "NOAUTH" in str(error)


def _used_by_celery(sock: socket.socket, stream: BinaryIO) -> set[int]:
    (keyspace,) = _ask(sock, stream, [("INFO", "keyspace")])
    dbs = [line[2:].partition(":")[0] for line in keyspace.splitlines() if line.startswith("db")]
    used = set()
    for db in filter(str.isdigit, dbs[:16]):
        _, found = _ask(sock, stream, [("SELECT", db), ("EXISTS", *BINDINGS)])
        if found.isdigit() and int(found):
            used.add(int(db))
    return used


def local_rabbitmq(timeout_s: float = 0.5, host: str = "localhost", port: int = 5672) -> Found:
    """A RabbitMQ at its usual port; with the login that works on its own machine only."""
    url = f"amqp://guest@{host}:{port}//"
    try:
        return Found(url, reach(url, timeout_s))
    except OSError:
        return Found(url)
