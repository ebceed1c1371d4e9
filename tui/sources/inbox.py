"""The one way from the sources to the model: a deque that many append to and one drains."""

from __future__ import annotations

from collections import deque

from ..model.observations import EventBatch, Observation


class Inbox:
    """Only ``append``, ``popleft`` and ``len`` are ever called on the deque: no lock is needed."""

    def __init__(self) -> None:
        self._waiting: deque[Observation] = deque()

    def put(self, observation: Observation) -> None:
        """Called from any thread."""
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
