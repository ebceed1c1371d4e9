"""Tasks that ended long ago: what a model holds that has been watching for hours."""

import gc
import itertools
import random
from collections.abc import Iterator

from celery_tui.model.cluster import Cluster
from celery_tui.model.events import Event
from celery_tui.model.observations import EventBatch
from celery_tui.settings import Settings

from .producer import TASKS, WORKERS, task_uuid

LAST_S, SPAN_S = 3_600.0, 8 * 3_600.0
"""The last one ended so long ago that ages change once a minute; the first that much earlier."""
AT_ONCE = 1_000


def room(count: int, settings: Settings) -> Settings:
    """Settings under which so many tasks are kept, and of what comes only as many as leave."""
    return Settings(
        broker=settings.broker,
        no_diff=settings.no_diff,
        max_tasks=count,
        max_failures=max(10, count // 100),
    )


def fill(cluster: Cluster, count: int, now: float) -> None:
    """Fold in the events of so many tasks, all of which succeeded hours before ``now``."""
    gc.disable()
    events = _events(count, now - LAST_S - SPAN_S)
    while some := tuple(itertools.islice(events, AT_ONCE)):
        cluster.apply(EventBatch(some[-1].timestamp, some, {}))
    gc.enable()


def _events(count: int, first: float) -> Iterator[Event]:
    """As of real tasks: nothing in a row is like the row before it."""
    chance = random.Random(5)
    for number in range(count):
        ended, runtime = first + SPAN_S * number / count, chance.uniform(0.1, 9.0)
        task_id, worker = task_uuid(chance), f"load{chance.randrange(WORKERS)}@bench"
        text = f"({number}, 'customer {chance.randrange(10_000)}')"
        yield Event(
            "task-received", ended - runtime, worker, uuid=task_id, name=chance.choice(TASKS),
            args=text, kwargs="{'tries': 3}", retries=0,
        )  # fmt: skip
        yield Event(
            "task-succeeded", ended, worker, uuid=task_id, runtime=runtime,
            result=f"'order {number}'",
        )  # fmt: skip
