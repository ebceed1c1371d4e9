"""The first words of AMQP 0-9-1 over a bare socket: does a RabbitMQ let this user in there?

Standard library only, as ``probe``: it stands before the first frame.
"""

from __future__ import annotations

import contextlib
import socket
import struct
from typing import BinaryIO
from urllib.parse import unquote, urlsplit

from .probe import Foreign, Refused, address, connect

HEADER = b"AMQP\x00\x00\x09\x01"
START, START_OK, TUNE, TUNE_OK = (10, 10), (10, 11), (10, 30), (10, 31)
OPEN, OPEN_OK, CLOSE, CLOSE_OK = (10, 40), (10, 41), (10, 50), (10, 51)
LONGEST_FRAME = 128 * 1024
NUDGE, NUDGED_S = b"\r\n\r\n", 0.5
"""Who waits for a line answers once it has one: said only where nothing else is expected."""
# Asks to be told of a wrong password, instead of being hung up on.
_CLOSE_US = b"\x1cauthentication_failure_closet\x01"


def enter(url: str, timeout_s: float, login: bool = True) -> None:
    """Log in at one alternate and enter its virtual host; without ``login`` only greet it.

    Raises Refused (the broker's own words), Foreign (who answers instead) or another OSError.
    """
    where = address(url)
    user = (where.user or "guest", where.password or "guest") if login else None
    with connect(where, timeout_s) as sock:
        _greet(sock, user, vhost_of(url))


def who_answers(url: str, timeout_s: float) -> str:
    """What is there instead of AMQP without TLS; empty: that, or nothing that we know."""
    try:
        enter(url, timeout_s, login=False)
    except Foreign as error:
        return str(error)
    except (OSError, ValueError):
        return ""
    return ""


def vhost_of(url: str) -> str:
    """The virtual host as kombu reads it: ``/`` where none is named."""
    return unquote(urlsplit(url).path.removeprefix("/")) or "/"


def _greet(sock: socket.socket, user: tuple[str, str] | None, vhost: str) -> None:
    sock.sendall(HEADER)
    with sock.makefile("rb") as stream:
        _expect_start(sock, stream)
        if user is None:
            return
        properties = _long(b"\x0ccapabilitiesF" + _long(_CLOSE_US))
        login = _long("\0{}\0{}".format(*user).encode())
        _say(sock, START_OK, properties + _short("PLAIN") + login + _short("en_US"))
        tuned = _expect(stream, TUNE)
        _say(sock, TUNE_OK, tuned[:6] + b"\x00\x00")
        _say(sock, OPEN, _short(vhost) + _short("") + b"\x00")
        _expect(stream, OPEN_OK)
        with contextlib.suppress(OSError):
            _say(sock, CLOSE, struct.pack(">H", 200) + _short("") + b"\x00" * 4)
            _expect(stream, CLOSE_OK)


def _expect_start(sock: socket.socket, stream: BinaryIO) -> None:
    try:
        _expect(stream, START)
    except TimeoutError:
        sock.settimeout(NUDGED_S)
        sock.sendall(NUDGE)
        if said := _stranger(sock.recv(16)):
            raise Foreign(said) from None
        raise


def _stranger(first: bytes) -> str:
    """Who begins to speak like that."""
    if first[:1] in (b"\x15", b"\x16") and first[1:2] == b"\x03":
        return "TLS"
    if first.startswith(b"HTTP"):
        return "HTTP"
    if first.startswith((b"-ERR", b"-DENIED", b"-NOAUTH", b"+OK")):
        return "Redis"
    if first.startswith(b"AMQP"):
        return "another version of AMQP"
    return "something else" if first else ""


# -- frames -----------------------------------------------------------------------------------


def _say(sock: socket.socket, method: tuple[int, int], arguments: bytes) -> None:
    body = struct.pack(">HH", *method) + arguments
    sock.sendall(b"\x01\x00\x00" + _long(body) + b"\xce")


def _expect(stream: BinaryIO, wanted: tuple[int, int]) -> bytes:
    """The arguments of the method that is to come next."""
    head = _read(stream, 7)
    kind, channel, size = struct.unpack(">BHI", head)
    if kind != 1 or channel or not 4 <= size <= LONGEST_FRAME:
        raise Foreign(_stranger(head))
    body = _read(stream, size + 1)
    method = struct.unpack(">HH", body[:4])
    if method == CLOSE:
        code, length = struct.unpack(">HB", body[4:7])
        raise Refused(f"{code} {body[7 : 7 + length].decode(errors='replace')}")
    if method != wanted:
        raise Refused(f"method {method} came instead of {wanted}")
    return body[4:-1]


def _read(stream: BinaryIO, size: int) -> bytes:
    read = stream.read(size)
    if len(read) < size:
        if read and (said := _stranger(read)):
            raise Foreign(said)
        raise ConnectionResetError("closed by server")
    return read


def _short(text: str) -> bytes:
    data = text.encode()[:255]
    return bytes((len(data),)) + data


def _long(data: bytes) -> bytes:
    """A long string; a table is written as one."""
    return struct.pack(">I", len(data)) + data
