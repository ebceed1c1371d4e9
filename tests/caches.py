"""A memcached of one's own, and a stand-in for MongoDB, on loopback ports."""

from __future__ import annotations

import os
import shutil
import socket
import socketserver
import struct
import subprocess
import threading
from contextlib import suppress
from typing import Any, Self

import bson

from tests.servers import ServerMissing, Started, free_port, wait_for


class MemcachedServer(Started):
    """A memcached that listens on loopback TCP only; restarting forgets all, as it always does."""

    def __init__(self) -> None:
        program = shutil.which("memcached")
        if program is None:
            raise ServerMissing("needs a memcached")
        self._program = program
        self.port = 0

    @property
    def url(self) -> str:
        """As Celery takes it."""
        return f"cache+memcached://127.0.0.1:{self.port}/"

    def start(self) -> Self:
        """Start, on a new port at the first time, and return once it answers."""
        self.port = self.port or free_port()
        command = [self._program, "-l", "127.0.0.1", "-p", str(self.port), "-U", "0", "-m", "16"]
        if os.geteuid() == 0:
            command += ["-u", "nobody"]
        self._process = subprocess.Popen(command, stdin=subprocess.DEVNULL)
        wait_for(self._answers, "memcached answers")
        return self

    def stop(self) -> None:
        """End it; what it held is gone."""
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.wait()

    def _answers(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, "memcached ended at once"
        with suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1) as wire:
            wire.sendall(b"version\r\n")
            return wire.recv(64).startswith(b"VERSION")
        return False


class MongoStandIn(socketserver.ThreadingTCPServer):
    """Speaks as much of MongoDB's wire protocol as Celery's client and ours need.

    It is no MongoDB: none can be had from Debian's or Python's packages.
    """

    daemon_threads = allow_reuse_address = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Conversation)
        self.documents: dict[str, dict[Any, dict[str, Any]]] = {}
        self.commands: list[str] = []
        """What was asked for, by name."""
        self.refusal: dict[str, Any] | None = None
        """What everything but a greeting is answered."""
        self.goes_on = threading.Event()
        self.goes_on.set()

    @property
    def url(self) -> str:
        """As Celery takes it."""
        return f"mongodb://127.0.0.1:{self.server_address[1]}/celery"

    def __enter__(self) -> Self:
        threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.goes_on.set()
        self.shutdown()
        self.server_close()

    def answer(self, command: dict[str, Any]) -> dict[str, Any]:
        """The reply to one command."""
        name = next(iter(command))
        self.commands.append(name)
        if name.lower() in ("hello", "ismaster"):
            return HELLO
        if self.refusal is not None and name != "endSessions":
            return {"ok": 0.0, **self.refusal}
        if name == "find":
            return self._find(command)
        return self._update(command) if name == "update" else {"ok": 1.0}

    def _find(self, command: dict[str, Any]) -> dict[str, Any]:
        held = self.documents.get(command["find"], {})
        asked = command["filter"]["_id"]
        ids = asked["$in"] if isinstance(asked, dict) else [asked]
        batch = [held[one] for one in ids if one in held]
        return {"ok": 1.0, "cursor": {"id": 0, "ns": "celery.x", "firstBatch": batch}}

    def _update(self, command: dict[str, Any]) -> dict[str, Any]:
        held = self.documents.setdefault(command["update"], {})
        (update,) = command["updates"]
        task_id = update["q"]["_id"]
        if held.get(task_id, {}).get("status") == "SUCCESS":
            error = {"index": 0, "code": 11000, "errmsg": "duplicate key"}
            return {"ok": 1.0, "n": 0, "nModified": 0, "writeErrors": [error]}
        held[task_id] = update["u"]
        return {"ok": 1.0, "n": 1, "nModified": 1}


HELLO = {
    "ok": 1.0, "ismaster": True, "isWritablePrimary": True, "minWireVersion": 0,
    "maxWireVersion": 21, "maxBsonObjectSize": 16 * 1024 * 1024,
    "maxMessageSizeBytes": 48_000_000, "maxWriteBatchSize": 100_000,
}  # fmt: skip
OP_REPLY, OP_QUERY, OP_MSG = 1, 2004, 2013


class _Conversation(socketserver.StreamRequestHandler):
    server: MongoStandIn

    def handle(self) -> None:
        while header := self.rfile.read(16):
            length, number, _, kind = struct.unpack("<iiii", header)
            body = self.rfile.read(length - 16)
            command = _queried(body) if kind == OP_QUERY else _said(body)
            reply = bson.encode(self.server.answer(command))
            self.server.goes_on.wait()
            if kind == OP_QUERY:
                told, payload = OP_REPLY, struct.pack("<iqii", 8, 0, 0, 1) + reply
            else:
                told, payload = OP_MSG, struct.pack("<iB", 0, 0) + reply
            self.wfile.write(struct.pack("<iiii", 16 + len(payload), 0, number, told) + payload)


def _queried(body: bytes) -> dict[str, Any]:
    return bson.decode(body[body.index(b"\0", 4) + 9 :])


def _said(body: bytes) -> dict[str, Any]:
    """The command of an OP_MSG, with the documents that lie beside it."""
    command: dict[str, Any] = {}
    beside: dict[str, Any] = {}
    at = 4
    while at < len(body):
        kind, size = body[at], struct.unpack_from("<i", body, at + 1)[0]
        piece = body[at + 1 : at + 1 + size]
        if kind == 0:
            command = bson.decode(piece)
        else:
            name, _, documents = piece[4:].partition(b"\0")
            beside[name.decode()] = bson.decode_all(documents)
        at += 1 + size
    return {**command, **beside}
