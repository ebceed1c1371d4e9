"""A RabbitMQ broker: depths and consumers by passive declaration, quarantine in files."""

from __future__ import annotations

import functools
import time
from collections.abc import Collection, Iterable, Iterator, Mapping
from itertools import islice

from ..errors import BrokerError, TuiError
from ..links.amqp_link import AmqpLink
from ..links.redis_vitals import Refused
from ..links.site import Site
from ..model.observations import QueueDepth
from ..model.peeked import End, Peeked, Sampled
from ..model.waiting import Waiting
from .base import Broker, Delivered, Forecast, Found, Progress, Quarantined
from .rabbitmq_api import Listed, Management
from .rabbitmq_forecast import before_purge
from .rabbitmq_peek import WHAT_IT_DOES, Peek
from .rabbitmq_quarantine import Quarantine
from .rabbitmq_ways import Ways
from .redis_keys import quarantine_name, wanted_queue

READ_S = 0.2
MOST_ASKED = 500
"""A reading asks so long, for so many queues at most; the next one goes on from there."""
BY_API_AFTER_S = 8.0
"""What was not asked for so long is told as the management API told it since."""
MISSING_EVERY_S = 5.0
"""How often a queue that was not there is asked for again: a refusal costs a channel."""
NOT_FOUND, NOT_PERMITTED = 404, 403


class RabbitBroker:
    """One connection to one virtual host; it belongs to the thread that made it."""

    kind = "amqp"

    def __init__(self, site: Site, own: Collection[str] = (), management_url: str = "") -> None:
        """``own``: queues that the app's configuration names."""
        self._link = AmqpLink(site)
        self._own = frozenset(own)
        self._told: frozenset[str] = frozenset()
        self._shown: frozenset[str] = frozenset()
        self._read: dict[str, QueueDepth] = {}
        self._missing: dict[str, float] = {}
        """Queue -> when it was asked for in vain; monotonic."""
        self._forbidden: set[str] = set()
        self._turn = self._counted = 0
        self._peek = Peek(self._link)
        self._api: Management | None = None
        if management_url:
            try:
                self._api = Management(management_url, self._link.vhost, self._link.login)
            except TuiError:
                self._link.close()
                raise
        topology = self._api.topology if self._api is not None else None
        self._ways_to = functools.partial(Ways, self._link, topology)
        self._quarantine = Quarantine(self._link, self._ways_to, self._overflow)

    def close(self) -> None:
        """Let the connection go."""
        self._link.close()

    def ping(self) -> float:
        """Milliseconds of one round trip."""
        with self._link.told():
            return self._link.ping()

    # -- queues -------------------------------------------------------------------------------

    def discover(self) -> bool:
        """One page of the management API; AMQP itself lists no queues: others name them."""
        return self._api.step() if self._api is not None else True

    @property
    def lists(self) -> int:
        """Queues that one reading of ``depths`` asks for."""
        return min(len(self._names()), MOST_ASKED)

    def want(self, queues: Collection[str], shown: Collection[str] = ()) -> None:
        """Queues that others told of; those on screen are asked for first."""
        self._told, self._shown = frozenset(queues), frozenset(shown)

    def _names(self) -> list[str]:
        listed = self._api.queues.keys() if self._api is not None else set()
        names = self._told | self._own | self._read.keys() | listed
        return sorted(name for name in names if wanted_queue("", name))

    def depths(self) -> dict[str, QueueDepth]:
        """Depth and consumers of each queue, as far as time allows; of the others as before."""
        names = self._names()
        until = time.monotonic() + READ_S
        with self._link.told():
            self._link.ping()
            for name in self._in_turn(names):
                self._ask(name)
                if time.monotonic() > until:
                    break
            quarantines = self._quarantine.listed()
        self._told_by_api(names)
        held = {one.name: _held(one) for one in quarantines if one.moved or one.doubtful}
        return {**self._read, **held}

    def _in_turn(self, names: list[str]) -> Iterator[str]:
        """Those on screen, then the others: each as often, whoever is first in the alphabet."""
        shown = [name for name in names if name in self._shown]
        others = [name for name in names if name not in self._shown]
        yield from shown
        turn = self._turn % max(1, len(others))
        for name in islice((*others[turn:], *others[:turn]), max(0, MOST_ASKED - len(shown))):
            self._turn = (self._turn + 1) % len(others)
            yield name

    def _told_by_api(self, names: list[str]) -> None:
        for name in names:
            more, read = self._listed(name), self._read.get(name)
            if more is None or more.depth is None or name in self._forbidden:
                continue
            asked_at = (read.at if read is not None else None) or 0.0
            if (more.depth.at or 0.0) - asked_at > BY_API_AFTER_S:
                self._read[name] = more.depth

    def _listed(self, name: str) -> Listed | None:
        return self._api.listed(name) if self._api is not None else None

    def _ask(self, name: str) -> None:
        now = time.monotonic()
        if now - self._missing.get(name, float("-inf")) < MISSING_EVERY_S:
            return
        told = self._link.declare(name)
        if isinstance(told, tuple):
            self._missing.pop(name, None)
            more, at = self._listed(name), time.time()
            by_priority = more.by_priority if more is not None else {}
            waiting = more.waiting if more is not None else Waiting(at)
            self._read[name] = QueueDepth(told[0], by_priority, told[1], waiting=waiting, at=at)
        else:
            self._missing[name] = now
            self._read.pop(name, None)
            if told == NOT_PERMITTED:
                self._forbidden.add(name)
                self._read[name] = QueueDepth(None, {})

    def sample(self, most: int) -> dict[str, QueueDepth]:
        """No waiting times: messages are not looked at."""
        return {}

    def carry_on(self, former: Broker) -> None:
        """Queues that a lost connection has read are looked for again."""
        if isinstance(former, RabbitBroker):
            self._read = dict(former._read)

    def refused(self) -> Refused | None:
        """Nothing: an alarm is told to who sends."""
        return None

    @property
    def no_ages(self) -> str:
        """Why no waiting times are told."""
        return "RabbitMQ does not tell when a message came"

    @property
    def limit(self) -> str:
        """What of it this user may not see, in words; empty: nothing."""
        count = len(self._forbidden)
        refused = f"{count} queue{'s' if count > 1 else ''} may not be read" if count else ""
        trouble = self._api.trouble if self._api is not None else ""
        return ", ".join(filter(None, (refused, trouble)))

    def prefixes(self) -> tuple[str, ...]:
        """There are none here: another cluster has another virtual host."""
        return ()

    def _overflow(self, queue: str) -> str:
        """By a policy, as far as the management API tells."""
        api = self._api
        if api is None:
            return ""
        while not api.complete and not api.trouble:
            self.discover()
        return api.overflow(queue)

    # -- unacknowledged -----------------------------------------------------------------------

    def unacked(self) -> int | None:
        """By the management API; AMQP itself does not tell."""
        return self._api.unacked() if self._api is not None else None

    def unacked_by_queue(self) -> Mapping[str, int | None] | None:
        """The same by queue once each round; None of one that the API has not told of yet."""
        if self._api is None or self._api.unacked() is None or self._api.rounds == self._counted:
            return None
        self._counted = self._api.rounds
        return {name: one.unacked if (one := self._listed(name)) else None for name in self._read}

    def delivered(self, ids: Collection[str]) -> Delivered | None:
        """Nothing is known of any task."""
        return Delivered({}, ())

    # -- looking in ---------------------------------------------------------------------------

    def peek(
        self,
        queue: str,
        end: End,
        offset: int,
        count: int,
        steps: Collection[int] = (),
        asked: int = 0,
    ) -> Peeked:
        """Messages are taken out and put back, for who has asked for that."""
        with self._link.told():
            api = self._api
            if api is not None and not api.complete:
                self.discover()
            kind, limit = (api.kind(queue), api.limit(queue)) if api is not None else ("", None)
            return self._peek.page(queue, end, offset, count, asked, kind, limit)

    def sample_names(self, queue: str, count: int, steps: Collection[int] = ()) -> Sampled:
        """Refused: a page that was asked for tells its names."""
        raise BrokerError(WHAT_IT_DOES, "Names are counted on the page that is read.")

    def find_message(self, queues: Iterable[str], task_id: str) -> Found | None:
        """Not looked for: that would take every message before it."""
        return None

    # -- quarantine ---------------------------------------------------------------------------

    def before_purge(self, queue: str) -> Forecast:
        """Whether this user may take and bring back, and what that would change."""
        with self._link.told():
            self._link.sure_of(queue, "Cannot purge")
            return before_purge(self._link, self._ways_to(queue))

    def before_undo(self, name: str, *, doubtful: bool = False) -> Forecast:
        """Which ways its messages go back, and what that would change."""
        with self._link.told():
            return self._quarantine.foreseen(name, doubtful)

    def quarantine(self, queue: str, progress: Progress | None = None) -> Quarantined:
        """Take the messages that wait now into a file of ours."""
        at = time.time()
        with self._link.told():
            return self._quarantine.set_aside(queue, quarantine_name(queue, at), at, progress)

    def restore(
        self,
        name: str,
        progress: Progress | None = None,
        *,
        doubtful: bool = False,
        elsewhere: bool = False,
    ) -> int:
        """Send a file's messages again, each confirmed; how many came back."""
        with self._link.told():
            return self._quarantine.move_back(name, progress, doubtful, elsewhere)

    def discard(self, name: str) -> int:
        """Throw a file away in which there are only doubtful messages."""
        with self._link.told():
            return self._quarantine.throw_away(name)

    def quarantines(self) -> list[Quarantined]:
        """All files of this virtual host, oldest first."""
        with self._link.told():
            return self._quarantine.settled()


def _held(one: Quarantined) -> QueueDepth:
    """A quarantine as a reading of a queue."""
    since = one.restarted is True
    return QueueDepth(one.moved, {}, quarantine=True, doubtful=one.doubtful, restarted=since)
