"""The way on which each message of a quarantine goes back: by its queue's name, or as it came.

The default exchange leads to a queue by its name and to no other: on it each message can leave a
copy with our receipts, so that a kill loses and doubles nothing. But it gives the message that
name as its key, and there are queues from which messages go on by their own key: such a message
goes back through its own exchange, where that leads to this queue and to no other for sure.
No copies then: their key would be matched by that exchange, and by the dead-lettering, too.
"""

from __future__ import annotations

import enum
from collections.abc import Callable
from functools import cached_property
from typing import Any

from ..errors import BrokerError
from ..links.amqp_link import AmqpLink
from .rabbitmq_onward import Onward, nature
from .rabbitmq_record import came_by
from .rabbitmq_routes import Routes
from .rabbitmq_topology import Topology


class Way(enum.Enum):
    """How a message is sent, and what that changes."""

    BY_NAME = enum.auto()
    """Through the default exchange; nothing speaks against it."""
    AS_IT_CAME = enum.auto()
    """Through its own exchange with its own keys: the one way, as far as the broker tells."""
    UNTOLD = enum.auto()
    """By name, though a policy that we cannot see may look at its own key."""
    ELSEWHERE = enum.auto()
    """By name, and from its queue it goes on to another place than it would have."""


class Ways:
    """Those to one queue, as the broker is built now."""

    def __init__(self, link: AmqpLink, topology: Topology | None, queue: str) -> None:
        self.queue = queue
        self.nature = nature(link, topology, queue)
        self._topology = topology
        self._led: dict[tuple[str, tuple[str, ...]], bool] = {}

    @property
    def through_others(self) -> bool:
        """Whether some may go through another exchange than the default one."""
        return self.nature.onward is Onward.PLACE and self._topology is not None

    @property
    def leave_copies(self) -> bool:
        """Whether a copy with our receipts changes nothing for the message itself."""
        return self.nature.onward in (Onward.NOTHING, Onward.PERHAPS)

    def of(self, record: dict[str, Any]) -> Way:
        """How this one goes."""
        exchange, keys, headers = came_by(record)
        onward = self.nature.onward
        if onward is Onward.NOTHING or keys == (self.queue,):
            return Way.BY_NAME
        if onward is Onward.PERHAPS:
            return Way.UNTOLD
        return Way.AS_IT_CAME if self._leads_here(exchange, keys, headers) else Way.ELSEWHERE

    def as_it_came(self, record: dict[str, Any]) -> bool:
        """Whether it goes through its own exchange."""
        return self.of(record) is Way.AS_IT_CAME

    def alone(self) -> bool:
        """Whether all that came by the queue's bindings of today can go back as it came."""
        return self._routes is not None and self._routes.alone(self.queue)

    @cached_property
    def _routes(self) -> Routes | None:
        return self._topology.routes() if self._topology is not None else None

    def _leads_here(self, exchange: str, keys: tuple[str, ...], headers: dict[str, Any]) -> bool:
        routes = self._routes
        if routes is None:
            return False
        here = frozenset((self.queue,))
        if routes.by_headers:
            return routes.queues(exchange, keys, headers) == here
        if (exchange, keys) not in self._led:
            self._led[exchange, keys] = routes.queues(exchange, keys, headers) == here
        return self._led[exchange, keys]


WaysTo = Callable[[str], Ways]
"""Of a queue."""


class Unasked:
    """Messages that would go on to elsewhere, where nobody was asked whether they shall."""

    def __init__(self, ways: Ways, asked: bool) -> None:
        self._ways, self._asked = ways, asked
        self._found = 0

    def is_one(self, record: dict[str, Any]) -> bool:
        """Whether it stays where it is."""
        found = not self._asked and self._ways.of(record) is Way.ELSEWHERE
        self._found += found
        return found

    def tell(self) -> None:
        """Raises BrokerError if there were any."""
        if self._found:
            raise BrokerError(
                f"{self._found:,} message{'s' if self._found > 1 else ''} would go on to another "
                f"place from {self._ways.queue} than they would have, and stay in quarantine",
                "Z asks for it.",
            )
