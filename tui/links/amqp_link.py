"""One AMQP connection of one thread, and questions on channels that a refusal may close."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Collection, Iterator
from typing import TYPE_CHECKING, Any

from ..errors import BrokerError, TuiError
from .amqp_refusals import NO_KIND, Asked, Value, told_by
from .errors import broker_error
from .kombu_link import established, hang_up, link_errors, release
from .site import AMQP, Site

if TYPE_CHECKING:
    from kombu.connection import Connection

STALE_AFTER_S = 8.0
"""Unused for so long, it may have missed heartbeats: then a new one is made."""
NOT_PERMITTED, NOT_VALID = 403, 406
UNREADABLE = (OverflowError, ValueError)
"""What the driver raises at a header with a time that Python does not know."""


def is_amqp(url: str) -> bool:
    """Whether this module can open the URL."""
    return url.partition("://")[0].strip().partition("+")[0].lower() in AMQP


class AmqpLink:
    """A connection that stands when it is used; it belongs to the thread that made it."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self._connection: Connection = established(site)
        self._used_at = time.monotonic()
        self._channel: Any = None

    @property
    def place(self) -> str:
        """``host:port/vhost`` as connected: without user and password."""
        one = self._connection
        return f"{one.hostname}:{one.port or 5672}/{self.vhost}"

    @property
    def vhost(self) -> str:
        """The virtual host's own name."""
        return str(self._connection.virtual_host or "/")

    @property
    def cluster(self) -> str:
        """The broker's own name as it told on connecting; another address may be of the same."""
        told = getattr(self._connection.connection, "server_properties", None) or {}
        return str(told.get("cluster_name", ""))

    @property
    def refusals(self) -> tuple[type[Exception], ...]:
        """What the driver raises when the broker refuses or the connection is lost."""
        return link_errors(self._connection)

    @property
    def refused(self) -> tuple[type[Exception], ...]:
        """What the driver raises when the broker closes a channel with its reason."""
        return tuple(self._connection.channel_errors)

    @property
    def login(self) -> tuple[str, str]:
        """User and password, for the management API of the same broker."""
        return self._connection.userid or "guest", self._connection.password or "guest"

    def close(self) -> None:
        """Let the connection go."""
        release(self._connection)

    @contextlib.contextmanager
    def told(self) -> Iterator[None]:
        """Errors of the driver as BrokerError; a connection that rested too long is renewed."""
        if time.monotonic() - self._used_at > STALE_AFTER_S:
            release(self._connection)
            self._channel = None
            self._connection = established(self.site)
            self._used_at = time.monotonic()
        try:
            yield
        except TuiError:
            raise
        except self.refusals as error:
            self._channel = None
            if isinstance(error, OSError):
                hang_up(self._connection)
            raise broker_error(error, self.site.url) from error
        except UNREADABLE as error:
            self._channel = None
            hang_up(self._connection)
            raise BrokerError(
                f"A message cannot be read by Celery's own driver: {error}",
                "Its headers hold a time beyond the year 9999, say: workers fail at it, too.",
            ) from error
        finally:
            self._used_at = time.monotonic()

    @contextlib.contextmanager
    def channel(self) -> Iterator[Any]:
        """A channel of one's own; what was delivered on it and not acknowledged goes back.

        Bodies are bytes: decoded by the encoding that they name, some would not be the same again.
        """
        channel: Any = self._connection.channel()
        channel.auto_decode = False
        try:
            yield channel
        finally:
            if channel.is_open:
                with contextlib.suppress(*self.refusals):
                    channel.close()

    def ping(self) -> float:
        """Milliseconds of one round trip that needs no permission."""
        began = time.perf_counter()
        self._asking().basic_qos(0, 1, False)
        return (time.perf_counter() - began) * 1000

    def declare(self, queue: str) -> tuple[int, int] | int:
        """(ready messages, consumers) of a queue, or the code with which it was refused.

        404: there is none; 405: another connection's own; 403: not permitted.
        """
        try:
            told = self._asking().queue_declare(queue=queue, passive=True)
        except self.refused as error:
            self._channel = None
            code = getattr(error, "reply_code", None)
            if code not in (403, 404, 405):
                raise
            return int(code)
        return int(told.message_count), int(told.consumer_count)

    def may_write(self, exchange: str = "", routing_key: str = "") -> bool:
        """Whether this user may publish there; the default exchange has no name."""
        try:
            self.sure_to_write(exchange, routing_key)
        except self.refused as error:
            if getattr(error, "reply_code", None) != NOT_PERMITTED:
                raise
            return False
        return True

    def sure_to_write(self, exchange: str = "", routing_key: str = "") -> None:
        """The same, with the driver's refusal of who may not.

        RabbitMQ refuses a message with such an expiration after it has looked for the permission,
        and before it routes it: none arrives anywhere.
        """
        from amqp.basic_message import Message

        try:
            with self.channel() as channel:
                message = Message("", expiration=NO_KIND)
                channel.basic_publish(message, exchange=exchange, routing_key=routing_key)
                channel.basic_qos(0, 1, False)  # answered after it
        except self.refused as error:
            if getattr(error, "reply_code", None) != NOT_VALID:
                raise

    def kind(self, queue: str) -> str:
        """``classic``, ``quorum`` or ``stream``; empty where that is not told."""
        return self.nature(queue)[0]

    def nature(
        self, queue: str, names: Collection[str] = ()
    ) -> tuple[str, dict[str, Value] | None]:
        """Its kind, and those of the named arguments that it has; None: that is not told."""
        return told_by(lambda asked: self._refusal(queue, asked), names)

    def _refusal(self, queue: str, asked: Asked) -> str:
        try:
            with self.channel() as channel:
                channel.queue_declare(queue=queue, **asked._asdict())
        except self.refused as error:
            return str(error)
        return ""

    def sure_of(self, queue: str, what: str) -> tuple[int, int]:
        """The same as ``declare``. Raises BrokerError where it was refused."""
        told = self.declare(queue)
        if isinstance(told, int):
            why = {404: "there is no such queue", 403: "it is not permitted"}.get(
                told, "it belongs to another connection"
            )
            raise BrokerError(f"{what} {queue}: {why}", "Look at Queues for what there is.")
        return told

    def _asking(self) -> Any:
        if self._channel is None or not self._channel.is_open:
            self._channel = self._connection.channel()
        return self._channel
