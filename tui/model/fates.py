"""What becomes of the tasks of a worker that is gone, in words with their source. Pure."""

from __future__ import annotations

import msgspec

from .task import PENDING, STARTED, Task
from .worker import Parting

LOST, RESTARTED, STOPPED = "lost", "restarted", "stopped"
"""How a process left: ``Parting.how``."""
DEFAULT_VISIBILITY_S = 3_600.0
"""After so long kombu gives an unacknowledged message of Redis to somebody else."""


class Visibility(msgspec.Struct, frozen=True, gc=False):
    """After how long an unacknowledged message is given out again, and whether that was told."""

    seconds: float = DEFAULT_VISIBILITY_S
    told: bool = False
    at_once: bool = False
    """RabbitMQ has no such timeout: what a connection held goes back when it closes."""


AT_ONCE = Visibility(0.0, told=True, at_once=True)


class Fate(msgspec.Struct, gc=False):
    """One task of a process that left; None is not known."""

    parting: Parting
    was: str
    """STARTED or RECEIVED, when it left."""
    unacked: bool | None = None
    """Whether its message still lies unacknowledged in the broker."""
    went_back: bool = False
    """The broker put its message back into its queue when the process's connection closed."""
    delivered_at: float | None = None
    """When that message was delivered: its visibility timeout counts from there."""
    back_at: float | None = None
    """When it will be given out again."""
    missing: bool = False
    """The result backend was asked since, and has nothing."""


def words(fate: Fate, visibility: Visibility) -> str:
    """The verdict, without a clock: who shows it adds when the message comes back."""
    return f"{_what(fate)}; {_message(fate, visibility)}"


def _what(fate: Fate) -> str:
    process, how = fate.parting.process, fate.parting.how
    if fate.was == STARTED:
        if how == STOPPED:
            return f"was running when {process} stopped"
        return f"lost with {process}" + (", which was restarted" if how == RESTARTED else "")
    if how == RESTARTED:
        return f"held by {process} until that was restarted"
    return f"held by {process}, which {'is lost' if how == LOST else 'stopped'}"


def _message(fate: Fate, visibility: Visibility) -> str:
    if fate.went_back:
        return "its message went back to its queue at once"
    if visibility.at_once and fate.was == STARTED and fate.unacked is None:
        return "its message went back to its queue only with acks_late"
    if fate.unacked:
        about = "" if visibility.told else "~"
        timeout = f"visibility timeout {about}{span(visibility.seconds)}"
        return f"its message is unacknowledged and comes back ({timeout})"
    if fate.was == STARTED:
        if fate.unacked is False:
            return "its message was acknowledged and does not come back"
        return "its message comes back only with acks_late"
    if fate.unacked is False or fate.parting.how == STOPPED:
        return "its message went back to its queue"
    return f"its message comes back after the visibility timeout ({_about(visibility)})"


def _about(visibility: Visibility) -> str:
    return f"{'' if visibility.told else '~'}{span(visibility.seconds)}"


def span(seconds: float) -> str:
    """``45 s``, ``10 min``, ``1 h``, ``1.5 h``."""
    if seconds < 120:
        return f"{seconds:g} s"
    return f"{seconds / 60:g} min" if seconds < 3_600 else f"{seconds / 3_600:.3g} h"


def state_after(task: Task, fate: Fate, unknown: str) -> str:
    """Its state from now on: what ran has left; what waited waits still, or in its queue again."""
    if fate.was == STARTED:
        return unknown
    back = (
        fate.went_back
        or fate.unacked is False
        or (fate.unacked is None and fate.parting.how == STOPPED)
    )
    return PENDING if back else task.state
