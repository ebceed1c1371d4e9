"""A way to a Redis on which one command of all goes wrong: cut before or after it, or spoilt."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable
from typing import Self

import hiredis

Trouble = Callable[[], None]


class Faulty:
    """Passes commands on one by one; at number ``at`` (from 1, over all connections) it fails.

    ``answered``: the command reaches the server, and its answer is lost. Without it the
    connection breaks before. With ``trouble`` neither: that is called first, and the command then
    meets whatever it did to the server. Once it is cut, nobody comes through any more.
    """

    def __init__(
        self, target: int, at: int = 0, answered: bool = False, trouble: Trouble | None = None
    ) -> None:
        self._target, self._at, self._answered, self._trouble = target, at, answered, trouble
        self.seen: list[str] = []
        """Names of the commands so far."""
        self.hit = False
        """Whether there was a command of that number."""
        self._dead = False
        self._lock = threading.Lock()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def url(self, database: int = 0) -> str:
        """What the program is told as its broker."""
        return f"redis://127.0.0.1:{self.port}/{database}"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._dead = True
        self._listener.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                near, _ = self._listener.accept()
                threading.Thread(target=self._serve, args=(near,), daemon=True).start()

    def _serve(self, near: socket.socket) -> None:
        with contextlib.suppress(OSError), near:
            if self._dead:
                return
            with socket.create_connection(("127.0.0.1", self._target)) as far:
                self._talk(near, far)

    def _talk(self, near: socket.socket, far: socket.socket) -> None:
        commands = hiredis.Reader()
        while data := near.recv(65536):
            commands.feed(data)
            while (words := commands.gets()) is not False:
                if not self._pass_on(words, near, far):
                    return

    def _pass_on(self, words: list[bytes], near: socket.socket, far: socket.socket) -> bool:
        with self._lock:
            self.seen.append(words[0].decode().upper())
            now = len(self.seen) == self._at
            self.hit = self.hit or now
            cut = now and self._trouble is None
            self._dead = self._dead or cut
        if now and self._trouble is not None:
            self._trouble()
        if cut and not self._answered:
            return False
        far.sendall(_encoded(words))
        answer = _answer(far)
        if cut or not answer:
            return False
        near.sendall(answer)
        return True


def _encoded(words: list[bytes]) -> bytes:
    return b"*%d\r\n" % len(words) + b"".join(b"$%d\r\n%s\r\n" % (len(w), w) for w in words)


def _answer(far: socket.socket) -> bytes:
    """One whole answer, as it came; nothing where the server has gone."""
    reader, raw = hiredis.Reader(notEnoughData=...), b""
    while data := far.recv(1 << 20):
        raw += data
        reader.feed(data)
        if reader.gets() is not ...:
            return raw
    return b""
