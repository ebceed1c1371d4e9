"""A database that hangs: no driver waits for ever, because we hang up.

A stopped server keeps its connections, and the kernel goes on to acknowledge what we send: neither
keepalives nor ``tcp_user_timeout`` notice, and ``statement_timeout`` is the server's own.
"""

from __future__ import annotations

import os
import socket
import threading
from types import TracebackType
from typing import Any

HANG_UP_S = 4.0
"""Longer than the server itself may take for an answer, so that its own words come first."""

LATE = "timed out"


class HangUp:
    """``with HangUp() as watch:`` shuts what it is told to watch when the block takes too long."""

    def __init__(self) -> None:
        self._fired = False
        self._wires: list[socket.socket] = []
        self._timer = threading.Timer(HANG_UP_S, self._hang_up)
        self._timer.daemon = True

    def __enter__(self) -> HangUp:
        self._timer.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._timer.cancel()
        self._timer.join()
        for wire in self._wires:
            wire.close()

    def over(self, connection: Any) -> None:
        """Watch this connection of a driver too. One without a socket, as SQLite's, cannot hang."""
        descriptor = _descriptor(connection)
        if descriptor is None:
            return
        self._wires.append(socket.socket(fileno=descriptor))
        if self._fired:
            self._hang_up()

    def in_time(self) -> None:
        """Raises TimeoutError once we hung up: nobody shall connect anew within this block."""
        if self._fired:
            raise TimeoutError(LATE)

    def reason(self, error: Exception) -> Exception:
        """Why the block failed: what a driver says after we hung up is our doing."""
        return TimeoutError(LATE) if self._fired else error

    def _hang_up(self) -> None:
        self._fired = True
        for wire in list(self._wires):
            try:
                wire.shutdown(socket.SHUT_RDWR)
            except OSError:  # the server was faster
                continue


def _descriptor(connection: Any) -> int | None:
    """A descriptor of our own for a driver's socket: the driver may close its one meanwhile."""
    try:
        wire = connection if hasattr(connection, "fileno") else connection._sock  # PyMySQL
        return os.dup(wire.fileno())
    except Exception:  # each driver has an error of its own for a closed connection
        return None
