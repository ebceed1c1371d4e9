"""A Redis master, its replica and real sentinels that watch them, on loopback ports."""

from __future__ import annotations

import time
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Self

import redis

from tests.servers import RedisServer, free_port, wait_for

MASTER = "celery-main"
NOTICED_AFTER_MS = 700


class SentinelServer(RedisServer):
    """A sentinel that calls a silent master dead soon, and decides alone."""

    def __init__(self, master_port: int, master_password: str = "", password: str = "") -> None:
        super().__init__(password=password or None)
        self._watched, self._login = master_port, master_password

    def _command(self, port: int) -> list[str]:
        self._folder.mkdir(parents=True, exist_ok=True)
        lines = [
            f"port {port}",
            "bind 127.0.0.1",
            f"dir {self._folder}",
            f"logfile {self.log}",
            f"sentinel monitor {MASTER} 127.0.0.1 {self._watched} 1",
            f"sentinel down-after-milliseconds {MASTER} {NOTICED_AFTER_MS}",
            f"sentinel failover-timeout {MASTER} 3000",
            *([f"sentinel auth-pass {MASTER} {self._login}"] if self._login else ()),
            *([f"requirepass {self.password}"] if self.password else ()),
        ]
        path = Path(self._folder, "sentinel.conf")
        path.write_text("\n".join(lines) + "\n")
        return [self._program, str(path), "--sentinel"]


class Watched:
    """One master, one replica, one sentinel; its URL begins with a sentinel that is dead."""

    def __init__(self, password: str = "", sentinel_password: str = "") -> None:
        self._stack = ExitStack()
        self.password, self._sentinel_password = password, sentinel_password
        login = ("--masterauth", password) if password else ()
        # A master that comes back must not be followed before the sentinel has said so.
        quick = ("--repl-diskless-sync-delay", "0", "--repl-ping-replica-period", "1")
        self.master = RedisServer(*quick, *login, password=password or None)
        self.replica = RedisServer(*quick, *login, password=password or None)

    def __enter__(self) -> Self:
        try:
            self._start()
        except BaseException:
            self._stack.close()
            raise
        return self

    def _start(self) -> None:
        self._stack.enter_context(self.master)
        self._stack.enter_context(self.replica)
        with self.to(self.replica) as one:
            one.replicaof("127.0.0.1", self.master.port)
            wait_for(
                lambda: one.info("replication").get("master_link_status") == "up",
                "the replica follows",
            )
        self.sentinel = SentinelServer(self.master.port, self.password, self._sentinel_password)
        self._stack.enter_context(self.sentinel)
        wait_for(self._sees_both, "the sentinel knows the replica")

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stack.close()

    def to(self, server: RedisServer) -> redis.Redis:
        """A plain client on one of the servers."""
        return redis.Redis(port=server.port, password=server.password, decode_responses=True)

    def url(self, db: int = 0, *, master: str | None = MASTER, dead_first: bool = True) -> str:
        """As a user writes it: the login and the database once, in front."""
        login = f":{self.password}@" if self.password else ""
        hosts = [f"127.0.0.1:{self.sentinel.port}"]
        if dead_first:
            hosts.insert(0, f"127.0.0.1:{free_port()}")
        first = f"sentinel://{login}{hosts[0]}/{db}"
        url = ";".join([first, *(f"sentinel://{host}" for host in hosts[1:])])
        return f"{url}?master_name={master}" if master else url

    def master_port(self) -> int:
        """Whom the sentinel calls master now."""
        with self.to(self.sentinel) as one:
            return int(one.sentinel_get_master_addr_by_name(MASTER)[1])

    def fail_over(self) -> float:
        """Kill the master; seconds until the replica was promoted."""
        began = time.monotonic()
        self.master.kill()
        wait_for(lambda: self.master_port() == self.replica.port, "the replica is promoted")
        with self.to(self.replica) as one:
            wait_for(lambda: one.info("replication")["role"] == "master", "it acts as the master")
        return time.monotonic() - began

    def _sees_both(self) -> bool:
        with self.to(self.sentinel) as one:
            masters = one.sentinel_masters()
        found = masters.get(MASTER) or {}
        return int(found.get("num-slaves", 0)) == 1
