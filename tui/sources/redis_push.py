"""Events pushed by Redis, taken off kombu's own subscription without kombu unpacking each one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

PUSHED = b"pmessage"
READS_A_TURN = 100
"""Of 64 KB each: a turn that took only one would fall behind a few MB a second."""


class Headers(msgspec.Struct, gc=False):
    """What of a message's headers decides whether its body can be read as it lies there."""

    compression: str | None = None


class Properties(msgspec.Struct, gc=False):
    """How the body is written."""

    body_encoding: str | None = None


class Envelope(msgspec.Struct, gc=False, rename="kebab"):
    """kombu's envelope; msgspec undoes the base64 of a field of bytes in C."""

    body: bytes
    content_type: str
    properties: Properties
    headers: Headers
    content_encoding: str | None = None


class Replay:
    """A subscription that has just one answer to give: for kombu's own way of reading it."""

    def __init__(self, client: Any, response: Any) -> None:
        self._client, self._response = client, response

    def parse_response(self) -> Any:
        """What was read already."""
        return self._response

    def handle_message(self, response: Any) -> Any:
        """The subscription's own bookkeeping."""
        return self._client.handle_message(response)


class Pushed:
    """Stands in for kombu's handler of a readable subscription on one channel.

    JSON in base64 goes straight to ``take(body)``; every other message is left to kombu. Where
    redis-py has no hiredis, or looks different inside, the whole is left to kombu.
    """

    def __init__(self, channel: Any, take: Callable[[bytes], None]) -> None:
        self._channel, self._take = channel, take
        self._decode = msgspec.json.Decoder(Envelope).decode

    @classmethod
    def install(cls, channel: Any, take: Callable[[bytes], None]) -> bool:
        """Read this channel's subscription from now on; False where kombu has to do it."""
        handlers = getattr(channel, "handlers", None)
        if type(channel).__name__ not in ("Channel", "SentinelChannel"):
            return False
        # While a fleet changes its kombu, messages arrive twice, and kombu sorts that out.
        if getattr(channel, "sentinel_fanout_compat", False) or not isinstance(handlers, dict):
            return False
        if not (callable(handlers.get("LISTEN")) and hasattr(channel, "_receive_one")):
            return False
        handlers["LISTEN"] = cls(channel, take).read
        return True

    def read(self) -> bool:
        """All that has arrived; bounded, so that a flood never keeps its thread from ending."""
        client = self._channel.subclient
        for _ in range(READS_A_TURN):
            self._channel._receive_one(_First(client, self._is_taken))
            self._empty_buffer(client)
            if client.connection is None or not client.connection.can_read(timeout=0):
                break
        return True

    def _empty_buffer(self, client: Any) -> None:
        """What redis-py has read from the socket besides its one answer."""
        reader = getattr(getattr(client.connection, "_parser", None), "_reader", None)
        if reader is None or not hasattr(reader, "gets"):
            return
        while not _is_nothing(response := reader.gets()):
            if not self._is_taken(response):
                self._leave(client, response)

    def _is_taken(self, response: Any) -> bool:
        if not isinstance(response, list) or len(response) != 4 or response[0] != PUSHED:
            return False
        try:
            envelope = self._decode(response[3])
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            return False
        if (
            envelope.content_type != "application/json"
            or envelope.properties.body_encoding != "base64"
            or envelope.headers.compression
            or envelope.content_encoding not in (None, "utf-8")
        ):
            return False
        self._take(envelope.body)
        return True

    def _leave(self, client: Any, response: Any) -> None:
        if client.is_health_check_response(response):
            client.health_check_response_counter -= 1
        else:
            self._channel._receive_one(Replay(client, response))


def _is_nothing(response: Any) -> bool:
    """hiredis's sign that no whole answer is in the buffer: redis-py passes a bare object."""
    return response is False or type(response) is object


class _First:
    """A subscription whose answer is kept from kombu when it was taken already."""

    def __init__(self, client: Any, is_taken: Callable[[Any], bool]) -> None:
        self._client, self._is_taken = client, is_taken

    def parse_response(self) -> Any:
        """The next answer; None when there is nothing left for kombu to do."""
        response = self._client.parse_response()
        return None if self._is_taken(response) else response

    def handle_message(self, response: Any) -> Any:
        """The subscription's own bookkeeping."""
        return self._client.handle_message(response)
