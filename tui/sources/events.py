"""Worker events from any broker: one receiver kept open, decoded straight into Event structs."""

from __future__ import annotations

import contextlib
import time
import uuid
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from ..errors import BrokerError
from ..links.kombu_link import NO_BROADCAST, broadcasts, latency_ms, opened
from ..links.site import Site
from ..model.events import Decoded, Event, decode
from ..model.observations import EventBatch
from ..model.seam import LogLine
from .base import Source
from .inbox import Inbox
from .redis_push import Pushed

if TYPE_CHECKING:
    from kombu.connection import Connection
    from kombu.entity import Queue

TURN_S = 0.25
"""Longest wait before the thread looks whether it shall stop."""
FIRST_LOOK_S = 0.05
GATHER_S = 0.01
"""Pushed messages may gather for so long: waking up costs more than reading one."""
CHECK_EVERY_S = 1.0
"""How often the link is proven, so that a hanging broker is noticed."""
ODD_IN_A_ROW = 20
"""So many messages in a row that kombu itself stumbles over mean that the link is broken."""
QUEUE_TTL_S, QUEUE_EXPIRES_S, QUEUE_LENGTH = 5.0, 60.0, 100_000
"""As Celery's own receiver; the length bounds what a stalled monitor costs the broker."""

STARTED = "task-started"
SHED = (
    (100_000, frozenset({"task-sent", "task-received", STARTED})),
    (50_000, frozenset({"task-sent"})),
)
"""Waiting events -> the types left out. What ends a task and worker events never are."""
CAUGHT_UP = 10_000
"""So few waiting events end it."""
ENCODINGS = frozenset({"utf-8", "utf8", "us-ascii", "ascii", "binary", ""})
SERIALIZERS = {
    "application/x-python-serialize": "pickle",
    "application/x-yaml": "yaml",
    "application/x-msgpack": "msgpack",
}


class EventSource(Source):
    """Listens on the event exchange as Celery's EventReceiver does, and never wakes the workers.

    EventReceiver broadcasts ``heartbeat`` at each start, which every worker answers; we wait
    for the next regular heartbeat instead.
    """

    name = "events"
    refusal = "hearing workers is not permitted"

    def __init__(self, inbox: Inbox, site: Site, folded: Callable[[], int]) -> None:
        """``folded`` tells how many events the model has taken in so far."""
        super().__init__(inbox)
        self.site = site
        self.shed: dict[str, int] = {}
        """Events left out by type since the start, because too many waited."""
        self._shedding: dict[str, int] = {}
        """The same since too many began to wait; empty: they do not."""
        self._gathers = False
        self._put = 0
        self._folded = folded

    def waiting(self) -> int:
        """Events put into the Inbox and not yet folded in."""
        return self._put - self._folded()

    def session(self) -> None:
        """Listen until stopped or the link is lost."""
        with opened(self.site) as connection:
            if not broadcasts(connection):
                self.off(NO_BROADCAST)
                return
            with self._consuming(connection):
                self._listen(connection)

    @contextlib.contextmanager
    def _consuming(self, connection: Connection) -> Iterator[None]:
        from kombu.messaging import Consumer

        channel: Any = connection.channel()
        queue = event_queue(self.site, connection)
        fanout = connection.transport.driver_type == "redis"
        if fanout:
            # Events come by pub/sub. Declaring the queue would only write a binding that a
            # killed monitor leaves behind; the channel needs to know the pattern, no more.
            channel._fanout_queues[queue.name] = (queue.exchange.name, "*")
        consumer: Any = Consumer(
            channel,
            [queue],
            no_ack=True,
            auto_declare=not fanout,
            on_message=self._message,
            on_decode_error=self._undecodable,
        )
        consumer.consume()
        self._gathers = fanout and Pushed.install(channel, self._body)
        try:
            yield
        finally:
            if self.stopping.is_set() and not fanout:
                consumer.cancel()
                consumer.queues[0].delete()

    def _listen(self, connection: Connection) -> None:
        odd = 0
        next_check = 0.0
        while not self.stopping.is_set():
            try:
                # A subscription that is refused is told at the first look: no word before.
                connection.drain_events(timeout=TURN_S if next_check else FIRST_LOOK_S)
                odd = 0
                if self._gathers:
                    time.sleep(GATHER_S)
            except TimeoutError:
                odd = 0
            except (LookupError, TypeError, ValueError, AttributeError) as error:
                odd += 1
                self._batch(Decoded((), {"not a message": 1}))
                if odd >= ODD_IN_A_ROW:
                    raise BrokerError(f"Events cannot be read: {type(error).__name__}") from error
            if not next_check:
                self.live()
                self.answered()
            if time.monotonic() >= next_check:
                if self._shedding:
                    self._tell_shed({}, self.waiting())
                self.live(latency_ms(connection))
                next_check = time.monotonic() + CHECK_EVERY_S

    def _message(self, message: Any) -> None:
        reason = unreadable(message.content_type, message.content_encoding)
        if reason:
            self._batch(Decoded((), {reason: 1}))
            return
        body = message.body
        self._body(body.encode("utf-8", "replace") if isinstance(body, str) else body)

    def _body(self, body: bytes) -> None:
        self._batch(decode(body))

    def _undecodable(self, _message: Any, _error: BaseException) -> None:
        self._batch(Decoded((), {"broken compression": 1}))

    def _batch(self, decoded: Decoded) -> None:
        waiting = self.waiting()
        events, left_out = keep(decoded.events, waiting)
        self._put += len(events)
        starts: tuple[tuple[str, float], ...] = ()
        if left_out or self._shedding:
            self._tell_shed(left_out, waiting)
            starts = left_out_starts(decoded.events, left_out)
        if events or decoded.malformed or starts:
            self.inbox.put(EventBatch(time.time(), events, decoded.malformed, starts))

    def _tell_shed(self, left_out: dict[str, int], waiting: int) -> None:
        """Count them by type; the Log is told when it begins, grows worse, and ends."""
        for kind, count in left_out.items():
            self.shed[kind] = self.shed.get(kind, 0) + count
        new = sorted(left_out.keys() - self._shedding.keys())
        for kind, count in left_out.items():
            self._shedding[kind] = self._shedding.get(kind, 0) + count
        if new:
            words = f"{waiting:,} events wait to be read: leaving out {' and '.join(new)}"
            self.inbox.put(LogLine(time.time(), self.name, "warn", words))
        elif waiting < CAUGHT_UP:
            counts = ", ".join(f"{count:,} {kind}" for kind, count in self._shedding.items())
            words = f"caught up: {counts} were left out, nothing else"
            self.inbox.put(LogLine(time.time(), self.name, "info", words))
            self._shedding = {}


def event_queue(site: Site, connection: Connection) -> Queue:
    """A queue of our own on the event exchange, with the arguments of Celery's EventReceiver."""
    from kombu.entity import Exchange, Queue

    fanout = connection.transport.driver_type in {"redis", "gcpubsub"}
    return Queue(
        f"{site.event_queue_prefix}.{uuid.uuid4()}",
        exchange=Exchange(site.event_exchange, type="fanout" if fanout else "topic"),
        routing_key="#",
        auto_delete=True,
        durable=False,
        exclusive=True,
        message_ttl=QUEUE_TTL_S,
        expires=QUEUE_EXPIRES_S,
        max_length=QUEUE_LENGTH,
    )


def keep(events: tuple[Event, ...], waiting: int) -> tuple[tuple[Event, ...], dict[str, int]]:
    """The events to hand on while ``waiting`` are queued, and what is left out by type."""
    for limit, types in SHED:
        if waiting > limit:
            left_out: dict[str, int] = {}
            for event in events:
                if event.type in types:
                    left_out[event.type] = left_out.get(event.type, 0) + 1
            return tuple(event for event in events if event.type not in types), left_out
    return events, {}


def left_out_starts(
    events: tuple[Event, ...], left_out: dict[str, int]
) -> tuple[tuple[str, float], ...]:
    """(worker, timestamp) of the starts among what was left out: they were heard, not lost."""
    if STARTED not in left_out:
        return ()
    return tuple((e.hostname, e.timestamp) for e in events if e.type == STARTED and e.hostname)


def unreadable(content_type: Any, encoding: Any) -> str | None:
    """Why a message of that type is not read; None for JSON. The words are ours: few reasons."""
    if content_type != "application/json":
        return f"{SERIALIZERS.get(str(content_type), 'unknown content type')}, not JSON"
    if str(encoding or "").lower() not in ENCODINGS:
        return "unknown encoding"
    return None
