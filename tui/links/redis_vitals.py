"""Whether a Redis that answers takes anything from anybody, from what it says of itself in INFO.

Who only reads would not notice that it is full, a replica, or cannot save: reads go on.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

import msgspec

from .. import refusals

EVERY_S = 2.0
SECTIONS = ("memory", "replication", "persistence")
MIB = 1024 * 1024


def ping(client: Any) -> None:
    """Prove that it answers and can be read: who cannot save refuses even PING."""
    try:
        client.ping()
    except Exception as error:
        if not refusals.is_readable(error):
            raise


class Refused(msgspec.Struct, frozen=True):
    """What a server that can be read takes from nobody."""

    kind: str
    title: str
    hint: str
    facts: str = ""


class Vitals:
    """Looks every two seconds; says nothing where the user may not run INFO."""

    def __init__(self, client: Any, who: str, takes: str) -> None:
        """``who`` is the subject of the sentence, ``takes`` what the server keeps for us."""
        self._client, self._who, self._takes = client, who, takes
        self._due = 0.0
        self._permitted = True
        self._looks_above = 0
        self.refused: Refused | None = None
        """What it refused when it was looked at last."""

    def look(self) -> Refused | None:
        """What it refuses now. Raises redis.RedisError where it cannot be asked at all."""
        now = time.monotonic()
        if self._permitted and now >= self._due:
            self._due = now + EVERY_S
            self.refused = self._judged()
        return self.refused

    def _judged(self) -> Refused | None:
        info = self._info()
        self._looks_above = self._looks_above + 1 if _above(info) else 0
        kind = _kind(info, self._looks_above) if info else ""
        if not kind or (kind == "save" and not self._stops_when_unsaved()):
            return None
        refusal = refusals.BY_KIND[kind]
        facts = memory_facts(info) if kind == "memory" else ""
        return Refused(kind, refusal.sentence(self._who, self._takes), refusal.hint, facts)

    def _info(self) -> dict[str, Any]:
        from redis.exceptions import ResponseError

        found: dict[str, Any] = {}
        try:
            for section in SECTIONS:
                found |= self._client.info(section)
        except ResponseError as error:
            if refusals.of(error) is not None:
                raise
            self._permitted = False  # by an ACL, or by a proxy that knows no INFO
            return {}
        return found

    def _stops_when_unsaved(self) -> bool:
        """Whether a failed save refuses writes; where that may not be asked it is not said."""
        from redis.exceptions import ResponseError

        try:
            told = self._client.config_get("stop-writes-on-bgsave-error", "save")
        except (ResponseError, TypeError):
            return False
        return told.get("stop-writes-on-bgsave-error") == "yes" and bool(told.get("save"))


def _kind(info: Mapping[str, Any], looks_above: int) -> str:
    """As Redis itself decides; it evicts before it refuses, so being above may be a moment's."""
    if info.get("role") == "slave" and int(info.get("slave_read_only", 1)):
        return "replica"
    policy = str(info.get("maxmemory_policy", ""))
    if looks_above >= {"noeviction": 1}.get(policy, 2) and not policy.startswith("allkeys"):
        return "memory"
    return "save" if info.get("rdb_last_bgsave_status", "ok") != "ok" else ""


def _above(info: Mapping[str, Any]) -> bool:
    most = int(info.get("maxmemory", 0))
    counted = int(info.get("used_memory", 0)) - int(info.get("mem_not_counted_for_evict", 0))
    return bool(most) and counted > most


def memory_facts(info: Mapping[str, Any]) -> str:
    """``3.3 of 1.0 MiB used, maxmemory-policy noeviction``."""
    used, most = int(info.get("used_memory", 0)) / MIB, int(info.get("maxmemory", 0)) / MIB
    return f"{used:,.1f} of {most:,.1f} MiB used, maxmemory-policy {info.get('maxmemory_policy')}"
