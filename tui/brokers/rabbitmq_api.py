"""RabbitMQ's management API, where a URL is given: which queues there are, unacked, rates.

It is only ever read, and only for what is shown: it writes null headers as the word 'undefined',
so that no message taken from it could be sent again.
"""

from __future__ import annotations

import re
import time
from typing import Any
from urllib.parse import quote

import msgspec

from .. import urls
from ..links.management import ERRORS, Api, in_words
from ..model.observations import QueueDepth
from ..model.waiting import Flow, Waiting

PAGE_QUEUES = 300
ROUND_EVERY_S = 5.0
"""RabbitMQ itself takes its figures every five seconds."""
COLUMNS = (
    "name,type,exclusive,auto_delete,consumers,messages_ready,messages_unacknowledged,"
    "message_stats.publish_details.rate,message_stats.deliver_get_details.rate,"
    "backing_queue_status.priority_lengths"
)
PLUMBING = re.compile(r"(?:.+\.)?[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}(?:\..+)?")
"""How Celery calls the queues of replies, events and RPC results; they delete themselves."""


class Listed(msgspec.Struct, frozen=True):
    """What the API says of one queue."""

    kind: str
    unacked: int | None
    by_priority: dict[str, int]
    waiting: Waiting
    depth: QueueDepth | None
    """As a reading of it."""


class Management:
    """Asks one page at a time; what it cannot do is said in ``trouble`` and never raised."""

    def __init__(self, url: str, vhost: str, login: tuple[str, str]) -> None:
        """``login``: user and password of the broker, where the URL names none."""
        self._url, self._vhost = url, vhost
        self._api = Api(url, login)
        self.queues: dict[str, Listed] = {}
        self.trouble = ""
        self.complete = False
        """Whether a whole round was read."""
        self._round: dict[str, Listed] = {}
        self._page, self._due = 1, 0.0

    def step(self) -> bool:
        """Read one page, when it is time; True unless more pages of this round are to come."""
        if time.monotonic() < self._due:
            return True
        try:
            more = self._read()
        except ERRORS as error:
            self.trouble = urls.clean(in_words(error, self._api.base, self._vhost), self._url)
            self._round = {}
            return self._rest()
        self.trouble = ""
        if more:
            self._page += 1
            return False
        self.queues, self._round = self._round, {}
        self.complete = True
        return self._rest()

    def listed(self, queue: str) -> Listed | None:
        """What it told last; None of what it has never told of, or while it cannot be read."""
        return self.queues.get(queue) if not self.trouble else None

    def kind(self, queue: str) -> str:
        """``classic``, ``quorum`` or ``stream``; empty: not known."""
        return self.queues[queue].kind if queue in self.queues else ""

    def unacked(self) -> int | None:
        """All queues of the virtual host together."""
        if not self.complete or self.trouble:
            return None
        return sum(one.unacked or 0 for one in self.queues.values())

    def _rest(self) -> bool:
        self._page, self._due = 1, time.monotonic() + ROUND_EVERY_S
        return True

    def _read(self) -> bool:
        query = f"page={self._page}&page_size={PAGE_QUEUES}&columns={COLUMNS}"
        page = self._api.get(f"queues/{quote(self._vhost, safe='')}?{query}")
        at = time.time()
        for item in page["items"]:
            if isinstance(name := item.get("name"), str) and _is_for_tasks(item, name):
                self._round[name] = _listed(item, at)
        return bool(page["items"]) and self._page < int(page["page_count"])


def _is_for_tasks(item: dict[str, Any], name: str) -> bool:
    if item.get("exclusive") is True:
        return False
    return not (item.get("auto_delete") is True and PLUMBING.fullmatch(name))


def _listed(item: dict[str, Any], at: float) -> Listed:
    flow = _rates(item.get("message_stats"))
    lengths = _inside(item.get("backing_queue_status")).get("priority_lengths")
    by_priority = {
        str(step): count for step, count in _inside(lengths).items() if _whole(count) is not None
    }
    by_priority = {step: count for step, count in by_priority.items() if count}
    waiting, ready = Waiting(at, flow=flow), _whole(item.get("messages_ready"))
    consumers = _whole(item.get("consumers"))
    return Listed(
        kind=str(item.get("type") or ""),
        unacked=_whole(item.get("messages_unacknowledged")),
        by_priority=by_priority,
        waiting=waiting,
        depth=None
        if ready is None
        else QueueDepth(ready, by_priority, consumers, waiting=waiting, at=at),
    )


def _rates(stats: Any) -> Flow | None:
    """Messages in and out a second; RabbitMQ tells neither of a queue that nobody ever used."""
    told = [
        _inside(_inside(stats).get(name)).get("rate")
        for name in ("publish_details", "deliver_get_details")
    ]
    rates = [float(rate) if isinstance(rate, int | float) else None for rate in told]
    if rates == [None, None]:
        return None
    return Flow(rates[0] or 0.0, rates[1] or 0.0, sure=True)


def _inside(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _whole(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None
