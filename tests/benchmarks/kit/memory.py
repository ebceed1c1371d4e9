"""Memory of one task in the model: prints JSON. Run by itself, in a fresh interpreter."""

import gc
import json
import os
import sys
import time

from celery_tui.model.cluster import Cluster
from celery_tui.model.events import decode
from celery_tui.model.observations import EventBatch
from celery_tui.model.task import Task

from .cost import private_mib
from .producer import Tasks


def text_bytes(task: Task) -> int:
    """Bytes of all text that belongs to this task alone."""
    fields = (getattr(task, name) for name in task.__struct_fields__)
    return sum(len(value.encode()) for value in fields if isinstance(value, str))


def main() -> None:
    """Entry point: the number of tasks is the argument."""
    count = int(sys.argv[1])
    source = Tasks(seed=3)
    stream = source.messages()
    cluster = Cluster(time.time(), max_tasks=count, max_failures=count)

    def feed(until: int) -> None:
        while source.tasks < until:
            _, body, _ = next(stream)
            batch = decode(body)
            cluster.apply(EventBatch(time.time(), batch.events, batch.malformed))

    feed(1_000)
    gc.collect()
    tasks, before = len(cluster.tasks), private_mib(os.getpid())
    text = sum(map(text_bytes, cluster.tasks.values()))
    feed(count)
    gc.collect()
    grown = (private_mib(os.getpid()) - before) * 2**20
    tasks = len(cluster.tasks) - tasks
    text = sum(map(text_bytes, cluster.tasks.values())) - text
    print(json.dumps({"tasks": tasks, "bytes": grown / tasks, "text": text / tasks}))


if __name__ == "__main__":
    main()
