"""Who listens to which queue, as workers tell it, and since when nobody does. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from .observations import RoundEnded
from .queue import Queue
from .worker import Worker


class Listeners:
    """Reads the records of one cluster; worked out anew only when a worker told other queues."""

    def __init__(
        self,
        workers: Mapping[str, Worker],
        queues: Mapping[str, Queue],
        rounds: Mapping[str, RoundEnded],
    ) -> None:
        self._workers, self._queues, self._rounds = workers, queues, rounds
        self._by_queue: dict[str, list[str]] | None = None
        """Queue -> workers that list it; None: to be worked out anew."""

    def told(self) -> None:
        """A worker came, went, or told its queues."""
        self._by_queue = None

    def of(self, queue: str) -> list[str] | None:
        """Workers that list the queue and did not say goodbye; None while nobody told."""
        if self._by_queue is None:
            self._by_queue = self._listening()
        if any(worker.queues is not None for worker in self._workers.values()):
            return self._by_queue.get(queue, [])
        asked = self._rounds.get("active_queues")
        return [] if asked is not None and not asked.answered else None

    def all_told(self, queue: str) -> bool:
        """Whether events tell of every message that is taken from a queue, and from where.

        They name no queue. Who consumes one queue only has taken it from there.
        """
        workers = [self._workers[name] for name in self.of(queue) or ()]
        return bool(workers) and all(
            worker.queues == (queue,) and worker.events_enabled is True for worker in workers
        )

    def note(self, at: float) -> None:
        """Write into each queue who listened last, or since when nobody does."""
        for queue in self._queues.values():
            listeners = self.of(queue.name)
            if listeners:
                queue.last_consumer, queue.unconsumed_since = listeners[0], None
            elif listeners is not None and queue.unconsumed_since is None:
                queue.unconsumed_since = at

    def _listening(self) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for worker in self._workers.values():
            if worker.offline_at is None:
                for name in worker.queues or ():
                    found.setdefault(name, []).append(worker.hostname)
        return found
