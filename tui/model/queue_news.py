"""What clients and workers tell of queues: names, what is sent and taken, what workers hold."""

from __future__ import annotations

import sys
from collections.abc import Iterable

from .holdings import Holdings
from .listeners import Listeners
from .observations import Reply
from .queue import Queue
from .task import Task
from .worker import Worker

MOST_QUEUES = 5_000
"""Names told by events or workers make no new queue beyond so many: they may be hostile."""
LONGEST_NAME = 1_000
SENT_KEPT_S = 3_600.0
"""A queue that only clients name is read for so long after the last message to it.

One that was never read is asked for so long, even if the worker that named it has stopped.
"""


class QueueNews:
    """Folds news into the records of queues; ``queues`` is the dict that the Cluster shows."""

    def __init__(self, queues: dict[str, Queue], listeners: Listeners) -> None:
        self._queues, self._listeners = queues, listeners
        self.holdings = Holdings()

    def named(self, name: str | None, at: float) -> Queue | None:
        """The record of a queue that somebody named, made when it is new."""
        queue = self._queues.get(name) if name else None
        if queue is None and name and len(name) < LONGEST_NAME and len(self._queues) < MOST_QUEUES:
            queue = self._queues[name] = Queue(sys.intern(name), first_seen=at)
        return queue

    def sent(self, name: str | None, at: float) -> None:
        """A client has sent a message to a queue."""
        queue = self.named(name, at)
        if queue is not None:
            queue.count_sent(at)

    def taken(self, task: Task, worker: Worker, at: float) -> None:
        """A worker has received a task: from the queue it was sent to, or the only one it has."""
        name = task.queue
        if name is None and worker.queues is not None and len(worker.queues) == 1:
            name = worker.queues[0]
        queue = self._queues.get(name) if name is not None else None
        if queue is not None:
            queue.count_taken(at)

    def answered(self, worker: Worker, reply: Reply) -> None:
        """A worker has told its queues, or what it runs or holds."""
        self.holdings.fold(reply)
        if reply.question == "active_queues":
            for name in worker.queues or ():
                self.named(name, reply.at)

    def held(self, queue: str) -> int | None:
        """Messages of a queue that wait in its workers; None until each has told."""
        names = self._listeners.of(queue)
        return self.holdings.held(queue, names) if names is not None else None

    def told(self, workers: Iterable[Worker], now: float) -> set[str]:
        """Queues to be read wherever their messages lie: workers consume them, or clients send."""
        names = {
            name for worker in workers if worker.offline_at is None for name in worker.queues or ()
        }
        for queue in self._queues.values():
            named_at = queue.first_seen if queue.read_at is None else queue.sent_at
            if named_at is not None and now - named_at < SENT_KEPT_S:
                names.add(queue.name)
        return names
