"""A password as programs write it: in quotes, escaped, percent-encoded, as bytes."""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Iterator
from urllib.parse import quote, quote_plus, unquote, unquote_plus


def without(text: str, words: frozenset[str], hidden: str) -> str:
    """``text`` with each of these words replaced, however it is written there."""
    return _pattern(words).sub(hidden, text) if words else text


@functools.lru_cache(maxsize=16)
def _pattern(words: frozenset[str]) -> re.Pattern[str]:
    every = {spelled for word in words for spelled in _spellings(word) if spelled}
    # The longest first: none may leave the rest of a longer one.
    return re.compile("|".join(re.escape(one) for one in sorted(every, key=len, reverse=True)))


def _spellings(word: str) -> Iterator[str]:
    """The word as it is, as it is read, and both as they are encoded and quoted."""
    for one in {word, unquote(word), unquote_plus(word)}:
        yield " ".join(one.split())
        for encoded in (one, quote(one, safe=""), quote(one), quote_plus(one)):
            yield encoded
            yield re.sub(r"%[0-9A-F]{2}", lambda m: m[0].lower(), encoded)
        for quoted in _quoted(one):
            yield quoted
            yield from _quoted(quoted)  # as an error that quotes another error


def _quoted(word: str) -> Iterator[str]:
    """Without the quotes around it."""
    yield repr(word)[1:-1]
    yield ascii(word)[1:-1]
    yield json.dumps(word)[1:-1]
    yield json.dumps(word, ensure_ascii=False)[1:-1]
    yield repr(word.encode("utf-8", "surrogatepass"))[2:-1]
    escaped = word.replace("\\", "\\\\")
    yield escaped.replace("'", "\\'")
    yield escaped.replace('"', '\\"')
