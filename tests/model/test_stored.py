"""What a stored result proves, and what it does not."""

from typing import Any

import pytest

from celery_tui.model import inspected, stored
from celery_tui.model.observations import ResultMeta
from celery_tui.model.task import (
    BACKEND,
    EVENTS,
    FAILURE,
    INSPECT,
    MISSING,
    RECEIVED,
    RETRY,
    REVOKED,
    STARTED,
    SUCCESS,
    UNKNOWN,
    Progress,
    Task,
)

AT = 1_000.0


def known(state: str, **fields: Any) -> Task:
    return Task("t", state=state, worker="w1", **fields)


def folded(task: Task, state: str, **fields: Any) -> Task:
    stored.fold(task, ResultMeta("t", state, **fields), AT)
    return task


@pytest.mark.parametrize("before", [RECEIVED, STARTED, RETRY, UNKNOWN])
def test_an_end_that_no_event_told_is_told_by_the_backend(before: str) -> None:
    task = folded(known(before), SUCCESS, result="3", date_done=990.0)
    assert (task.state, task.source, task.as_of) == (SUCCESS, BACKEND, AT)
    assert task.verdict == "succeeded (result backend, no event)"
    assert (task.ended_at, task.result) == (990.0, "3")


def test_what_an_event_said_stays() -> None:
    task = folded(known(FAILURE, source=EVENTS), SUCCESS)
    assert (task.state, task.verdict) == (FAILURE, None)


def test_a_revoke_is_proven_only_by_what_the_worker_did() -> None:
    waits = folded(known(RECEIVED), REVOKED, exception="TaskRevokedError('revoked')")
    assert (waits.state, waits.verdict) == (RECEIVED, stored.NOT_PROVEN)
    expired = folded(known(RECEIVED), REVOKED, exception="TaskRevokedError('expired')")
    assert (expired.state, expired.expired, expired.proven) == (REVOKED, True, True)
    assert expired.verdict == stored.EXPIRED
    killed = folded(known(STARTED), REVOKED, exception="TaskRevokedError('terminated')")
    assert (killed.state, killed.terminated, killed.proven) == (REVOKED, True, True)


def test_a_revoke_of_a_task_that_left_its_worker_is_believed_until_something_proves_otherwise() -> (
    None
):
    task = folded(known(UNKNOWN), REVOKED)
    assert (task.state, task.proven, task.verdict) == (REVOKED, False, stored.NOT_PROVEN)
    folded(task, SUCCESS)
    assert (task.state, task.proven) == (SUCCESS, True)
    listed = folded(known(UNKNOWN), REVOKED, date_done=900.0)
    assert inspected.fold(listed, {"id": "t"}, "w1", AT, RECEIVED)
    assert (listed.state, listed.ended_at, listed.source) == (RECEIVED, None, INSPECT)


def test_the_result_of_a_former_run_under_the_same_id_is_not_that_of_this_one() -> None:
    again = folded(known(STARTED, started_at=500.0), FAILURE, date_done=400.0, exception="E()")
    assert (again.state, again.exception) == (STARTED, None)
    listed = known(RECEIVED, source=INSPECT, as_of=500.0)
    assert folded(listed, FAILURE, date_done=400.0).state == RECEIVED
    sent = known("PENDING", sent_at=500.0)
    assert folded(sent, FAILURE, date_done=400.0).state == "PENDING"
    assert folded(sent, FAILURE, date_done=495.0).state == FAILURE  # clocks differ
    left = known(UNKNOWN, started_at=500.0)
    assert folded(left, FAILURE, date_done=400.0).verdict == stored.OF_FORMER_RUN


@pytest.mark.parametrize("state", [RECEIVED, STARTED])
def test_a_stored_retry_of_a_former_try_does_not_stop_the_next_one(state: str) -> None:
    task = folded(known(state, retries=1), RETRY, exception="E()")
    assert (task.state, task.verdict) == (state, None)


def test_a_retry_tells_of_a_task_that_left_its_worker() -> None:
    task = folded(known(UNKNOWN), RETRY)
    assert task.state == RETRY
    assert task.verdict == "waits for its retry (result backend, no event)"


def test_started_does_not_bring_back_what_left_its_worker() -> None:
    assert folded(known(RECEIVED), STARTED, worker="w1").state == STARTED
    assert folded(known(RECEIVED), STARTED, worker="dead").state == RECEIVED
    lost = folded(known(UNKNOWN), STARTED, worker="w1")
    assert (lost.state, lost.verdict) == (UNKNOWN, stored.STILL_STARTED)


def test_nothing_stored_is_a_verdict_on_what_has_left_its_worker() -> None:
    left = known(UNKNOWN, as_of=AT)
    assert not stored.missing(left, AT - 1)  # asked before it left
    assert stored.missing(left, AT + 1)
    assert left.verdict == MISSING
    assert not stored.missing(left, AT + 2)
    running = known(STARTED)
    assert not stored.missing(running, AT)
    assert running.verdict is None


def test_the_body_of_a_chord_that_celery_failed_in_the_backend_never_ran() -> None:
    words = "ChordError(\"Dependency part-1 raised ValueError('no')\")"
    body = folded(known("PENDING"), FAILURE, exception=words)
    assert body.verdict == stored.NEVER_RAN
    assert stored.failed_part(ResultMeta("t", FAILURE, exception=words)) == "part-1"
    for other in ("ChordError('Callback error: x')", "ValueError('Dependency a raised ')", None):
        assert stored.failed_part(ResultMeta("t", FAILURE, exception=other)) is None


def test_custom_states_are_no_end() -> None:
    assert folded(known(STARTED), "PROGRESS").state == STARTED
    assert folded(known(UNKNOWN), "PENDING").state == UNKNOWN


def test_a_family_is_told_by_the_backend_and_no_task_is_its_own_parent() -> None:
    task = folded(known(STARTED), SUCCESS, parent_id="p", group_id="g")
    assert (task.parent_id, task.group_id) == ("p", "g")
    assert folded(known(STARTED), SUCCESS, parent_id="t").parent_id is None


@pytest.mark.parametrize("before", [RECEIVED, STARTED])
def test_a_state_of_the_task_s_own_is_progress_of_a_started_task(before: str) -> None:
    at_45 = Progress("PROGRESS", 45, 100)
    task = folded(known(before), "PROGRESS", progress=at_45)
    assert (task.state, task.progress) == (STARTED, at_45)
    folded(task, RETRY)
    assert task.progress is None


def test_progress_of_a_task_that_ended_is_no_news() -> None:
    task = folded(known(SUCCESS, source=EVENTS), "PROGRESS", progress=Progress("PROGRESS", 45))
    assert (task.state, task.progress) == (SUCCESS, None)


def test_a_task_that_left_its_worker_while_it_told_of_progress_may_be_lost() -> None:
    task = folded(known(UNKNOWN), "PROGRESS", progress=Progress("PROGRESS", 45))
    assert (task.state, task.verdict) == (UNKNOWN, stored.STILL_STARTED)
