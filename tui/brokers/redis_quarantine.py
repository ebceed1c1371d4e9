"""Purge that can be undone: a queue's lists are renamed aside, and moved back 500 at a time."""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import Any

from ..errors import BrokerError
from .base import Progress, Quarantined
from .redis_keys import (
    QUARANTINE,
    SEPARATOR,
    escaped,
    list_name,
    quarantine_name,
    split_quarantine,
)
from .redis_scan import Walk

STEPS_TRIED = 256
"""Every priority a Celery message can have; lists of other steps are named by the caller."""
CHUNK_MESSAGES = 500
CHUNK_BYTES = 4 * 1024 * 1024
"""A script holds the server up: large messages are moved in smaller chunks."""

# KEYS: list, its place in quarantine, list, ... One script: workers never see half of it, and
# a mover that is killed has renamed all or nothing. PERSIST: a queue's TTL (x-expires) must
# not travel along. Redis undoes nothing of a script whose later command it refuses (an ACL without
# PERSIST), so that each is tried where it changes nothing, before anything is moved.
ASIDE = """
local moved = {}
for i = 1, #KEYS, 2 do
    if redis.call('TYPE', KEYS[i])['ok'] == 'list' then
        redis.call('PERSIST', KEYS[i + 1])
        redis.call('LLEN', KEYS[i + 1])
        if redis.call('RENAMENX', KEYS[i], KEYS[i + 1]) == 1 then
            redis.call('PERSIST', KEYS[i + 1])
            moved[#moved + 1] = redis.call('LLEN', KEYS[i + 1])
        end
    end
end
return moved
"""

# The newest end of the quarantine goes first, to the old (right) end of the queue, so that the
# order is the old one at the end. Ten at a time: no more are in both places at once. The first
# LTRIM trims nothing: to a user who may not trim it says so before a message is in both places,
# and a Redis that is a replica or cannot save refuses it before anything is written. Once it was
# taken, a full one takes the rest: what comes back needs no more room than it had.
BACK = """
redis.call('LTRIM', KEYS[1], 0, -1)
local moved, bytes = 0, 0
while moved < tonumber(ARGV[1]) and bytes < tonumber(ARGV[2]) do
    local some = redis.call('LRANGE', KEYS[1], 0, 9)
    if #some == 0 then break end
    redis.call('RPUSH', KEYS[2], unpack(some))
    redis.call('LTRIM', KEYS[1], #some, -1)
    moved = moved + #some
    for i = 1, #some do bytes = bytes + #some[i] end
end
return moved
"""


def set_aside(
    client: Any, prefix: str, queue: str, steps: Iterable[int], separator: str = SEPARATOR
) -> Quarantined:
    """Rename every list of ``queue``; 0 moved when it had none."""
    at = time.time()
    name = quarantine_name(queue, at)
    wanted = sorted({*range(STEPS_TRIED), *steps})
    keys = [
        f"{prefix}{key}"
        for step in wanted
        for key in (list_name(queue, step, separator), f"{name}:{step}")
    ]
    moved = client.eval(ASIDE, len(keys), *keys)
    return Quarantined(name, sum(moved), queue, at)


def move_back(
    client: Any,
    prefix: str,
    name: str,
    progress: Progress | None,
    separator: str = SEPARATOR,
) -> int:
    """Move a quarantine's messages to the old end of their queue, the newest first."""
    parts = split_quarantine(name)
    if parts is None or parts[3] is not None:
        raise BrokerError(f"{name!r} is not the name of a quarantine", "Take one from Queues.")
    total: int = 0
    for key, step in _lists_of(client, prefix, name):
        target = f"{prefix}{list_name(parts[1], step, separator)}"
        while moved := client.eval(BACK, 2, key, target, CHUNK_MESSAGES, CHUNK_BYTES):
            total += int(moved)
            if progress is not None and progress(total) is False:
                return total
    return total


def _lists_of(client: Any, prefix: str, name: str) -> list[tuple[str, int]]:
    steps = {step for key, step in _walk(client, prefix) if key == name}
    return [(f"{prefix}{name}:{step}", step) for step in sorted(steps)]


def _walk(client: Any, prefix: str) -> list[tuple[str, int]]:
    walk = Walk(client, f"{escaped(prefix + QUARANTINE)}*", "list")
    found: list[tuple[str, int]] = []
    while not walk.ended:
        for key in walk.step():
            parts = split_quarantine(key[len(prefix) :])
            if parts is not None and parts[3] is not None:
                found.append((parts[0], parts[3]))
    return found


def listed(client: Any, prefix: str) -> list[Quarantined]:
    """All quarantines, oldest first, with how many messages each still holds."""
    counts: dict[str, int] = {}
    for name, step in set(_walk(client, prefix)):
        counts[name] = counts.get(name, 0) + client.llen(f"{prefix}{name}:{step}")
    found = []
    for name, count in counts.items():
        parts = split_quarantine(name)
        if parts is not None:
            found.append(Quarantined(name, count, parts[1], parts[2]))
    return sorted(found, key=lambda one: one.at)
