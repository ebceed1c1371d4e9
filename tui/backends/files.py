"""The filesystem result backend: one file a task, listed by when it was written."""

from __future__ import annotations

import heapq
import os
import stat
import time
from collections.abc import Iterator, Sequence

from .. import urls
from ..errors import BackendError
from ..model.observations import ResultMeta
from ..model.task import UNKNOWN
from .base import Fetched
from .meta import read
from .naming import META, separated

FILES_A_STEP = 1_000
READ_A_STEP = 100
LARGEST_BYTES = 1024 * 1024
"""A result beyond this is not read unasked; a task on screen is, up to ``MOST_BYTES``."""
MOST_BYTES = 32 * LARGEST_BYTES
LONGEST_NAME_BYTES = 255

Candidate = tuple[int, str, int]
"""When it was written in nanoseconds, its name, its size in bytes."""


class FilesBackend:
    """One folder of results."""

    kind = "file"

    def __init__(self, url: str, key_prefix: str = "") -> None:
        self._url = url
        path = url.removeprefix("file://localhost").removeprefix("file://")
        self._folder = os.path.abspath(path)
        self._start = f"{separated(key_prefix) if key_prefix else ''}{META}"
        self.ping()

    def close(self) -> None:
        """No file stays open."""

    def ping(self) -> float:
        """Milliseconds of opening the folder."""
        began = time.perf_counter()
        try:
            with os.scandir(self._folder):
                pass
        except OSError as error:
            raise self._in_words(error) from None
        return (time.perf_counter() - began) * 1000

    def fetch(self, ids: Sequence[str]) -> Fetched:
        """What is stored of these tasks; a name that no file can have counts as nothing."""
        self.ping()  # a folder that went away is no folder without results
        metas = []
        for task_id in ids:
            stored = self.stored(self._start + task_id, MOST_BYTES)
            if stored:  # an empty file is about to be written
                metas.append(read(task_id, stored))
        found = {meta.id for meta in metas}
        return Fetched(tuple(metas), tuple(task_id for task_id in ids if task_id not in found))

    def recent(self, most: int) -> RecentFiles:
        """A search for the newest results, at most so many."""
        try:
            entries = os.scandir(self._folder)
        except OSError as error:
            raise self._in_words(error) from None
        return RecentFiles(self, entries, self._start, most)

    def stored(self, name: str, most_bytes: int) -> bytes | None:
        """What a file of that name holds; None when there is none, or it is something else."""
        if "/" in name or "\x00" in name:
            return None
        try:
            # A pipe of that name must not keep us waiting.
            descriptor = os.open(os.path.join(self._folder, name), os.O_RDONLY | os.O_NONBLOCK)
        except UnicodeEncodeError:
            return None
        except OSError as error:
            if isinstance(error, PermissionError):
                raise self._in_words(error) from None
            return None
        try:
            status = os.fstat(descriptor)
            if not stat.S_ISREG(status.st_mode) or status.st_size > most_bytes:
                return None
            with open(descriptor, "rb", closefd=False) as file:
                return file.read(most_bytes)
        finally:
            os.close(descriptor)

    def _in_words(self, error: OSError) -> BackendError:
        who = f"The result backend {urls.redact(self._url)}"
        if isinstance(error, FileNotFoundError | NotADirectoryError):
            return BackendError(
                f"{who} has no folder {self._folder}",
                "Start in the folder of the workers, or name it in full.",
            )
        if isinstance(error, PermissionError):
            return BackendError(
                f"{who} may not be read by this user", "Check the permissions of the folder."
            )
        return BackendError(f"{who} cannot be read: {error.strerror}", "Check the folder.")


class RecentFiles:
    """One search: the folder is listed in steps, then the newest files are read."""

    def __init__(
        self, backend: FilesBackend, entries: Iterator[os.DirEntry[str]], start: str, most: int
    ) -> None:
        self._backend, self._entries, self._start, self._most = backend, entries, start, most
        self._best: list[Candidate] = []
        self._waiting: list[Candidate] | None = None
        self.looked_at = self.of = 0
        self.commands = 1
        self.unread: dict[str, int] = {}

    def look(self) -> bool:
        """Look at the next files; False when there are none."""
        for _ in range(FILES_A_STEP):
            entry = next(self._entries, None)
            if entry is None:
                self._waiting = sorted(self._best)
                return False
            self.looked_at += 1
            self._consider(entry)
        self.of = self.looked_at
        return True

    def _consider(self, entry: os.DirEntry[str]) -> None:
        if not entry.name.startswith(self._start):
            return
        try:
            status = entry.stat()
        except OSError:  # it is gone meanwhile
            return
        candidate = (status.st_mtime_ns, entry.name, status.st_size)
        if len(self._best) < self._most:
            heapq.heappush(self._best, candidate)
        else:
            heapq.heappushpop(self._best, candidate)

    def read(self) -> tuple[ResultMeta, ...] | None:
        """The next of the newest results; None when all were read."""
        if not self._waiting:
            self.of = self.looked_at
            return None
        metas: list[ResultMeta] = []
        for _ in range(min(READ_A_STEP, len(self._waiting))):
            _, name, size = self._waiting.pop()
            stored = self._backend.stored(name, LARGEST_BYTES)
            if not stored:
                if size > LARGEST_BYTES:
                    self._leave("too large")
                continue
            meta = read(name.removeprefix(self._start).encode("utf-8", "replace").decode(), stored)
            if meta.state == UNKNOWN:
                self._leave((meta.result or "").removeprefix("not readable: "))
            else:
                metas.append(meta)
        return tuple(metas)

    def _leave(self, why: str) -> None:
        self.unread[why] = self.unread.get(why, 0) + 1
