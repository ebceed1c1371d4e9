"""A user's Celery project as the integration tests run it: it knows nothing of celery_tui.

CT_BROKER and CT_BACKEND say where its servers are, CT_LEDGER where it writes what has run,
CT_CONF, if set, holds more of its configuration as JSON.
"""

import json
import os
import time
from typing import Any

from celery import Celery, Task

app = Celery(
    "sample",
    broker=os.environ["CT_BROKER"],
    backend=os.environ.get("CT_BACKEND") or None,
)
app.conf.broker_connection_retry_on_startup = True
app.conf.update(json.loads(os.environ.get("CT_CONF", "{}")))


@app.task
def add(x: float, y: float) -> float:
    """The sum."""
    return x + y


@app.task
def fail(message: str = "no reason") -> None:
    """Raise ValueError with the message."""
    raise ValueError(message)


@app.task(bind=True)
def slow(self: Task, seconds: float, path: str = "") -> float:
    """Sleep; a line `start <id>` and a line `end <id>` in the ledger frame it."""
    _write(f"start {self.request.id}", path)
    time.sleep(seconds)
    _write(f"end {self.request.id}", path)
    return seconds


@app.task(bind=True)
def held(self: Task, path: str) -> str:
    """Stay until the file is gone; the ledger has a start and an end, as of ``slow``."""
    _write(f"start {self.request.id}")
    while os.path.exists(path):
        time.sleep(0.05)
    _write(f"end {self.request.id}")
    return path


@app.task(bind=True)
def echo(self: Task, *args: Any, **kwargs: Any) -> None:
    """Write the id and the arguments as one line of JSON into the ledger."""
    _write(json.dumps({"id": self.request.id, "args": args, "kwargs": kwargs}))


@app.task(bind=True, max_retries=5)
def flaky(self: Task, times: int = 1, countdown: float = 0.5) -> int:
    """Ask for a retry the given number of times, then return how often it was tried."""
    if self.request.retries < times:
        raise self.retry(countdown=countdown, exc=ConnectionError("not yet"))
    return int(self.request.retries) + 1


@app.task(bind=True)
def stepping(self: Task, current: float, total: float, path: str) -> str:
    """Tell how far it is, and stay there until the file is gone."""
    self.update_state(state="PROGRESS", meta={"current": current, "total": total})
    while os.path.exists(path):
        time.sleep(0.05)
    return "done"


def _write(line: str, path: str = "") -> None:
    """Append in one write, so that lines of several processes never mix."""
    name = path or os.environ["CT_LEDGER"]
    descriptor = os.open(name, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        os.write(descriptor, f"{line}\n".encode())
    finally:
        os.close(descriptor)
