"""A fault at the n-th AMQP method: its channel or connection ends there, before or after it.

The broker itself ends them: in the method's place, or right behind it, something is sent that it
refuses. Behind it, whatever the broker still says on that channel is lost.
"""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

from amqp import spec
from amqp.abstract_channel import AbstractChannel
from amqp.basic_message import Message
from amqp.channel import Channel
from vine import promise

SEND = AbstractChannel.send_method
DISPATCH = AbstractChannel.dispatch_method
ARRIVES_WITHIN_S = 0.03
"""After so long the broker has read what was sent to it."""

CHANNEL = ("403", "404", "406")
"""Codes with which a channel is closed."""
CONNECTION = ("540", "lost")
"""The connection is closed by the broker, or its socket is gone."""
KINDS = (*CHANNEL, *CONNECTION)


class Fault:
    """What happens at the n-th method; 0: nothing, they are only counted."""

    def __init__(self, at: int, kind: str = "lost", *, after: bool = False) -> None:
        self.kind, self.after = kind, after
        self.counted = 0
        self.hit = ""
        """The method that it happened to; empty: none."""
        self._at = at
        self._deaf: set[int] = set()

    def send(self, channel: Any, sig: Any, *words: Any, **more: Any) -> Any:
        """In the place of the driver's own."""
        if not isinstance(channel, Channel):
            return SEND(channel, sig, *words, **more)
        self.counted += 1
        if self.counted != self._at:
            return SEND(channel, sig, *words, **more)
        if sig in (spec.Channel.Open, spec.Channel.Close):  # there is none that could be refused
            self.kind = "lost"
        self.hit = str(sig)
        wait, many = more.pop("wait", None), more.pop("returns_tuple", False)
        if self.after:
            SEND(channel, sig, *words, **more)
            self._deaf.add(id(channel))
        end(channel, self.kind, self.after)
        return channel.wait(wait, returns_tuple=many) if wait else promise()

    def dispatch(self, channel: Any, sig: Any, *words: Any) -> Any:
        """In the place of the driver's own."""
        if id(channel) in self._deaf:
            if sig != spec.Channel.Close:
                return None
            self._deaf.clear()  # the driver opens it anew
        return DISPATCH(channel, sig, *words)


def end(channel: Any, kind: str, after: bool) -> None:
    """Let the broker close it, or lose its connection."""
    if kind == "lost":
        if after:
            time.sleep(ARRIVES_WITHIN_S)
        with suppress(OSError):
            channel.connection.transport.sock.shutdown(socket.SHUT_RDWR)
    elif kind == "406":
        publish(channel, Message("", expiration="no number"), immediate=False)
    elif kind == "540":
        publish(channel, Message(""), immediate=True)
    else:
        name = {"403": "amq.none", "404": "celery-tui-nowhere"}[kind]
        flags = (kind == "404", False, False, False, False)
        SEND(channel, spec.Queue.Declare, "BsbbbbbF", (0, name, *flags, {}))


def publish(channel: Any, message: Message, *, immediate: bool) -> None:
    SEND(channel, spec.Basic.Publish, "Bssbb", (0, "", "nowhere", False, immediate), message)


@contextmanager
def laid(fault: Fault) -> Iterator[Fault]:
    """While this lasts."""

    def send(channel: Any, *words: Any, **more: Any) -> Any:
        return fault.send(channel, *words, **more)

    def dispatch(channel: Any, *words: Any) -> Any:
        return fault.dispatch(channel, *words)

    put: Callable[..., None] = setattr
    put(AbstractChannel, "send_method", send)
    put(AbstractChannel, "dispatch_method", dispatch)
    try:
        yield fault
    finally:
        put(AbstractChannel, "send_method", SEND)
        put(AbstractChannel, "dispatch_method", DISPATCH)
