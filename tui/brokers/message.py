"""A Celery message as it lies in a broker: parsed, never executed."""

from __future__ import annotations

import base64
import binascii
import bz2
import json
import lzma
import zlib
from typing import Any

import msgspec

LONGEST_BODY_BYTES = 16 * 1024 * 1024
"""A compressed body is not unpacked further than this."""


class Message(msgspec.Struct, frozen=True):
    """Task protocol 2 in kombu's JSON envelope; ``envelope`` is the whole of it, unchanged."""

    task_id: str
    name: str
    envelope: dict[str, Any]

    @property
    def headers(self) -> dict[str, Any]:
        """Task headers: lang, task, id, eta, retries, argsrepr and the sender's own."""
        headers: dict[str, Any] = self.envelope["headers"]
        return headers

    @property
    def properties(self) -> dict[str, Any]:
        """correlation_id, reply_to, priority, delivery_info, delivery_tag, body_encoding."""
        properties: dict[str, Any] = self.envelope["properties"]
        return properties

    def arguments(self) -> tuple[list[Any], dict[str, Any], dict[str, Any]] | None:
        """(args, kwargs, embed) of a JSON body, exact; None where it cannot be read safely.

        Pickle is never loaded. kombu's ``__type__`` objects stay dicts: sent again, they are
        what they were.
        """
        if self.envelope.get("content-type") != "application/json":
            return None
        body = _unpacked(self.envelope, self.headers.get("compression"))
        if body is None:
            return None
        try:
            args, kwargs, embed = json.loads(body)
        except (ValueError, TypeError, RecursionError):
            return None
        if not (isinstance(args, list) and isinstance(kwargs, dict) and isinstance(embed, dict)):
            return None
        return args, kwargs, embed


def parse(payload: bytes | str) -> Message | None:
    """The message in a list element, or None when that is something else.

    What tells a message from a user's own list or an ``rpc://`` reply: headers with an id, and
    properties.
    """
    try:
        return of_envelope(json.loads(payload))
    except (ValueError, RecursionError):
        return None


def of_envelope(envelope: Any) -> Message | None:
    """The same for an envelope that is already decoded."""
    if not isinstance(envelope, dict) or not isinstance(envelope.get("properties"), dict):
        return None
    headers = envelope.get("headers")
    if not isinstance(headers, dict) or not isinstance(headers.get("id"), str) or not headers["id"]:
        return None
    name = headers.get("task")
    return Message(headers["id"], name if isinstance(name, str) else "", envelope)


def _unpacked(envelope: dict[str, Any], compression: Any) -> bytes | None:
    body = envelope.get("body")
    if not isinstance(body, str):
        return None
    raw = body.encode("utf-8", "surrogatepass")
    try:
        if envelope["properties"].get("body_encoding") == "base64":
            raw = base64.b64decode(raw)
        return raw if not compression else _decompressed(raw, str(compression))
    except (binascii.Error, zlib.error, lzma.LZMAError, OSError, ValueError, EOFError):
        return None


def _decompressed(raw: bytes, compression: str) -> bytes | None:
    if compression in ("application/x-gzip", "application/gzip"):
        unpacker: Any = zlib.decompressobj(47)  # zlib and gzip headers alike
    elif compression == "application/x-bz2":
        unpacker = bz2.BZ2Decompressor()
    elif compression == "application/x-lzma":
        unpacker = lzma.LZMADecompressor(memlimit=64 * 1024 * 1024)
    else:
        return None
    unpacked: bytes = unpacker.decompress(raw, LONGEST_BODY_BYTES)
    return unpacked if unpacker.eof else None
