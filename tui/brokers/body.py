"""The body of a message, whatever it is written and packed in: read safely, never executed."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable
from typing import Any

import msgspec

from ..compressed import COMPRESSIONS, decompressed

LONGEST_BODY_BYTES = 16 * 1024 * 1024
"""A compressed body is not unpacked further than this."""
LONGEST_YAML_BYTES = 256 * 1024
"""A YAML parser in Python takes a second for twice as much."""
SERIALIZERS = {
    "application/json": "json",
    "application/x-yaml": "yaml",
    "application/x-msgpack": "msgpack",
    "application/x-python-serialize": "pickle",
}
LONGEST_WORD = 60


class Body(msgspec.Struct, frozen=True):
    """How a body is written, and what it says: (args, kwargs, embed), or why that is not read."""

    serializer: str
    compression: str
    parts: tuple[list[Any], dict[str, Any], dict[str, Any]] | None = None
    why: str = ""


def read_body(envelope: dict[str, Any]) -> Body:
    """The body of a message in kombu's envelope. Pickle is said to be so and never loaded."""
    kind, packed = envelope.get("content-type"), envelope["headers"].get("compression")
    body = Body(_named(kind, SERIALIZERS), _named(packed, COMPRESSIONS) if packed else "")
    if body.serializer == "pickle":
        return _unread(body, "pickle runs code when it is loaded, so it is not")
    if body.serializer not in READERS:
        return _unread(body, f"{body.serializer or 'no content type'} is not read")
    try:
        raw = unpacked(envelope)
    except ImportError:
        return _unread(body, f"{body.compression} is not installed here")
    if raw is None:
        return _unread(body, f"its {body.compression or 'body'} cannot be unpacked")
    try:
        value = READERS[body.serializer](raw)
    except ImportError:
        return _unread(body, f"{body.serializer} is not installed here")
    except (ValueError, TypeError, RecursionError, msgspec.MsgspecError) as error:
        return _unread(body, f"no {body.serializer}: {str(error)[:LONGEST_WORD]}")
    return _parts(body, value)


def _parts(body: Body, value: Any) -> Body:
    if isinstance(value, list | tuple) and len(value) == 3:
        args, kwargs, embed = value
        if isinstance(args, list | tuple) and isinstance(kwargs, dict) and isinstance(embed, dict):
            return msgspec.structs.replace(body, parts=(list(args), kwargs, embed))
    return _unread(body, "it is no args, kwargs and embed")


def _unread(body: Body, why: str) -> Body:
    return msgspec.structs.replace(body, why=why)


def _named(kind: Any, names: dict[str, str]) -> str:
    if not isinstance(kind, str):
        return ""
    return names.get(kind, kind[:LONGEST_WORD])


# -- packing ----------------------------------------------------------------------------------


def unpacked(envelope: dict[str, Any]) -> bytes | None:
    """The body's bytes, decoded and decompressed; None where they are broken or too many.

    Raises ImportError where the library that decompresses it is missing.
    """
    body = envelope.get("body")
    if not isinstance(body, str):
        return None
    raw = body.encode("utf-8", "surrogatepass")
    compression = envelope["headers"].get("compression")
    try:
        if envelope["properties"].get("body_encoding") == "base64":
            raw = base64.b64decode(raw)
    except (binascii.Error, ValueError):
        return None
    return decompressed(raw, str(compression), LONGEST_BODY_BYTES) if compression else raw


# -- serializers ------------------------------------------------------------------------------


def _yaml(raw: bytes) -> Any:
    """Plain values only; anchors are refused: nine lines of them make a billion values."""
    import yaml  # type: ignore[import-untyped]

    if len(raw) > LONGEST_YAML_BYTES:
        raise ValueError(f"{len(raw):,} bytes are too many to be read")
    try:
        if any(isinstance(event, yaml.AliasEvent) for event in yaml.parse(raw, yaml.SafeLoader)):
            raise ValueError("it has anchors")
        return yaml.safe_load(raw)
    except yaml.YAMLError:
        raise ValueError("it cannot be parsed") from None


READERS: dict[str, Callable[[bytes], Any]] = {
    "json": json.loads,
    "msgpack": msgspec.msgpack.decode,
    "yaml": _yaml,
}
