"""Samples the newest message of Redis lists: how long messages wait, what comes and goes.

LPOS finds the newest message of the poll before from the newest side on, and so counts exactly
what came since. It is asked together with LINDEX and LLEN in one transaction, because a message
that came in between would be counted never or twice, and the count is a sum.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from itertools import islice
from typing import Any

from .. import refusals
from ..model.waiting import Curve, Waiting, together
from .redis_scan import ask_many

BYTES_A_SECOND = 300_000
TYPICAL_BYTES = 1_000
LARGE_BYTES = 64 * 1024
LARGE_EVERY_S = 30.0
LARGEST_BYTES = 1024 * 1024
"""A newest message larger than this is not sent back to be looked for: its list has no curve."""
KEPT_BYTES = 32 * 1024 * 1024
"""All newest messages together: of more lists no age is told."""
LOOKED_THROUGH = 20_000
"""Messages through which the newest of the poll before is looked for."""
TOGETHER = 20
"""Lists in one transaction: some 50 us of the server's time."""
EACH_S = 0.8
"""No list is sampled more often."""
FORGOTTEN_S = 60.0
"""Empty for so long, a list is as one that never held a message."""
TOO_OLD = "Redis before 6.0.6 has no LPOS"
NOT_PERMITTED = "this user may not use LPOS and LINDEX"
NO_ROOM_FOR_MULTI = "a full Redis refuses the transaction (MULTI) that ages need"
PAUSED_S = 5.0
"""Then one list is tried again: each refusal counts in the server's statistics."""

ListId = tuple[str, int]
"""(queue, priority step)."""


class _NoRoom(Exception):
    """The server has no memory even for a transaction that only reads."""


class Sampled:
    """One list: its curve, and the newest message of the last poll."""

    __slots__ = ("curve", "due", "empty_since", "newest", "resumed", "size")

    def __init__(self, empty_at: float | None = None) -> None:
        self.curve = Curve(empty_at)
        self.newest: bytes | None = None
        self.size = TYPICAL_BYTES
        self.due = 0.0
        self.empty_since: float | None = None
        self.resumed = False
        """The link was lost since the last poll: what is gone has not simply been consumed."""


class Sampling:
    """The curves of all lists in which messages wait, within a budget; times are monotonic."""

    def __init__(self, client: Any, names: Any) -> None:
        """``names(queue, step)`` is the key of a list."""
        self._client, self._names = client, names
        self._lists: dict[ListId, Sampled] = {}
        self._were_empty: set[ListId] = set()
        self._read_at = 0.0
        self._kept_bytes = 0
        self._next = 0
        self._atomic = True
        self._paused_until: float | None = None
        self.off = ""
        """Why no age can be told at all; empty: it can."""

    def carry_on(self, former: Sampling) -> None:
        """What a lost connection's sampling has learnt holds as far as it is found again."""
        self._lists, self._kept_bytes = former._lists, former._kept_bytes
        for one in self._lists.values():
            one.resumed = True

    @property
    def paused(self) -> bool:
        """Whether no list can be sampled for now: of those that hold messages no age is told.

        What was learnt stays: the newest message of before is looked for when it goes on.
        """
        return self._paused_until is not None

    @property
    def why_not(self) -> str:
        """Why no age is told, now or at all; empty: ages are told."""
        return self.off or (NO_ROOM_FOR_MULTI if self.paused else "")

    # -- which lists --------------------------------------------------------------------------

    def sample(
        self,
        lengths: Mapping[ListId, int],
        first: Collection[str],
        now: float,
        most: int,
    ) -> dict[ListId, int]:
        """Sample at most ``most`` lists that hold messages, those of the queues ``first`` first.

        Returns their lengths.
        """
        found: dict[ListId, int] = {}
        if self.off or (self._paused_until is not None and now < self._paused_until):
            return found
        most = 1 if self.paused else most
        due = iter(self._due(lengths, first, now, most))
        while group := list(islice(due, TOGETHER)):
            try:
                answers = self._ask(group)
            except _NoRoom:
                self._paused_until = now + PAUSED_S
                return found
            self._paused_until = None
            for one, replies in zip(group, answers, strict=False):
                length = self._fold(one, replies, now)
                if length is not None:
                    found[one] = length
        return found

    def _due(
        self, lengths: Mapping[ListId, int], first: Collection[str], now: float, most: int
    ) -> list[ListId]:
        """Those on screen, then the others in turn, until lists or bytes are enough."""
        waiting = [one for one, length in lengths.items() if length]
        turn = self._next % max(1, len(waiting))
        shown = [one for one in waiting if one[0] in first] if first else []
        chosen: dict[ListId, None] = {}
        octets = 0
        for looked_at, one in enumerate((*shown, *waiting[turn:], *waiting[:turn])):
            if len(chosen) >= most or octets >= BYTES_A_SECOND:
                break
            self._next = turn + max(0, looked_at - len(shown) + 1)
            if one in chosen or not self._is_due(one, now):
                continue
            chosen[one] = None
            known = self._lists.get(one)
            octets += 2 * known.size if known is not None else TYPICAL_BYTES
        return list(chosen)

    def _is_due(self, one: ListId, now: float) -> bool:
        known = self._lists.get(one)
        return known is None or now >= known.due

    def read(self, lengths: Mapping[ListId, int], now: float) -> None:
        """All lists were read: which are empty, have just been, or are no more."""
        for one in list(self._lists):
            length = lengths.get(one)
            if length == 0:
                self._empty(one, now)
            elif length is None:
                self._forget(one)
        for one in self._were_empty:
            if lengths.get(one) and one not in self._lists:
                self._lists[one] = Sampled(self._read_at)
        self._were_empty = {one for one, length in lengths.items() if not length}
        self._read_at = now

    # -- asking -------------------------------------------------------------------------------

    def _ask(self, group: list[ListId]) -> list[list[Any]]:
        from redis import ResponseError
        from redis.exceptions import NoPermissionError

        try:
            return list(_each(group, self._lists, self._replies(self._commands(group))))
        except NoPermissionError as error:
            return self._without(group, error)
        except ResponseError as error:
            refusal = refusals.of(error)
            if refusal is not None and refusal.kind == "memory":
                raise _NoRoom from error
            if "unknown command" not in str(error).lower():
                raise
            self.off = TOO_OLD
            return []

    def _without(self, group: list[ListId], error: Exception) -> list[list[Any]]:
        """A user who may only read may not use transactions: then samples are less sure."""
        if self._atomic and any(word in str(error).lower() for word in ("multi", "exec")):
            self._atomic = False
            return self._ask(group)
        self.off = NOT_PERMITTED
        return []

    def _commands(self, group: list[ListId]) -> Iterator[tuple[Any, ...]]:
        for one in group:
            key, known = self._names(*one), self._lists.get(one)
            if known is not None and known.newest is not None:
                yield "LPOS", key, known.newest, "MAXLEN", LOOKED_THROUGH
            yield "LINDEX", key, 0
            yield "LLEN", key

    def _replies(self, commands: Iterable[tuple[Any, ...]]) -> list[Any]:
        return ask_many(self._client, commands, atomic=self._atomic)

    # -- what it says -------------------------------------------------------------------------

    def _fold(self, one: ListId, replies: list[Any], now: float) -> int | None:
        place, newest, length = replies
        if not isinstance(length, int):
            self._forget(one)
            return None
        if not length or newest is None:
            self._empty(one, now)
            return 0
        known = self._lists.get(one)
        if known is None:
            known = self._lists[one] = Sampled()
        self._grow(known, place, length, now)
        self._keep(known, newest, now)
        return length

    def _grow(self, known: Sampled, place: int | None, length: int, now: float) -> None:
        curve, resumed, known.resumed = known.curve, known.resumed, False
        known.empty_since = None
        if place is not None:
            curve.fold(now, length, place)
        elif known.newest is None:
            # Of a list that was empty all is new. Else its newest message is too large to be kept.
            curve.fold(now, length, None if resumed or curve.depth else length)
        elif resumed or length > LOOKED_THROUGH:
            curve.fold(now, length, None)
        else:
            curve.turned_over(now, length)

    def _keep(self, known: Sampled, newest: bytes, now: float) -> None:
        self._kept_bytes -= len(known.newest or b"")
        known.newest, known.size = None, len(newest)
        if known.size <= LARGEST_BYTES and self._kept_bytes + known.size <= KEPT_BYTES:
            known.newest = newest
            self._kept_bytes += known.size
        known.due = now + (LARGE_EVERY_S if known.size > LARGE_BYTES else EACH_S)

    def _empty(self, one: ListId, now: float) -> None:
        known = self._lists.get(one)
        if known is None:
            return
        known.curve.fold(now, 0, 0)
        self._kept_bytes -= len(known.newest or b"")
        known.newest, known.due, known.resumed = None, 0.0, False
        if known.empty_since is None:
            known.empty_since = now
        elif now - known.empty_since > FORGOTTEN_S:
            self._forget(one)

    def _forget(self, one: ListId) -> None:
        known = self._lists.pop(one, None)
        if known is not None:
            self._kept_bytes -= len(known.newest or b"")

    def waiting(
        self, queue: str, lengths: Mapping[int, int], now: float, at: float
    ) -> Waiting | None:
        """What is known of a queue of these lists; None: nothing was sampled."""
        if self.paused and any(lengths.values()):
            return Waiting(at)
        curves: list[Curve | None] = []
        for step, length in lengths.items():
            known = self._lists.get((queue, step))
            if length and (known is None or known.newest is None):
                curves.append(None)
            elif known is not None:
                curves.append(known.curve)
        sampled = any(curve is not None for curve in curves)
        return together(curves, now, at) if sampled else None


def _each(
    group: Iterable[ListId], known: Mapping[ListId, Sampled], replies: list[Any]
) -> Iterator[list[Any]]:
    """(LPOS, LINDEX, LLEN) of each list; there is no LPOS where no message was kept."""
    answers = iter(replies)
    for one in group:
        sampled = known.get(one)
        kept = sampled is not None and sampled.newest is not None
        yield [next(answers) if kept else None, next(answers), next(answers)]
