"""RabbitMQ's management API, where a URL is given: which queues there are, unacked, rates.

It is only ever read, and only for what is shown: it writes null headers as the word 'undefined',
so that no message taken from it could be sent again.
"""

from __future__ import annotations

import base64
import json
import ssl
import time
import urllib.error
import urllib.request
from typing import Any
from urllib.parse import quote, unquote, urlsplit

import msgspec

from .. import urls
from ..errors import SettingsError
from ..model.waiting import Flow, Waiting

PAGE_QUEUES = 300
ANSWER_WITHIN_S = 3.0
MOST_BYTES = 8 * 1024 * 1024
ROUND_EVERY_S = 5.0
"""RabbitMQ itself takes its figures every five seconds."""
COLUMNS = (
    "name,type,exclusive,messages_unacknowledged,message_stats.publish_details.rate,"
    "message_stats.deliver_get_details.rate,backing_queue_status.priority_lengths"
)
NO_TEXT = (ValueError, TypeError, LookupError, AttributeError)


class Listed(msgspec.Struct, frozen=True):
    """What the API says of one queue."""

    kind: str
    unacked: int | None
    by_priority: dict[str, int]
    waiting: Waiting | None


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """The password goes to nobody else."""

    def redirect_request(self, *_: Any) -> None:
        """Never."""


class Management:
    """Asks one page at a time; what it cannot do is said in ``trouble`` and never raised."""

    def __init__(self, url: str, vhost: str, login: tuple[str, str]) -> None:
        """``login``: user and password of the broker, where the URL names none."""
        self._url, self._vhost = url, vhost
        base, user, password = parts_of(url)
        token = base64.b64encode(":".join((user, password) if user else login).encode()).decode()
        self._base, self._headers = base, {"Authorization": f"Basic {token}"}
        context = ssl.create_default_context() if base.startswith("https") else None
        handlers: list[urllib.request.BaseHandler] = [_NoRedirect()]
        if context is not None:
            handlers.append(urllib.request.HTTPSHandler(context=context))
        self._opener = urllib.request.build_opener(*handlers)
        self.queues: dict[str, Listed] = {}
        self.trouble = ""
        self.complete = False
        """Whether a whole round was read."""
        self._round: dict[str, Listed] = {}
        self._page, self._due = 1, 0.0

    def step(self) -> bool:
        """Read one page, when it is time; True unless more pages of this round are to come."""
        if time.monotonic() < self._due:
            return True
        try:
            more = self._read()
        except urllib.error.HTTPError as error:
            error.close()
            return self._failed(f"answers {error.code}")
        except (OSError, *NO_TEXT) as error:
            why = urls.clean(f"{type(error).__name__}: {error}", self._url)
            return self._failed(f"cannot be read ({why})")
        self.trouble = ""
        if more:
            self._page += 1
            return False
        self.queues, self._round = self._round, {}
        self.complete = True
        return self._rest()

    def kind(self, queue: str) -> str:
        """``classic``, ``quorum`` or ``stream``; empty: not known."""
        return self.queues[queue].kind if queue in self.queues else ""

    def unacked(self) -> int | None:
        """All queues of the virtual host together."""
        if not self.complete or self.trouble:
            return None
        return sum(one.unacked or 0 for one in self.queues.values())

    def _failed(self, why: str) -> bool:
        self.trouble = f"the management API {why}"
        self._round = {}
        return self._rest()

    def _rest(self) -> bool:
        self._page, self._due = 1, time.monotonic() + ROUND_EVERY_S
        return True

    def _read(self) -> bool:
        query = f"page={self._page}&page_size={PAGE_QUEUES}&columns={COLUMNS}"
        address = f"{self._base}/api/queues/{quote(self._vhost, safe='')}?{query}"
        request = urllib.request.Request(address, headers=self._headers)  # noqa: S310  http(s): parts_of
        with self._opener.open(request, timeout=ANSWER_WITHIN_S) as answer:
            text = answer.read(MOST_BYTES + 1)
        if len(text) > MOST_BYTES:
            raise ValueError(f"more than {MOST_BYTES:,} bytes")
        page = json.loads(text)
        at = time.time()
        for item in page["items"]:
            if isinstance(name := item.get("name"), str) and item.get("exclusive") is not True:
                self._round[name] = _listed(item, at)
        return bool(page["items"]) and self._page < int(page["page_count"])


def parts_of(url: str) -> tuple[str, str, str]:
    """(URL without login, user, password). Raises SettingsError for what is no http(s) URL."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        host = None
    if host is None or parts.scheme not in ("http", "https"):
        raise SettingsError(
            f"The management URL {urls.redact(url)} cannot be used",
            "Write it as http://user:password@host:15672.",
        )
    place = f"[{host}]" if ":" in host else host
    base = f"{parts.scheme}://{place}{f':{port}' if port else ''}{parts.path.rstrip('/')}"
    base = base.removesuffix("/api")
    return base, unquote(parts.username or ""), unquote(parts.password or "")


def _listed(item: dict[str, Any], at: float) -> Listed:
    flow = _rates(item.get("message_stats"))
    lengths = _inside(item.get("backing_queue_status")).get("priority_lengths")
    by_priority = {
        str(step): count for step, count in _inside(lengths).items() if _whole(count) is not None
    }
    return Listed(
        kind=str(item.get("type") or ""),
        unacked=_whole(item.get("messages_unacknowledged")),
        by_priority={step: count for step, count in by_priority.items() if count},
        waiting=Waiting(at, flow=flow) if flow is not None else None,
    )


def _rates(stats: Any) -> Flow | None:
    """Messages in and out a second; RabbitMQ tells neither of a queue that nobody ever used."""
    told = [
        _inside(_inside(stats).get(name)).get("rate")
        for name in ("publish_details", "deliver_get_details")
    ]
    rates = [float(rate) if isinstance(rate, int | float) else None for rate in told]
    if rates == [None, None]:
        return None
    return Flow(rates[0] or 0.0, rates[1] or 0.0, sure=True)


def _inside(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _whole(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None
