"""URLs, and texts in which they stand, without their passwords: for everything that people see."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator, Mapping
from urllib.parse import unquote, urlsplit

from . import spelling
from .secret_names import is_secret
from .url_spans import Span, authority, chunks, login, open_password, spans

HIDDEN = "***"
NO_SECRET = "guest"  # noqa: S105
"""RabbitMQ's user and password on its own machine: hiding the word would hide the user's name."""
SHORTEST_PIECE = 4
"""Characters that a piece of a password must have to be looked for by itself."""


def redact(url: str, hidden: str = HIDDEN) -> str:
    """The URL with every password replaced, in each alternate of a failover URL.

    >>> redact("redis://:hunter2@10.0.3.7/0")
    'redis://:***@10.0.3.7/0'
    >>> redact("amqp://ops@tenant:a;b@host/shop")
    'amqp://ops@tenant:***@host/shop'
    """
    return _without(url, spans(url), hidden)


def alternates(url: str) -> list[str]:
    """The alternates ``a;b`` of a failover URL, as they are written; never cut in a password."""
    closed = [span for chunk in chunks(url) for span in login(url, *chunk)]
    ends = [
        at
        for at, char in enumerate(url)
        if char == ";" and not any(start <= at < end for start, end in closed)
    ]
    parts = [
        url[start + 1 : end] for start, end in zip([-1, *ends], [*ends, len(url)], strict=True)
    ]
    return [part.strip() for part in parts if part.strip()]


def passwords(url: str, in_text: bool = False) -> tuple[str, ...]:
    """Every password in the URL, so that error texts of drivers can be cleaned of them.

    As it is written there, as a driver reads it, and the pieces of one that no driver can read.
    """
    words: list[str] = []
    for start, end in spans(url, in_text):
        word = url[start:end]
        if word == NO_SECRET and url[:start].endswith(f"//{NO_SECRET}:"):
            continue
        words += [word, *_pieces(word)]
    words += [word for word in _as_read(url) if word != NO_SECRET]
    return tuple(dict.fromkeys(w for word in words for w in (word, unquote(word)) if w.strip()))


class Word(str):
    """A password by itself, whatever it looks like."""

    __slots__ = ()


def secret_words(options: object) -> tuple[str, ...]:
    """Passwords among nested options, such as Celery's ``sentinel_kwargs``, and URLs there."""
    if isinstance(options, list | tuple):
        return tuple(word for one in options for word in secret_words(one))
    if isinstance(options, str):
        return (options,) if "://" in options else ()
    if not isinstance(options, Mapping):
        return ()
    found: list[str] = []
    for name, value in options.items():
        if isinstance(value, str) and value and is_secret(str(name)):
            found.append(Word(value))
        else:
            found += secret_words(value)
    return tuple(found)


def clean(text: str, *secrets: str) -> str:
    """``text`` (a driver's error, say) without any password of the URLs in ``secrets``.

    What is no URL among them is a password itself. URLs that nobody named are looked for too, and
    what is their password is hidden elsewhere in the text.
    """
    text = without(text, *secrets)
    found = (word for start, end in _extents(text) for word in passwords(text[start:end], True))
    words = frozenset(word for word in found if len(word) >= SHORTEST_PIECE and word != HIDDEN)
    return spelling.without(in_text(text), words, HIDDEN)


def without(text: str, *secrets: str) -> str:
    """As ``clean``, but only these: URLs that serve as examples stay as they are."""
    for one in secrets:
        if _is_url(one):
            text = text.replace(one, redact(one))
    return spelling.without(text, _words(secrets), HIDDEN)


def _is_url(secret: str) -> bool:
    return "://" in secret and not isinstance(secret, Word)


@functools.lru_cache(maxsize=16)
def _words(secrets: tuple[str, ...]) -> frozenset[str]:
    """The passwords of these URLs, and those among them that are no URL."""
    return frozenset(
        word for one in secrets for word in (*passwords(one), *(() if _is_url(one) else (one,)))
    )


def in_text(text: str, hidden: str = HIDDEN) -> str:
    """``text`` with the passwords of all URLs in it replaced; in linear time, it may be hostile."""
    parts, done = [], 0
    for start, end in _extents(text):
        url = text[start:end]
        parts += [text[done:start], _without(url, spans(url, in_text=True), hidden)]
        done = end
    return "".join([*parts, text[done:]])


def _without(url: str, secret: Iterator[Span], hidden: str) -> str:
    parts, done = [], 0
    for start, end in secret:
        parts += [url[done:start], hidden]
        done = end
    return "".join([*parts, url[done:]])


# -- passwords --------------------------------------------------------------------------------


def _pieces(word: str) -> list[str]:
    """What a driver that ends a password too early may repeat."""
    found = re.split(r"[;/?#@:&,\s]+", word)
    return [one for one in found if len(one) >= SHORTEST_PIECE] if len(found) > 1 else []


def _as_read(url: str) -> Iterator[str]:
    """The passwords as kombu and the standard library find them."""
    for part in (url, *url.split(";")):
        try:
            yield urlsplit(part.strip()).password or ""
        except ValueError:
            continue


# -- URLs in a text ---------------------------------------------------------------------------

_SCHEME = re.compile(r"[A-Za-z][\w+.-]*\Z")
_BLANK = re.compile(r"\s")
LONGEST_SCHEME = 40
LONGEST_QUOTED = 1_000


def _extents(text: str) -> Iterator[Span]:
    done, at = 0, text.find("://")
    while at >= 0:
        start, done = _extent(text, done, at)
        yield start, done
        at = text.find("://", max(done, at + 3))


def _extent(text: str, done: int, at: int) -> Span:
    """Where the URL with this ``://`` begins and ends, as far as one can tell."""
    scheme = _SCHEME.search(text[max(done, at - LONGEST_SCHEME) : at])
    start = at - len(scheme[0]) if scheme is not None else at
    end = _quoted_end(text, start, at)
    if end >= 0:
        return start, end
    blank = _BLANK.search(text, at)
    end = blank.start() if blank is not None else len(text)
    while end > at + 3 and text[end - 1] in ".,:;!?)]}>'\"`":
        end -= 1
    return start, _beyond_blanks(text, start, end)


def _quoted_end(text: str, start: int, at: int) -> int:
    """The closing quote of a URL in quotes, as in a repr; -1: it is in none."""
    quote = text[start - 1 : start]
    if not quote or quote not in "'\"`":
        return -1
    before = text[max(0, start - 9) : start - 1]
    escapes = len(before) - len(before.rstrip("\\"))
    closing = re.compile(rf"(?<!\\)\\{{0,{escapes}}}{quote}(?![\w@])|\n")
    found = closing.search(text, at, at + LONGEST_QUOTED)
    return found.start() if found is not None and found[0] != "\n" else -1


def _beyond_blanks(text: str, start: int, end: int) -> int:
    """Up to the word with the last ``@`` of the line, where a password is open that has blanks."""
    url = text[start:end]
    if open_password(url, max(authority(url, 0), url.rfind("@") + 1), len(url)) < 0:
        return end
    limit = end + LONGEST_QUOTED
    ends = (text.find(word, end, limit) for word in ("\n", "://"))
    limit = min((found for found in ends if found >= 0), default=limit)
    at = text.rfind("@", end, limit)
    if at < 0:
        return end
    blank = _BLANK.search(text, at)
    return blank.start() if blank is not None else len(text)
