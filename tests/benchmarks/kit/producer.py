"""Publishes worker events as Celery does, at a rate; prints one JSON line with what it sent.

Run by itself (`python -m tests.benchmarks.kit.producer URL --rate 500 --seconds 20`), so that
the load is no part of what is measured. Its workers beat too.
"""

import argparse
import base64
import itertools
import json
import math
import random
import socket
import sys
import threading
import time
import uuid
from collections.abc import Iterator, Mapping
from urllib.parse import urlsplit

import msgspec
import redis

WORKERS = 4
BEAT_EVERY_S = 2.0
TICK_S = 0.001
"""Short, so that messages come one by one, as they do from real workers."""
TRACEBACK = "Traceback (most recent call last):\n" + '  File "app.py", line 17, in run\n' * 6
TASKS = ("shop.checkout.start", "pay.charge", "pdf.render_invoice", "crm.sync_account")
BATCH = (1, 1, 2, 2, 2, 3)
"""Events in one message of a busy prefork worker, as often as they were seen (mean 1.8)."""
Fields = Mapping[str, object]
Message = tuple[str, bytes, int]
"""Routing key, body, events in it."""


class Tasks:
    """An endless stream of messages: each task is sent, received, started and ends."""

    def __init__(self, seed: int = 1, sent: bool = True) -> None:
        self._random = random.Random(seed)
        self._sent = sent
        self._clock = itertools.count(1)
        self.pids = {f"load{number}@bench": 5000 + number for number in range(WORKERS)}
        self.processed = dict.fromkeys(self.pids, 0)
        self.tasks = 0
        self._batches: dict[str, list[dict[str, object]]] = {name: [] for name in self.pids}
        self._due = dict.fromkeys(self.pids, 1)

    def messages(self) -> Iterator[Message]:
        """One message after the other, without end."""
        while True:
            yield from self._one_task()

    def _one_task(self) -> Iterator[Message]:
        self.tasks += 1
        worker = self._random.choice(list(self.pids))
        task_id = task_uuid(self._random)
        name = self._random.choice(TASKS)
        text = {"args": f"({self.tasks}, 'customer {self.tasks}')", "kwargs": "{'tries': 3}"}
        kin = {"root_id": task_id, "parent_id": None, "retries": 0, "eta": None, "expires": None}
        if self._sent:
            where = {"queue": "celery", "exchange": "", "routing_key": "celery"}
            sent = {"uuid": task_id, "name": name, **text, **kin, **where}
            yield "task.sent", encoded(self._event("task-sent", "gen77@web-1", 77, sent)), 1
        yield from self._from_worker(
            worker, "task-received", task_id, {"name": name, **text, **kin}
        )
        yield from self._from_worker(worker, "task-started", task_id, {})
        self.processed[worker] += 1
        if self._random.random() < 0.03:
            failed = {"exception": "ValueError('card declined')", "traceback": TRACEBACK}
            yield from self._from_worker(worker, "task-failed", task_id, failed)
        else:
            ended = {"result": f"'order {self.tasks}'", "runtime": self._random.random()}
            yield from self._from_worker(worker, "task-succeeded", task_id, ended)

    def _from_worker(
        self, worker: str, kind: str, task_id: str, fields: Fields
    ) -> Iterator[Message]:
        batch = self._batches[worker]
        batch.append(self._event(kind, worker, self.pids[worker], {"uuid": task_id, **fields}))
        if len(batch) >= self._due[worker]:
            yield "task.multi", encoded(batch), len(batch)
            batch.clear()
            self._due[worker] = self._random.choice(BATCH)

    def rest(self) -> Iterator[Message]:
        """What still waits in the batches."""
        for batch in self._batches.values():
            if batch:
                yield "task.multi", encoded(batch), len(batch)
                batch.clear()

    def beats(self) -> Iterator[Message]:
        """One heartbeat of each worker."""
        for worker, pid in self.pids.items():
            load = {"freq": 2.0, "active": 1, "processed": self.processed[worker]}
            told = {"loadavg": [0.5, 0.4, 0.3], "sw_ident": "py-celery", "sw_ver": "5.7.0"}
            fields = {**load, **told, "sw_sys": "Linux"}
            beat = self._event("worker-heartbeat", worker, pid, fields)
            yield "worker.heartbeat", encoded(beat), 1

    def _event(self, kind: str, hostname: str, pid: int, fields: Fields) -> dict[str, object]:
        head = {"hostname": hostname, "utcoffset": 0.0, "pid": pid, "clock": next(self._clock)}
        return {**head, **fields, "timestamp": time.time(), "type": kind}


def task_uuid(chance: random.Random) -> str:
    """A task id that is the same in every run."""
    return str(uuid.UUID(int=chance.getrandbits(128), version=4))


def encoded(body: object) -> bytes:
    """An event, or a list of them, as JSON."""
    return msgspec.json.encode(body)


def envelope(routing_key: str, body: bytes) -> bytes:
    """kombu's JSON envelope around a body."""
    properties = {
        "delivery_mode": 1,
        "delivery_info": {"exchange": "celeryev", "routing_key": routing_key},
        "priority": 0,
        "body_encoding": "base64",
        "delivery_tag": str(uuid.uuid4()),
    }
    return encoded(
        {
            "body": base64.b64encode(body).decode(),
            "content-encoding": "utf-8",
            "content-type": "application/json",
            "headers": {"hostname": "load@bench"},
            "properties": properties,
        }
    )


class Wire:
    """Publishes to one Redis without waiting for each answer."""

    def __init__(self, url: str) -> None:
        self._client = redis.Redis.from_url(url)
        self._prefix = f"/{urlsplit(url).path.strip('/') or 0}.celeryev/"
        self.events = 0

    def publish(self, messages: list[Message]) -> None:
        """In one pipeline."""
        with self._client.pipeline(transaction=False) as pipe:
            for routing_key, body, count in messages:
                pipe.publish(f"{self._prefix}{routing_key}", envelope(routing_key, body))
                self.events += count
            pipe.execute()

    def close(self) -> None:
        """Let the connection go."""
        self._client.close()


def run(
    url: str, rate: float, seconds: float, seed: int, events: int, stopped: threading.Event
) -> dict[str, object]:
    """Publish at a rate for so long, or so many events at once; what was sent."""
    tasks, wire = Tasks(seed), Wire(url)
    stream = tasks.messages()
    wire.publish(list(tasks.beats()))
    task_events, began, beat_at = 0, time.monotonic(), time.monotonic() + BEAT_EVERY_S
    while not stopped.is_set():
        now = time.monotonic()
        if now - began >= seconds and task_events >= events:
            break
        due = events if events else rate * (now - began)
        messages: list[Message] = []
        while task_events < due:
            message = next(stream)
            task_events += message[2]
            messages.append(message)
        if now >= beat_at:
            beat_at += BEAT_EVERY_S
            messages.extend(tasks.beats())
        wire.publish(messages)
        if not events:
            time.sleep(TICK_S)
    took_s = time.monotonic() - began
    rest = [*tasks.rest(), *tasks.beats()]
    task_events += sum(count for key, _, count in rest if key == "task.multi")
    wire.publish(rest)
    wire.close()
    told = {"events": wire.events, "tasks": tasks.tasks, "took_s": took_s}
    return {**told, "per_s": task_events / took_s, "host": socket.gethostname()}


def _wait_closed(stopped: threading.Event) -> None:
    sys.stdin.read()
    stopped.set()


def main() -> None:
    """Entry point."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("url")
    parser.add_argument("--rate", type=float, default=0.0, help="events a second")
    parser.add_argument("--seconds", type=float, default=0.0)
    parser.add_argument("--events", type=int, default=0, help="so many at once, instead of a rate")
    parser.add_argument("--until-closed", action="store_true", help="until its stdin closes")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    stopped = threading.Event()
    seconds = options.seconds
    if options.until_closed:
        seconds = math.inf
        threading.Thread(target=_wait_closed, args=(stopped,), daemon=True).start()
    told = run(options.url, options.rate, seconds, options.seed, options.events, stopped)
    print(json.dumps(told), flush=True)


if __name__ == "__main__":
    main()
