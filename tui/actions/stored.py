"""What the result backend stores of an act's targets; it is asked, never needed."""

from __future__ import annotations

from collections.abc import Sequence

from ..errors import BackendError
from ..model.observations import ResultMeta
from .look import chunks
from .wire import Wire


def stored(wire: Wire, ids: Sequence[str]) -> dict[str, ResultMeta]:
    """The metas of those ids that have one; nothing when there is no backend, or it is away."""
    if wire.backend is None:
        return {}
    found: dict[str, ResultMeta] = {}
    try:
        for chunk in chunks(ids):
            found.update((meta.id, meta) for meta in wire.backend.fetch(chunk).metas)
    except BackendError:
        return found
    return found


def stored_states(wire: Wire, ids: Sequence[str]) -> dict[str, str]:
    """The states of those ids that are stored."""
    return {task_id: meta.state for task_id, meta in stored(wire, ids).items()}
