"""RabbitMQ's management API over HTTP: where it is, and what an error of it means."""

from __future__ import annotations

import base64
import http.client
import json
import ssl
import urllib.error
import urllib.request
from typing import Any
from urllib.parse import quote, unquote, urlsplit

from .. import urls
from ..errors import SettingsError

PLUGIN = "is its plugin on (rabbitmq-plugins enable rabbitmq_management), and its port right"
LONGEST = 4_000
ANSWER_WITHIN_S = 3.0
MOST_BYTES = 8 * 1024 * 1024
ERRORS = (
    OSError, ValueError, TypeError, LookupError, AttributeError, http.client.HTTPException,
)  # fmt: skip
"""What comes of an API that cannot be read, or of an answer that is none of it."""


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """The password goes to nobody else."""

    def redirect_request(self, *_: Any) -> None:
        """Never."""


class Api:
    """Reads JSON of one API with one login; its methods raise ``ERRORS``."""

    def __init__(self, url: str, login: tuple[str, str]) -> None:
        """``login``: user and password of the broker, where the URL names none."""
        self.base, user, password = parts_of(url)
        token = base64.b64encode(":".join((user, password) if user else login).encode()).decode()
        self._headers = {"Authorization": f"Basic {token}"}
        handlers: list[urllib.request.BaseHandler] = [_NoRedirect()]
        if self.base.startswith("https"):
            handlers.append(urllib.request.HTTPSHandler(context=ssl.create_default_context()))
        self._opener = urllib.request.build_opener(*handlers)

    def get(self, path: str) -> Any:
        """What ``/api/…`` answers."""
        address = f"{self.base}/api/{path}"
        request = urllib.request.Request(address, headers=self._headers)  # noqa: S310  http(s): parts_of
        with self._opener.open(request, timeout=ANSWER_WITHIN_S) as answer:
            text = answer.read(MOST_BYTES + 1)
        if len(text) > MOST_BYTES:
            raise ValueError(f"more than {MOST_BYTES:,} bytes")
        return json.loads(text)


def check(url: str, vhost: str, login: tuple[str, str]) -> None:
    """Raise SettingsError where it says no, or is none: waiting would change nothing.

    One that cannot be reached now is only told of later: the dashboard is of use without it.
    """
    api = Api(url, login)
    try:
        api.get(f"queues/{quote(vhost, safe='')}?page=1&page_size=1")["page_count"]
    except ERRORS as error:
        if _may_pass(error):
            return
        told = in_words(error, api.base, vhost)
        raise SettingsError(
            f"T{told[1:].rstrip('?')}", "Check --management-url, or leave it out."
        ) from None


def _may_pass(error: BaseException) -> bool:
    if isinstance(error, urllib.error.HTTPError):
        return error.code >= 500
    cause = error.reason if isinstance(error, urllib.error.URLError) else error
    return isinstance(cause, OSError) and not isinstance(cause, ssl.SSLError)


def parts_of(url: str) -> tuple[str, str, str]:
    """(URL without login, user, password). Raises SettingsError for what is no http(s) URL."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        host = None
    if host is None or parts.scheme not in ("http", "https"):
        raise _unusable(url)
    place = f"[{host}]" if ":" in host else host
    base = f"{parts.scheme}://{place}{f':{port}' if port else ''}{parts.path.rstrip('/')}"
    base = base.removesuffix("/api")
    if urls.redact(base) != base:  # a password that ends the host early
        raise _unusable(url)
    return base, unquote(parts.username or ""), unquote(parts.password or "")


def _unusable(url: str) -> SettingsError:
    return SettingsError(
        f"The management URL {urls.redact(url)} cannot be used",
        "Write it as http://user:password@host:15672.",
    )


def in_words(error: BaseException, base: str, vhost: str) -> str:
    """What is wrong with the API at that URL, in one sentence; the login is not in ``base``."""
    who = f"the management API {base}"
    if isinstance(error, urllib.error.HTTPError):
        with error:
            return f"{who} {_refusal(error, vhost)}"
    cause = error.reason if isinstance(error, urllib.error.URLError) else error
    if isinstance(cause, ConnectionRefusedError):
        return f"{who} refuses the connection: {PLUGIN}?"
    if isinstance(cause, TimeoutError):
        return f"{who} does not answer in time"
    if isinstance(cause, ssl.SSLCertVerificationError):
        return f"{who} shows a certificate that is not trusted: {cause.verify_message}"
    if isinstance(cause, ssl.SSLError):
        return f"{who} does not speak TLS there: is it http://?"
    if isinstance(cause, ConnectionError):
        return f"{who} hangs up: is its address right?"
    if isinstance(cause, OSError):
        return f"{who} cannot be reached: {cause.strerror or cause}"
    return f"{who} is none: something else answers there"


def _refusal(error: urllib.error.HTTPError, vhost: str) -> str:
    reason = _reason(error)
    if error.code == 401 and "anagement" in reason:
        return "is not permitted to this user: it takes the tag monitoring or management"
    if error.code == 401 and "vhost" in reason.replace("virtual host", "vhost"):
        return f"does not let this user see the virtual host {vhost!r}"
    if error.code == 401:
        return "refused the user name or password"
    if error.code == 404 and reason:
        return f"has nothing on the virtual host {vhost!r}: is its path right, and the broker?"
    if error.code == 404:
        return f"is not there: {PLUGIN}?"
    if error.code < 500:
        return f"answers {error.code}: is its address right?"
    return f"answers {error.code}{f': {reason}' if reason else ''}"


def _reason(error: urllib.error.HTTPError) -> str:
    """RabbitMQ's own word; empty where another server answers."""
    try:
        told = json.loads(error.read(LONGEST))
    except (ValueError, OSError):
        return ""
    return str(told.get("reason") or "")[:100] if isinstance(told, dict) else ""
