"""Where in a URL its secrets are, found by where they stand and not by how a driver reads them.

A password may hold whatever its owner did not escape, and a user name too. So a URL is not taken
apart here as its driver does it, which fails on just those, but in doubt too much is a secret:

- whatever stands between ``://user:`` and the last ``@`` before the next alternate;
- behind that ``@``, or where there is none, everything from a ``:`` on that no port follows;
- the value of each secret name behind a ``?``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import unquote

from .secret_names import is_secret

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


def spans(url: str, in_text: bool = False) -> Iterator[Span]:
    """Where the secrets of all its alternates begin and end; within a text ports are believed."""
    for start, end in chunks(url):
        yield from _chunk(url, start, end, in_text)


def chunks(url: str) -> Iterator[Span]:
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
    logins = [] if in_text and _is_page(url, start, end) else list(login(url, start, end))
    yield from logins
    first = logins[-1][1] if logins else start
    yield from _query(url, first, end)


def login(url: str, start: int, end: int) -> Iterator[Span]:
    """The password before the last ``@``, and what stands where only a port can be."""
    first, query = authority(url, start), _query_from(url, start, end)
    at = url.rfind("@", first, query)
    if at < 0 and open_password(url, first, query) >= 0:
        query, at = end, url.rfind("@", first, end)
    colon = url.find(":", first, at) if at >= 0 else -1
    if colon >= 0:
        yield colon + 1, at
    opened = open_password(url, max(first, at + 1), query) if first > start or at >= 0 else -1
    if opened < 0 and first == start and at < 0:
        opened = url.find("/:", start, end) + 2 if "/:" in url[start:end] else -1
    if opened >= 0:
        yield opened, end


def authority(url: str, start: int) -> int:
    """Where user and host begin: behind ``scheme://`` or ``module:Class://``, if that is there."""
    found = _SCHEMED.match(url, start)
    return found.end() if found is not None else start


def open_password(url: str, start: int, end: int) -> int:
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
    first = authority(url, start)
    found = re.match(r"[^/?#]*", url[first:end])
    here = found[0] if found else ""
    web = url[start:first].lower().startswith(("http", "ws", "ftp"))
    return web and "@" not in here and open_password(url, first, first + len(here)) < 0


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
