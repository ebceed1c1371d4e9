"""A quarantine's file: messages, and how far taking and giving them back has come.

A journal of JSON lines, for its owner only (0600). What is written counts once it is fsynced; a
torn last line never counts. Between two steps that only the broker or only the file knows of,
a kill leaves messages of which the file cannot tell on which side they are: receipts in the broker
tell. Where these are lost the messages stay doubtful: never sent again by themselves.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import json
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from ..errors import BrokerError
from .rabbitmq_standing import MESSAGE, Standing


class Journal:
    """One file, locked while somebody works on it. What the disk refuses is a BrokerError."""

    def __init__(self, path: Path, handle: int) -> None:
        self.path, self._handle = path, handle
        self.standing = standing_of(path)
        if self.standing.damaged:
            raise BrokerError(
                f"The quarantine in {path} is damaged",
                f"Nothing was sent or removed; {self.standing.written:,} messages of it are whole.",
            )
        os.ftruncate(handle, self.standing.whole_bytes)
        os.lseek(handle, 0, os.SEEK_END)

    @classmethod
    def new(cls, path: Path, head: dict[str, Any]) -> Journal:
        """A file that did not exist before; its folder is the owner's only, too."""
        with _on_disk(path):
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        journal = cls._locked(path, handle)
        try:
            journal.write(head)
            with _on_disk(path):
                _sync_folder(path.parent)
        except BrokerError:
            path.unlink(missing_ok=True)
            journal.close()
            raise
        return journal

    @classmethod
    def opened(cls, path: Path) -> Journal:
        """A file that exists. Raises BrokerError where somebody works on it."""
        with _on_disk(path):
            handle = os.open(path, os.O_RDWR | os.O_CLOEXEC)
        return cls._locked(path, handle)

    @classmethod
    def _locked(cls, path: Path, handle: int) -> Journal:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return cls(path, handle)
        except BlockingIOError:
            os.close(handle)
            raise BrokerError(
                f"Somebody works on the quarantine in {path}", "Wait until that has ended."
            ) from None
        except BaseException:
            os.close(handle)
            raise

    def append(self, record: dict[str, Any]) -> None:
        """One more line, which may not be on the disk yet. What fails is a torn line, the last."""
        line = json.dumps(record).encode() + b"\n"
        with _on_disk(self.path):
            data = memoryview(line)
            while data:
                data = data[os.write(self._handle, data) :]
        self.standing.fold(line)

    def write(self, record: dict[str, Any]) -> None:
        """One more line; when it returns all are on the disk."""
        self.append(record)
        with _on_disk(self.path):
            os.fsync(self._handle)

    def sure_to_stay(self) -> None:
        """Raises BrokerError where somebody has deleted the file: it is gone once we close it."""
        with _on_disk(self.path):
            if not os.fstat(self._handle).st_nlink:
                raise FileNotFoundError(errno.ENOENT, "it was deleted meanwhile")

    def messages(self, wanted: Iterable[int]) -> Iterator[tuple[int, dict[str, Any], int]]:
        """(number, message, bytes of its line) of those wanted, in the file's order."""
        return messages_in(self.path, wanted)

    def close(self) -> None:
        """Let it go; whoever wants it next may have it."""
        os.close(self._handle)

    def remove(self) -> None:
        """Nothing of it is needed any more."""
        self.path.unlink(missing_ok=True)
        _sync_folder(self.path.parent)


def standing_of(path: Path, standing: Standing | None = None) -> Standing:
    """What a file says; ``standing`` is what it said before: only what came since is read."""
    standing = standing or Standing()
    for line in _lines(path, standing.whole_bytes):
        standing.fold(line)
        if standing.damaged:
            break
    return standing


def messages_in(path: Path, wanted: Iterable[int]) -> Iterator[tuple[int, dict[str, Any], int]]:
    """(number, message, bytes of its line) of those wanted, in the file's order."""
    numbers, number = set(wanted), -1
    for line in _lines(path):
        if line.startswith(MESSAGE):
            number += 1
            if number in numbers:
                yield number, _message(path, line), len(line)


def _message(path: Path, line: bytes) -> dict[str, Any]:
    try:
        record: dict[str, Any] = json.loads(line)
    except ValueError:
        words = f"The quarantine in {path} is damaged"
        raise BrokerError(words, "What could not be read is still in there.") from None
    return record


def is_worked_on(path: Path) -> bool:
    """Whether somebody has it locked now."""
    with path.open("rb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


def _lines(path: Path, offset: int = 0) -> Iterator[bytes]:
    with path.open("rb") as file:
        file.seek(offset)
        for line in file:
            if not line.endswith(b"\n"):
                return
            yield line


@contextlib.contextmanager
def _on_disk(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        what = f"The quarantine in {path} cannot be written or read: {error.strerror or error}"
        raise BrokerError(what, "What is not safe there stays in its queue.") from error


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
