"""Reading the keys of a Redis that may hold anything: bounded steps, and no trust in types."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from typing import Any

from .. import refusals

KEYS_A_STEP = 1_000
"""1.5 ms of the server's time; ten times as many took 36 ms at a stretch."""
ASK_AGAIN_S = 60.0
"""A key that may not be read: each refusal is a line in the server's ACL log."""
BYTES_A_PAGE = 512 * 1024
"""Messages may be large: a page has fewer of them then."""


class Walk:
    """SCAN with a pattern and a type, resumed at each ``step()``; never KEYS."""

    def __init__(self, client: Any, pattern: str, kind: str) -> None:
        self._client, self._pattern, self._kind = client, pattern, kind
        self._cursor = 0
        self._typed = True
        self.ended = False

    def again(self) -> None:
        """Begin a new round."""
        self._cursor, self.ended = 0, False

    def step(self) -> list[str]:
        """The matching keys of the next step; names that are not UTF-8 are not Celery's."""
        if self.ended:
            return []
        self._cursor, keys = self._scan()
        self.ended = self._cursor == 0
        return [name for name in map(_text, keys) if name]

    def _scan(self) -> tuple[int, list[bytes]]:
        from redis import ResponseError
        from redis.exceptions import NoPermissionError

        words: list[Any] = ["SCAN", self._cursor, "MATCH", self._pattern, "COUNT", KEYS_A_STEP]
        try:
            reply = self._client.execute_command(*words, *self._type())
        except NoPermissionError:
            raise
        except ResponseError as error:
            if not self._typed or refusals.of(error) is not None:
                raise
            self._typed = False  # before Redis 6 SCAN knows no TYPE: then all keys are looked at
            reply = self._client.execute_command(*words)
        cursor, keys = reply
        return int(cursor), keys

    def _type(self) -> tuple[str, ...]:
        return ("TYPE", self._kind) if self._typed else ()


def _text(key: bytes) -> str:
    try:
        return key.decode()
    except UnicodeDecodeError:
        return ""


class Forbidden:
    """Keys that this user may not read, and is not asked for again too soon."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._again_at: dict[str, float] = {}

    def __len__(self) -> int:
        return len(self._again_at)

    def __contains__(self, key: str) -> bool:
        """Whether it is better not asked for now."""
        return self._again_at.get(key, 0.0) > self._clock()

    def note(self, key: str, refused: bool) -> None:
        """What came of asking for it."""
        if refused:
            self._again_at[key] = self._clock() + ASK_AGAIN_S
        elif self._again_at:
            self._again_at.pop(key, None)


def ask_many(
    client: Any,
    commands: Iterable[tuple[Any, ...]],
    atomic: bool = False,
    forbidden: Forbidden | None = None,
) -> list[Any]:
    """One pipeline's replies in order; None where a key is of another type than Celery's.

    With ``forbidden`` also where the second word, the key, may not be read.
    """
    from redis import ResponseError

    asked = list(commands)
    with client.pipeline(transaction=atomic) as pipe:
        for words in asked:
            pipe.execute_command(*words)
        replies = pipe.execute(raise_on_error=False)
    for words, reply in zip(asked, replies, strict=False):
        kept_from_us = forbidden is not None and is_forbidden_key(reply)
        if isinstance(reply, Exception) and not is_wrong_type(reply) and not kept_from_us:
            raise reply
        if forbidden is not None:
            forbidden.note(words[1], kept_from_us)
    return [None if isinstance(reply, ResponseError) else reply for reply in replies]


def is_forbidden_key(reply: object) -> bool:
    """Whether this user may run that command, and not on this key."""
    from redis.exceptions import NoPermissionError

    return isinstance(reply, NoPermissionError) and "keys" in str(reply)


def ask(question: Callable[..., Any], *arguments: Any) -> Any:
    """The reply, or None where a key is of another type or may not be read."""
    from redis import ResponseError
    from redis.exceptions import NoPermissionError

    try:
        return question(*arguments)
    except NoPermissionError:
        return None
    except ResponseError as error:
        if is_wrong_type(error):
            return None
        raise


def is_wrong_type(error: Exception) -> bool:
    """Whether Redis said that the key holds another type."""
    return "WRONGTYPE" in str(error)


def page_size(
    client: Any, key: str, count: int, most: int, too_large_bytes: int | None = None
) -> int:
    """How many of the ``count`` messages in a key to ask for at a time, at most ``most``.

    None at all where one of them takes more than ``too_large_bytes``, as far as that is known.
    """
    used = ask(client.memory_usage, key, 5)
    if used is None:
        return max(1, most // 10)  # not permitted: be careful
    each = max(1, used) / max(1, count)
    if too_large_bytes is not None and each > too_large_bytes:
        return 0
    return int(max(1, min(most, BYTES_A_PAGE / each)))
