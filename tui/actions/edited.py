"""Arguments as a person types them for a retry: Python literals or JSON, checked before sending."""

from __future__ import annotations

import ast
import json
import math
from typing import Any

from ..errors import ActionError
from ..model.redact import HIDDEN, redact_value

HINT = "Write Python literals or JSON: [1, 'a'] and {'key': true}."


def parse_edited(text_args: str, text_kwargs: str) -> tuple[list[Any], dict[str, Any]]:
    """(args, kwargs) that JSON carries unchanged.

    Raises ActionError saying which of the two is wrong, where and why.
    """
    args, kwargs = _read("args", text_args, "[]"), _read("kwargs", text_kwargs, "{}")
    if isinstance(args, tuple):
        args = list(args)
    if not isinstance(args, list):
        raise ActionError(f"args must be a list, not {_kind(args)}", HINT)
    if not isinstance(kwargs, dict):
        raise ActionError(f"kwargs must be a dict, not {_kind(kwargs)}", HINT)
    _check("args", args)
    _check("kwargs", kwargs)
    return _plain(args), _plain(kwargs)


def _kind(value: Any) -> str:
    return "nothing" if value is None else type(value).__name__


def _read(field: str, text: str, empty: str) -> Any:
    text = text.strip() or empty
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError) as error:
        as_python = error
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        words = getattr(as_python, "msg", None) or str(as_python) or type(as_python).__name__
        line = getattr(as_python, "lineno", None)
        where = f" (line {line})" if line else ""
        raise ActionError(f"{field} cannot be read: {words}{where}", HINT) from None


def _check(field: str, value: Any) -> None:
    """Refuse what JSON would drop, change or not carry."""
    if value is Ellipsis:
        raise ActionError(f"{field} still holds ..., which stands for what was cut", "Fill it in.")
    if isinstance(value, float) and not math.isfinite(value):
        raise ActionError(f"{field} holds {value}, which JSON does not have", "Use null or text.")
    if isinstance(value, dict):
        for key, inner in value.items():
            if not isinstance(key, str):
                raise ActionError(f"{field} has the key {key!r}, which is not text", HINT)
            _check(field, inner)
    elif isinstance(value, (list, tuple)):
        for inner in value:
            _check(field, inner)
    elif not (value is None or isinstance(value, (str, int, float, bool))):
        raise ActionError(f"{field} holds {_kind(value)}, which JSON does not have", HINT)


def _plain(value: Any) -> Any:
    """Tuples as the lists that JSON makes of them."""
    if isinstance(value, dict):
        return {key: _plain(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(inner) for inner in value]
    return value


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
