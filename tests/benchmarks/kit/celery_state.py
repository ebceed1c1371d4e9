"""Celery's own receiver and State as a yardstick: the CPU they take for one event.

Run by itself: `python -m tests.benchmarks.kit.celery_state URL`. It prints `ready`, listens until
its stdin closes, and prints JSON.
"""

import json
import sys
import threading
import time

from celery import Celery
from celery.events.state import State


def main() -> None:
    """Entry point."""
    app = Celery("state", broker=sys.argv[1], set_as_current=False)
    state = State(max_tasks_in_memory=10_000)
    connection = app.connection_for_read()
    receiver = app.events.Receiver(connection, handlers={"*": state.event})

    def until_closed() -> None:
        sys.stdin.read()
        receiver.should_stop = True

    threading.Thread(target=until_closed, daemon=True).start()
    connection.connect()
    before = time.process_time()
    print("ready", flush=True)
    receiver.capture(limit=None, timeout=None, wakeup=False)
    used_s = time.process_time() - before
    print(json.dumps({"events": state.event_count, "cpu_s": used_s}), flush=True)
    connection.release()


if __name__ == "__main__":
    main()
