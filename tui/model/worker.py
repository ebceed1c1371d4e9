"""One worker (node name) as we know it, and whether it lives."""

from __future__ import annotations

import msgspec

from .loss import Loss
from .processes import Processes

ONLINE, SILENT, BLOCKED, LOST, STOPPED, UNKNOWN = (
    "online", "silent", "blocked", "lost", "stopped", "unknown",
)  # fmt: skip
SILENT_AFTER_INTERVALS = 3
SILENT_AFTER_AT_LEAST_S = 6.0


class Gathered(msgspec.Struct, gc=False):
    """Answers to one question, under one name, that came so far."""

    asked_at: float
    ids: dict[str, bool] = msgspec.field(default_factory=dict)
    """Task id -> whether its message is acknowledged."""
    answers: int = 1


class Parting(msgspec.Struct, gc=False):
    """A process that left, and the tasks that it ran and held then."""

    hostname: str
    pid: int | None
    how: str
    """``lost``, ``restarted`` (another process has its name now) or ``stopped``."""
    at: float
    """Epoch seconds at which this was told."""
    running: tuple[str, ...] = ()
    held: tuple[str, ...] = ()
    acknowledged: dict[str, bool] = {}
    """Of what it ran: whether its message was acknowledged, as the worker told last."""
    revoked: bool = False
    """It came back: nothing was lost."""

    @property
    def process(self) -> str:
        """``w1@a (pid 4410)``."""
        return f"{self.hostname} (pid {self.pid})" if self.pid is not None else self.hostname


class Worker(msgspec.Struct, gc=False):
    """What heartbeats, task events and inspect replies say of one node name.

    ``*_at`` are epoch seconds of our own clock (arrival) unless said otherwise; None is unknown.
    """

    hostname: str
    first_seen: float = 0.0
    processes: Processes = msgspec.field(default_factory=Processes)
    parting: Parting | None = None
    """How its last process left, if one did."""
    restarted_from: int | None = None
    """The pid before, if it was seen to restart; ``online_at`` tells when."""
    reconnected_at: float | None = None
    """When the same process said hello again after it had lost its broker."""
    heard_at: float | None = None
    """Last worker event."""
    signed_at: float = 0.0
    """Timestamp of that event by the worker's own clock: orders online and offline."""
    heartbeat: bool | None = None
    """Whether it ever sent a heartbeat; False: judged by ping alone (``--without-heartbeat``)."""
    freq: float = 2.0
    offline_at: float | None = None
    online_at: float | None = None
    active: int | None = None
    processed: int | None = None
    processed_pid: int | None = None
    loadavg: tuple[float, float, float] | None = None
    software: str | None = None
    system: str | None = None
    duplicate_name: bool = False
    """Two processes speak under this name; numbers are those of all together."""
    answered_twice_at: float | None = None
    """When two answers to one question came from this name."""
    events_enabled: bool | None = None
    """None until a task has moved on it: nothing in stats or conf tells."""
    task_events: int = 0
    """Worker-side task events counted since we attached or it restarted."""
    loss: Loss = msgspec.field(default_factory=Loss)
    """Which of its events were sent and never heard."""
    ping_answered_at: float | None = None
    ping_missed_at: float | None = None
    ping_held_at: float | None = None
    """A ping that it did not answer although the broker delivered it: it is blocked."""
    pool: str | None = None
    concurrency: int | None = None
    prefetch: int | None = None
    rss_bytes: int | None = None
    uptime_s: float | None = None
    stats_at: float | None = None
    conf_at: float | None = None
    visibility_s: float | None = None
    """Visibility timeout in its configuration; None: kombu's default."""
    acks_late: bool | None = None
    """Whether its tasks acknowledge late, where they do not say otherwise themselves."""
    revoked: int = 0
    """How many revoked tasks it remembered when it was last asked."""
    autoscale: tuple[int, int] | None = None
    """Least and most processes, where it was started with ``--autoscale``."""
    totals: dict[str, int] | None = None
    """Tasks received by task name since its start, from stats."""
    queues: tuple[str, ...] | None = None
    queues_at: float | None = None
    registered: tuple[str, ...] | None = None
    running: tuple[str, ...] | None = None
    """Task ids in ``inspect active``."""
    running_at: float | None = None
    acknowledged: dict[str, bool] = msgspec.field(default_factory=dict)
    """Of what it runs: whether the message is acknowledged; False with ``acks_late``."""
    reserved: tuple[str, ...] | None = None
    reserved_at: float | None = None
    scheduled: tuple[str, ...] | None = None
    scheduled_at: float | None = None
    gathering: dict[str, Gathered] = msgspec.field(default_factory=dict)
    """Question -> answers of several processes, not yet complete."""

    @property
    def pid(self) -> int | None:
        """Its main process."""
        return self.processes.pid

    @property
    def other_pids(self) -> dict[int, float]:
        """Former pids of this name, and twins -> when last heard."""
        return self.processes.others()

    @property
    def main_pids(self) -> frozenset[int]:
        """Process ids that its task events carry: of a prefork pool none of them runs a task."""
        known = (self.pid, self.processed_pid, *self.other_pids)
        return frozenset(pid for pid in known if pid is not None)

    @property
    def seen_at(self) -> float | None:
        """Last sign of life: a worker event or an answered ping."""
        signs = [at for at in (self.heard_at, self.ping_answered_at) if at is not None]
        return max(signs) if signs else None

    @property
    def silence_allowed_s(self) -> float:
        """Seconds without a heartbeat after which it counts as silent."""
        return max(SILENT_AFTER_INTERVALS * self.freq, SILENT_AFTER_AT_LEAST_S)

    @property
    def held(self) -> int | None:
        """Tasks it has taken from the broker and not started; None until it has told of both."""
        if self.reserved is None or self.scheduled is None:
            return None
        return len(self.reserved) + len(self.scheduled)

    @property
    def held_at(self) -> float | None:
        """When it told the older part of that."""
        if self.reserved_at is None or self.scheduled_at is None:
            return None
        return min(self.reserved_at, self.scheduled_at)

    @property
    def busy(self) -> int | None:
        """Tasks running now, from whichever of heartbeat and inspect spoke last."""
        if self.running is None:
            return self.active
        newer = (
            self.heard_at is not None and self.active is not None and self.running_at is not None
        )
        return self.active if newer and self.heard_at > self.running_at else len(self.running)  # type: ignore[operator]


def silent_since(worker: Worker, now: float, live_since: float) -> float | None:
    """Epoch seconds since which its heartbeats are missing, or None while it is heard.

    ``live_since`` is when our own link came up: before that nobody can have been heard.
    """
    if not worker.heartbeat:
        return None
    last = max(worker.heard_at or 0.0, live_since)
    return last if now - last > worker.silence_allowed_s else None


def unsent(worker: Worker, state: str) -> str:
    """Its state while the broker takes no messages: neither heartbeats nor answers can come."""
    silent = state in (SILENT, BLOCKED, LOST)
    return UNKNOWN if silent or (state == ONLINE and not worker.heartbeat) else state


def worker_state(worker: Worker, now: float, live_since: float | None) -> str:
    """One of online, silent, blocked, lost, stopped; unknown while the broker is lost (None)."""
    if worker.offline_at is not None:
        return STOPPED
    if live_since is None:
        return UNKNOWN
    answered, missed = worker.ping_answered_at or 0.0, worker.ping_missed_at or 0.0
    gone = BLOCKED if missed and worker.ping_held_at == missed else LOST
    if not worker.heartbeat:
        return gone if missed > answered else ONLINE
    since = silent_since(worker, now, live_since)
    if since is None:
        return ONLINE
    if missed > since and missed > answered:
        return gone
    return BLOCKED if answered > since else SILENT
