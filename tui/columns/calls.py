"""Arguments as a call shows them: ``7, gateway='stripe'`` out of the reprs of args and kwargs."""

from __future__ import annotations

import re
from functools import lru_cache

from ..model.redact import redact_text
from .names import literal

_KEY = re.compile(r"'([A-Za-z_]\w{0,60})': ")
_STEP = re.compile(r"[\[({]|[\])}]|'(?:[^'\\]|\\.)*'?|\"(?:[^\"\\]|\\.)*\"?|[^\[({\])}'\"]+")


@lru_cache(maxsize=4096)
def call_text(args: str | None, kwargs: str | None, limit: int) -> str:
    """One literal line without secrets; ``?`` where no source told them.

    Both are reprs (of a tuple or list, and of a dict), possibly cut by their sender.
    """
    if args is None and kwargs is None:
        return "?"
    first = (args or "").strip()[:limit]
    inner = first[1:-1].rstrip(",") if first[:1] in "([" and first[-1:] in ")]" else first
    parts = (redact_text(inner), named(redact_text((kwargs or "").strip()[:limit])))
    return literal(", ".join(part for part in parts if part), limit)


def named(kwargs: str) -> str:
    """``{'a': 1}`` as ``a=1``; keys of nested dicts and anything else stay as they are."""
    if not kwargs.startswith("{"):
        return kwargs
    body = kwargs[1:-1] if kwargs.endswith("}") else kwargs[1:]
    out: list[str] = []
    depth, at, begins = 0, 0, True
    while at < len(body):
        key = _KEY.match(body, at) if depth == 0 and begins else None
        if key is not None:
            out.append(f"{key[1]}=")
            at, begins = key.end(), False
            continue
        step = _STEP.match(body, at)
        piece = step[0] if step is not None else body[at]
        depth += (piece in "[({") - (piece in "])}") if len(piece) == 1 else 0
        begins = depth == 0 and piece.endswith(", ")
        out.append(piece)
        at += len(piece)
    return "".join(out)
