"""Tasks whose results are compared between backends; any project's worker runs them with -I."""

import os
import time

from celery import Task, chain, chord, shared_task, signature


@shared_task(name="facts.add")
def add(x: float, y: float = 0) -> float:
    """The sum."""
    return x + y


@shared_task(name="facts.total")
def total(parts: list[float]) -> float:
    """The sum of many."""
    return sum(parts)


@shared_task(name="facts.fail")
def fail(message: str) -> None:
    """Raise ValueError with the message."""
    raise ValueError(message)


@shared_task(name="facts.stepping", bind=True)
def stepping(self: Task, path: str) -> None:
    """Tell how far it is, and stay there until the file is gone."""
    self.update_state(state="PROGRESS", meta={"current": 45, "total": 100})
    while os.path.exists(path):
        time.sleep(0.05)


@shared_task(name="facts.begin")
def begin(ids: list[str]) -> None:
    """A chain of three and a chord of two, under these ids."""
    add_one = [signature("facts.add", (n,), immutable=True, task_id=i) for n, i in enumerate(ids)]
    chain(*add_one[:3]).delay()
    chord(add_one[3:5], signature("facts.total", task_id=ids[5])).delay()
