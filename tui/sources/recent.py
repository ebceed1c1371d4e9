"""The search for recent results, made once after we attached: in the background, a step at a time.

A push feed exists (``PSUBSCRIBE celery-task-meta-*`` tells every state with its whole result) and
is not used: all results of all tasks would travel to us, megabytes among them, to know a second
sooner of a hundred. What is on screen is asked for by id instead, once a second.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from ..backends.base import Unlisted
from ..links.redis_link import NotPermitted
from ..model.observations import ResultMeta, Results, ResultsLookedThrough
from .inbox import Inbox

if TYPE_CHECKING:
    from ..backends.base import Backend, Walk

MOST = 1_000
"""Recent results that are kept."""
LONG = 20_000
"""Beyond so many keys nobody waits for the end of the search who looks only once."""
STEP_S = 0.02
SHARE = 0.1
"""Part of the time that we may keep the server busy with this."""
COMMANDS_A_SECOND = 150
TELL_EVERY_S = 0.5
TOLD_AT_ONCE = 100
"""Tasks folded in between two looks at the keyboard."""


class Recent:
    """One search; ``step`` until it gives None. It goes on over a lost connection from anew."""

    def __init__(self, inbox: Inbox) -> None:
        self.inbox = inbox
        self.over = False
        self._walk: Walk | None = None
        self._metas: list[ResultMeta] = []
        self._looking = True
        self._told = 0
        self._tell_due = 0.0

    def again(self) -> None:
        """There is a new connection; what was found on the former one is found again."""
        self._walk, self._looking = None, True
        self._metas.clear()

    @property
    def takes_long(self) -> bool:
        """Whether there is so much to look through that it is over only after a while."""
        return self._walk is not None and self._walk.of > LONG

    def step(self, backend: Backend) -> float | None:
        """Do a little; seconds to rest before the next step, None: it is over."""
        if self.over:
            return None
        began = time.monotonic()
        try:
            self._advance(backend)
        except (NotPermitted, Unlisted) as error:
            self._end(error.title)
        if self.over:
            return None
        assert self._walk is not None  # noqa: S101  narrows for the type checker only
        took = time.monotonic() - began
        cost = self._walk.commands / COMMANDS_A_SECOND if self._walk.commands > 1 else 0.0
        return max(STEP_S, took / SHARE - took, cost)

    def _advance(self, backend: Backend) -> None:
        if self._walk is None:
            self._walk = backend.recent(MOST)
        elif self._looking:
            self._looking = self._walk.look()
        else:
            self._read(self._walk)
        if not self.over and time.monotonic() >= self._tell_due:
            self._tell_due = time.monotonic() + TELL_EVERY_S
            self._tell()

    def _read(self, walk: Walk) -> None:
        metas = walk.read()
        if metas is not None:
            self._metas += metas
            return
        newest_first = by_date(self._metas)
        now = time.time()
        for start in range(0, len(newest_first), TOLD_AT_ONCE):
            self.inbox.put(Results(now, tuple(newest_first[start : start + TOLD_AT_ONCE])))
        self._told = len(newest_first)
        self._end("")

    def _end(self, note: str) -> None:
        self.over = True
        self._metas = []
        self._tell(note)

    def _tell(self, note: str = "") -> None:
        walk = self._walk
        keys, of = (walk.looked_at, walk.of) if walk is not None else (0, 0)
        unread = dict(walk.unread) if walk is not None else {}
        self.inbox.put(
            ResultsLookedThrough(time.time(), keys, of, self._told, unread, note, self.over)
        )


def by_date(metas: list[ResultMeta]) -> list[ResultMeta]:
    """The newest first. What has no date (a retry to come) stays beside its neighbour."""
    dated: list[tuple[float, ResultMeta]] = []
    latest = float("inf")
    for meta in metas:
        latest = meta.date_done if meta.date_done is not None else latest
        dated.append((latest, meta))
    dated.sort(key=lambda pair: -pair[0])
    return [meta for _, meta in dated]
