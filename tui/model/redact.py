"""Hides secrets in text and values from the cluster, in linear time: all of it is hostile input."""

from __future__ import annotations

import re
from typing import Any

from .. import urls
from ..secret_names import WORD, is_secret

HIDDEN = "‹hidden›"
DEEPEST = 60
"""Values nested deeper than this are not looked into but hidden."""

_HINTS = (
    "pass", "pwd", "secret", "token", "key", "credential", "auth", "bearer", "cookie", "session",
    "csrf", "xsrf", "card", "cvv", "cvc", "pin", "ssn", "iban", "otp", "dsn", "://",
)  # fmt: skip
"""One of these must occur, or there is nothing to hide: the quick way out for most texts."""

# The rest of a key, its closing quote, and what separates it from its value. Each piece is
# bounded, so that a long text of nothing but keys costs no more than its length.
_SEPARATOR = re.compile(r"[\w.-]{0,40}(?:\\{0,7}['\"])?\s{0,8}(?:=>|[:=])(?!//)\s{0,8}")
_IN_A_PAIR = re.compile(r"[\w.-]{0,40}\\{0,7}['\"]\s{0,8},\s{0,8}")
_OPENS_A_PAIR = re.compile(r"[(\[]\s{0,8}[bBuU]?\\{0,7}['\"][\w.-]{0,40}\Z")
_QUOTE = re.compile(r"[bBuUrRfF]{0,2}(?P<escapes>\\{0,7})(?P<quote>['\"])")
_BARE = re.compile(r"(?:(?:bearer|basic|digest|token|apikey)[ \t]{1,8})?[^\s,;&)}\]'\"<>]+", re.I)
_NONE = re.compile(r"(?:None|null)(?![\w-])")
_BRACKET = re.compile(r"['\"\[\](){}]")
_REST = {quote: re.compile(rf"[^{quote}\\]*(?:\\.[^{quote}\\]*)*", re.DOTALL) for quote in "'\""}
_ESCAPED = {quote: re.compile(rf"(?<!\\)(?P<run>\\*){quote}") for quote in "'\""}
_SCHEME = re.compile(r"\b(?:bearer|basic)[ \t]{1,8}(?P<word>[\w.~+/=-]{8,})", re.IGNORECASE)


def redact_value(value: Any, depth: int = 0) -> Any:
    """A JSON-like value with secrets replaced, also those inside its texts; a copy."""
    if isinstance(value, str):
        return redact_text(value)
    if not isinstance(value, dict | list | tuple):
        return value
    if depth > DEEPEST:
        return HIDDEN
    if isinstance(value, dict):
        return {
            key: HIDDEN if is_secret(key) and item is not None else redact_value(item, depth + 1)
            for key, item in value.items()
        }
    if len(value) == 2 and is_secret(value[0]) and isinstance(value[1], str):
        items = [value[0], HIDDEN]  # one header of a list of headers
    else:
        items = [redact_value(item, depth + 1) for item in value]
    return tuple(items) if isinstance(value, tuple) else items


def redact_text(text: str) -> str:
    """``text`` (a repr, kwargs, a traceback, JSON) with the values of secret keys replaced.

    >>> redact_text("{'user': 'ann', 'password': 'hunter2'}")
    "{'user': 'ann', 'password': ‹hidden›}"
    """
    lower = text.lower()
    if not any(hint in lower for hint in _HINTS):
        return text
    return _without_logins(_without_values(text))


def _without_values(text: str) -> str:
    parts, done = [], 0
    match = WORD.search(text)
    while match is not None:
        start, end = _value(text, match.start(), match.end())
        if end > start:
            parts += [text[done:start], HIDDEN]
            done = end
        match = WORD.search(text, max(end, match.end()))
    return "".join([*parts, text[done:]])


def _value(text: str, key: int, after: int) -> tuple[int, int]:
    """Where the value of the key word at ``key:after`` begins and ends; nothing: no value."""
    separator = _SEPARATOR.match(text, after)
    if separator is not None:
        start = separator.end()
        return start, _end_of_value(text, start)
    pair = _IN_A_PAIR.match(text, after)
    if pair is not None and _OPENS_A_PAIR.search(text[max(0, key - 60) : key]):
        quoted = _QUOTE.match(text, pair.end())
        if quoted is not None:
            return pair.end(), _end_of_string(text, quoted)
    return after, after


def _end_of_value(text: str, start: int) -> int:
    quoted = _QUOTE.match(text, start)
    if quoted is not None:
        return _end_of_string(text, quoted)
    if text[start : start + 1] in ("[", "(", "{"):
        return _end_of_bracket(text, start)
    if text[start : start + 1] == "<":
        closed = text.find(">", start)
        return closed + 1 if closed >= 0 else len(text)
    bare = None if _NONE.match(text, start) else _BARE.match(text, start)
    return start if bare is None else bare.end()


def _end_of_string(text: str, opened: re.Match[str]) -> int:
    """Behind the closing quote; the end of the text when it was cut before that."""
    escapes, quote = opened["escapes"], opened["quote"]
    if not escapes:
        rest = _REST[quote].match(text, opened.end())
        end = rest.end() if rest is not None else len(text)
        return min(end + 1, len(text))
    # A string inside a string: it ends at a quote behind no more backslashes than it began with.
    for closing in _ESCAPED[quote].finditer(text, opened.end()):
        run = len(closing["run"])
        if run <= len(escapes):
            return closing.end() if run == len(escapes) else closing.start()
    return len(text)


def _end_of_bracket(text: str, start: int) -> int:
    depth, match = 0, _BRACKET.search(text, start)
    while match is not None:
        at = match.end()
        if match[0] in "'\"":
            opened = _QUOTE.match(text, match.start())
            at = _end_of_string(text, opened) if opened is not None else at
        else:
            depth += 1 if match[0] in "[({" else -1
            if depth == 0:
                return at
        match = _BRACKET.search(text, at)
    return len(text)


def _without_logins(text: str) -> str:
    text = urls.in_text(text, HIDDEN)
    return _SCHEME.sub(lambda m: m[0][: m.start("word") - m.start()] + HIDDEN, text)
