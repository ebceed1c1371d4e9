"""A few tasks that move slowly: the load of a screen on which four rows change at every paint.

Run by itself: `python -m tests.benchmarks.kit.trickle URL`. It prints `ready` and ends when its
stdin closes. A row shows tenths of a second for 10 s after its task last
moved, so it changes at each of four paints a second. A task is received, starts 2.5 s later, ends
after another 2.5 s and then ages: 15 s in all. With a new task every 3.75 s these are four rows.
"""

import heapq
import itertools
import random
import select
import sys
import time
from collections.abc import Iterator

from .producer import Message, Wire, encoded, task_uuid

STEP_S = 2.5
TENTHS_S = 10.0
"""How long after its last move a task's age is shown in tenths of a second."""
ROWS = 4
EVERY_S = (2 * STEP_S + TENTHS_S) / ROWS
STEPS = ("task-received", "task-started", "task-succeeded")
HOST = "load0@bench"


def message(kind: str, number: int, at: float) -> Message:
    """One event of the task with that number."""
    text = {"name": "pay.charge", "args": f"({number},)", "kwargs": "{}", "retries": 0}
    more = {"task-received": text, "task-succeeded": {"result": "'paid'", "runtime": STEP_S}}
    head = {"hostname": HOST, "utcoffset": 0.0, "pid": 5000, "clock": 3 * number, "type": kind}
    task_id = task_uuid(random.Random(number))
    return (
        "task.multi",
        encoded([{**head, "uuid": task_id, **more.get(kind, {}), "timestamp": at}]),
        1,
    )


def moves(began: float) -> Iterator[tuple[float, Message]]:
    """Epoch seconds and event of every move of every task, in order, without end."""
    waiting: list[tuple[float, int, int]] = []
    for number in itertools.count(1):
        for step in range(len(STEPS)):
            heapq.heappush(waiting, (began + (number - 1) * EVERY_S + step * STEP_S, number, step))
        while waiting[0][0] < began + number * EVERY_S:
            at, of, step = heapq.heappop(waiting)
            yield at, message(STEPS[step], of, at)


def run(url: str) -> None:
    """Publish until stdin closes; at once what would have happened before."""
    wire = Wire(url)
    stream = moves(time.time() - ROWS * EVERY_S)
    at, event = next(stream)
    print("ready", flush=True)
    while not select.select([sys.stdin], [], [], 0.02)[0]:
        while at <= time.time():
            wire.publish([event])
            at, event = next(stream)
    wire.close()


if __name__ == "__main__":
    run(sys.argv[1])
