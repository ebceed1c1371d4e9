"""What workers tell of themselves: their events, their answers, and who did not answer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import fleet
from .events import Event
from .fates import RESTARTED, STOPPED
from .listings import QUESTIONS, pinged
from .loss import Lost
from .observations import Reply, RoundEnded
from .reconcile import lost_words
from .worker import Worker

if TYPE_CHECKING:
    from .cluster import Cluster


class WorkerNews:
    """Folds it into the workers of one cluster, and passes on what it means for the rest."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster

    def heard(self, event: Event, arrived: float) -> None:
        """An event of a worker itself: it came, lives, or leaves."""
        cluster = self._cluster
        worker = cluster.worker(event.hostname, arrived)
        lost = fleet.beat(worker, event, arrived)
        if lost is not None:
            self._lost(worker, lost)
        before = worker.pid
        news = fleet.follow(worker, event, arrived)
        if news:
            cluster.listeners.told()
            cluster.registered.told()
            level = "warn" if any(word in news for word in fleet.WARNINGS) else "info"
            news += self._left(worker, before, arrived)
            cluster.note(arrived, "worker", level, f"{event.hostname} {news}")

    def _lost(self, worker: Worker, lost: Lost) -> None:
        seconds = max(1, round(lost.seconds))
        words = f"lost the events of ~{lost.starts:,} tasks of {worker.hostname} in {seconds} s"
        self._cluster.note(lost.until, "events", "warn", words)

    def _left(self, worker: Worker, before: int | None, arrived: float) -> str:
        """News of a worker: a process may have left, or the same may be back."""
        reconciler = self._cluster.reconciler
        if worker.offline_at is not None:
            return lost_words(reconciler.left(worker, STOPPED, worker.pid, arrived))
        if worker.restarted_from == before != worker.pid and not worker.duplicate_name:
            return lost_words(reconciler.left(worker, RESTARTED, before, arrived))
        reconciler.returned(worker)
        return ""

    def answered(self, reply: Reply) -> None:
        """One worker has answered one question."""
        cluster = self._cluster
        worker = cluster.worker(reply.hostname, reply.at)
        if worker.heartbeat is None and reply.at - cluster.attached_at > worker.silence_allowed_s:
            worker.heartbeat = False
        told = (worker.registered, worker.queues, worker.offline_at)
        complete = fleet.answered(worker, reply, one_mailbox=cluster.is_amqp)
        if told != (worker.registered, worker.queues, worker.offline_at):
            cluster.registered.told()
        cluster.queue_news.answered(worker, reply)
        if reply.question in QUESTIONS:
            cluster.listings.take(worker, reply, complete)
        elif reply.question == "revoked":
            cluster.reconciler.revoked(worker, reply)
        elif reply.question == "active_queues":
            cluster.listeners.told()
            cluster.listeners.note(reply.at)

    def ended(self, asked: RoundEnded) -> None:
        """All had time to answer one question."""
        self._cluster.rounds[asked.question] = asked
        if asked.question == "ping":
            pinged(self._cluster.workers, asked)
