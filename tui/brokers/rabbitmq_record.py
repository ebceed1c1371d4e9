"""Messages of the driver as JSON and back: what a header holds stays what it is, null too."""

from __future__ import annotations

import base64
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

COUNTED = "x-delivery-count"
COPIES = "CC"
"""A header of keys by which RabbitMQ routes a message too, beside its own."""


def as_record(message: Any) -> dict[str, Any]:
    """A message of the driver: body, properties and headers as they are."""
    return {
        "body": base64.b64encode(as_raw(message.body)).decode(),
        "properties": _plain(senders_own(message.properties)),
        "from": [message.delivery_info["exchange"], message.delivery_info["routing_key"]],
    }


def as_raw(body: Any) -> bytes:
    """A body of the driver, which makes text of what it takes for that."""
    return body.encode("utf-8", "surrogatepass") if isinstance(body, str) else bytes(body)


def senders_own(properties: dict[str, Any]) -> dict[str, Any]:
    """Without what a quorum queue writes into each message that it delivers."""
    headers = properties.get("application_headers")
    if not isinstance(headers, dict) or COUNTED not in headers:
        return properties
    kept = {name: value for name, value in headers.items() if name != COUNTED}
    return {**properties, "application_headers": kept}


def came_by(record: dict[str, Any]) -> tuple[str, tuple[str, ...], dict[str, Any]]:
    """(exchange, keys, headers) by which it was routed; hidden keys (BCC) are not told."""
    exchange, key = record["from"]
    headers = _typed(record["properties"].get("application_headers") or {})
    copies = headers.get(COPIES) if isinstance(headers, dict) else None
    more = copies if isinstance(copies, list) else ()
    return str(exchange), (str(key), *map(str, more)), headers


def body_and_properties(record: dict[str, Any]) -> tuple[bytes, dict[str, Any]]:
    """What was written, for the driver."""
    return base64.b64decode(record["body"]), _typed(record["properties"])


def body_bytes(record: dict[str, Any]) -> int:
    """How long its body is, at least nearly."""
    return len(record["body"]) * 3 // 4


def _plain(value: Any) -> Any:
    """JSON for whatever a header can hold; null stays null."""
    if isinstance(value, bytes | bytearray | memoryview):
        return {"$": "bytes", "v": base64.b64encode(value).decode()}
    if isinstance(value, datetime):
        return {"$": "time", "v": int(value.replace(tzinfo=value.tzinfo or UTC).timestamp())}
    if isinstance(value, Decimal):
        return {"$": "decimal", "v": str(value)}
    if isinstance(value, dict):
        if "$" in value or not all(isinstance(key, str) for key in value):
            return {"$": "dict", "v": [[_plain(key), _plain(one)] for key, one in value.items()]}
        return {key: _plain(one) for key, one in value.items()}
    return [_plain(one) for one in value] if isinstance(value, list | tuple) else value


def _typed(value: Any) -> Any:
    if isinstance(value, list):
        return [_typed(one) for one in value]
    if not isinstance(value, dict):
        return value
    kind, held = value.get("$"), value.get("v")
    if kind == "bytes":
        return base64.b64decode(str(held))
    if kind == "time":
        return datetime.fromtimestamp(int(str(held)), UTC).replace(tzinfo=None)
    if kind == "decimal":
        return Decimal(str(held))
    if kind == "dict":
        return {_typed(key): _typed(one) for key, one in held or ()}
    return {key: _typed(one) for key, one in value.items()}
