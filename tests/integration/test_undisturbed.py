"""The fleet does not notice us: heartbeats keep their rhythm, and looking asks and reads only."""

import base64
import itertools
import json
import random
import re
import statistics
import sys
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from celery_tui.backends.redis_recent import SCRIPT
from tests.benchmarks.kit.relay import Command, Relay, counted
from tests.benchmarks.kit.terminal import Terminal
from tests.servers import RedisServer, Worker, client, wait_for

PROGRAM = str(Path(sys.executable).with_name("celery-tui"))
BEATS = 6

READS = {
    "DBSIZE", "EXISTS", "GET", "HLEN", "HSCAN", "INFO", "LINDEX", "LLEN", "LPOS", "LRANGE",
    "MEMORY USAGE", "MGET", "PTTL", "SCAN", "SMEMBERS", "TTL", "TYPE",
}  # fmt: skip
CONNECTION = {
    "AUTH", "CLIENT SETINFO", "CLIENT SETNAME", "CLIENT MAINT_NOTIFICATIONS", "HELLO", "PING",
    "PSUBSCRIBE", "PUNSUBSCRIBE", "SELECT", "SUBSCRIBE", "UNSUBSCRIBE",
}  # fmt: skip
IN_SCRIPT = {"OBJECT", "PTTL", "SCAN", "STRLEN"}
"""What the one script asks that looks for recent results."""
UPKEEP = {"DEL", "LREM", "LTRIM", "PEXPIRE", "RPUSH", "SADD"}
"""What is done to the two keys of our own reply queue, inside MULTI and EXEC."""
UUID = r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"
OWN_KEY = re.compile(rf"(_kombu\.binding\.|{UUID}\.)reply\.{UUID}\.celery\.pidbox")
QUESTIONS = {
    "active", "active_queues", "conf", "ping", "registered", "reserved", "revoked", "scheduled",
    "stats",
}  # fmt: skip
KEYS = ["XTRDZEY", "123458", "jkghJKGL/:?.,;=-+*pfsyntabcmoiuvw ", "\t\r\x1b\x7f\x0c"]
"""Acts, screens, everything else that is a letter or a sign, control keys; q would only quit."""
ARROWS = ["\x1b[A", "\x1b[B", "\x1b[C", "\x1b[D", "\x1b[5~", "\x1b[6~", "\x1b[H", "\x1b[F"]


@pytest.fixture
def fleet(own_redis: RedisServer) -> Iterator[RedisServer]:
    """Two workers, some tasks that ran and some that wait in a queue nobody consumes."""
    broker, backend = own_redis.url(0), own_redis.url(1)
    first, second = (Worker(broker, backend, name=name).launch() for name in ("anna", "boris"))
    try:
        for worker in (first, second):
            wait_for(worker.is_ready, f"worker {worker.hostname} answers")
        app = client(broker, backend)
        for number in range(20):
            app.send_task("sample.add", (number, 1), ignore_result=True)
            app.send_task("sample.add", (number, 1), queue="nobody", ignore_result=True)
        app.close()
        yield own_redis
    finally:
        first.stop()
        second.stop()


class Beats:
    """What a subscriber of our own hears of workers, and of what they are asked."""

    def __init__(self, heard: "redis.client.PubSub") -> None:
        self._heard = heard
        self.came: dict[str, list[float]] = defaultdict(list)
        """``<worker> <event type>`` -> when, in monotonic seconds."""
        self.asked: set[str] = set()
        heard.psubscribe("/0.celeryev/worker.*", "/0.celery.pidbox")

    def fewest(self) -> int:
        """Beats of the worker that has beaten least since we began."""
        while (message := self._heard.get_message(timeout=0.0)) is not None:
            if message["type"] == "pmessage":
                body = json.loads(base64.b64decode(json.loads(message["data"])["body"]))
                if message["channel"] == b"/0.celery.pidbox":
                    self.asked.add(body["method"])
                else:
                    self.came[f"{body['hostname']} {body['type']}"].append(time.monotonic())
        return min(map(len, self.came.values())) if len(self.came) > 1 else 0


def rhythm(came: list[float]) -> tuple[float, float]:
    """Median and longest pause between two beats, in seconds."""
    gaps = [after - before for before, after in itertools.pairwise(came)]
    return statistics.median(gaps), max(gaps)


def test_workers_beat_by_themselves_and_are_never_asked_to(fleet: RedisServer) -> None:
    with redis.Redis.from_url(fleet.url()) as connection, connection.pubsub() as heard:
        beats = Beats(heard)
        # From the start on: a program that greets the fleet makes every worker beat at once.
        with Terminal([PROGRAM, "-b", fleet.url()], 120, 36) as terminal:
            terminal.wait_for("anna")

            def have_beaten() -> bool:
                terminal.read(0.1)
                return beats.fewest() >= BEATS

            wait_for(have_beaten, f"both workers beat {BEATS} times")
    for name, came in beats.came.items():
        usual, longest = rhythm(came)
        print(f"{name}: {len(came)} with us, median pause {usual:.2f} s, longest {longest:.2f} s")
        assert name.endswith("worker-heartbeat")
    assert "ping" in beats.asked
    assert beats.asked <= QUESTIONS


# -- what is sent ------------------------------------------------------------------------------


def why_not(command: Command) -> str:
    """Why a program that only looks must not send this; empty: it may."""
    name = command.name
    if name in READS or name in CONNECTION or name in ("MULTI", "EXEC"):
        return ""
    if name == "EVAL" and command.words[1].decode() == SCRIPT:
        return ""
    if name in UPKEEP:
        keys = command.words[1:] if name == "DEL" else command.words[1:2]
        foreign = [key for key in keys if not OWN_KEY.fullmatch(key.decode())]
        return f"{name} on a key that is not ours: {foreign}" if foreign else ""
    if name == "PUBLISH" and command.words[1] == b"/0.celery.pidbox":
        asked = json.loads(base64.b64decode(json.loads(command.words[2])["body"]))["method"]
        return "" if asked in QUESTIONS else f"broadcast {asked}"
    return f"{name} {command.words[1:3]!r}"


class Overheard:
    """MONITOR on a Redis: what the server itself says that certain clients sent."""

    def __init__(self, server: RedisServer) -> None:
        self._client = redis.Redis.from_url(server.url())
        self.heard: list[tuple[int, str]] = []
        """(port of the client, command's first word)."""
        self.in_scripts: set[str] = set()
        """First words of what scripts did."""
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._thread.start()
        self._ready.wait(10)

    def _listen(self) -> None:
        with self._client.monitor() as monitor:
            self._ready.set()
            for told in monitor.listen():
                words = told["command"].split()
                if words[:2] == ["PUBLISH", "end-of-overhearing"]:
                    return
                if told["client_type"] == "lua":
                    self.in_scripts.add(words[0].upper())
                else:
                    self.heard.append((int(told["client_port"]), words[0].upper()))

    def stop(self, server: RedisServer) -> None:
        """All that was sent until now has been heard."""
        with redis.Redis.from_url(server.url()) as connection:
            connection.publish("end-of-overhearing", "")
        self._thread.join(10)
        self._client.close()


def look(server: RedisServer, *options: str, keys: list[str]) -> list[Command]:
    """All that the dashboard sends while those keys are pressed; MONITOR must agree with it."""
    overheard = Overheard(server)
    with Relay(server.port) as relay:
        command = [PROGRAM, "-b", relay.url(), "--result-backend", relay.url(1), *options]
        with Terminal(command, 120, 36) as terminal:
            terminal.wait_for("anna")
            terminal.read(6.0)
            for key in keys:
                assert terminal.process.poll() is None, f"it ended after {key!r}"
                terminal.press(key)
                terminal.read(0.02)
            terminal.read(3.0)
        sent = list(relay.commands)
        overheard.stop(server)
        server_says = [name for port, name in overheard.heard if port in relay.ports]
    assert overheard.in_scripts <= IN_SCRIPT
    print(f"{len(sent)} commands: {counted(sent)}")
    # MONITOR hides logins, and what the server refused: CLIENT SETINFO is new in Redis 7.2.
    hidden = {"AUTH", "HELLO", "CLIENT"}
    said = [command.words[0].decode().upper() for command in sent]
    assert Counter(n for n in server_says if n not in hidden) == Counter(
        n for n in said if n not in hidden
    )
    return sent


def test_looking_sends_questions_and_reads_and_never_keys(fleet: RedisServer) -> None:
    sent = look(fleet, keys=list("2\x1b3\x1b4\x1b8\x1b1"))
    assert sent
    assert [reason for command in sent if (reason := why_not(command))] == []
    assert "KEYS" not in {command.name for command in sent}


def test_read_only_sends_nothing_else_whatever_keys_are_pressed(fleet: RedisServer) -> None:
    chance = random.Random(20)
    keys = [chance.choice([*chance.choice(KEYS), *ARROWS]) for _ in range(600)]
    sent = look(fleet, "--read-only", keys=keys)
    assert [reason for command in sent if (reason := why_not(command))] == []
