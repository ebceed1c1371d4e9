"""Stored results of the tasks somebody wants to know of: one MGET a second, at most 100 ids.

What the model makes of an answer depends on what else it heard meanwhile (a task may leave its
worker, or an id be sent again), so an answer that settles nothing is told again after a while.
"""

from __future__ import annotations

import time
from contextlib import closing
from typing import TYPE_CHECKING

from ..backends import open_backend, why_not
from ..backends.base import Takes
from ..model.observations import ResultMeta, Results
from ..model.task import FAILURE, SUCCESS
from .base import Source
from .inbox import Inbox
from .recent import Recent

if TYPE_CHECKING:
    from ..backends.base import Backend
    from ..links.redis_vitals import Refused
    from ..settings import Settings

EVERY_S = 1.0
MOST_IDS = 100
PING_EVERY_S = 5.0
"""While nothing is wanted, a lost link shows all the same."""
TELL_AGAIN_S = 3.0
SETTLED = frozenset({SUCCESS, FAILURE})
"""Not asked again soon. A stored REVOKED is: the task may still run and overwrite it."""


class ResultSource(Source):
    """Asks the result backend for what ``want`` named last."""

    name = "results"
    refusal = "reading results is not permitted"

    def __init__(self, inbox: Inbox, settings: Settings) -> None:
        super().__init__(inbox)
        self.settings = settings
        self._first: tuple[str, ...] = ()
        self._rest: tuple[str, ...] = ()
        self._known: dict[str, tuple[ResultMeta | None, float]] = {}
        """What was told last of each wanted id, and when; None: nothing is stored."""
        self._next = 0
        self._told: tuple[Refused | None] | None = None
        """What was told last on this connection of what the backend takes."""
        self._recent = Recent(inbox)

    def want(self, first: tuple[str, ...], rest: tuple[str, ...] = ()) -> None:
        """From now on ask for these ids: the first each time, the rest in turn. From any thread."""
        self._first, self._rest = first, rest

    def session(self) -> None:
        """One connection's life."""
        backend = open_backend(self.settings)
        if backend is None:
            self.off(why_not(self.settings))
            return
        with closing(backend):
            self._told = None
            self._tell(backend, backend.ping())
            self._poll(backend)

    def _tell(self, backend: Backend, latency_ms: float | None = None) -> None:
        """That it stands, and what it takes from nobody: told when that changes."""
        told = (backend.refused() if isinstance(backend, Takes) else None,)
        if told != self._told:
            self._told = told
            self.live(latency_ms, refused=told[0])

    def _poll(self, backend: Backend) -> None:
        self._recent.again()
        heard = due = time.monotonic()
        pause: float | None = 0.0
        while not self.stopping.wait(max(0.0, due - time.monotonic()) if pause is None else pause):
            now = time.monotonic()
            if now >= due:
                self._tell(backend)
                heard = self._ask(backend, heard)
                due = now + (EVERY_S if self._known or self._first or self._rest else EVERY_S / 4)
            pause = self._recent.step(backend)
            if pause is None or self._recent.takes_long:
                self.answered()

    def _ask(self, backend: Backend, heard: float) -> float:
        """Ask what is to be asked; when the backend was last heard of, in monotonic seconds."""
        ids = self.due()
        if ids:
            self._fetch(backend, ids)
        elif time.monotonic() - heard > PING_EVERY_S:
            backend.ping()
        else:
            return heard
        return time.monotonic()

    def due(self) -> list[str]:
        """The ids of the next question: those not settled, in turn when they are many."""
        wanted = dict.fromkeys((*self._first, *self._rest))
        # Who leaves the list and comes back (a retry under the same id) is asked for anew.
        self._known = {i: told for i, told in self._known.items() if i in wanted}
        open_ids = [i for i in wanted if not self._settled(i)]
        first = set(self._first)
        always = [i for i in open_ids if i in first]
        if len(always) > MOST_IDS:
            return self._in_turn(always, MOST_IDS)
        others = [i for i in open_ids if i not in first]
        return always + self._in_turn(others, MOST_IDS - len(always))

    def _in_turn(self, ids: list[str], room: int) -> list[str]:
        if len(ids) <= room:
            self._next = 0
            return ids
        start = self._next % len(ids)
        self._next = start + room
        return (ids + ids)[start : start + room]

    def _settled(self, task_id: str) -> bool:
        meta, told = self._known.get(task_id, (None, 0.0))
        settled = meta is not None and meta.state in SETTLED
        return settled and time.monotonic() - told < TELL_AGAIN_S

    def _fetch(self, backend: Backend, ids: list[str]) -> None:
        now = time.monotonic()
        fetched = backend.fetch(ids)
        news = tuple(meta for meta in fetched.metas if self._is_news(meta.id, meta, now))
        missing = tuple(i for i in fetched.missing if self._is_news(i, None, now))
        self._known |= {meta.id: (meta, now) for meta in news} | dict.fromkeys(missing, (None, now))
        if news or missing:
            self.inbox.put(Results(time.time(), news, missing))

    def _is_news(self, task_id: str, meta: ResultMeta | None, now: float) -> bool:
        if task_id not in self._known:
            return True
        before, told = self._known[task_id]
        return before != meta or now - told >= TELL_AGAIN_S
