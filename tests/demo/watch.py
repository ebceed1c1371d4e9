"""A Celery client that watches a demo and knows nothing of its shop."""

import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

from celery import Celery

from celery_tui.demo.launcher import Demo

Seen = dict[str, set[str]]
"""Task names by type of event; worker events have an empty name."""


@contextmanager
def client_of(demo: Demo) -> Iterator[Any]:
    """A client on the broker of a demo."""
    app = Celery("client", broker=demo.broker_url, set_as_current=False)
    try:
        yield app
    finally:
        app.close()


def answering(client: Any) -> set[str]:
    """Hostnames of the workers that answer a ping."""
    return {name for reply in client.control.ping(timeout=1.0) for name in reply}


def events_until(client: Any, enough: Callable[[Seen], bool], limit_s: float) -> Seen:
    """Events seen until there are enough or the limit is over; prints how long it took."""
    began = time.monotonic()
    seen: Seen = defaultdict(set)
    names: dict[str, str] = {}

    def note(event: dict[str, Any]) -> None:
        task_id = event.get("uuid", "")
        names.setdefault(task_id, event.get("name") or "")
        seen[event["type"]].add(names[task_id])
        over = time.monotonic() - began > limit_s
        receiver.should_stop = over or enough(seen)

    with client.connection_for_read() as connection:
        receiver = client.events.Receiver(connection, handlers={"*": note})
        with suppress(TimeoutError):
            receiver.capture(limit=None, timeout=limit_s, wakeup=False)
    print(f"[took] events of the demo: {time.monotonic() - began:.3f} s")
    return seen
