"""A user's Celery project whose every task writes its start and its end into a ledger.

It knows nothing of celery_tui. CT_BROKER and CT_BACKEND say where its servers are, CT_LEDGER
where it writes what has run, CT_CONF, if set, holds more of its configuration as JSON.
"""

import json
import os
import time
from pathlib import Path
from typing import Any

from celery import Celery, Task, chord
from celery.exceptions import Ignore, Retry

LONGEST_S = 180.0

app = Celery(
    "shop",
    broker=os.environ["CT_BROKER"],
    backend=os.environ.get("CT_BACKEND") or None,
)
app.conf.broker_connection_retry_on_startup = True
app.conf.update(json.loads(os.environ.get("CT_CONF", "{}")))


class Booked(Task):  # type: ignore[misc]
    """A task that keeps the book; a process that is killed leaves a start without an end."""

    abstract = True

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Run it between two lines of the ledger."""
        self._write("start", None)
        try:
            result = self.run(*args, **kwargs)
        except Ignore:
            self._write("end", "IGNORED")
            raise
        except Retry:
            self._write("end", "RETRY")
            raise
        except Exception:
            self._write("end", "FAILURE")
            raise
        self._write("end", "SUCCESS")
        return result

    def _write(self, what: str, state: str | None) -> None:
        """Append in one write, so that lines of several processes never mix."""
        line = {
            "at": time.time(),
            "what": what,
            "id": self.request.id,
            "name": self.name,
            "worker": self.request.hostname,
            "pid": os.getpid(),
            "state": state,
        }
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT
        descriptor = os.open(os.environ["CT_LEDGER"], flags, 0o600)
        try:
            os.write(descriptor, f"{json.dumps(line)}\n".encode())
        finally:
            os.close(descriptor)


@app.task(base=Booked, name="shop.add")
def add(x: int, y: int) -> int:
    """The sum."""
    return x + y


@app.task(base=Booked, name="shop.work")
def work(gate: str, outcome: str = "") -> str:
    """Go on until the file exists; then return, fail, or ask to be ignored."""
    until = time.monotonic() + LONGEST_S
    while not Path(gate).exists() and time.monotonic() < until:
        time.sleep(0.02)
    if outcome == "fail":
        raise ValueError(gate)
    if outcome == "ignore":
        raise Ignore
    return outcome


@app.task(base=Booked, name="shop.flow")
def flow(parts: list[str], body: str, gate: str, queue: str) -> None:
    """A chord of tasks that wait at the gate; its ids are given."""
    header = [work.si(gate).set(task_id=part, queue=queue) for part in parts]
    chord(header)(counted.s().set(task_id=body, queue=queue))


@app.task(base=Booked, name="shop.counted")
def counted(words: list[str]) -> int:
    """How many there are: the body of that chord."""
    return len(words)
