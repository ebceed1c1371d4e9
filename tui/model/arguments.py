"""Arguments of a task as a person types them: Python literals or JSON, and only what JSON has."""

from __future__ import annotations

import ast
import json
import math
import warnings
from typing import Any, NoReturn

from .redact import HIDDEN

DEEPEST = 100
"""Lists in lists beyond this are refused: they would overrun the stack of whoever reads them."""
EXAMPLES = {"args": "[1, 'a']", "kwargs": "{'key': 1}"}


def parse_args(text: str) -> list[Any]:
    """Positional arguments; empty text means none.

    Raises ValueError with a sentence that says what is wrong.
    """
    value = _read("args", text.strip() or "[]")
    if not isinstance(value, list | tuple):
        raise ValueError(f"args must be a list such as {EXAMPLES['args']}, not {_kind(value)}")
    return [_checked("args", item) for item in value]


def parse_kwargs(text: str) -> dict[str, Any]:
    """Keyword arguments; empty text means none.

    Raises ValueError with a sentence that says what is wrong.
    """
    value = _read("kwargs", text.strip() or "{}")
    if not isinstance(value, dict):
        raise ValueError(f"kwargs must be a dict such as {EXAMPLES['kwargs']}, not {_kind(value)}")
    checked: dict[str, Any] = _checked("kwargs", value)
    return checked


def _read(field: str, text: str) -> Any:
    if HIDDEN in text:
        raise ValueError(f"{field} holds {HIDDEN}, a mask: type the value that belongs there")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SyntaxWarning)
        try:
            return ast.literal_eval(text)
        except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError) as error:
            as_python = error
    try:
        return json.loads(text, parse_constant=_no_constant)
    except RecursionError:  # how deep is too deep differs from one Python to the next
        raise ValueError(f"{field} is nested too deep") from None
    except ValueError:
        raise ValueError(f"{field} cannot be read: {_reason(as_python)}") from None


def _no_constant(word: str) -> NoReturn:
    raise ValueError(word)


def _reason(error: BaseException) -> str:
    if isinstance(error, SyntaxError):
        at = f" (at character {error.offset})" if error.offset else ""
        return f"{error.msg}{at}"
    if isinstance(error, ValueError):
        return "only literals are allowed: texts in quotes, numbers, lists, dicts"
    return "it is nested too deep"


def _checked(field: str, value: Any, depth: int = 0) -> Any:
    """The value with tuples as lists, as JSON makes them; ValueError for what JSON has not."""
    if depth > DEEPEST:
        raise ValueError(f"{field} is nested too deep")
    if value is Ellipsis:
        raise ValueError(f"{field} still holds ..., which stands for what was cut: fill it in")
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueError(f"{field} holds {value}, which JSON does not have")
    if isinstance(value, list | tuple):
        return [_checked(field, item, depth + 1) for item in value]
    if isinstance(value, dict):
        return {_key(field, key): _checked(field, item, depth + 1) for key, item in value.items()}
    if value is None or isinstance(value, str | int | float | bool):
        return value
    raise ValueError(f"{field} holds {_kind(value)}, which JSON does not have")


def _key(field: str, key: Any) -> str:
    if not isinstance(key, str):
        raise ValueError(f"{field} has the key {key!r}, which is not text")
    return key


def _kind(value: Any) -> str:
    words = {"NoneType": "nothing", "str": "text", "int": "a number", "float": "a number"}
    name = type(value).__name__
    return words.get(name, f"a {name}")
