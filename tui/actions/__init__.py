"""What changes the cluster: one verb a file, each with a preview and an outcome.

In the model's thread: ``preview``, then ``context``. In a thread of the act's own: ``prepare``
while the dialog stands, ``run`` once it is confirmed. Neither celery nor a broker's driver is
imported before such a thread needs it.
"""

from __future__ import annotations

import time
from collections.abc import Mapping

import msgspec

from ..errors import ActionError, TuiError
from ..links.redis_link import NotPermitted
from ..model.cluster import Cluster
from ..model.seam import Act, ActionRequest, LogLine, Outcome, Preview, Stage, Target
from ..refusals import BY_KIND
from . import audit, events_on, purge, retry, revoke, terminate, undo
from .base import Action, Context, Put, context, outcome
from .wire import Wire, connected

__all__ = ["ACTIONS", "Context", "context", "prepare", "preview", "run"]

ACTIONS: Mapping[Act, Action] = {
    Act.REVOKE: revoke,
    Act.TERMINATE: terminate,
    Act.RETRY: retry,
    Act.PURGE: purge,
    Act.UNDO: undo,
    Act.EVENTS_ON: events_on,
}


def preview(request: ActionRequest, cluster: Cluster) -> Preview:
    """What the confirm dialog says at once. Pure."""
    return ACTIONS[request.act].preview(request, cluster)


def prepare(request: ActionRequest, preview: Preview, context: Context) -> Preview:
    """The preview after a look into the cluster; blocked, with the reason, if that failed."""
    current = msgspec.structs.replace(preview, request=request)
    try:
        with connected(context) as wire:
            return ACTIONS[request.act].prepare(current, context, wire)
    except TuiError as error:
        return msgspec.structs.replace(current, ready=True, blocked=str(error))


def run(request: ActionRequest, context: Context, put: Put) -> None:
    """Do it, tell what came of every target, write it down, then look for proof.

    Never raises TuiError: what was refused or lost midway is a FAILED outcome.
    """
    told = _Told(request, put)
    try:
        with connected(context) as wire:
            told.connected = True
            _run(request, context, wire, told)
    except TuiError as error:
        told.fail(error)
        told.write_down(context, str(error))


def _run(request: ActionRequest, context: Context, wire: Wire, told: _Told) -> None:
    action = ACTIONS[request.act]
    action.run(request, context, wire, told.put)
    # Before the wait for proof, which the end of the program may cut short.
    told.write_down(context)
    action.follow(list(told.last.values()), context, wire, told.put)


def _moved_nothing(act: Act, error: TuiError) -> bool:
    """A Redis that refuses a script of a purge or an undo has run nothing of it that matters."""
    refusal = BY_KIND.get(error.refusal)
    answered = isinstance(error, NotPermitted) or (refusal is not None and refusal.is_redis)
    return answered and act in (Act.PURGE, Act.UNDO)


NO_TARGET = Target("queue", "the last purge")
"""Stands in outcomes for what an undo without a target would have brought back."""


class _Told:
    """Hands outcomes on and keeps the last of each target."""

    def __init__(self, request: ActionRequest, put: Put) -> None:
        self._request, self._put = request, put
        self.last: dict[str, Outcome] = {}
        self.connected = False
        """Whether anything can have been sent."""
        self._written = False

    def put(self, said: Outcome | LogLine) -> None:
        """Keep and hand on."""
        if isinstance(said, Outcome):
            self.last[said.target.id] = said
        self._put(said)

    def fail(self, error: TuiError) -> None:
        """What was refused failed; what a broken link left open is not confirmed."""
        for target in self._request.targets or (NO_TARGET,):
            last = self.last.get(target.id)
            if last is None and isinstance(error, ActionError):
                self._end(target, Stage.FAILED, str(error))
            elif last is None and not self.connected:
                self._end(target, Stage.FAILED, f"not sent: {error}")
            elif last is None and _moved_nothing(self._request.act, error):
                self._end(target, Stage.FAILED, f"refused, nothing was moved: {error}")
            elif last is None:
                self._end(target, Stage.NOT_CONFIRMED, f"it may have been done or not: {error}")
            elif last.stage == Stage.SENT:
                self._end(target, Stage.NOT_CONFIRMED, f"{last.text}, then: {error}", last.new_id)

    def _end(self, target: Target, stage: Stage, text: str, new_id: str | None = None) -> None:
        said = outcome(self._request, target, stage, text)
        self.put(msgspec.structs.replace(said, new_id=new_id))

    def write_down(self, context: Context, error: str = "") -> None:
        """One audit line, once; a full disk is told, and stops nothing."""
        if self._written:
            return
        self._written = True
        line = audit.entry(self._request, list(self.last.values()), context.settings, error)
        trouble = audit.write(line)
        if trouble:
            self._put(LogLine(time.time(), "act", "warn", trouble))
