"""A real Redis made to refuse: each mood lasts as long as its ``with`` block."""

from __future__ import annotations

import os
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path
from typing import Any

import redis

from tests.servers import RedisServer, wait_for

OPTIONS = ("--enable-debug-command", "yes", "--busy-reply-threshold", "50")
"""What the server is started with, so that it can be put into every mood."""
PASSWORD = "changed-since"
Mood = Callable[[RedisServer], AbstractContextManager[None]]


@contextmanager
def operator(server: RedisServer, **options: Any) -> Iterator[Any]:
    """A client of somebody who may everything."""
    with redis.Redis(port=server.port, socket_timeout=30, **options) as one:
        yield one


@contextmanager
def full(server: RedisServer) -> Iterator[None]:
    """maxmemory is reached, and nothing may be evicted."""
    with operator(server) as one:
        one.config_set("maxmemory", 1_000_000)
        try:
            yield
        finally:
            one.config_set("maxmemory", 0)


@contextmanager
def replica(server: RedisServer) -> Iterator[None]:
    """It follows another one, and has its data."""
    with RedisServer() as master, operator(server) as one, operator(master) as its:
        keys = {key: one.dump(key) for key in one.scan_iter()}
        for key, dumped in keys.items():
            its.restore(key, 0, dumped)
        one.replicaof("127.0.0.1", master.port)
        wait_for(lambda: one.info("replication")["master_link_status"] == "up", "it follows")
        try:
            yield
        finally:
            one.execute_command("REPLICAOF", "NO", "ONE")


@contextmanager
def unsaved(server: RedisServer) -> Iterator[None]:
    """A save has failed: something lies where its file should."""
    with operator(server) as one:
        place = Path(one.config_get("dir")["dir"]) / one.config_get("dbfilename")["dbfilename"]
        place.unlink(missing_ok=True)
        (place / "in-the-way").mkdir(parents=True)
        one.config_set("save", "3600 1000000")
        one.bgsave()
        wait_for(
            lambda: one.info("persistence")["rdb_last_bgsave_status"] != "ok", "the save fails"
        )
        try:
            yield
        finally:
            (place / "in-the-way").rmdir()
            place.rmdir()
            one.bgsave()
            wait_for(lambda: one.info("persistence")["rdb_last_bgsave_status"] == "ok", "it saves")


@contextmanager
def too_few(server: RedisServer) -> Iterator[None]:
    """It wants a replica beside it, and has none."""
    with operator(server) as one:
        one.config_set("min-replicas-to-write", 1)
        try:
            yield
        finally:
            one.config_set("min-replicas-to-write", 0)


@contextmanager
def loading(server: RedisServer) -> Iterator[None]:
    """It reads its data, slowly, and answers nothing else meanwhile."""
    with operator(server) as one:
        one.mset({f"ballast{number}": os.urandom(4_000) for number in range(500)})
        one.config_set("key-load-delay", 100_000)
        one.config_set("loading-process-events-interval-bytes", 1024)
        began = _behind(server, "DEBUG", "RELOAD")
        wait_for(lambda: one.info("persistence")["loading"] == 1, "it loads")
        try:
            yield
        finally:
            one.config_set("key-load-delay", 0)
            began.join(60)
            one.delete(*(f"ballast{number}" for number in range(500)))


@contextmanager
def busy(server: RedisServer) -> Iterator[None]:
    """Somebody's script does not end."""
    with operator(server) as one:
        began = _behind(server, "EVAL", "while true do end", "0")
        wait_for(lambda: _answer(one) == "BUSY", "it is busy")
        try:
            yield
        finally:
            one.execute_command("SCRIPT", "KILL")
            began.join(60)


def _behind(server: RedisServer, *words: str) -> threading.Thread:
    def run() -> None:
        with suppress(redis.RedisError), operator(server) as one:
            one.execute_command(*words)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    return thread


def _answer(one: Any) -> str:
    try:
        one.ping()
    except redis.RedisError as error:
        return str(error).partition(" ")[0]
    return ""


@contextmanager
def orphan(server: RedisServer) -> Iterator[None]:
    """A replica whose master cannot be reached, and that tells nothing old."""
    with operator(server) as one:
        one.config_set("replica-serve-stale-data", "no")
        one.replicaof("127.0.0.1", 1)
        try:
            yield
        finally:
            one.execute_command("REPLICAOF", "NO", "ONE")


@contextmanager
def another_password(server: RedisServer) -> Iterator[None]:
    """The password is another one than in our URL, and every connection was ended."""
    with operator(server) as one:
        one.config_set("requirepass", PASSWORD)
        for kind in ("normal", "pubsub"):
            one.client_kill_filter(_type=kind, skipme=True)
    try:
        yield
    finally:
        with operator(server, password=PASSWORD) as one:
            one.config_set("requirepass", "")


@contextmanager
def crowded(server: RedisServer) -> Iterator[None]:
    """Every place for a client is taken, and ours were ended."""
    with operator(server) as one:
        before = one.config_get("maxclients")["maxclients"]
        one.config_set("maxclients", 1)
        for kind in ("normal", "pubsub"):
            one.client_kill_filter(_type=kind, skipme=True)
        try:
            yield
        finally:
            one.config_set("maxclients", before)


@contextmanager
def clustered() -> Iterator[RedisServer]:
    """A node of a Redis Cluster that serves half of the slots, and knows of another one."""
    with RedisServer("--cluster-enabled", "yes", "--cluster-require-full-coverage", "no") as one:
        subprocess.run(
            ["redis-cli", "-p", str(one.port), "CLUSTER", "ADDSLOTSRANGE", "0", "8000"],
            check=True, capture_output=True,
        )  # fmt: skip
        time.sleep(0.1)
        yield one
