"""What we cost the broker of a large cluster: 2,000 queues of four lists, 500 workers."""

import io
import json
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from celery_tui.report import status
from celery_tui.settings import Settings
from tests.benchmarks.kit import fleet
from tests.benchmarks.kit.relay import Command, Relay, counted
from tests.benchmarks.kit.terminal import Terminal
from tests.servers import RedisServer

ROOT = Path(__file__).parents[2]
PROGRAM = str(Path(sys.executable).with_name("celery-tui"))
WORKERS, QUEUES = 500, 2_000
SETTLED_S, WATCHED_S = 8.0, 46.0
"""Watched for two readings of all lists."""
LISTENED_S = 10.0
COMMANDS_A_SECOND, BYTES_A_SECOND = 600, 1_000_000
GENEROUS = 3
"""A busy machine is no reason to fail; a poll of everything each second is."""


@pytest.fixture
def large_cluster(own_redis: RedisServer) -> Iterator[RedisServer]:
    """Queues with a message in each list, and workers that beat and answer but do not exist."""
    sizes = ("--workers", str(WORKERS), "--queues", str(QUEUES))
    command = [sys.executable, "-m", "tests.benchmarks.kit.fleet", own_redis.url(), *sizes]
    with subprocess.Popen(
        command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdin is not None
        assert process.stdout.readline() == "ready\n"
        yield own_redis
        process.stdin.close()


def busiest_second(commands: list[Command]) -> int:
    """Commands in the second that had most of them."""
    return max(Counter(int(command.at) for command in commands).values(), default=0)


def scanned_a_command(command: Command) -> int:
    """Keys that one SCAN may look at."""
    words = [word.upper() for word in command.words]
    return int(command.words[words.index(b"COUNT") + 1]) if b"COUNT" in words else 10


def test_a_large_cluster_costs_few_commands_and_is_found_in_steps(
    large_cluster: RedisServer,
) -> None:
    with (
        Relay(large_cluster.port) as relay,
        Terminal([PROGRAM, "-b", relay.url()], 160, 48) as terminal,
    ):
        took_s = terminal.wait_for(f"Queues {QUEUES}")
        print(f"[took] {QUEUES:,} queues of {4 * QUEUES:,} lists are on screen: {took_s:.3f} s")
        took_s = terminal.wait_for(f"Workers {WORKERS}")
        print(f"[took] and {WORKERS} workers: {took_s:.3f} s")
        first = list(relay.commands)
        terminal.read(SETTLED_S)
        began, octets = time.monotonic(), relay.sent_bytes + relay.heard_bytes
        terminal.read(WATCHED_S)
        per_second = len(relay.since(began)) / WATCHED_S
        bytes_per_second = (relay.sent_bytes + relay.heard_bytes - octets) / WATCHED_S
        sent = list(relay.commands)
    later = [command for command in sent if command.at >= began]
    print(f"{per_second:.0f} commands/s, at most {busiest_second(later)} in one second")
    print(f"{bytes_per_second / 1e6:.3f} MB/s to and from the broker")
    print(f"in {WATCHED_S:g} s: {counted(later)}")
    assert per_second < GENEROUS * COMMANDS_A_SECOND
    assert bytes_per_second < GENEROUS * BYTES_A_SECOND

    assert "KEYS" not in {command.name for command in sent}
    scans = [command for command in sent if command.name == "SCAN"]
    assert max(map(scanned_a_command, scans)) <= 1_000
    begun = [command for command in first if command.name == "SCAN"]
    print(f"found with {len(begun)} SCAN; at most {busiest_second(later)} commands a second later")
    assert len(begun) >= 4 * QUEUES / 1_000, "it went through all keys at once"


def test_what_a_script_is_told_of_a_large_cluster_is_what_was_laid_out(
    large_cluster: RedisServer,
) -> None:
    out = io.StringIO()
    where = Settings(broker=large_cluster.url())
    began = time.monotonic()
    status.run(where, LISTENED_S, as_json=True, out=out)
    told = json.loads(out.getvalue())
    print(f"[took] the document of all of it: {time.monotonic() - began:.3f} s")
    assert {one["hostname"]: one["state"] for one in told["workers"]} == {
        fleet.hostname(number): "online" for number in range(WORKERS)
    }
    assert {one["name"]: one["depth"] for one in told["queues"]} == {
        fleet.queue_name(number): len(fleet.STEPS) for number in range(QUEUES)
    }
    assert told["tasks"]["active"] == []
    assert not told["tasks"]["counts"].get("STARTED")
