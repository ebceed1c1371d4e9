"""An act leaves nothing in Redis; killed while it waits, only what expires by itself."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.servers import wait_for
from tests.sources.fleet import Fleet, running_fleet

EXPIRES_WITHIN_S = 60

ACTS = """
import sys, time
from celery_tui import actions
from celery_tui.actions.base import Context, KnownWorker
from celery_tui.links.kombu_link import opened
from celery_tui.links.site import site_of
from celery_tui.model.seam import Act, ActionRequest, Target
from celery_tui.model.task import RECEIVED, Task
from celery_tui.model.worker import ONLINE
from celery_tui.settings import Settings

url, act, worker, task_id = sys.argv[1:]
settings = Settings(broker=url)
site = site_of(settings)
target = Target("worker", worker) if act == Act.EVENTS_ON else Target("task", task_id)
context = Context(
    settings,
    lambda: opened(site),
    workers={worker: KnownWorker(worker, ONLINE, "prefork", ("celery",))},
    tasks={task_id: Task(task_id, state=RECEIVED)},
)
context.stopping.set()
request = ActionRequest("one", Act(act), (target,), time.time(), signal="TERM")
actions.run(request, context, lambda said: print(said.stage, said.text, flush=True))
"""


@pytest.fixture
def fleet() -> Iterator[Fleet]:
    with running_fleet(name="acted") as one:
        yield one


@contextmanager
def acting(fleet: Fleet, act: str, task_id: str) -> Iterator[subprocess.Popen[str]]:
    """An act in a process of its own; each line it prints is an outcome."""
    command = [sys.executable, "-c", ACTS, fleet.url, act, fleet.worker.hostname, task_id]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def waits_for_its_eta(fleet: Fleet) -> str:
    """A task that the worker has received and keeps."""
    task_id = str(fleet.app.send_task("sample.add", (1, 2), countdown=600).id)
    wait_for(lambda: task_id in fleet.worker.log_text(), "the worker has the task")
    return task_id


def test_an_act_that_ends_leaves_nothing(fleet: Fleet) -> None:
    task_id = waits_for_its_eta(fleet)
    before = fleet.ttls()
    for act in ("events on", "revoke"):
        with acting(fleet, act, task_id) as process:
            told, _ = process.communicate(timeout=60)
        print(told)
        assert "acknowledged" in told
        assert fleet.ttls().keys() == before.keys()


@pytest.mark.parametrize("act", ["events on", "revoke"])
def test_an_act_killed_while_it_waits_leaves_only_what_expires(fleet: Fleet, act: str) -> None:
    task_id = waits_for_its_eta(fleet)
    before = fleet.ttls()
    fleet.worker.pause()
    with acting(fleet, act, task_id) as process:
        assert process.stdout is not None
        assert process.stdout.readline().startswith("sent")
        wait_for(lambda: fleet.ttls().keys() - before.keys(), "the act waits for replies")
        time.sleep(0.5)  # of the 3 s for which it does
    fleet.worker.resume()
    wait_for(fleet.worker.is_ready, "the worker has answered all that it was asked")
    left = {key: ttl for key, ttl in fleet.ttls().items() if key not in before}
    assert left
    assert [key for key, ttl in left.items() if not 0 <= ttl <= EXPIRES_WITHIN_S] == []
    wait_for(lambda: fleet.ttls().keys() <= before.keys(), "all of it has expired")
