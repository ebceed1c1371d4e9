"""RabbitMQ's management API, where a URL is given: which queues there are, unacked, rates.

It is only ever read, and only for what is shown: it writes null headers as the word 'undefined',
so that no message taken from it could be sent again.
"""

from __future__ import annotations

import re
import time
from collections import deque
from typing import Any, NamedTuple
from urllib.parse import quote

import msgspec

from ..links.management import ERRORS, Api, in_words
from ..model.observations import QueueDepth
from ..model.waiting import WINDOW_S, Flow, Waiting
from .rabbitmq_onward import limit_of
from .rabbitmq_topology import Topology, inside

PAGE_QUEUES = 300
ROUND_EVERY_S = 5.0
"""RabbitMQ itself takes its figures every five seconds."""
COLUMNS = (
    "name,type,arguments,effective_policy_definition,exclusive,auto_delete,consumers,messages_ready,messages_unacknowledged,"
    "message_stats.publish,message_stats.deliver_get,message_stats.redeliver,"
    "backing_queue_status.priority_lengths"
)
LEAST_WINDOW_S = 3.0
"""Rates of less are chance: counts come in steps, each few seconds."""
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
    limit: int | None = None
    """How often a message of a quorum queue may come back before it is dropped."""
    overflow: str = ""
    """What a policy says that it does when it is full."""


class Counted(NamedTuple):
    """Messages that came to a queue and were taken from it, since it is counted."""

    at: float
    came: int
    taken: int


class Management:
    """Asks one page at a time; what it cannot do is said in ``trouble`` and never raised."""

    def __init__(self, url: str, vhost: str, login: tuple[str, str]) -> None:
        """``login``: user and password of the broker, where the URL names none."""
        self._vhost = vhost
        self._api = Api(url, login)
        self.topology = Topology(self._api, vhost)
        self.queues: dict[str, Listed] = {}
        self.trouble = ""
        self.complete = False
        """Whether a whole round was read."""
        self._round: dict[str, Listed] = {}
        self._counts: dict[str, deque[Counted]] = {}
        self.rounds = 0
        self._page, self._due = 1, 0.0

    def step(self) -> bool:
        """Read one page, when it is time; True unless more pages of this round are to come."""
        if time.monotonic() < self._due:
            return True
        try:
            more = self._read()
        except ERRORS as error:
            self.trouble = in_words(error, self._api.base, self._vhost)
            self._round = {}
            return self._rest()
        self.trouble = ""
        if more:
            self._page += 1
            return False
        self.queues, self._round = self._round, {}
        self._counts = {name: self._counts[name] for name in self.queues if name in self._counts}
        self.complete, self.rounds = True, self.rounds + 1
        return self._rest()

    def listed(self, queue: str) -> Listed | None:
        """What it told last; None of what it has never told of, or while it cannot be read."""
        return self.queues.get(queue) if not self.trouble else None

    def kind(self, queue: str) -> str:
        """``classic``, ``quorum`` or ``stream``; empty: not known."""
        return self.queues[queue].kind if queue in self.queues else ""

    def limit(self, queue: str) -> int | None:
        """Its delivery limit, if it has one and it was told."""
        return self.queues[queue].limit if queue in self.queues else None

    def overflow(self, queue: str) -> str:
        """What a policy says that it does when it is full, if that was told."""
        return self.queues[queue].overflow if queue in self.queues else ""

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
                self._round[name] = _listed(item, at, self._flow(name, _counted(item, at)))
        return bool(page["items"]) and self._page < int(page["page_count"])

    def _flow(self, name: str, now: Counted | None) -> Flow | None:
        if now is None:
            self._counts.pop(name, None)
            return None
        kept = self._counts.setdefault(name, deque())
        if kept and now.came < kept[-1].came:  # the node or the queue is new
            kept.clear()
        kept.append(now)
        while now.at - kept[0].at > WINDOW_S + ROUND_EVERY_S:
            kept.popleft()
        return flow_between(kept[0], now)


def _is_for_tasks(item: dict[str, Any], name: str) -> bool:
    if item.get("exclusive") is True:
        return False
    return not (item.get("auto_delete") is True and PLUMBING.fullmatch(name))


def _listed(item: dict[str, Any], at: float, flow: Flow | None) -> Listed:
    lengths = inside(item.get("backing_queue_status")).get("priority_lengths")
    by_priority = {
        str(step): count for step, count in inside(lengths).items() if _whole(count) is not None
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
        limit=limit_of(
            inside(item.get("arguments")), inside(item.get("effective_policy_definition"))
        ),
        overflow=str(inside(item.get("effective_policy_definition")).get("overflow") or ""),
    )


def _counted(item: dict[str, Any], at: float) -> Counted | None:
    """Its totals; None where messages came that RabbitMQ does not count, as dead letters."""
    stats = inside(item.get("message_stats"))
    came, taken = _whole(stats.get("publish")), _whole(stats.get("deliver_get"))
    if came is None and item.get("messages_ready"):
        return None
    return Counted(at, came or 0, (taken or 0) - (_whole(stats.get("redeliver")) or 0))


def flow_between(first: Counted, last: Counted) -> Flow | None:
    """Messages a second; RabbitMQ's own rates are often zero between two of its samples."""
    took_s = last.at - first.at
    if took_s < LEAST_WINDOW_S:
        return None
    came, taken = last.came - first.came, last.taken - first.taken
    return Flow(max(0, came) / took_s, max(0, taken) / took_s, sure=True)


def _whole(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None
