"""Kombu connections that stand: opened, asked whether they still do, and closed."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from ..errors import TuiError
from .errors import broker_error
from .site import CONNECT_TIMEOUT_S, Site

if TYPE_CHECKING:
    from kombu.connection import Connection

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
        raise broker_error(error, site.url) from error
    finally:
        release(connection)


def established(site: Site) -> Connection:
    """A connection that stands. Raises BrokerError, whatever is wrong with URL or broker."""
    connection = None
    try:
        connection = site.connect()
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
        raise broker_error(error, site.url) from error
    return connection


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
    if transport.driver_type != "redis":
        return None
    began = time.monotonic()
    redis_client(connection.default_channel).ping()
    check = getattr(transport.cycle, "maybe_check_subclient_health", None)
    if check is not None:
        check()  # a half-open subscription is silent for ever
    return (time.monotonic() - began) * 1000


def redis_client(channel: Any) -> Any:
    """A plain client on the channel's own pool: same TLS, sentinel and login, keys as written."""
    import redis

    return redis.Redis(connection_pool=channel.pool)
