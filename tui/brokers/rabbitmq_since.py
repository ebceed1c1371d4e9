"""Whether a broker was restarted since a purge: a message is left there that outlives no restart.

RabbitMQ does not write each acknowledgement to the disk at once. A classic queue of one that was
killed shortly after a purge has purged messages again, which the file has, too. Whether it ended in
order cannot be asked, but whether it ended can: a message that is not persistent is gone then.
"""

from __future__ import annotations

import time
from typing import Any

from ..links.amqp_link import AmqpLink
from .rabbitmq_confirms import Confirms
from .rabbitmq_receipts import KEPT_MS, REFUSED, forget
from .redis_keys import RECEIPTS

AGAIN_AFTER_S = 10.0
"""How often it is asked for."""
SUFFIX = ":since"


def queue_of(digest: str) -> str:
    """The queue of a quarantine's mark; the broker deletes it in a month."""
    return f"{RECEIPTS}{digest}{SUFFIX}"


def mark(link: AmqpLink, digest: str) -> bool:
    """Leave one, if this user may."""
    queue = queue_of(digest)
    try:
        if not link.may_write():
            return False
        with link.channel() as channel:
            arguments = {"x-queue-type": "classic", "x-expires": KEPT_MS}
            channel.queue_declare(queue, durable=True, auto_delete=False, arguments=arguments)
            confirms = Confirms(channel, "")
            confirms.publish(queue, [(0, {"body": "", "properties": {"delivery_mode": 1}})])
            return bool(confirms.taken)
    except link.refused as error:
        if getattr(error, "reply_code", None) not in REFUSED:
            raise
        return False


def unmark(link: AmqpLink, digest: str) -> None:
    """Nothing is in the quarantine any more."""
    forget(link, queue_of(digest))


class Restarts:
    """What is known of each quarantine, asked for now and then; it belongs to one connection."""

    def __init__(self, link: AmqpLink) -> None:
        self._link = link
        self._told: dict[str, tuple[bool | None, float]] = {}

    def of(self, digest: str, marked: bool) -> bool | None:
        """Whether the broker was restarted since that purge; None: that cannot be told."""
        if not marked:
            return None
        told, at = self._told.get(digest, (False, float("-inf")))
        if told is False and time.monotonic() - at > AGAIN_AFTER_S:
            told = self._ask(digest)
            self._told[digest] = told, time.monotonic()
        return told

    def _ask(self, digest: str) -> bool | None:
        answer: Any = self._link.declare(queue_of(digest))
        return answer[0] == 0 if isinstance(answer, tuple) else None
