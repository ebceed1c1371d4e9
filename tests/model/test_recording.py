"""The recorded stream gives the final state of every task that it lets one work out."""

from __future__ import annotations

import random
import warnings
from collections import defaultdict
from typing import Any

import pytest

from celery_tui.model.cluster import Cluster
from celery_tui.model.task import PENDING, STATES

from .recording import Fields, decoded, recorded, replay

SAYS = {
    "task-received": ("RECEIVED", 1),
    "task-started": ("STARTED", 2),
    "task-retried": ("RETRY", 3),
    "task-rejected": ("REJECTED", 4),
    "task-failed": ("FAILURE", 5),
    "task-revoked": ("REVOKED", 5),
    "task-succeeded": ("SUCCESS", 5),
}
"""Event type -> (state, its place among events of one moment)."""


def worked_out(events: list[Fields]) -> str:
    """The oracle: sees all events of a task at once and needs no rule about order of arrival.

    What a worker said last, by the workers' own clocks, holds; a `rejected` after a `failed`
    is the same end told twice. If no worker said anything, the task still waits in its queue.
    """
    said = [event for event in events if event["type"] in SAYS]
    if not said:
        return PENDING
    said.sort(key=lambda event: (event["timestamp"], SAYS[event["type"]][1]))
    last = said[-1]["type"]
    if last == "task-rejected" and any(event["type"] == "task-failed" for event in said):
        last = "task-failed"
    return SAYS[last][0]


def tasks_recorded() -> dict[str, list[Fields]]:
    found = defaultdict(list)
    for _, event in recorded():
        if "uuid" in event:
            found[event["uuid"]].append(event)
    return found


@pytest.fixture(scope="module")
def cluster() -> Cluster:
    return replay(decoded())


def test_every_task_ends_in_the_state_the_recording_lets_one_work_out(cluster: Cluster) -> None:
    expected = {task_id: worked_out(events) for task_id, events in tasks_recorded().items()}
    assert len(expected) == 335
    assert {task_id: task.state for task_id, task in cluster.tasks.items()} == expected


def test_counts_and_indexes_agree_with_the_tasks(cluster: Cluster) -> None:
    states = [task.state for task in cluster.tasks.values()]
    assert {state: cluster.counts.get(state, 0) for state in STATES} == {
        state: states.count(state) for state in STATES
    }
    assert set(cluster.running) == {t.id for t in cluster.tasks.values() if t.state == "STARTED"}
    assert set(cluster.failures) == {t.id for t in cluster.tasks.values() if t.state == "FAILURE"}


def test_no_event_of_the_recording_is_malformed(cluster: Cluster) -> None:
    assert cluster.malformed == {}
    assert cluster.events_counted == len(recorded())


def test_runtimes_are_those_the_workers_measured(cluster: Cluster) -> None:
    for task_id, events in tasks_recorded().items():
        for event in events:
            if event["type"] == "task-succeeded":
                assert cluster.tasks[task_id].runtime_s == event["runtime"]


def celerys_own() -> Any:
    from celery.events.state import State

    state = State(max_tasks_in_memory=10_000)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for arrived, event in recorded():
            state.event({**event, "local_received": arrived})
    return state


def test_celerys_own_state_agrees_on_every_task_and_attempt_but_where_explained(
    cluster: Cluster,
) -> None:
    theirs = celerys_own()
    differences: dict[str, set[str]] = defaultdict(set)
    for task_id, ours in cluster.tasks.items():
        other = theirs.tasks[task_id]
        pairs = {
            "state": (ours.state, other.state),
            "name": (ours.name, other.name or ""),
            "retries": (ours.retries, other.retries or 0),
            "worker": (ours.worker, other.worker.hostname if other.worker else ""),
            "exception": (ours.exception, other.exception),
            "result": (ours.result, other.result),
            "sent_at": (ours.sent_at, other.sent),
            "parent_id": (ours.parent_id, other.parent_id),
        }
        for field, (mine, his) in pairs.items():
            if mine != his:
                differences[field].add(task_id)
    explained = explain(differences)
    assert {field: ids - explained[field] for field, ids in differences.items()} == {
        field: set() for field in differences
    }
    print({field: len(ids) for field, ids in differences.items()})


def explain(differences: dict[str, set[str]]) -> dict[str, set[str]]:
    """Task ids by field for which we know why Celery's State says something else."""
    events = tasks_recorded()
    by_type = {
        task_id: {event["type"] for event in told if event["type"] in SAYS}
        for task_id, told in events.items()
    }
    retried = {task_id for task_id, types in by_type.items() if "task-retried" in types}
    wrapped = {
        task_id
        for task_id, told in events.items()
        if any(str(event.get("exception", "")).startswith("ExceptionWith") for event in told)
    }
    explained: dict[str, set[str]] = {field: set() for field in differences}
    # State keeps the time of the last task-sent, which for a retry is the worker's own; we keep
    # the first, when the client asked for it.
    explained["sent_at"] = retried
    # A retry names itself as its parent; we break that circle.
    explained["parent_id"] = retried
    # We read class and message of a wrapped exception from the traceback's last line.
    explained["exception"] = wrapped
    return explained


@pytest.mark.parametrize("seed", range(40))
def test_small_disorder_on_the_way_changes_nothing(cluster: Cluster, seed: int) -> None:
    """Each event arrives up to ten places early or late; arrival times stay in order."""
    chance = random.Random(seed)
    batches = decoded()
    order = sorted(range(len(batches)), key=lambda place: place + chance.uniform(0, 10))
    shuffled = [(batches[i][0], batches[place][1]) for i, place in enumerate(order)]
    other = replay(shuffled)
    for task_id, task in cluster.tasks.items():
        again = other.tasks[task_id]
        assert again.state == task.state, task_id
        assert (again.name, again.queue, again.args) == (task.name, task.queue, task.args)
        assert (again.retries, again.worker, again.pid) == (task.retries, task.worker, task.pid)
        assert (again.exception, again.result) == (task.exception, task.result)
        if not task.attempts:  # moments of overlapping tries may be written to the wrong one
            assert again.received_at == task.received_at, task_id
            assert again.started_at == task.started_at, task_id
            assert again.ended_at == task.ended_at, task_id
            assert again.runtime_s == task.runtime_s, task_id


def test_the_retried_task_keeps_its_three_tries_apart(cluster: Cluster) -> None:
    (task,) = [task for task in cluster.tasks.values() if task.attempts]
    assert [(a.retries, a.worker, a.state) for a in task.attempts] == [
        (0, "w1@lab", "RETRY"),
        (1, "w1@lab", "RETRY"),
    ]
    assert (task.retries, task.worker, task.state) == (2, "w2@lab", "FAILURE")
    assert task.parent_id is None


def test_the_fleet_of_the_recording_is_told_right(cluster: Cluster) -> None:
    """w1 was killed and restarted three times; one outage made it say an old goodbye."""
    pids: dict[str, list[int]] = defaultdict(list)
    for _, event in recorded():
        if event["type"].startswith("worker-") and event["pid"] not in pids[event["hostname"]]:
            pids[event["hostname"]].append(event["pid"])
    for hostname, known in pids.items():
        worker = cluster.workers[hostname]
        assert worker.pid == known[-1]
        assert set(worker.other_pids) == set(known[:-1])
        assert not worker.duplicate_name
    assert sum("restarted" in line.text for line in cluster.log) == 3
