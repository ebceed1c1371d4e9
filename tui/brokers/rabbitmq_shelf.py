"""The files of quarantines on this machine: which of them belong to the broker we talk to."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

from ..errors import BrokerError
from ..links.amqp_link import AmqpLink
from .base import Quarantined
from .rabbitmq_file import is_worked_on, standing_of
from .rabbitmq_since import Restarts
from .rabbitmq_standing import Standing
from .redis_keys import split_quarantine


def folder() -> Path:
    """``$XDG_STATE_HOME/celery-tui/quarantine``, or what this system has for it."""
    from platformdirs import user_state_path

    return user_state_path("celery-tui", appauthor=False) / "quarantine"


class Shelf:
    """The files of one virtual host; what they say is read once, and then what is new in them."""

    def __init__(self, link: AmqpLink) -> None:
        self._link = link
        self._restarts = Restarts(link)
        self._known: dict[Path, tuple[tuple[int, int, int], Standing]] = {}
        """File -> (its number, time and size, what it said then)."""

    def listed(self) -> list[Quarantined]:
        """All of this virtual host, oldest first."""
        found = []
        for path, one in self.read():
            doubtful = one.doubtful
            if one.torn and is_worked_on(path):  # under way, not killed
                doubtful = len(one.unsure)
            held = (one.name, len(one.left), one.queue, one.at, doubtful)
            since = self._restarts.of(path.stem, one.marked)
            found.append(Quarantined(*held, self._elsewhere(one), since))
        return sorted(found, key=lambda one: one.at)

    def read(self) -> Iterator[tuple[Path, Standing]]:
        """What each file of ours says; of one that has grown only what is new is read."""
        known, self._known = self._known, {}
        for path in sorted(folder().glob("*.jsonl")):
            try:
                stat = path.stat()
                mark = (stat.st_ino, stat.st_mtime_ns, stat.st_size)
                before = known.get(path)
                if before is None or before[0][0] != mark[0] or before[1].damaged:
                    standing = standing_of(path)
                elif before[0] != mark:
                    standing = standing_of(path, before[1])
                else:
                    standing = before[1]
            except OSError:
                continue
            self._known[path] = (mark, standing)
            if self._ours(standing):
                yield path, standing

    def _ours(self, one: Standing) -> bool:
        """Purged at this address, or from a broker of this name at another one."""
        link = self._link
        same = one.cluster and (one.cluster, one.vhost) == (link.cluster, link.vhost)
        return bool(one.name) and (one.place == link.place or bool(same))

    def _elsewhere(self, one: Standing) -> str:
        """Neither is proof alone: two brokers may bear one name, or one address lead to two."""
        link = self._link
        if one.place == link.place and one.cluster in ("", link.cluster):
            return ""
        return f"{one.cluster} at {one.place}" if one.cluster else one.place

    def new_path(self, name: str) -> Path:
        """Where the file of a new quarantine lies."""
        digest = hashlib.sha256(f"{self._link.place}\n{name}".encode("utf-8", "replace"))
        stamp = name.rpartition(":")[2]
        return folder() / f"{stamp}-{digest.hexdigest()[:16]}.jsonl"

    def path_of(self, name: str) -> Path | None:
        """The file of a quarantine, rather one from this very address. Raises BrokerError."""
        parts = split_quarantine(name)
        if parts is None or parts[3] is not None:
            raise BrokerError(f"{name!r} is not the name of a quarantine", "Take one from Queues.")
        found = [(path, one) for path, one in self.read() if one.name == name]
        found.sort(key=lambda pair: self._elsewhere(pair[1]) != "")
        return found[0][0] if found else None
