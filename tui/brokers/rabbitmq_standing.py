"""How far a quarantine has come: what the lines of its file say, folded. Pure."""

from __future__ import annotations

import json
from typing import Any

import msgspec

MESSAGE = b'{"body": '
"""So begins the line of a message."""


class Standing(msgspec.Struct):
    """What a journal says; messages are counted, the first is number 0."""

    name: str = ""
    queue: str = ""
    place: str = ""
    """``host:port/vhost`` of the purge."""
    cluster: str = ""
    """The broker's own name, where it told one."""
    vhost: str = ""
    at: float = 0.0
    marked: bool = False
    """Whether the broker has something that tells if it was restarted since."""
    written: int = 0
    acking: int = 0
    """Up to here acknowledgements were sent, perhaps."""
    acked: int = 0
    """Up to here the broker has taken them."""
    sending: int = 0
    """Up to here all were sent, or put into ``again``."""
    flying: tuple[int, ...] = ()
    """Being sent, in this order."""
    since: float = 0.0
    """Epoch seconds when that began."""
    taken: set[int] = msgspec.field(default_factory=set)
    """Of these, what the broker has confirmed."""
    traced: bool = True
    """Whether what is flying leaves copies with our receipts."""
    again: set[int] = msgspec.field(default_factory=set)
    """Not sent, or refused by the broker."""
    unsure: set[int] = msgspec.field(default_factory=set)
    """Nobody can tell whether the broker has them."""
    refused: bool = False
    """Whether the queue has ever refused a message, or was seen to be one that may."""
    whole_bytes: int = 0
    """Up to here the file has whole lines."""
    damaged: bool = False
    """Whether a line in it cannot be read: nothing behind it counts, nothing is done with it."""

    def fold(self, line: bytes) -> None:
        """One more whole line; nothing counts from the first one on that cannot be read."""
        try:
            if line.startswith(MESSAGE):  # read only when it is sent
                self.written += 1
            else:
                self._fold(json.loads(line))
        except (AttributeError, KeyError, TypeError, ValueError):
            self.damaged = True
        else:
            self.whole_bytes += len(line)

    def _fold(self, record: dict[str, Any]) -> None:
        if "quarantine" in record:
            self.name, self.queue = record["quarantine"], record["queue"]
            self.place, self.at = record["place"], record["at"]
            self.cluster, self.vhost = record.get("cluster", ""), record.get("vhost", "")
        self.marked = self.marked or bool(record.get("marked", False))
        self.acking = int(record.get("acking", self.acking))
        self.acked = int(record.get("acked", self.acked))
        self.refused = self.refused or bool(record.get("refused", False))
        if "sending" in record:
            self.again.update(range(self.sending, record["sending"]))
            self.sending, self.flying = record["sending"], tuple(record["flying"])
            self.again.difference_update(self.flying)
            self.since, self.taken = float(record.get("since", 0.0)), set()
            self.traced = bool(record.get("traced", True))
        if "broken" in record:
            self.again.update(record["broken"])
            self.flying = tuple(one for one in self.flying if one not in self.again)
            self.taken.update(record["taken"])
        if "sent" in record:
            self.again.update(record["again"])
            self.flying = ()
        if "unsure" in record:
            self.unsure.update(record["unsure"])
            self.acking, self.flying = self.acked, ()
        if "anyway" in record:
            self.again |= self.unsure
            self.unsure = set()

    @property
    def left(self) -> list[int]:
        """Messages that are surely here and nowhere else."""
        return [*sorted(self.again), *range(self.sending, self.acked)]

    @property
    def torn(self) -> list[int]:
        """Messages that a kill has left between file and broker: the broker may tell of them."""
        return [*self.flying, *range(self.acked, min(self.acking, self.written))]

    @property
    def doubtful(self) -> int:
        """How many are here and perhaps with the broker, too."""
        return len(self.unsure) + len(self.torn)
