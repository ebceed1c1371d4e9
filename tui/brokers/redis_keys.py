"""Names of the keys kombu and we use on Redis."""

from __future__ import annotations

import re
from datetime import UTC, datetime

SEPARATOR = "\x06\x16"
"""Between the parts of a binding, and between a queue and its priority step."""
BINDING = "_kombu.binding."
STEPS = (3, 6, 9)
"""Celery's default priority steps besides 0, whose list bears the queue's own name."""
QUARANTINE = "celery-tui:quarantine:"
RECEIPTS = "celery-tui:receipts:"
"""On RabbitMQ: the queues in which the broker notes how far a purge or an undo has come."""
STAMP = "%Y%m%dT%H%M%S.%fZ"
_QUARANTINED = re.compile(
    re.escape(QUARANTINE) + r"(?P<queue>.+):(?P<at>\d{8}T\d{6}\.\d{6}Z)(?::(?P<step>\d+))?",
    re.DOTALL,
)


def escaped(text: str) -> str:
    """``text`` as a SCAN pattern that matches nothing but itself."""
    return re.sub(r"([*?\[\]\\])", r"\\\1", text)


def list_name(queue: str, step: int, separator: str = SEPARATOR) -> str:
    """The list that holds a queue's messages of one priority step."""
    return f"{queue}{separator}{step}" if step else queue


def split_list(name: str, separator: str = SEPARATOR) -> tuple[str, int]:
    """(queue, priority step) of a list's name."""
    queue, found, step = name.rpartition(separator)
    if found and queue and step.isascii() and step.isdigit() and len(step) < 6:
        return queue, int(step)
    return name, 0


def quarantine_name(queue: str, at: float) -> str:
    """The name of a quarantine made at ``at`` (epoch seconds)."""
    return f"{QUARANTINE}{queue}:{datetime.fromtimestamp(at, UTC).strftime(STAMP)}"


def split_quarantine(name: str) -> tuple[str, str, float, int | None] | None:
    """(quarantine's name, queue, epoch seconds, step) of a quarantine or one of its lists.

    The step is None for a name without one. None: it is no quarantine.
    """
    match = _QUARANTINED.fullmatch(name)
    if match is None:
        return None
    try:
        at = datetime.strptime(match["at"], STAMP).replace(tzinfo=UTC).timestamp()
    except ValueError:
        return None
    step = int(match["step"]) if match["step"] else None
    return f"{QUARANTINE}{match['queue']}:{match['at']}", match["queue"], at, step


def wanted_queue(exchange: str, queue: str) -> bool:
    """Whether a binding is one of a task queue: not of control, replies, events or ours."""
    plumbing = ("pidbox", "celeryev")
    return bool(queue) and not (
        exchange.endswith(plumbing)
        or queue.endswith("pidbox")
        or queue.startswith(("celeryev.", RECEIPTS))
    )
