"""A way to a Redis on which everything that one program says and hears is seen."""

import contextlib
import socket
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

import hiredis


@dataclass(frozen=True)
class Command:
    """One command as it was sent; ``at`` is monotonic seconds."""

    at: float
    words: tuple[bytes, ...]

    @property
    def name(self) -> str:
        """In capitals, with the subcommand where there is one."""
        head = self.words[0].decode().upper()
        if head in ("CLIENT", "MEMORY", "CONFIG", "SCRIPT", "ACL"):
            return f"{head} {self.words[1].decode().upper()}"
        return head


@dataclass
class Relay:
    """Listens on a loopback port and passes everything on to the Redis on another one."""

    target: int
    commands: list[Command] = field(default_factory=list)
    sent_bytes: int = 0
    """Towards the Redis."""
    heard_bytes: int = 0
    """From the Redis."""
    ports: set[int] = field(default_factory=set)
    """Our side of the connections to the Redis: how MONITOR names who speaks."""

    def __post_init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._lock = threading.Lock()
        self._open: list[socket.socket] = []
        threading.Thread(target=self._accept, name="relay", daemon=True).start()

    def url(self, database: int = 0) -> str:
        """What the program is told as its broker."""
        return f"redis://127.0.0.1:{self.port}/{database}"

    def since(self, at: float) -> list[Command]:
        """Commands sent after that moment."""
        return [command for command in list(self.commands) if command.at >= at]

    def close(self) -> None:
        """Let every connection go."""
        self._listener.close()
        with self._lock:
            for one in self._open:
                _shut(one)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            far = socket.create_connection(("127.0.0.1", self.target))
            with self._lock:
                self.ports.add(far.getsockname()[1])
                self._open += [near, far]
            for job in ((near, far, True), (far, near, False)):
                threading.Thread(target=self._pass_on, args=job, daemon=True).start()

    def _pass_on(self, source: socket.socket, sink: socket.socket, ours: bool) -> None:
        reader = hiredis.Reader()
        try:
            while data := source.recv(65536):
                if ours:
                    reader.feed(data)
                    self._note(reader)
                with self._lock:
                    self.sent_bytes += len(data) if ours else 0
                    self.heard_bytes += 0 if ours else len(data)
                sink.sendall(data)
        except OSError:
            pass
        for one in (source, sink):
            _shut(one)

    def _note(self, reader: "hiredis.Reader") -> None:
        at = time.monotonic()
        while (words := _whole(reader)) is not None:
            self.commands.append(Command(at, tuple(words)))


def _whole(reader: "hiredis.Reader") -> list[bytes] | None:
    words: Any = reader.gets()
    return None if words is False else words


def _shut(one: socket.socket) -> None:
    with contextlib.suppress(OSError):
        one.shutdown(socket.SHUT_RDWR)
    one.close()


def counted(commands: list[Command]) -> str:
    """How often each command was sent, the most frequent first."""
    counts = Counter(command.name for command in commands).most_common()
    return ", ".join(f"{name} {count}" for name, count in counts)
