"""A process that purges and undoes on RabbitMQ as the dashboard does, and is killed at a point.

The points, in their order; each is hit once for a batch, or once for a message of it:
  a purge   got (a message, not yet written), written, acking, acknowledged (not yet committed),
            committing (sent, not awaited), committed, acked
  an undo   sending, publishing (one more message), confirmed, sent
"""

from __future__ import annotations

import os
import signal
import sys
from typing import Any

from amqp import spec
from amqp.channel import Channel

from celery_tui.brokers import rabbitmq_batches
from celery_tui.brokers.rabbitmq import RabbitBroker
from celery_tui.brokers.rabbitmq_file import Journal
from celery_tui.brokers.rabbitmq_record import as_record
from celery_tui.links.site import Site

OF_A_PURGE = ("got", "written", "acking", "acknowledged", "committing", "committed", "acked")
OF_AN_UNDO = ("sending", "publishing", "confirmed", "sent")
FOR_EVER = "*"


class Death:
    """SIGKILL when a point has been reached so often."""

    def __init__(self, point: str, times: int) -> None:
        self._point, self._left = point, times

    def at(self, point: str) -> None:
        """One more time."""
        self._left -= point == self._point
        if not self._left:
            os.kill(os.getpid(), signal.SIGKILL)


def lay(death: Death, queue: str) -> None:
    """Put the points where they belong."""
    write = Journal.write
    publish, commit = Channel.basic_publish, Channel.tx_commit
    before = {"acking": "written", "acked": "committed", "sent": "confirmed"}

    def writing(journal: Journal, record: dict[str, Any]) -> None:
        what = next((one for one in ("acking", "acked", "sending", "sent") if one in record), "")
        death.at(before.get(what, ""))
        write(journal, record)
        death.at(what)

    def reading(message: Any) -> dict[str, Any]:
        death.at("got")
        return as_record(message)

    def publishing(channel: Channel, message: Any, *args: Any, **more: Any) -> Any:
        told = publish(channel, message, *args, **more)
        if more.get("routing_key") == queue or more.get("mandatory"):  # no receipt, no question
            death.at("publishing")
        return told

    def committing(channel: Channel) -> Any:
        death.at("acknowledged")
        if death._point == "committing" and death._left == 1:
            channel.send_method(spec.Tx.Commit)
        death.at("committing")
        return commit(channel)

    for place, name, what in (
        (Journal, "write", writing),
        (rabbitmq_batches, "as_record", reading),
        (Channel, "basic_publish", publishing),
        (Channel, "tx_commit", committing),
    ):
        setattr(place, name, what)


def main(
    url: str, queue: str, name: str, point: str, times: str, batch: str, management: str = ""
) -> None:
    """Purge the queue, or restore ``name``; for ``*`` undo what is left, then both for ever.

    Prints how many of an undo are back after each batch.
    """
    rabbitmq_batches.BATCH_MESSAGES = int(batch)
    lay(Death(point, int(times)), queue)
    broker = RabbitBroker(Site(url), (), management)
    if name != FOR_EVER:
        broker.restore(name) if name else broker.quarantine(queue)
        return
    while True:
        for held in broker.quarantines():
            broker.restore(held.name, lambda moved: print(moved, flush=True))
        broker.quarantine(queue)


if __name__ == "__main__":
    main(*sys.argv[1:])
