"""Many workers that do not exist: their bindings, heartbeats and answers, on a real Redis.

Run by itself (`python -m tests.benchmarks.kit.fleet URL --workers 500 --queues 2000`). It prints
`ready` once everything is laid out, and ends when its stdin closes.
"""

import argparse
import base64
import json
import select
import sys
import threading
import time
import uuid
from typing import Any
from urllib.parse import urlsplit

import redis

from .producer import Message, Wire, encoded

SEPARATOR = "\x06\x16"
STEPS = ("", f"{SEPARATOR}3", f"{SEPARATOR}6", f"{SEPARATOR}9")
BEAT_EVERY_S = 2.0
TURN_S = 0.05


def hostname(number: int) -> str:
    """Node name of one worker."""
    return f"sim{number:03d}@fleet"


def queue_name(number: int) -> str:
    """Name of one queue."""
    return f"queue-{number:04d}"


def lay_out(client: "redis.Redis", workers: int, queues: int, lists: bool = True) -> None:
    """Bindings of all queues and mailboxes; in each priority list of a queue one message."""
    with client.pipeline(transaction=False) as pipe:
        for number in range(queues):
            name = queue_name(number)
            member = SEPARATOR.join((name, "", name))
            pipe.sadd(f"_kombu.binding.{name}", member)
            for step in STEPS if lists else ():
                pipe.rpush(f"{name}{step}", task_message(name))
        for number in range(workers):
            mailbox = f"{hostname(number)}.celery.pidbox"
            pipe.sadd("_kombu.binding.celery.pidbox", SEPARATOR.join(("", "", mailbox)))
        pipe.execute()


def task_message(queue: str) -> bytes:
    """A message as `send_task` leaves it."""
    task_id = str(uuid.uuid4())
    body = base64.b64encode(b"[[1, 2], {}, {}]").decode()
    headers = {"lang": "py", "task": "sample.add", "id": task_id, "argsrepr": "(1, 2)"}
    where = {"exchange": "", "routing_key": queue}
    properties = {
        "correlation_id": task_id,
        "delivery_mode": 2,
        "delivery_info": where,
        "priority": 0,
        "body_encoding": "base64",
        "delivery_tag": str(uuid.uuid4()),
    }
    kinds = {"content-encoding": "utf-8", "content-type": "application/json"}
    return encoded({"body": body, **kinds, "headers": headers, "properties": properties})


class Fleet:
    """Beats for all workers, and answers what is asked of them."""

    def __init__(self, url: str, workers: int, queues: int) -> None:
        self.workers = [hostname(number) for number in range(workers)]
        self._queues = [queue_name(number) for number in range(queues)]
        self._url = url
        self._client = redis.Redis.from_url(url)
        self._wire = Wire(url)
        self._clock = 0
        self.stopping = threading.Event()

    def beat(self) -> None:
        """Heartbeats, spread over their period as those of real workers are."""
        slices = int(BEAT_EVERY_S / TURN_S)
        turn, due = 0, time.monotonic()
        while not self.stopping.is_set():
            some = self.workers[turn % slices :: slices]
            self._wire.publish([self._heartbeat(name) for name in some])
            turn, due = turn + 1, due + TURN_S
            self.stopping.wait(max(0.0, due - time.monotonic()))

    def _heartbeat(self, name: str) -> Message:
        self._clock += 1
        event = {
            "hostname": name,
            "utcoffset": 0.0,
            "pid": 4321,
            "clock": self._clock,
            "freq": 2.0,
            "active": 0,
            "processed": 0,
            "loadavg": [0.1, 0.1, 0.1],
            "sw_ident": "py-celery",
            "sw_ver": "5.7.0",
            "sw_sys": "Linux",
            "timestamp": time.time(),
            "type": "worker-heartbeat",
        }
        return "worker.heartbeat", encoded(event), 1

    def answer(self) -> None:
        """Reply for every worker to each question heard on the control exchange."""
        database = urlsplit(self._url).path.strip("/") or "0"
        with self._client.pubsub() as heard:
            heard.subscribe(f"/{database}.celery.pidbox")
            while not self.stopping.is_set():
                told = heard.get_message(timeout=TURN_S)
                if told is not None and told["type"] == "message":
                    self._reply(json.loads(told["data"]))

    def _reply(self, message: dict[str, Any]) -> None:
        asked = json.loads(base64.b64decode(message["body"]))
        reply_to, ticket = asked.get("reply_to"), asked.get("ticket")
        if not reply_to:
            return
        exchange, key = reply_to["exchange"], reply_to["routing_key"]
        named = asked.get("destination")
        names = [name for name in self.workers if not named or name in named]
        for start in range(0, len(names), 25):
            some = names[start : start + 25]
            with self._client.pipeline(transaction=False) as pipe:
                for name in some:
                    pipe.smembers(f"_kombu.binding.{exchange}")
                    body = {name: self._payload(asked["method"], self.workers.index(name))}
                    reply = reply_message(exchange, key, ticket, body)
                    pipe.lpush(f"{key}.{exchange}", reply)
                pipe.execute()

    def _payload(self, question: str, number: int) -> Any:
        if question == "ping":
            return {"ok": "pong"}
        if question == "active_queues":
            share = self._queues[number :: len(self.workers)]
            return [{"name": name, "exchange": {"name": name}} for name in share]
        if question == "stats":
            pool = {"max-concurrency": 4, "processes": [1, 2, 3, 4], "implementation": "prefork"}
            usage = dict.fromkeys((f"figure{n}" for n in range(16)), 1.5)
            return {"pid": 4321, "uptime": 100, "total": {}, "pool": pool, "rusage": usage}
        if question == "registered":
            return [f"shop.tasks.number_{n}" for n in range(30)]
        return []


def reply_message(exchange: str, key: str, ticket: str, body: object) -> bytes:
    """A reply as a worker's mailbox sends it."""
    properties = {
        "delivery_mode": 1,
        "delivery_info": {"exchange": exchange, "routing_key": key},
        "priority": 0,
        "body_encoding": "base64",
        "delivery_tag": str(uuid.uuid4()),
    }
    return encoded(
        {
            "body": base64.b64encode(encoded(body)).decode(),
            "content-encoding": "utf-8",
            "content-type": "application/json",
            "headers": {"ticket": ticket, "clock": 1},
            "properties": properties,
        }
    )


def main() -> None:
    """Entry point."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("url")
    parser.add_argument("--workers", type=int, default=500)
    parser.add_argument("--queues", type=int, default=2000)
    options = parser.parse_args()
    client = redis.Redis.from_url(options.url)
    lay_out(client, options.workers, options.queues)
    client.close()
    fleet = Fleet(options.url, options.workers, options.queues)
    threads = [threading.Thread(target=job, daemon=True) for job in (fleet.beat, fleet.answer)]
    for thread in threads:
        thread.start()
    print("ready", flush=True)
    select.select([sys.stdin], [], [])
    fleet.stopping.set()


if __name__ == "__main__":
    main()
