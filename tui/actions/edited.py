"""Arguments that a person edited for a retry: what was hidden comes back in its place."""

from __future__ import annotations

from typing import Any

from ..errors import ActionError
from ..model.redact import HIDDEN, redact_value

Arguments = tuple[list[Any], dict[str, Any]]


def unhidden(edited: Arguments, original: Arguments) -> Arguments:
    """Edited arguments with the values that the dialog had hidden, where they were left so.

    Raises ActionError if a hidden value has no original at its place.
    """
    args, kwargs = _unhidden(edited[0], original[0]), _unhidden(edited[1], original[1])
    if HIDDEN in repr((args, kwargs)):
        raise ActionError(f"{HIDDEN} stands for a secret that is not known here", "Fill it in.")
    return args, kwargs


def _unhidden(edited: Any, original: Any) -> Any:
    # By repr: True == 1, and an edit from one to the other is an edit.
    if repr(edited) == repr(redact_value(original)):
        return original
    if isinstance(edited, dict) and isinstance(original, dict):
        return {
            key: _unhidden(value, original[key]) if key in original else value
            for key, value in edited.items()
        }
    if isinstance(edited, list) and isinstance(original, list) and len(edited) == len(original):
        return [_unhidden(*pair) for pair in zip(edited, original, strict=True)]
    if edited == HIDDEN and original is not None:
        return original
    return edited
