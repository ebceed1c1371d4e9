"""A Redis broker: depths by priority, unacknowledged messages, quarantine."""

from __future__ import annotations

import json
import time
from collections.abc import Collection, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from ..errors import BrokerError
from ..links.redis_link import connect, told
from ..model.observations import QueueDepth
from ..model.peeked import End, Peeked, Sampled
from . import redis_quarantine
from .base import Broker, Delivered, Forecast, Found, Progress, Quarantined
from .message import parse
from .redis_catalogue import Catalogue
from .redis_depths import Depths
from .redis_keys import SEPARATOR, STEPS
from .redis_peek import Peek
from .redis_scan import ask, ask_many, page_size
from .redis_unacked import Unacked

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

LOOKED_THROUGH_MESSAGES = 50_000
"""A task further from the old end of its queue than this is not found."""
PAGE_MESSAGES = 100


class RedisBroker:
    """One client on one Redis database; it belongs to the thread that made it."""

    kind = "redis"

    def __init__(
        self,
        url: str,
        key_prefix: str = "",
        tls: Mapping[str, Any] | None = None,
        transport: Mapping[str, Any] | None = None,
    ) -> None:
        self._url, self._prefix = url, key_prefix
        self._client: Any = connect(url, BrokerError, tls, transport)
        separator = str((transport or {}).get("sep") or SEPARATOR)
        self.catalogue = Catalogue(self._client, key_prefix, separator)
        self._depths = Depths(self._client, key_prefix, self.catalogue)
        self._peek = Peek(self._client, self._depths.key)
        self._unacked = Unacked(self._client, key_prefix, self.catalogue.queue_of)

    def close(self) -> None:
        """Let the connection go."""
        self._client.close()

    def _told(self) -> AbstractContextManager[None]:
        return told(self._url, BrokerError)

    def ping(self) -> float:
        """Milliseconds of one round trip."""
        began = time.perf_counter()
        with self._told():
            self._client.ping()
        return (time.perf_counter() - began) * 1000

    # -- queues -------------------------------------------------------------------------------

    def discover(self) -> bool:
        """One step of the search for queues; True when that ended a round over all keys."""
        with self._told():
            return self.catalogue.step()

    @property
    def lists(self) -> int:
        """Keys that ``depths`` reads: what one reading costs."""
        return self._depths.lists

    def depths(self) -> dict[str, QueueDepth]:
        """Depth of each queue found so far: its own list and those of its priority steps."""
        with self._told():
            return self._depths.read()

    def sample(self, most: int) -> dict[str, QueueDepth]:
        """Queues whose waiting times were looked at now, in at most ``most`` lists."""
        with self._told():
            return self._depths.sample(most)

    def want(self, queues: Collection[str], shown: Collection[str] = ()) -> None:
        """Queues that others told of are read too; those on screen are sampled first."""
        self.catalogue.told = frozenset(queues)
        self._depths.shown = frozenset(shown)

    def carry_on(self, former: Broker) -> None:
        """Go on with the waiting times that a lost connection has learnt."""
        if isinstance(former, RedisBroker):
            self._depths.sampling.carry_on(former._depths.sampling)

    @property
    def no_ages(self) -> str:
        """Why no waiting times are told; empty: they are."""
        return self._depths.sampling.off

    def prefixes(self) -> tuple[str, ...]:
        """Other key prefixes in use, when nothing was found under ours."""
        return self.catalogue.foreign_prefixes()

    # -- unacknowledged -----------------------------------------------------------------------

    @property
    def limit(self) -> str:
        """What of it this user may not see, in words; empty: nothing."""
        count = len(self.catalogue.forbidden)
        return f"{count} key{'s' if count > 1 else ''} may not be read" if count else ""

    def unacked(self) -> int | None:
        """Messages delivered and not acknowledged; None where that key is something else."""
        key, forbidden = self._unacked.key, self.catalogue.forbidden
        if key in forbidden:
            return None
        with self._told():
            (count,) = ask_many(self._client, [("HLEN", key)], forbidden=forbidden)
            return count if isinstance(count, int) else None

    def unacked_by_queue(self) -> dict[str, int] | None:
        """One page of counting them by queue: the counts when a round ended, else None."""
        with self._told():
            counts: dict[str, int] | None = ask(self._unacked.step)
            return counts

    def delivered(self, ids: Collection[str]) -> Delivered | None:
        """One page of a search among the unacknowledged; what was found when it is over."""
        with self._told():
            found: Delivered | None = ask(self._unacked.search, ids)
            return found

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
        """Messages of a queue, from one of its ends; the queue stays as it is."""
        with self._told():
            return self._peek.page(queue, end, offset, count, steps)

    def sample_names(self, queue: str, count: int, steps: Collection[int] = ()) -> Sampled:
        """Task names of about so many messages, from both ends and the middle."""
        with self._told():
            return self._peek.sample(queue, count, steps)

    # -- messages -----------------------------------------------------------------------------

    def quarantine(self, queue: str, progress: Progress | None = None) -> Quarantined:
        """Move all messages of a queue aside, in one step."""
        with self._told():
            steps = self.catalogue.queues.get(queue, set())
            return redis_quarantine.set_aside(
                self._client, self._prefix, queue, steps, self.catalogue.separator
            )

    def before_purge(self, queue: str) -> Forecast:
        """Nothing: it moves within this Redis, and back."""
        return Forecast()

    def before_undo(self, name: str, *, doubtful: bool = False) -> Forecast:
        """Nothing: a Redis' list takes its messages from whoever has them."""
        return Forecast()

    def restore(
        self,
        name: str,
        progress: Progress | None = None,
        *,
        doubtful: bool = False,
        elsewhere: bool = False,
    ) -> int:
        """Move a quarantine's messages back to the old end of its queue; how many were moved."""
        with self._told():
            return redis_quarantine.move_back(
                self._client, self._prefix, name, progress, self.catalogue.separator
            )

    def discard(self, name: str) -> int:
        """There are no doubtful messages: a script moves them or does not."""
        return 0

    def quarantines(self) -> list[Quarantined]:
        """All quarantines, oldest first."""
        with self._told():
            return redis_quarantine.listed(self._client, self._prefix)

    def find_message(self, queues: Iterable[str], task_id: str) -> Found | None:
        """The message of a task: among the unacknowledged, then from each queue's old end."""
        with self._told():
            held = ask(self._unacked.find, task_id)
            if held is not None:
                return Found(held[0], held[1], unacked=True)
            for queue in queues:
                steps = {0, *STEPS, *self.catalogue.queues.get(queue, set())}
                for step in sorted(steps):
                    found = self._in_list(queue, step, task_id)
                    if found is not None:
                        return found
        return None

    def _in_list(self, queue: str, step: int, task_id: str) -> Found | None:
        key, wanted = self._depths.key(queue, step), json.dumps(task_id).encode()
        count = ask(self._client.llen, key) or 0
        size = page_size(self._client, key, count, PAGE_MESSAGES) if count else PAGE_MESSAGES
        for end in range(-1, -min(count, LOOKED_THROUGH_MESSAGES) - 1, -size):
            page = ask(self._client.lrange, key, end - size + 1, end)
            for payload in reversed(page or ()):
                message = parse(payload) if wanted in payload else None
                if message is not None and message.task_id == task_id:
                    return Found(message, queue, unacked=False)
        return None
