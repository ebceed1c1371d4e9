"""A quarantine's file: messages, and how far taking and giving them back has come.

A journal of JSON lines, for its owner only (0600). What is written counts once it is fsynced; a
torn last line never counts. Between two steps that only the broker or only the file knows of,
a kill leaves messages of which nobody can tell on which side they are: these are never sent
again by themselves, and the file stays.
"""

from __future__ import annotations

import base64
import fcntl
import json
import os
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec

from ..errors import BrokerError

COUNTED = "x-delivery-count"


class Standing(msgspec.Struct):
    """What a journal says; messages are counted, the first is number 0."""

    name: str = ""
    queue: str = ""
    place: str = ""
    at: float = 0.0
    written: int = 0
    acking: int = 0
    """Up to here acknowledgements were sent, perhaps."""
    acked: int = 0
    """Up to here the broker has taken them."""
    sending: int = 0
    sent: int = 0
    again: tuple[int, ...] = ()
    """Sent, and refused by the broker."""
    flying: tuple[int, ...] = ()
    """Some of these, sent once more."""
    unsure: tuple[int, ...] = ()
    """Nobody can tell whether the broker has them."""
    whole_bytes: int = 0
    """Up to here the file has whole lines."""

    def fold(self, record: dict[str, Any], number_of_bytes: int) -> None:
        """One more line."""
        self.whole_bytes += number_of_bytes
        if "body" in record:
            self.written += 1
        elif "quarantine" in record:
            self.name, self.queue = record["quarantine"], record["queue"]
            self.place, self.at = record["place"], record["at"]
        elif "acking" in record:
            self.acking = record["acking"]
        elif "acked" in record:
            self.acked = record["acked"]
        elif "sending" in record:
            self.sending, self.flying = record["sending"], tuple(record["again"])
            self.again = tuple(one for one in self.again if one not in self.flying)
        elif "sent" in record:
            self.sent = self.sending = record["sent"]
            self.again, self.flying = tuple(record["again"]), ()
        elif "unsure" in record:
            self.unsure = (*self.unsure, *record["unsure"])
            self.acking, self.sent, self.flying = self.acked, self.sending, ()

    @property
    def left(self) -> list[int]:
        """Messages that are surely here and nowhere else."""
        return [*self.again, *range(self.sending, self.acked)]

    @property
    def torn(self) -> list[int]:
        """Messages that a kill has left between file and broker."""
        acked = range(self.acked, min(self.acking, self.written))
        return [*self.flying, *range(self.sent, self.sending), *acked]


class Journal:
    """One file, locked while somebody works on it."""

    def __init__(self, path: Path, handle: int) -> None:
        self.path, self._handle = path, handle
        self.standing = standing_of(path)
        os.ftruncate(handle, self.standing.whole_bytes)
        os.lseek(handle, 0, os.SEEK_END)

    @classmethod
    def new(cls, path: Path, head: dict[str, Any]) -> Journal:
        """A file that did not exist before; its folder is the owner's only, too."""
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        journal = cls._locked(path, handle)
        journal.write([head])
        _sync_folder(path.parent)
        return journal

    @classmethod
    def opened(cls, path: Path) -> Journal:
        """A file that exists. Raises BrokerError where somebody works on it."""
        return cls._locked(path, os.open(path, os.O_RDWR | os.O_CLOEXEC))

    @classmethod
    def _locked(cls, path: Path, handle: int) -> Journal:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(handle)
            raise BrokerError(
                f"Somebody works on the quarantine in {path}", "Wait until that has ended."
            ) from None
        return cls(path, handle)

    def write(self, records: Iterable[dict[str, Any]]) -> None:
        """Append lines; when it returns they are on the disk."""
        records = list(records)
        lines = [json.dumps(record).encode() + b"\n" for record in records]
        data = memoryview(b"".join(lines))
        while data:
            data = data[os.write(self._handle, data) :]
        os.fsync(self._handle)
        for record, line in zip(records, lines, strict=True):
            self.standing.fold(record, len(line))

    def messages(self, wanted: Iterable[int]) -> Iterator[tuple[int, dict[str, Any]]]:
        """(number, message) of those wanted, in the file's order."""
        numbers, number = set(wanted), -1
        for record, _ in _records(self.path):
            if "body" in record:
                number += 1
                if number in numbers:
                    yield number, record

    def close(self) -> None:
        """Let it go; whoever wants it next may have it."""
        os.close(self._handle)

    def remove(self) -> None:
        """Nothing of it is needed any more."""
        self.path.unlink(missing_ok=True)
        _sync_folder(self.path.parent)


def standing_of(path: Path) -> Standing:
    """What a file says."""
    standing = Standing()
    for record, size in _records(path):
        standing.fold(record, size)
    return standing


def _records(path: Path) -> Iterator[tuple[dict[str, Any], int]]:
    with path.open("rb") as file:
        for line in file:
            if not line.endswith(b"\n"):
                return
            try:
                yield json.loads(line), len(line)
            except ValueError:
                return


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


# -- messages as JSON -------------------------------------------------------------------------


def as_record(message: Any) -> dict[str, Any]:
    """A message of the driver: body, properties and headers as they are."""
    body = message.body
    raw = body.encode("utf-8", "surrogatepass") if isinstance(body, str) else bytes(body)
    return {
        "body": base64.b64encode(raw).decode(),
        "properties": _plain(senders_own(message.properties)),
        "from": [message.delivery_info["exchange"], message.delivery_info["routing_key"]],
    }


def senders_own(properties: dict[str, Any]) -> dict[str, Any]:
    """Without what a quorum queue writes into each message that it delivers."""
    headers = properties.get("application_headers")
    if not isinstance(headers, dict) or COUNTED not in headers:
        return properties
    kept = {name: value for name, value in headers.items() if name != COUNTED}
    return {**properties, "application_headers": kept}


def body_and_properties(record: dict[str, Any]) -> tuple[bytes, dict[str, Any]]:
    """What was written, for the driver."""
    return base64.b64decode(record["body"]), _typed(record["properties"])


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
