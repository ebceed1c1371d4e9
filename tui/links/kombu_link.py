"""Kombu connections that stand: opened, asked whether they still do, and closed."""

from __future__ import annotations

import contextlib
import functools
import threading
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from .. import probe_amqp, refusals
from ..errors import BrokerBlocked, BrokerError, TuiError
from .errors import broker_error, foreign, who
from .redis_vitals import ping
from .site import AMQP, CONNECT_TIMEOUT_S, Site

if TYPE_CHECKING:
    from kombu.connection import Connection

ODD_ANSWER_S = 0.5
"""How long somebody who spoke no AMQP may take to say what else."""
BLOCKED_TURN_S = 0.25
NO_BROADCAST = "this broker cannot broadcast: workers can be neither heard nor asked"


@contextlib.contextmanager
def opened(site: Site) -> Iterator[Connection]:
    """An established connection, closed at the end; its driver's errors become BrokerError."""
    connection = established(site)
    try:
        yield connection
    except TuiError:
        raise
    except link_errors(connection) as error:
        if isinstance(error, OSError):
            hang_up(connection)
        raise broker_error(error, site.url) from error
    finally:
        release(connection)


def hang_up(connection: Connection) -> None:
    """Close an AMQP socket without a farewell: who hangs would let us wait for each word of it."""
    raw: Any = connection.connection if connection.connected else None
    if connection.transport.driver_type == "amqp" and raw is not None:
        with contextlib.suppress(Exception):
            raw.transport.close()


def established(site: Site) -> Connection:
    """A connection that stands. Raises BrokerError, whatever is wrong with URL or broker."""
    connection = None
    try:
        connection = site.connect()
        if site.scheme in AMQP:
            told = {"on_blocked": functools.partial(_blocked, site.url)}
            connection.transport_options = {**(connection.transport_options or {}), **told}
        tries = site.tries
        # kombu tries once more than it is told, but not after the timeout.
        connection.ensure_connection(
            max_retries=tries,
            timeout=tries * CONNECT_TIMEOUT_S / 2,
            interval_start=0,
            interval_step=0,
        )
    except TuiError:
        raise
    except Exception as error:  # transports raise anything over options that they do not know
        if connection is not None:
            release(connection)
        raise _stranger(error, site) or broker_error(error, site.url) from error
    return connection


def _blocked(url: str, _reason: str) -> None:
    """RabbitMQ says so to who has sent a message; it reads nothing more from that connection.

    Raised wherever we wait for an answer then: it would not come.
    """
    alarm = refusals.BY_KIND[BrokerBlocked.refusal]
    raise BrokerBlocked(alarm.sentence(who(url)), alarm.hint)


def until_unblocked(connection: Connection, stopping: threading.Event) -> None:
    """Keep the connection until RabbitMQ reads from it again: it would hold on to a closed one.

    Raises the driver's errors.
    """
    freed = threading.Event()
    raw: Any = connection.connection
    raw.on_unblocked = freed.set
    while not freed.is_set() and not stopping.is_set():
        with contextlib.suppress(TimeoutError):
            connection.drain_events(timeout=BLOCKED_TURN_S)


def _stranger(error: Exception, site: Site) -> BrokerError | None:
    """Who answers there instead: of one that speaks no AMQP the driver says it is silent."""
    cause = error.__cause__ or error
    silent = isinstance(cause, TimeoutError | ConnectionResetError)
    if site.scheme not in AMQP - {"amqps"} or site.tries > 1 or not silent:
        return None
    there = probe_amqp.who_answers(site.url, ODD_ANSWER_S)
    return foreign(site.url, there) if there else None


def release(connection: Connection) -> None:
    """Close, whatever state the link is in."""
    with contextlib.suppress(Exception):
        connection.release()


def link_errors(connection: Connection) -> tuple[type[Exception], ...]:
    """What a driver raises; KeyError, which kombu lists for Redis, would hide mistakes of ours."""
    from kombu.exceptions import KombuError

    found = (OSError, KombuError, *connection.connection_errors, *connection.channel_errors)
    return tuple(error for error in found if error is not KeyError)


def broadcasts(connection: Connection) -> bool:
    """Whether the broker can send one message to everybody, as events and questions need it."""
    return "fanout" in connection.transport.implements.exchange_type


def latency_ms(connection: Connection) -> float | None:
    """Prove that the broker answers; how long that took, where it can be asked.

    Raises the driver's error when it does not answer.
    """
    connection.heartbeat_check(rate=2)
    transport: Any = connection.transport
    began = time.monotonic()
    if transport.driver_type == "amqp":
        # Heartbeats alone would take 20 s to tell of a broker that hangs.
        connection.default_channel.basic_qos(0, 1, False)
        return (time.monotonic() - began) * 1000
    if transport.driver_type != "redis":
        return None
    ping(redis_client(connection.default_channel))
    check = getattr(transport.cycle, "maybe_check_subclient_health", None)
    if check is not None:
        check()  # a half-open subscription is silent for ever
    return (time.monotonic() - began) * 1000


def redis_client(channel: Any) -> Any:
    """A plain client on the channel's own pool: same TLS, sentinel and login, keys as written."""
    import redis

    return redis.Redis(connection_pool=channel.pool)
