"""The one way from the sources to the model: a deque that many append to and one drains."""

from __future__ import annotations

from collections import deque

import msgspec

from .. import urls
from ..model.observations import EventBatch, Observation
from ..model.seam import Health, Outcome, Stage


class Inbox:
    """Only ``append``, ``popleft`` and ``len`` are ever called on the deque: no lock is needed."""

    def __init__(self) -> None:
        self.secrets: tuple[str, ...] = ()
        """URLs and passwords that stand in no error: whoever caught it may know but one of them."""
        self._waiting: deque[Observation] = deque()

    def put(self, observation: Observation) -> None:
        """Called from any thread."""
        if isinstance(observation, Health | Outcome):
            observation = _cleaned(observation, self.secrets)
        self._waiting.append(observation)

    def take(self) -> Observation | None:
        """The oldest observation, or None; called by the drain only."""
        try:
            return self._waiting.popleft()
        except IndexError:
            return None

    def __len__(self) -> int:
        return len(self._waiting)

    def oldest_arrival(self) -> float | None:
        """Epoch seconds of arrival of the message in front, if it holds events."""
        try:
            front = self._waiting[0]
        except IndexError:
            return None
        return front.arrived if isinstance(front, EventBatch) else None


def _cleaned(told: Health | Outcome, secrets: tuple[str, ...]) -> Health | Outcome:
    """Without passwords where it repeats what an error said."""
    if isinstance(told, Outcome):
        went_wrong = told.stage in (Stage.FAILED, Stage.NOT_CONFIRMED)
        text = urls.without(told.text, *secrets) if went_wrong else told.text
        return told if text == told.text else msgspec.structs.replace(told, text=text)
    if not told.error:
        return told
    error, hint = urls.without(told.error, *secrets), urls.without(told.hint or "", *secrets)
    return msgspec.structs.replace(told, error=error, hint=hint or told.hint)
