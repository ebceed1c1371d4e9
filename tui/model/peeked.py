"""Messages of one queue as somebody looked at them; never changed afterwards."""

from __future__ import annotations

import enum
from typing import Any

import msgspec

from .plans import Planned
from .task import Exact, Task

MESSAGE = "queue message"
"""The source of facts that were read in a message."""


class End(enum.StrEnum):
    """From which end of a queue pages are counted."""

    HEAD = "head"
    """The oldest, which is taken next."""
    TAIL = "tail"
    """The newest, which came last."""


class WaitingMessage(msgspec.Struct, frozen=True, gc=False):
    """One message, or whatever else lies in the queue: then it has no id and ``note`` says what."""

    place: int
    """1 is taken next."""
    step: int
    """Priority step of the list it lies in."""
    size_bytes: int
    id: str = ""
    name: str = ""
    args: str | None = None
    """Repr for people, of what was read or as the sender wrote it."""
    kwargs: str | None = None
    exact: Exact | None = None
    """The arguments themselves, if the body could be read."""
    eta: str | None = None
    expires: str | None = None
    retries: int | None = None
    priority: int | None = None
    root_id: str | None = None
    parent_id: str | None = None
    group_id: str | None = None
    origin: str = ""
    """Who sent it (``gen<pid>@host``)."""
    plans: dict[str, tuple[Planned, ...]] = {}
    """What will be sent when it has ended: sender -> tasks."""
    redelivered: bool = False
    serializer: str = ""
    compression: str = ""
    note: str = ""
    """Why its body was not read, or what it is instead of a message."""


class Peeked(msgspec.Struct, frozen=True, gc=False):
    """A page of a queue's messages, in the order of its end; or why there is none."""

    at: float
    queue: str
    end: End
    offset: int
    """Messages between that end and the first of the page."""
    messages: tuple[WaitingMessage, ...] = ()
    total: int | None = None
    """Messages in the queue when it was read."""
    cut: bool = False
    """The page is shorter than asked for, because its messages are large."""
    error: str = ""
    hint: str = ""
    asks: int = 0
    """It was not done, because of what ``error`` says; whoever asks so often wants it."""
    marks: bool = False
    """Reading it changes the messages: it is never read again by itself."""


class Sampled(msgspec.Struct, frozen=True, gc=False):
    """Which tasks a queue holds, by a sample from its ends and its middle."""

    at: float
    queue: str
    names: dict[str, int]
    """Task name -> messages of the sample; the empty name: not a message."""
    sampled: int
    total: int


class Opened(msgspec.Struct, frozen=True, gc=False):
    """Somebody opens the task of a message: it is to be known as a task."""

    at: float
    queue: str
    message: WaitingMessage


QUEUES_KEPT = 8


class Peeks:
    """The newest page and sample of the queues that were looked into last."""

    def __init__(self) -> None:
        self.pages: dict[str, Peeked] = {}
        self.samples: dict[str, Sampled] = {}

    def keep(self, found: Peeked | Sampled) -> None:
        """In place of what was known of its queue."""
        if isinstance(found, Sampled):
            self.samples.pop(found.queue, None)
            self.samples[found.queue] = found
            _oldest_out(self.samples)
        else:
            self.pages.pop(found.queue, None)
            self.pages[found.queue] = found
            _oldest_out(self.pages)


def _oldest_out(kept: dict[str, Any]) -> None:
    while len(kept) > QUEUES_KEPT:
        kept.pop(next(iter(kept)))


def fold(task: Task, opened: Opened) -> None:
    """What a message tells of its task. It lies in a queue: that moves no task that has moved."""
    message = opened.message
    task.heard_from(MESSAGE)
    task.name = task.name or message.name
    task.queue = task.queue or opened.queue
    task.eta, task.expires = task.eta or message.eta, task.expires or message.expires
    task.root_id = task.root_id or message.root_id
    task.parent_id = task.parent_id or message.parent_id
    task.group_id = task.group_id or message.group_id
    task.client = task.client or message.origin
    if not task.sources[1:]:
        task.source, task.as_of = MESSAGE, opened.at
        task.retries = message.retries or 0
    if task.exact is None and (message.exact is not None or task.args is None):
        task.exact = message.exact
        task.args, task.kwargs, task.args_source = message.args, message.kwargs, MESSAGE


def sender_repr(headers: dict[str, Any], name: str, most: int) -> str | None:
    """``argsrepr`` or ``kwargsrepr`` as the sender wrote it."""
    value = headers.get(name)
    return value[:most] if isinstance(value, str) else None
