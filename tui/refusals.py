"""What a server that stands may answer instead of obeying: the one table of kinds, words, hints."""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Refusal:
    """One way of saying no. ``{takes}`` is what the server keeps for us: messages or results."""

    kind: str
    """As it stands in Health and in errors."""
    rule: str
    """Of the finding it is."""
    word: str
    """For the header, in capitals."""
    says: str
    """What follows the server's name: ``is full: it takes no messages``."""
    hint: str
    codes: tuple[str, ...] = ()
    """First words of Redis' errors."""
    names: tuple[str, ...] = ()
    """Classes of redis-py's errors, which keep no first word."""
    texts: tuple[str, ...] = ()
    """Where neither tells: what stands in the error."""
    read: bool = False
    """Whether it can be read all the same."""
    mute: bool = False
    """Whether nobody can send anything, so that workers cannot be heard."""
    brief: str = ""
    """The same in few words; empty: those of ``says``, of a Redis."""

    @property
    def is_redis(self) -> bool:
        """Whether a Redis says so, to one command, of which nothing was done."""
        return bool(self.codes or self.names or self.texts)

    def sentence(self, who: str, takes: str = "messages") -> str:
        """Title of an error or a finding."""
        return f"{who} {self.says.format(takes=takes)}"

    def reason(self, takes: str = "messages") -> str:
        """The same in few words, for acts and the Log: ``Redis is full: it takes no messages``."""
        return self.brief or self.sentence("Redis", takes).partition(",")[0]


TABLE = (
    Refusal(
        "alarm", "broker-blocked", "BLOCKED",
        "takes no messages now: it is low on memory or disk",
        "See its alarms (rabbitmq-diagnostics alarms); what was sent may still go out after.",
        mute=True, brief="The broker is blocked by an alarm",
    ),
    Refusal(
        "memory", "redis-memory", "FULL",
        "is full: it takes no {takes}",
        "Raise maxmemory or free keys (old results, a queue that nobody consumes). An eviction "
        "policy that may take any key (allkeys-…) throws queues and bindings away.",
        codes=("OOM",), names=("OutOfMemoryError",), read=True,
    ),
    Refusal(
        "replica", "redis-replica", "REPLICA",
        "is a replica: it takes no {takes}, and can only be read",
        "Name its master (redis-cli ROLE tells it), or all sentinels with sentinel://; "
        "while a failover lasts, wait.",
        codes=("READONLY",), names=("ReadOnlyError",), read=True,
    ),
    Refusal(
        "save", "redis-save", "CANNOT SAVE",
        "cannot save to disk: it takes no {takes}",
        "Its own log says why (disk full, no right to write there). Until that is mended, "
        "CONFIG SET stop-writes-on-bgsave-error no takes them unsaved.",
        codes=("MISCONF",), read=True,
    ),
    Refusal(
        "replicas", "redis-replicas", "NO REPLICAS",
        "has too few replicas: it takes no {takes}",
        "Start its replicas, or lower min-replicas-to-write.",
        codes=("NOREPLICAS",), read=True,
    ),
    Refusal(
        "loading", "redis-loading", "LOADING",
        "is still loading its data",
        "Wait; it is tried again.",
        codes=("LOADING",), names=("BusyLoadingError",), mute=True,
    ),
    Refusal(
        "script", "redis-busy", "BUSY",
        "is held up by a script and answers nobody",
        "redis-cli SCRIPT KILL (or FUNCTION KILL) ends it; one that has written can only be "
        "waited for, or SHUTDOWN NOSAVE loses what is not saved.",
        codes=("BUSY",), mute=True,
    ),
    Refusal(
        "orphan", "redis-orphan", "NO MASTER",
        "is a replica without its master, and answers nothing",
        "Start or name its master, or let it answer all the same: "
        "CONFIG SET replica-serve-stale-data yes.",
        codes=("MASTERDOWN",), names=("MasterDownError",), mute=True,
    ),
    Refusal(
        "cluster", "redis-cluster", "CLUSTER",
        "is part of a Redis Cluster, and Celery knows none",
        "Use a Redis without cluster-enabled: a queue's keys lie on several nodes there.",
        codes=("MOVED", "ASK", "CROSSSLOT", "CLUSTERDOWN", "TRYAGAIN"),
        names=("MovedError", "AskError", "ClusterCrossSlotError", "ClusterDownError",
               "TryAgainError"),
        texts=("not allowed in cluster mode", "non local key in a cluster node"),
    ),
    Refusal(
        "password", "redis-password", "PASSWORD",
        "refused the password",
        "Check user and password in the URL: it may have been changed.",
        codes=("WRONGPASS",), texts=("invalid username-password", "invalid password"),
    ),
    Refusal(
        "needless-password", "redis-password", "PASSWORD",
        "has no password, and the URL gives one",
        "Leave it out of the URL.",
        texts=("without any password configured",),
    ),
    Refusal(
        "no-password", "redis-password", "PASSWORD",
        "wants a password",
        "Put it into the URL, before the host: user:password@host, or :password@host.",
        codes=("NOAUTH",),
        names=("AuthenticationError", "AuthenticationWrongNumberOfArgsError"),
    ),
    Refusal(
        "clients", "redis-clients", "NO ROOM",
        "has no room for another client",
        "Raise maxclients, or see who holds them: redis-cli CLIENT LIST.",
        names=("MaxClientsError",), texts=("max number of clients reached",),
    ),
)  # fmt: skip
"""Those come first that say more."""
BY_KIND = {one.kind: one for one in TABLE}
_IN_PIPELINE = re.compile(r"Command # \d+ \(.*\) of pipeline caused error: ", re.DOTALL)
_IN_SCRIPT = re.compile(r" -([A-Z]{3,}) ")
"""How a Redis before 7 tells what a command of a script met."""


def said(error: BaseException) -> str:
    """The server's own words, without redis-py's around them: they may hold whole messages."""
    return _IN_PIPELINE.sub("", str(error), count=1)


def of(error: BaseException) -> Refusal | None:
    """Which refusal a driver's error is; None: it is none of them, the link may be lost."""
    name, words = type(error).__name__, said(error)
    codes = {words.partition(" ")[0], *_IN_SCRIPT.findall(words[:500])}
    for one in TABLE:
        if codes.intersection(one.codes) or any(text in words for text in one.texts):
            return one
    return next((one for one in TABLE if name in one.names), None)


def is_readable(error: BaseException) -> bool:
    """Whether a server answered that can be read all the same, and only takes nothing."""
    refusal = of(error)
    return refusal is not None and refusal.read
