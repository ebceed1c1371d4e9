"""Where a fact comes from: its value, who told it, when, and how it is worked out. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from .base import Cell, View
from .names import literal, node
from .numbers import UNKNOWN, whole

WORKED_OUT = "worked out"
OUR_ACT = "our own act"
NOT_KNOWN = "not known"
UNACKED = "unacked hash of the broker"
BROKER = "read from the broker"
MANAGEMENT = "management API"
NEEDS_MANAGEMENT = "AMQP does not tell it; the management API does: --management-url"
WHEN_NOT_KEPT = "when it was told is not kept"
TEXT = 300
"""Characters of a text from the cluster; its own page shows all of it."""


@dataclass(frozen=True, slots=True)
class Origin:
    """One fact of a "why" page."""

    what: str
    """Its label, at most ten cells."""
    value: Cell
    source: str
    """Who told it; ``NOT_KNOWN`` of what nobody told."""
    at: float | None = None
    """Epoch seconds at which it was told, or of the oldest part that it is made of."""
    note: str = ""
    """How it is worked out, why its age is not known, or what it takes to know it."""

    @property
    def known(self) -> bool:
        """Whether anybody told it."""
        return self.source != NOT_KNOWN


@dataclass(frozen=True, slots=True)
class Part:
    """A section of the page."""

    title: str
    origins: tuple[Origin, ...]


def told(what: str, value: Cell | str, source: str, at: float | None, note: str = "") -> Origin:
    """A known fact; without a time it says that there is none."""
    moment = at or None
    why = note if moment is not None else "; ".join(filter(None, (note, WHEN_NOT_KEPT)))
    return Origin(what, (value, "") if isinstance(value, str) else value, source, moment, why)


def unknown(what: str, need: str, value: Cell = UNKNOWN) -> Origin:
    """A fact that nobody told, and what it takes to know it."""
    return Origin(what, value, NOT_KNOWN, None, need)


def unacked_by(view: View) -> str:
    """Who tells what is taken and not acknowledged."""
    return MANAGEMENT if view.cluster.is_amqp else UNACKED


def unacked_need(view: View) -> str:
    """Why that is not known, and what it takes."""
    if not view.cluster.is_amqp:
        return "the unacked hash may not be read, or is too large to be looked through"
    return management_need(view)


def management_need(view: View) -> str:
    """Why what only RabbitMQ's management API tells is not known."""
    if not view.cluster.has_management:
        return NEEDS_MANAGEMENT
    health = view.cluster.health.get("queues")
    trouble = text(health.error, 200) if health is not None else ""
    return trouble or "the management API has not told it yet, or of no such queue"


def age_cell(origin: Origin, view: View) -> Cell:
    """How long ago it was told; ages go on while the broker is lost."""
    if origin.at is None:
        return UNKNOWN
    return whole(max(0.0, view.now - origin.at)), "dim"


def ago(at: float | None, view: View) -> str:
    """``31s ago`` in running text."""
    return "?" if at is None else f"{whole(max(0.0, view.now - at))} ago"


def text(words: str | None, limit: int = TEXT) -> str:
    """Text from the cluster in one literal line."""
    return literal(words or "", limit)


def by_inspect(question: str, hostname: str, view: View) -> str:
    """``inspect active of w1``."""
    return f"inspect {question}" + (f" of {node(hostname, view.host_suffix)}" if hostname else "")


def oldest(*moments: float | None) -> float | None:
    """The age of what is made of several is that of its oldest part."""
    known = [moment for moment in moments if moment is not None]
    return min(known) if known and len(known) == len(moments) else None
