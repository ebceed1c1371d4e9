"""Broker and backend URLs without their passwords, for everything that people see."""

from __future__ import annotations

import re

# user:password@ of each alternate of a failover URL; the password may itself hold ':' or '@'.
_CREDENTIALS = re.compile(
    r"(?P<scheme>[A-Za-z][\w+.-]*://)(?P<user>[^:@/;]*):(?P<password>[^;]*?)@(?=[^@;]*(?:;|$))"
)
_SECRET_QUERY = re.compile(r"(?i)([?&][^=&;]*(?:password|passwd|secret|token)[^=&;]*=)[^&;\s]*")
HIDDEN = "***"


def redact(url: str) -> str:
    """The URL with every password replaced, in each alternate of a failover URL.

    kombu's ``maybe_sanitize_url`` leaves the second password of ``a;b`` in the clear.

    >>> redact("redis://:hunter2@10.0.3.7/0")
    'redis://:***@10.0.3.7/0'
    """
    hidden = ";".join(_CREDENTIALS.sub(_hide, part) for part in url.split(";"))
    return _SECRET_QUERY.sub(rf"\1{HIDDEN}", hidden)


def _hide(match: re.Match[str]) -> str:
    return f"{match['scheme']}{match['user']}:{HIDDEN}@"


def passwords(url: str) -> tuple[str, ...]:
    """Every password in the URL, so that error texts of drivers can be cleaned of them."""
    found = [match["password"] for part in url.split(";") for match in _CREDENTIALS.finditer(part)]
    return tuple(word for word in found if word)


def clean(text: str, *urls: str) -> str:
    """``text`` (a driver's error, say) without any password of ``urls``."""
    for url in urls:
        text = text.replace(url, redact(url))
        for word in passwords(url):
            text = text.replace(word, HIDDEN)
    return redact(text) if "://" in text else text
