"""The four links to the cluster: how each is, when it did not stand, and what it has told. Pure."""

from __future__ import annotations

from collections import deque

from .. import refusals
from .loss import GAPS_KEPT, Gap
from .observations import EventBatch, Observation, QueueDepths, Reply, Results
from .rates import PerSecond
from .seam import Health, Link, LogLine

BROKER = ("events", "queues", "inspect")
"""Sources that talk to the broker, those first that know best whether it answers."""


OFF = ": acts are off until"
"""In each sentence of why nothing may be sent."""
DOWN = (Link.LOST, Link.REFUSING)
"""Nothing comes over such a link."""


def reason(health: Health) -> str:
    """What the server answers instead of obeying, in few words; empty: it obeys."""
    if not health.refusal:
        return ""
    takes = "results" if health.source == "results" else "messages"
    return refusals.BY_KIND[health.refusal].reason(takes)


class Links:
    """What sources say of themselves, folded in."""

    def __init__(self) -> None:
        self.health: dict[str, Health] = {}
        self.gaps: dict[str, deque[Gap]] = {}
        """Source -> times in which it did not stand, since it first did; the oldest first."""
        self.told: dict[str, int] = {}
        """Source -> events, answers, readings or results that it has told."""
        self.heard_at: dict[str, float] = {}
        """Source -> when it last told anything."""
        self.answered_at: dict[tuple[str, str], float] = {}
        """(node name, question) -> when it last answered that."""

    def count(self, observation: Observation) -> None:
        """A source told something."""
        if isinstance(observation, EventBatch):
            self._count("events", len(observation.events), observation.arrived)
        elif isinstance(observation, Reply):
            self._count("inspect", 1, observation.at)
            self.answered_at[observation.hostname, observation.question] = observation.at
        elif isinstance(observation, QueueDepths):
            self._count("queues", len(observation.queues), observation.at)
        elif isinstance(observation, Results):
            self._count("results", len(observation.metas), observation.at)

    def _count(self, source: str, count: int, at: float) -> None:
        self.told[source] = self.told.get(source, 0) + count
        self.heard_at[source] = at

    def take(self, health: Health) -> LogLine | None:
        """Fold one in; a line for the Log when the state has changed."""
        before = self.health.get(health.source)
        self.health[health.source] = health
        if before is None:
            return None
        self._gap(before, health)
        if before.state == health.state and before.error == health.error:
            return None
        if before.state == health.state == Link.LOST:
            return None  # tried again, and told so in other words
        level = "crit" if health.state == Link.LOST or health.refusal else "info"
        if health.state == Link.OFF and health.refused:
            level = "warn"
        words = f"{health.source} link {health.state}"
        why = reason(health) or health.error
        told = health.at if health.refusal or before.refusal else health.since
        return LogLine(told, "link", level,
                       f"{words}: {why}" if why else words)  # fmt: skip

    def _gap(self, before: Health, health: Health) -> None:
        gaps = self.gaps.setdefault(health.source, deque(maxlen=GAPS_KEPT))
        if health.state in DOWN and before.state == Link.LIVE:
            gaps.append(Gap(before.at or health.since, health.error or "the link was lost"))
        elif health.state == Link.LIVE and gaps and gaps[-1].until is None:
            gaps[-1].until = health.since

    def broker(self) -> Health | None:
        """The link that tells whether the broker answers: of events, unless those are off."""
        known = [self.health[name] for name in BROKER if name in self.health]
        return next((one for one in known if one.state != Link.OFF), known[0] if known else None)

    def refusing(self) -> Health | None:
        """The link that says what the broker answers instead of obeying; one with figures first."""
        known = [self.health[name] for name in BROKER if name in self.health]
        refused = [one for one in known if one.refusal]
        return next((one for one in refused if one.facts), refused[0] if refused else None)

    def refused_since(self) -> float | None:
        """Epoch seconds since which the broker refuses, as the first link met it."""
        known = [self.health[name] for name in BROKER if name in self.health]
        begun = [one.refused_since or one.since for one in known if one.refusal]
        return min(begun, default=None)

    def acts_off(self) -> str:
        """Why nothing may be sent, in few words; empty: it may."""
        known = [self.health[name] for name in BROKER if name in self.health]
        if any(one.state == Link.LOST for one in known):
            return "The broker is lost"
        refused = self.refusing()
        return reason(refused) if refused is not None else ""

    def acts_off_until(self) -> str:
        """The same as a sentence; empty: acts are on."""
        off = self.acts_off()
        until = "it is back" if off.endswith("lost") else "that is over"
        return f"{off}{OFF} {until}." if off else ""

    def mute(self) -> bool:
        """Whether the broker takes nothing from workers either: nobody can be heard."""
        known = (self.health[name] for name in BROKER if name in self.health)
        return any(one.refusal and refusals.BY_KIND[one.refusal].mute for one in known)

    def refused(self) -> list[Health]:
        """Sources that may not do all they want to, by name."""
        return [self.health[name] for name in sorted(self.health) if self.health[name].refused]

    def gap(self, source: str, begin: float, end: float) -> Gap | None:
        """The newest gap that touches this stretch."""
        gaps = self.gaps.get(source, ())
        return next((one for one in reversed(gaps) if one.touches(begin, end)), None)

    def blank(self, rates: tuple[PerSecond, ...], now: float, within_s: float) -> None:
        """What was counted while the events link did not stand says nothing."""
        gap = self.gap("events", now - within_s, now)
        if gap is not None:
            for rate in rates:
                rate.unknown(gap.since, min(now, gap.until or now))
