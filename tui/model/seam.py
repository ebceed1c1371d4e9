"""What crosses between screen, actions and sources: plain records, never changed afterwards."""

from __future__ import annotations

import enum
from typing import Any

import msgspec

MOST_TARGETS = 50_000
"""Of one act: a worker remembers so many revoked ids; more would push out the first."""


class Level(enum.StrEnum):
    """How much a finding matters."""

    CRIT = "crit"
    WARN = "warn"


class Finding(msgspec.Struct, frozen=True, gc=False):
    """One line of the attention list: what is wrong, since when, what to press or do next."""

    rule: str
    """Rule id such as ``no-consumer``."""
    severity: Level
    subject: str
    """Queue, worker or task type; literal text from the cluster."""
    text: str
    short: str
    """The same in at most 44 cells."""
    since: float | None
    """Epoch seconds; None: not known."""
    evidence: str
    """``kind:name`` of what Enter opens: ``queue:emails``, ``worker:w1@a``, ``home:``."""
    next: str
    """What a person does about it."""
    detail: str = ""
    """A second line, shown under the cursor."""

    @property
    def key(self) -> str:
        """Stable identity across evaluations."""
        return f"{self.rule}:{self.subject}"


class Link(enum.StrEnum):
    """State of one source."""

    CONNECTING = "connecting"
    LIVE = "live"
    LOST = "lost"
    OFF = "off"


class Health(msgspec.Struct, frozen=True, gc=False):
    """How one source is doing. Connection loss is data, not an exception."""

    source: str
    """events, inspect, queues, results."""
    state: Link
    since: float
    """Epoch seconds at which this state began."""
    error: str | None = None
    """In the broker's words, without passwords."""
    hint: str | None = None
    retry_at: float | None = None
    tries: int = 0
    latency_ms: float | None = None
    at: float = 0.0
    """Epoch seconds at which this was told: for a live link, when it was last proven."""
    refused: bool = False
    """The broker does not permit this user what it takes: off, or live for a part of it."""
    blocked: bool = False
    """Lost, because the broker takes no messages from anybody."""


class Target(msgspec.Struct, frozen=True, gc=False):
    """One thing an act is aimed at, pinned when the key was pressed."""

    kind: str
    """task, queue or worker."""
    id: str
    """Task id, queue name or node name, whole."""
    name: str = ""
    """Task name, for tasks."""
    where: str = ""
    """Worker it runs on, or queue it is in, if known."""
    pid: int | None = None
    state: str = ""
    """Its state when the key was pressed."""


class Act(enum.StrEnum):
    """The verbs; each has one file in ``actions``."""

    REVOKE = "revoke"
    TERMINATE = "terminate"
    RETRY = "retry"
    PURGE = "purge"
    UNDO = "undo"
    EVENTS_ON = "events on"


class ActionRequest(msgspec.Struct, frozen=True, gc=False):
    """What the operator asked for, before and after the confirm dialog."""

    id: str
    """Ours, unique in this run; previews and outcomes refer to it."""
    act: Act
    targets: tuple[Target, ...]
    at: float
    """Epoch seconds of the key press."""
    signal: str = "TERM"
    reason: str = ""
    edited: dict[str, tuple[list[Any], dict[str, Any]]] | None = None
    """Retry only: task id -> (args, kwargs) as the operator typed them."""


class Check(msgspec.Struct, frozen=True, gc=False):
    """The state of one target, looked up again; ``ok`` None: could not be told."""

    target: Target
    ok: bool | None
    text: str
    at: float


class ArgsKnown(msgspec.Struct, frozen=True, gc=False):
    """What a retry would send for one task, and how sure that is."""

    task_id: str
    exact: bool
    source: str
    """queue message, inspect, result backend, or events (a repr)."""
    args: str
    """Python-literal or JSON text; a repr when not exact."""
    kwargs: str
    text: str = ""
    """Queue and anything to warn about, in words."""


class Preview(msgspec.Struct, frozen=True, gc=False):
    """What a confirm dialog says. Built at once from the model, then again with checks."""

    request: ActionRequest
    title: str
    """Capital verb and count: ``TERMINATE  1 running task``."""
    irreversible: bool
    button: str
    facts: tuple[str, ...]
    """What will happen, one line each."""
    warnings: tuple[str, ...] = ()
    """What else breaks, one line each."""
    signals: tuple[str, ...] = ()
    """Signals to choose from; empty: none."""
    checks: tuple[Check, ...] = ()
    args: tuple[ArgsKnown, ...] = ()
    ready: bool = False
    """Whether the look-up in the cluster has ended."""
    blocked: str = ""
    """Why it cannot be done at all; empty: it can."""
    command: str = ""
    """The same act as a celery command line, without passwords; empty: there is none."""


class Stage(enum.StrEnum):
    """How far an act is proven. Only SEEN may be shown in green."""

    SENT = "sent"
    ACKNOWLEDGED = "acknowledged"
    SEEN = "seen"
    DONE_ELSEWHERE = "skipped"
    NOT_CONFIRMED = "not confirmed"
    FAILED = "failed"


class Outcome(msgspec.Struct, frozen=True, gc=False):
    """What became of one target, so far; later stages follow as more is proven."""

    request: ActionRequest
    target: Target
    stage: Stage
    text: str
    """Proof in words: ``2 of 2 workers answered``."""
    at: float
    answered: int | None = None
    of: int | None = None
    new_id: str | None = None
    """Retry: id of the task that was sent."""
    undo: str | None = None
    """Purge: the quarantine that undo restores."""


class LogLine(msgspec.Struct, frozen=True, gc=False):
    """One line of the Log screen."""

    at: float
    kind: str
    """worker, link, act, finding, project, or the name of a library's logger."""
    level: str
    """info, warn, crit, ours."""
    text: str
    printed: bool = False
    """Written by the project at its own pace: it pushes out nothing but its like."""
