"""Publishing one message so that the broker's word on it is heard, where it gives one."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from ..errors import ActionError, BrokerError
from .errors import broker_error

if TYPE_CHECKING:
    from kombu.connection import Connection

CONFIRMED_WITHIN_S = 30.0
PUBLISH, RETURN = (60, 40), (60, 50)
"""AMQP's numbers of the methods."""


def confirms(connection: Connection) -> bool:
    """Whether the broker tells that it has taken a message."""
    return bool(connection.transport.driver_type == "amqp")


@contextlib.contextmanager
def confirming(connection: Connection, *, one_queue: bool) -> Iterator[tuple[Any, dict[str, Any]]]:
    """A channel for one message, and what its publish is to be told.

    On RabbitMQ the publish returns once the message was taken. Raises ActionError where it surely
    was not; whatever else the driver raises leaves that open. ``one_queue``: whether it goes to
    one alone, whose refusal is then proof.
    """
    if not confirms(connection):
        yield connection.default_channel, {}
        return
    from amqp.exceptions import MessageNacked

    channel: Any = connection.channel()
    channel.basic_publish = channel.basic_publish_confirm
    try:
        yield channel, {"mandatory": True, "confirm_timeout": CONFIRMED_WITHIN_S}
    except MessageNacked:
        if one_queue:
            raise ActionError("The queue refused it", "Is it full?") from None
        raise BrokerError("One of the queues that it goes to refused it") from None
    except connection.channel_errors as error:
        if (refusal := _refusal(error, connection)) is None:
            raise
        raise refusal from error
    finally:
        if channel.is_open:
            with contextlib.suppress(*connection.connection_errors, *connection.channel_errors):
                channel.close()


def _refusal(error: Exception, connection: Connection) -> ActionError | None:
    """The broker's refusal of the message itself."""
    method = tuple(getattr(error, "method_sig", None) or ())
    if method == RETURN:
        return ActionError("There is no queue that it would come to", "Is its queue gone?")
    if method != PUBLISH:
        return None
    said = broker_error(error, connection.as_uri())
    return ActionError(said.title, said.hint)
