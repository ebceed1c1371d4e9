"""Stored results of the tasks somebody wants to know of: one MGET a second, at most 100 ids."""

from __future__ import annotations

import time
from contextlib import closing
from typing import TYPE_CHECKING

from ..backends import open_backend, why_not
from ..links.redis_link import NotPermitted
from ..model.observations import ResultMeta, Results
from ..model.task import FAILURE, SUCCESS
from .base import Source
from .inbox import Inbox

if TYPE_CHECKING:
    from ..backends.base import Backend
    from ..settings import Settings

EVERY_S = 1.0
MOST_IDS = 100
PING_EVERY_S = 5.0
"""While nothing is wanted, a lost link shows all the same."""
SETTLED = frozenset({SUCCESS, FAILURE})
"""Not asked again. A stored REVOKED is: the task may still run and overwrite it."""


class ResultSource(Source):
    """Asks the result backend for what ``want`` named last."""

    name = "results"

    def __init__(self, inbox: Inbox, settings: Settings) -> None:
        super().__init__(inbox)
        self.settings = settings
        self._wanted: tuple[str, ...] = ()
        self._known: dict[str, ResultMeta | None] = {}
        """What was told last of each wanted id; None: nothing is stored."""
        self._next = 0

    def want(self, ids: tuple[str, ...]) -> None:
        """From now on ask for these ids, the first the soonest. From any thread."""
        self._wanted = ids

    def session(self) -> None:
        """One connection's life."""
        backend = open_backend(self.settings)
        if backend is None:
            self.off(why_not(self.settings))
            return
        with closing(backend):
            try:
                self.live(backend.ping())
                self._poll(backend)
            except NotPermitted as error:
                self.off(error.title, error.hint)

    def _poll(self, backend: Backend) -> None:
        heard = time.monotonic()
        while not self.stopping.wait(EVERY_S if self._known or self._wanted else EVERY_S / 4):
            ids = self.due()
            if ids:
                self._fetch(backend, ids)
                heard = time.monotonic()
            elif time.monotonic() - heard > PING_EVERY_S:
                backend.ping()
                heard = time.monotonic()

    def due(self) -> list[str]:
        """The ids of the next question: those not settled, in turn when they are many."""
        wanted = self._wanted
        kept = set(wanted)
        # Who leaves the list and comes back (a retry under the same id) is asked for anew.
        self._known = {i: meta for i, meta in self._known.items() if i in kept}
        open_ids = [i for i in dict.fromkeys(wanted) if not self._settled(i)]
        if len(open_ids) <= MOST_IDS:
            self._next = 0
            return open_ids
        start = self._next % len(open_ids)
        self._next = start + MOST_IDS
        return (open_ids + open_ids)[start : start + MOST_IDS]

    def _settled(self, task_id: str) -> bool:
        meta = self._known.get(task_id)
        return meta is not None and meta.state in SETTLED

    def _fetch(self, backend: Backend, ids: list[str]) -> None:
        fetched = backend.fetch(ids)
        news = tuple(meta for meta in fetched.metas if self._known.get(meta.id) != meta)
        missing = tuple(
            i for i in fetched.missing if i not in self._known or self._known[i] is not None
        )
        self._known |= {meta.id: meta for meta in news} | dict.fromkeys(missing)
        if news or missing:
            self.inbox.put(Results(time.time(), news, missing))
