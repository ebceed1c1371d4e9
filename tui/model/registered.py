"""Which registered tasks a worker lacks that others of the same queues know. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from .worker import Worker


class Registered:
    """Worked out anew only when a worker told something else than before."""

    def __init__(self, workers: Mapping[str, Worker]) -> None:
        self._workers = workers
        self._lacks: dict[str, tuple[str, ...]] | None = None

    def told(self) -> None:
        """A worker came, went, or told other tasks or queues."""
        self._lacks = None

    def lacks(self, hostname: str) -> tuple[str, ...]:
        """Names that workers of its queues know and it does not: messages of those fail on it."""
        if self._lacks is None:
            self._lacks = missing_by_worker(self._workers.values())
        return self._lacks.get(hostname, ())


def missing_by_worker(workers: Iterable[Worker]) -> dict[str, tuple[str, ...]]:
    """Worker -> names it lacks; who lacks none is left out."""
    there = [w for w in workers if w.offline_at is None and w.registered is not None and w.queues]
    known: dict[str, set[str]] = {}
    for worker in there:
        for queue in worker.queues or ():
            known.setdefault(queue, set()).update(worker.registered or ())
    found = {}
    for worker in there:
        own = set(worker.registered or ())
        names = set().union(*(known[queue] for queue in worker.queues or ())) - own
        if names:
            found[worker.hostname] = tuple(sorted(names))
    return found
