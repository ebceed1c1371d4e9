"""What the error of a broker's driver means: one sentence, a hint, and no password."""

from __future__ import annotations

import re
import socket
import ssl
from collections.abc import Callable, Iterator

from .. import urls
from ..errors import BrokerError
from .redis_link import in_words

EXTRAS = {
    "redis": "celery[redis]",
    "rediss": "celery[redis]",
    "sentinel": "celery[redis]",
    "sqs": "celery[sqs]",
    "mongodb": "celery[mongodb]",
    "sqla": "celery[sqlalchemy]",
    "sqlalchemy": "celery[sqlalchemy]",
    "qpid": "celery[qpid]",
    "confluentkafka": "kombu[confluentkafka]",
    "gcpubsub": "celery[gcpubsub]",
    "librabbitmq": "celery[librabbitmq]",
}
"""URL scheme -> what pip installs for it."""


def broker_error(error: BaseException, url: str) -> BrokerError:
    """The error in one sentence and with a hint, without any password of ``url``."""
    chain = tuple(_chain(error))
    for recognise in _RECOGNISERS:
        for link in chain:
            found = recognise(link, url)
            if found is not None:
                return BrokerError(urls.clean(found[0], url), found[1])
    return _redis_words(chain, url) or BrokerError(
        urls.clean(f"{who(url)} cannot be used: {type(error).__name__}: {error}", url),
        "Check the URL, and that the broker runs.",
    )


def who(url: str) -> str:
    """The broker as the subject of a sentence."""
    return f"The broker {urls.redact(url)}"


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ or error.__context__


def _redis_words(chain: tuple[BaseException, ...], url: str) -> BrokerError | None:
    try:
        from redis import RedisError
    except ImportError:
        return None
    for link in chain:
        if isinstance(link, RedisError):
            said = in_words(link, url, BrokerError)
            assert isinstance(said, BrokerError)  # noqa: S101  narrows for the type checker only
            return said
    return None


Said = tuple[str, str] | None


NO_TLS = frozenset({"WRONG_VERSION_NUMBER", "RECORD_LAYER_FAILURE", "UNEXPECTED_EOF_WHILE_READING"})
"""How OpenSSL calls an answer that is none of TLS."""


def foreign(url: str, there: str) -> BrokerError:
    """Something else than the URL's kind of server answers; ``there``: what, where known."""
    kind = "RabbitMQ" if "amqp" in url.partition("://")[0] else "Redis"
    if there == "TLS":
        title = f"{who(url)} speaks TLS there, and we do not"
        return BrokerError(title, "Write amqps:// instead of amqp://.")
    hint = "Check the port."
    if (kind, there) == ("RabbitMQ", "HTTP"):
        hint += " That of the management API belongs after --management-url."
    return BrokerError(f"{who(url)} is no {kind}: {there or 'something else'} answers", hint)


def _driver(error: BaseException, url: str) -> Said:
    if not isinstance(error, ImportError):
        return None
    scheme = url.partition("://")[0].partition("+")[0].lower()
    hint = f'Install it: pip install "{EXTRAS[scheme]}"' if scheme in EXTRAS else "Install it."
    return f"The driver for {scheme}:// is not installed ({error})", hint


def _scheme(error: BaseException, url: str) -> Said:
    if not (isinstance(error, KeyError) and "No such transport" in str(error)):
        return None
    return (
        f"Celery knows no broker called {urls.redact(url).partition('://')[0]!r}",
        "Use a URL such as redis://host:6379/0 or amqp://user:password@host:5672//.",
    )


def _wrong_url(error: BaseException, url: str) -> Said:
    if not isinstance(error, ValueError) or isinstance(error, UnicodeError):
        return None
    return (
        f"The broker URL {urls.redact(url)} cannot be read: {str(error).rstrip('.')}",
        "Write it as scheme://user:password@host:port/path.",
    )


MAY_NOT = re.compile(
    r"(?:(?P<right>configure|write|read) )?access to (?P<kind>exchange|queue|topic) "
    r"'(?P<name>.*?)'(?: in exchange '(?P<exchange>.*?)')?(?: in vhost '.*?')? "
    r"refused for user '(?P<user>.*)'"
)
"""RabbitMQ's words for an operation that a user is not permitted; the right since 3.11."""
RIGHTS = {"publish": "write", "consume": "read", "get": "read", "purge": "read"}
"""Last word of an AMQP method -> what it needs to be permitted; of most others: configure."""
DEFAULT_EXCHANGE = "amq.default"


def _refused_operation(error: BaseException, url: str) -> Said:
    """What a channel was closed for: the login has been fine."""
    if not (isinstance(code := getattr(error, "reply_code", None), int) and 400 < code < 500):
        return None
    text, method = str(getattr(error, "reply_text", "") or ""), _method(error)
    if not method:
        return None
    told = text.partition(" - ")[2] or text
    if found := MAY_NOT.search(text):
        right, where = found["right"] or _right(method, found["kind"]), _named(found)
        does = f"{right} to" if right == "write" else right
        title = f"The user {found['user']!r} may not {does} {where} of the {who(url)[4:]}"
        return title, f"Permit it (rabbitmqctl set_permissions): {right}."
    return f"{who(url)} refused {method}: {told}", "It is connected; only this was refused."


def _method(error: BaseException) -> str:
    """The operation that was refused, ``Basic.publish``; empty: none, as at the login."""
    if tuple(getattr(error, "method_sig", None) or ()) in ((), (0, 0)):
        return ""
    return str(getattr(error, "method_name", ""))


def _right(method: str, kind: str) -> str:
    """What older versions do not say: a binding writes to the queue and reads the exchange."""
    operation = method.rpartition(".")[2].lower()
    if operation in ("bind", "unbind"):
        return "read" if kind == "exchange" else "write"
    return RIGHTS.get(operation, "configure")


def _named(found: re.Match[str]) -> str:
    kind, name, exchange = found["kind"], found["name"], found["exchange"]
    if kind == "exchange" and name in ("", DEFAULT_EXCHANGE):
        return "the default exchange"
    return f"the {kind} {name!r}" + (f" in the exchange {exchange!r}" if exchange else "")


def _refused_login(error: BaseException, url: str) -> Said:
    if type(error).__name__ != "AccessRefused" and "ACCESS_REFUSED" not in str(error):
        return None
    hint = "Check both in the URL."
    if "amqp" in url and "guest:" in url:
        hint += " guest may log in from the broker's own machine only."
    return f"{who(url)} refused the user name or password", hint


def _vhost(error: BaseException, url: str) -> Said:
    if type(error).__name__ == "NotAllowed" or "NOT_ALLOWED" in str(error):
        return _refused_vhost(str(error), url)
    if "DB index" in str(error):
        return f"{who(url)} has no such database: {error}", "Check the number in the URL's path."
    return None


def _refused_vhost(told: str, url: str) -> Said:
    if missing := re.search(r"vhost '?(.*?)'? not found", told):
        where = f"{who(url)} has no virtual host {missing[1]!r}"
        return where, "Check the path of the URL; the default one is // or /%2F."
    if closed := re.search(r"access to vhost '(.*)' refused for user '(.*)'$", told):
        where = f"{who(url)} does not let {closed[2]!r} into the virtual host {closed[1]!r}"
        return where, "Permit it (rabbitmqctl set_permissions), or check the path of the URL."
    return f"{who(url)} refused the virtual host: {told}", "Check the path of the URL."


def _unknown_host(error: BaseException, url: str) -> Said:
    words = ("Name or service not known", "Temporary failure in name resolution", "nodename nor")
    if not (isinstance(error, socket.gaierror) or any(word in str(error) for word in words)):
        return None
    return f"{who(url)} is on a host that nobody knows", "Check the host name, or the name service."


def _tls(error: BaseException, url: str) -> Said:
    if not isinstance(error, ssl.SSLError):
        return None
    if isinstance(error, ssl.SSLCertVerificationError):
        title = f"{who(url)} shows a TLS certificate that is not trusted: {error.verify_message}"
        if _plain(url) == "redis":
            return title, "Check ssl_ca_certs in the URL."
        return title, "Name its authority: broker_use_ssl of the app (-A), or SSL_CERT_FILE."
    if error.reason in NO_TLS:
        return f"{who(url)} does not speak TLS there", f"Write {_plain(url)}://, or TLS's own port."
    return f"{who(url)} and we do not agree on TLS: {error}", "Check the scheme and certificates."


def _plain(url: str) -> str:
    return url.partition("://")[0].removesuffix("s")


def _refused(error: BaseException, url: str) -> Said:
    if not (isinstance(error, ConnectionRefusedError) or "Connection refused" in str(error)):
        return None
    return f"{who(url)} refused the connection", "Check host and port, and that the broker runs."


def _timeout(error: BaseException, url: str) -> Said:
    if not isinstance(error, TimeoutError):
        return None
    return f"{who(url)} does not answer in time", "Check host, port and firewall, and its load."


CLOSED = (
    *("closed by server", "reset by peer", "Broken pipe", "Socket closed", "closed the conn"),
    "CONNECTION_FORCED",  # what RabbitMQ says when it is told to close one, or ends
)


def _closed(error: BaseException, url: str) -> Said:
    if not any(word in str(error) for word in CLOSED):
        return None
    return f"{who(url)} closed the connection", "Check that the broker still runs."


_RECOGNISERS: tuple[Callable[[BaseException, str], Said], ...] = (
    _driver,
    _scheme,
    _refused_operation,
    _refused_login,
    _vhost,
    _unknown_host,
    _tls,
    _refused,
    _closed,
    _timeout,
    _wrong_url,
)
