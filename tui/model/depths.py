"""What the broker tells of its queues: a reading is folded into their records. Pure."""

from __future__ import annotations

from .holdings import Holdings
from .listeners import Listeners
from .observations import QueueDepth, QueueDepths
from .queue import Queue


class Depths:
    """The latest reading of all queues; ``queues`` is the dict that the Cluster shows."""

    def __init__(self, queues: dict[str, Queue], holdings: Holdings, listeners: Listeners) -> None:
        self._queues, self._holdings, self._listeners = queues, holdings, listeners
        self.read_at: float | None = None
        self.unacked: int | None = None
        """Messages that are taken and not acknowledged, of all queues."""
        self.no_ages = ""
        """Why ages of waiting messages are not told; empty: they are."""

    def take(self, read: QueueDepths) -> None:
        """Fold one reading in."""
        self.read_at, self.no_ages = read.at, read.no_ages
        if not read.sampled:
            self._unacked(read.unacked)
        for name, reading in read.queues.items():
            queue = self._queue(name, read.at)
            self._depth(queue, reading, read.at)
            if read.unacked_by_queue is not None:
                queue.unacked = read.unacked_by_queue.get(name, 0)
                self._limbo(queue, read.at)
        for name in read.gone:
            self._queues.pop(name, None)
        self._listeners.note(read.at)

    def _queue(self, name: str, at: float) -> Queue:
        queue = self._queues.get(name)
        if queue is None:
            queue = self._queues[name] = Queue(name, first_seen=at)
        return queue

    def _unacked(self, unacked: int | None) -> None:
        """What is not told any more is not known any more."""
        if unacked is None and self.unacked is not None:
            for queue in self._queues.values():
                queue.unacked = queue.limbo = None
        self.unacked = unacked

    def _depth(self, queue: Queue, reading: QueueDepth, at: float) -> None:
        queue.depth, queue.by_priority = reading.depth, reading.by_priority
        queue.read_at = reading.at or at
        queue.empty_since = None if reading.depth else queue.empty_since or at
        queue.consumers, queue.quarantine = reading.consumers, reading.quarantine
        queue.doubtful, queue.restarted = reading.doubtful, reading.restarted
        uncounted = reading.consumers == 0 and bool(self._listeners.of(queue.name))
        queue.uncounted_since = (queue.uncounted_since or at) if uncounted else None
        queue.waiting = reading.waiting or queue.waiting

    def _limbo(self, queue: Queue, at: float) -> None:
        """Of what is unacknowledged: how much no worker says that it holds."""
        if queue.unacked is None or queue.quarantine:
            return
        names = self._listeners.of(queue.name)
        if names is None:
            queue.limbo = None
        else:
            queue.limbo = self._holdings.limbo(queue.name, queue.unacked, names, at, queue.limbo)
