"""URLs, and texts in which they stand, without their passwords: for everything that people see.

A password may hold whatever its owner did not escape, and a user name too. So a URL is not taken
apart here as its driver does it, which fails on just those, but in doubt too much is hidden:

- whatever stands between ``://user:`` and the last ``@`` before the next alternate;
- behind that ``@``, or where there is none, everything from a ``:`` on that no port follows;
- the value of each secret name behind a ``?``.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator, Mapping
from urllib.parse import unquote, urlsplit

from . import spelling
from .secret_names import is_secret

HIDDEN = "***"
NO_SECRET = "guest"  # noqa: S105
"""RabbitMQ's user and password on its own machine: hiding the word would hide the user's name."""
SHORTEST_PIECE = 4
"""Characters that a piece of a password must have to be looked for by itself."""
LONGEST_VALUE = 400
"""Characters of a parameter's value in which names are looked for."""

Span = tuple[int, int]
_ALTERNATE = re.compile(r";\s{0,8}(?=([A-Za-z][\w+.-]{0,40})://)")
_TRANSPORTS = frozenset(
    {"amqp", "pyamqp", "librabbitmq", "redis", "sentinel", "valkey", "http", "mongodb"}
)
# A host and its port, where that is one; or what was hidden before.
_PLACE = re.compile(r"(?:\[[^\]]*\]|[^:]*)(?::(?:(?P<port>\d{1,5})|\*{2,3}|‹hidden›))?")
_SCHEMED = re.compile(r"\s*(?:\w+(?:\.\w+)+:)?[\w+.-]*://")
_PARAMETER = re.compile(r"(?:[?&;]|://)(?P<name>[\w.\[\]%-]{1,80})=")
_NEXT_PARAMETER = re.compile(r"&[\w.\[\]%-]{1,80}=")
_NAME_INSIDE = re.compile(r"([\w -]{1,40})[=:]")


def redact(url: str, hidden: str = HIDDEN) -> str:
    """The URL with every password replaced, in each alternate of a failover URL.

    >>> redact("redis://:hunter2@10.0.3.7/0")
    'redis://:***@10.0.3.7/0'
    >>> redact("amqp://ops@tenant:a;b@host/shop")
    'amqp://ops@tenant:***@host/shop'
    """
    return _without(url, _spans(url), hidden)


def alternates(url: str) -> list[str]:
    """The alternates ``a;b`` of a failover URL, as they are written; never cut in a password."""
    closed = [span for chunk in _chunks(url) for span in _login(url, *chunk)]
    ends = [
        at
        for at, char in enumerate(url)
        if char == ";" and not any(start <= at < end for start, end in closed)
    ]
    parts = [
        url[start + 1 : end] for start, end in zip([-1, *ends], [*ends, len(url)], strict=True)
    ]
    return [part.strip() for part in parts if part.strip()]


def passwords(url: str) -> tuple[str, ...]:
    """Every password in the URL, so that error texts of drivers can be cleaned of them.

    As it is written there, as a driver reads it, and the pieces of one that no driver can read.
    """
    words: list[str] = []
    for start, end in _spans(url):
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

    What is no URL among them is a password itself. URLs that nobody named are looked for too.
    """
    return in_text(without(text, *secrets))


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
    at = text.find("://")
    while at >= 0:
        start, end = _extent(text, done, at)
        url = text[start:end]
        parts += [text[done:start], _without(url, _spans(url, in_text=True), hidden)]
        done = end
        at = text.find("://", max(end, at + 3))
    return "".join([*parts, text[done:]])


# -- where the secrets of a URL are -----------------------------------------------------------


def _without(url: str, spans: Iterator[Span], hidden: str) -> str:
    parts, done = [], 0
    for start, end in spans:
        parts += [url[done:start], hidden]
        done = end
    return "".join([*parts, url[done:]])


def _spans(url: str, in_text: bool = False) -> Iterator[Span]:
    for start, end in _chunks(url):
        yield from _chunk(url, start, end, in_text)


def _chunks(url: str) -> Iterator[Span]:
    """From one alternate that is certainly one to the next: a known scheme, or the first's own."""
    start, own = 0, _kind(url.partition("://")[0].strip())
    for found in _ALTERNATE.finditer(url):
        if _kind(found[1]) in _TRANSPORTS | {own}:
            yield start, found.start()
            start = found.end()
    yield start, len(url)


def _kind(scheme: str) -> str:
    """A scheme without its driver and its TLS."""
    return scheme.lower().partition("+")[0].removesuffix("s")


def _chunk(url: str, start: int, end: int, in_text: bool) -> Iterator[Span]:
    logins = [] if in_text and _is_page(url, start, end) else list(_login(url, start, end))
    yield from logins
    first = logins[-1][1] if logins else start
    yield from _query(url, first, end)


def _login(url: str, start: int, end: int) -> Iterator[Span]:
    """The password before the last ``@``, and what stands where only a port can be."""
    first, query = _authority(url, start), _query_from(url, start, end)
    at = url.rfind("@", first, query)
    if at < 0 and _open(url, first, query) >= 0:
        query, at = end, url.rfind("@", first, end)
    colon = url.find(":", first, at) if at >= 0 else -1
    if colon >= 0:
        yield colon + 1, at
    opened = _open(url, max(first, at + 1), query) if first > start or at >= 0 else -1
    if opened < 0 and first == start and at < 0:
        opened = url.find("/:", start, end) + 2 if "/:" in url[start:end] else -1
    if opened >= 0:
        yield opened, end


def _authority(url: str, start: int) -> int:
    """Where user and host begin: behind ``scheme://`` or ``module:Class://``, if that is there."""
    found = _SCHEMED.match(url, start)
    return found.end() if found is not None else start


def _open(url: str, start: int, end: int) -> int:
    """Behind the first ``:`` that no port follows, among hosts and their paths; -1: none is."""
    for alternate in re.finditer(r"[^;]+", url[start:end]):
        hosts = re.match(r"[^/?#]*", alternate[0])
        at = start + alternate.start()
        for host in (hosts[0] if hosts else "").split(","):
            behind = at + host.find(":") + 1
            if not _is_place(host) and at < behind < end:
                return behind
            at += len(host) + 1
    return -1


def _is_place(host: str) -> bool:
    """Whether it is a host, with a port or without."""
    found = _PLACE.fullmatch(host)
    return found is not None and int(found["port"] or 0) <= 65535


def _is_page(url: str, start: int, end: int) -> bool:
    """Whether it is a page's address with a port and no login: an ``@`` in its path is nothing."""
    first = _authority(url, start)
    authority = re.match(r"[^/?#]*", url[first:end])
    here = authority[0] if authority else ""
    web = url[start:first].lower().startswith(("http", "ws", "ftp"))
    return web and "@" not in here and _open(url, first, first + len(here)) < 0


def _query_from(url: str, start: int, end: int) -> int:
    """Where the first secret parameter begins."""
    found = (m for m in _PARAMETER.finditer(url, start, end) if _holds_secret(url, m, end))
    return next((m.start() for m in found), end)


def _query(url: str, start: int, end: int) -> Iterator[Span]:
    """The values of secret parameters; each ends where another name follows."""
    done = start
    for parameter in _PARAMETER.finditer(url, start, end):
        if parameter.start() >= done and _holds_secret(url, parameter, end):
            done = _value_end(url, parameter, end)
            yield parameter.end(), done


def _value_end(url: str, parameter: re.Match[str], end: int) -> int:
    following = _NEXT_PARAMETER.search(url, parameter.end(), end)
    return following.start() if following is not None else end


def _holds_secret(url: str, parameter: re.Match[str], end: int) -> bool:
    """By its name, or by a name inside its value (``odbc_connect=…PWD%3D…``)."""
    if is_secret(unquote(parameter["name"])):
        return True
    end = min(end, parameter.end() + LONGEST_VALUE)  # looked into at each parameter, and once
    value = url[parameter.end() : _value_end(url, parameter, end)]
    return any(is_secret(name) for name in _NAME_INSIDE.findall(unquote(value)))


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
    if _open(url, max(_authority(url, 0), url.rfind("@") + 1), len(url)) < 0:
        return end
    limit = end + LONGEST_QUOTED
    ends = (text.find(word, end, limit) for word in ("\n", "://"))
    limit = min((found for found in ends if found >= 0), default=limit)
    at = text.rfind("@", end, limit)
    if at < 0:
        return end
    blank = _BLANK.search(text, at)
    return blank.start() if blank is not None else len(text)
