"""The newest results in a Redis, found by SCAN in small steps: never by KEYS, never all at once.

A key that was written later lives longer, so what is left of its life tells its age without reading
it. One script looks at a thousand keys and answers only those that are newer than the oldest of
the best found so far: of a million keys less than one in a hundred travels.
"""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from .. import refusals
from ..errors import BackendError
from ..links.redis_link import told
from ..model.observations import ResultMeta
from ..model.task import UNKNOWN
from .meta import read

if TYPE_CHECKING:
    from redis import Redis

KEYS_A_STEP = 1_000
LIVES_A_STEP = 150
"""Keys judged in one step where the server lets us run no script: a command each."""
MOST_WITHOUT_SCRIPTS = 20_000
READ_A_STEP = 100
LARGEST_BYTES = 1024 * 1024
"""A result beyond this is not read unasked; a task on screen is, whatever its size."""
BYTES_A_STEP = 4 * LARGEST_BYTES
MOST_BYTES = 32 * LARGEST_BYTES
LONGEST_ID = 1_000
NEVER_SEEN = -(10**15)
"""Below the score of every key."""

SCRIPT = """
local found = redis.call('SCAN', ARGV[1], 'MATCH', ARGV[2], 'COUNT', ARGV[3])
local floor, newer = tonumber(ARGV[4]), {}
for _, key in ipairs(found[2]) do
  local score = redis.call('PTTL', key)
  if score == -1 then
    local idle = redis.pcall('OBJECT', 'IDLETIME', key)
    score = type(idle) == 'number' and -2 - 1000 * idle or floor
  elseif score == -2 then
    score = floor
  end
  if score > floor then
    local size = redis.pcall('STRLEN', key)
    if type(size) == 'number' then
      newer[#newer + 1] = {key, score, size}
    end
  end
end
return {found[1], #found[2], newer}
"""
"""Keys that never expire score below those that do, by the time since anybody used them."""

Candidate = tuple[int, bytes, int]
"""Score (the larger the newer), key, size in bytes."""


class RedisWalk:
    """One search: ``look`` until it says False, then ``read`` until it gives None."""

    def __init__(self, client: Redis, url: str, prefixes: Sequence[str], meta: str, most: int):
        self._client: Any = client
        self._url, self._most = url, most
        self._starts = tuple(f"{prefix}{meta}".encode() for prefix in prefixes)
        self._pattern = f"*{meta}*" if len(prefixes) > 1 else f"{meta}*"
        self._cursor, self._scripts = b"0", True
        self._waiting: list[bytes] = []
        """Keys found and not yet judged, where the server runs no script for us."""
        self._best: list[Candidate] = []
        self._to_read: list[Candidate] | None = None
        self._bytes_read = 0
        with told(url, BackendError):
            self.of = int(self._client.dbsize())
        self.looked_at = self.results = 0
        self.commands = 1
        self.unread: dict[str, int] = {}

    def look(self) -> bool:
        """Look at the next keys; False when there are none."""
        with told(self._url, BackendError):
            more = self._look_by_script() if self._scripts else self._look_by_pipeline()
        return more or self._gone_round()

    def _gone_round(self) -> bool:
        self._to_read = sorted(self._best)
        if self._cursor == b"0" and not self._waiting:
            self.looked_at = self.of
        return False

    def _looked(self, cursor: bytes, results: int) -> None:
        """One SCAN gives about as many keys as it was asked for, whatever they are of."""
        self._cursor, self.commands = cursor, 1
        self.looked_at = min(self.of, self.looked_at + KEYS_A_STEP)
        self.results += results

    def _look_by_script(self) -> bool:
        from redis.exceptions import ResponseError

        asked = (self._cursor, self._pattern, KEYS_A_STEP, self._floor)
        try:
            cursor, seen, newer = self._client.eval(SCRIPT, 0, *asked)
        except ResponseError as error:
            if refusals.of(error) is not None:
                raise
            self._scripts = False  # they are off, or not for this user
            return True
        self._looked(cursor, seen)
        for key, score, size in newer:
            self._consider((score, key, size))
        return bool(cursor != b"0")

    def _look_by_pipeline(self) -> bool:
        self.commands = 0
        if not self._waiting:
            cursor, self._waiting = self._client.scan(
                int(self._cursor), match=self._pattern, count=KEYS_A_STEP
            )
            self._looked(str(cursor).encode(), len(self._waiting))
        keys, self._waiting = self._waiting[:LIVES_A_STEP], self._waiting[LIVES_A_STEP:]
        pipe = self._client.pipeline(transaction=False)
        for key in keys:
            pipe.pttl(key)
        for key, left in zip(keys, pipe.execute(), strict=True):
            if left > self._floor:
                self._consider((left, key, -1))
        self.commands += len(keys)
        more = bool(self._waiting) or self._cursor != b"0"
        return more and self.results - len(self._waiting) < MOST_WITHOUT_SCRIPTS

    @property
    def _floor(self) -> int:
        """What is not newer than this is not among the best any more."""
        return self._best[0][0] if len(self._best) >= self._most else NEVER_SEEN

    def _consider(self, candidate: Candidate) -> None:
        key = candidate[1]
        if not key.startswith(self._starts) or len(key) > LONGEST_ID:
            return
        if len(self._best) < self._most:
            heapq.heappush(self._best, candidate)
        else:
            heapq.heappushpop(self._best, candidate)

    def read(self) -> tuple[ResultMeta, ...] | None:
        """The next of the newest results, each once; None when all were read."""
        if not self._to_read:
            return None
        batch = self._next_batch()
        keys = [key for _, key, _ in batch]
        self.commands = 1
        with told(self._url, BackendError):
            values = self._client.mget(keys) if keys else []
        metas = [
            read(self._id(key), stored)
            for key, stored in zip(keys, values, strict=True)
            if stored is not None
        ]
        for meta in metas:
            if meta.state == UNKNOWN:
                self._leave((meta.result or "").removeprefix("not readable: "))
        return tuple(meta for meta in metas if meta.state != UNKNOWN)

    def _next_batch(self) -> list[Candidate]:
        assert self._to_read is not None  # noqa: S101  narrows for the type checker only
        batch = [self._to_read.pop() for _ in range(min(READ_A_STEP, len(self._to_read)))]
        batch = self._sized(batch)
        fitting: list[Candidate] = []
        room = BYTES_A_STEP
        for number, candidate in enumerate(batch):
            size = candidate[2]
            if size > LARGEST_BYTES or self._bytes_read + size > MOST_BYTES:
                self._leave("too large")
            elif size <= room:
                fitting.append(candidate)
                room -= size
                self._bytes_read += size
            else:
                self._to_read += reversed(batch[number:])
                break
        return fitting

    def _sized(self, batch: list[Candidate]) -> list[Candidate]:
        if all(size >= 0 for _, _, size in batch):
            return batch
        pipe = self._client.pipeline(transaction=False)
        for _, key, _ in batch:
            pipe.strlen(key)
        with told(self._url, BackendError):
            sizes = pipe.execute(raise_on_error=False)
        return [
            (score, key, size)
            for (score, key, _), size in zip(batch, sizes, strict=True)
            if isinstance(size, int)
        ]

    def _leave(self, why: str) -> None:
        self.unread[why] = self.unread.get(why, 0) + 1

    def _id(self, key: bytes) -> str:
        start = next(start for start in self._starts if key.startswith(start))
        return key[len(start) :].decode("utf-8", "replace")
