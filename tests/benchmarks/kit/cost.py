"""What a process takes of the machine, and what its being there costs a Redis."""

import re
import time
from dataclasses import dataclass
from pathlib import Path

import psutil
import redis


def cpu_s(pid: int) -> float:
    """CPU seconds a process (its children not included) has used so far."""
    times = psutil.Process(pid).cpu_times()
    return float(times.user + times.system)


def private_mib(pid: int) -> float:
    """Memory that nobody shares with it, in MiB: RssAnon on Linux, else what psutil calls USS."""
    status = Path(f"/proc/{pid}/status")
    if status.exists():
        found = re.search(r"^RssAnon:\s+(\d+) kB", status.read_text(), re.MULTILINE)
        if found:
            return int(found[1]) / 1024
    return float(psutil.Process(pid).memory_full_info().uss) / 2**20


@dataclass(frozen=True)
class Traffic:
    """What a Redis has served until a moment."""

    at: float
    calls: dict[str, int]
    received: int
    """Bytes that came in."""
    sent: int
    """Bytes that went out."""

    @property
    def commands(self) -> int:
        """Of all kinds."""
        return sum(self.calls.values())


def traffic(client: "redis.Redis") -> Traffic:
    """What the Redis counts; our own question is left out."""
    told = client.info("everything")
    calls = {
        name.removeprefix("cmdstat_"): int(stat["calls"])
        for name, stat in told.items()
        if name.startswith("cmdstat_") and name != "cmdstat_info"
    }
    received, sent = int(told["total_net_input_bytes"]), int(told["total_net_output_bytes"])
    return Traffic(time.monotonic(), calls, received, sent)


@dataclass(frozen=True)
class PerSecond:
    """Commands and bytes a second between two moments."""

    commands: float
    bytes: float
    calls: dict[str, float]

    def less(self, other: "PerSecond") -> "PerSecond":
        """What is left when the other is taken away."""
        names = self.calls.keys() | other.calls.keys()
        calls = {name: self.calls.get(name, 0) - other.calls.get(name, 0) for name in names}
        return PerSecond(self.commands - other.commands, self.bytes - other.bytes, calls)

    @property
    def biggest(self) -> str:
        """The commands that make most of it, in words."""
        most = sorted(self.calls.items(), key=lambda pair: -pair[1])[:6]
        return ", ".join(
            f"{name.replace('|', ' ').upper()} {calls:.0f}" for name, calls in most if calls >= 0.5
        )


def per_second(before: Traffic, after: Traffic) -> PerSecond:
    """The rates between two moments."""
    took_s = after.at - before.at
    names = after.calls.keys()
    calls = {name: (after.calls[name] - before.calls.get(name, 0)) / took_s for name in names}
    octets = after.received - before.received + after.sent - before.sent
    return PerSecond((after.commands - before.commands) / took_s, octets / took_s, calls)
