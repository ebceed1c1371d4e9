"""Broker and backend URLs without their passwords, for everything that people see."""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import unquote

# user:password@ of each alternate of a failover URL; the password may itself hold ':' or '@'.
_CREDENTIALS = re.compile(
    r"(?P<scheme>[A-Za-z][\w+.-]*://)(?P<user>[^:@/;]*):(?P<password>[^;]*?)@(?=[^@;]*(?:;|$))"
)
# The same within a sentence, where a blank ends a URL.
_IN_TEXT = re.compile(
    r"(?P<scheme>[A-Za-z][\w+.-]*://)(?P<user>[^:@/;\s]*):"
    r"(?P<password>[^;\s]*?)@(?=[^@;\s]*(?:[;\s]|$))"
)
_SECRET_QUERY = re.compile(
    r"(?i)(?P<name>[?&][^=&;\s]*(?:password|passwd|secret|token)[^=&;\s]*=)(?P<value>[^&;\s]*)"
)
_SECRET_NAME = re.compile(r"(?i)password|passwd|secret|token")
HIDDEN = "***"
NO_SECRET = "guest"  # noqa: S105
"""RabbitMQ's user and password on its own machine: hiding the word would hide the user's name."""


def redact(url: str) -> str:
    """The URL with every password replaced, in each alternate of a failover URL.

    kombu's ``maybe_sanitize_url`` leaves the second password of ``a;b`` in the clear.

    >>> redact("redis://:hunter2@10.0.3.7/0")
    'redis://:***@10.0.3.7/0'
    """
    hidden = ";".join(_CREDENTIALS.sub(_hide, part) for part in url.split(";"))
    return _SECRET_QUERY.sub(rf"\g<name>{HIDDEN}", hidden)


def _hide(match: re.Match[str]) -> str:
    return f"{match['scheme']}{match['user']}:{HIDDEN}@"


def passwords(url: str) -> tuple[str, ...]:
    """Every password in the URL, so that error texts of drivers can be cleaned of them.

    As it is written there, and as a driver reads it.
    """
    logins = [match for part in url.split(";") for match in _CREDENTIALS.finditer(part)]
    found = [one["password"] for one in logins if {one["user"], one["password"]} != {NO_SECRET}]
    found += [match["value"] for match in _SECRET_QUERY.finditer(url)]
    return tuple(dict.fromkeys(w for word in found for w in (word, unquote(word)) if w))


def secret_words(options: object) -> tuple[str, ...]:
    """Passwords among nested options, such as Celery's ``sentinel_kwargs``."""
    if not isinstance(options, Mapping):
        return ()
    found: list[str] = []
    for name, value in options.items():
        if isinstance(value, Mapping):
            found += secret_words(value)
        elif isinstance(value, str) and value and _SECRET_NAME.search(str(name)):
            found.append(value)
    return tuple(found)


def clean(text: str, *secrets: str) -> str:
    """``text`` (a driver's error, say) without any password of the URLs in ``secrets``.

    What is no URL among them is a password itself.
    """
    words: set[str] = set()
    for one in secrets:
        if "://" in one:
            text = text.replace(one, redact(one))
            words.update(passwords(one))
        elif one:
            words.add(one)
    for word in sorted(words, key=len, reverse=True):  # none may leave the rest of a longer one
        text = text.replace(word, HIDDEN)
    if "://" not in text:
        return text
    return _SECRET_QUERY.sub(rf"\g<name>{HIDDEN}", _IN_TEXT.sub(_hide, text))
