"""Revoke: tell every worker to skip these tasks. It never stops one that runs."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from ..model.cluster import Cluster
from ..model.seam import ActionRequest, Check, Preview, Stage, Target
from ..model.task import FINAL, RECEIVED, STARTED, UNKNOWN, Task
from .base import Context, Put, outcome, refusal
from .dropped import POOLS_THAT_RUN_IT_ANYWAY, follow
from .look import Looked, chunks, look
from .stored import stored_states
from .wire import Wire, error_of
from .words import celery_line, count, named

__all__ = ["follow", "prepare", "preview", "run"]


def preview(request: ActionRequest, cluster: Cluster) -> Preview:
    """What revoking would do, by the model."""
    tasks = cluster.tasks_of(target.id for target in request.targets)
    ended = [task for task in tasks if task.state in FINAL]
    blocked = refusal(request, cluster, "task")
    if not blocked and ended and len(ended) == len(request.targets):
        blocked = _ended_words(ended)
    return Preview(
        request,
        title=f"REVOKE  {count(len(request.targets), 'task')}",
        irreversible=True,
        button="Revoke",
        facts=_facts(tasks, len(request.targets)),
        warnings=tuple(_warnings(tasks, cluster)),
        blocked=blocked,
        command=celery_line("control", "revoke", *(t.id for t in request.targets[:50])),
    )


def _ended_words(ended: Sequence[Task]) -> str:
    states = Counter(task.state for task in ended)
    if len(ended) == 1:
        return f"It has ended already: {ended[0].state}."
    told = ", ".join(f"{number} {state}" for state, number in sorted(states.items()))
    return f"All of them have ended already: {told}."


def _facts(tasks: Sequence[Task], wanted: int) -> tuple[str, ...]:
    ids = "this id" if wanted == 1 else "these ids"
    facts = [f"Every worker is told to skip {ids}: a task is dropped when its turn comes."]
    ended = sum(task.state in FINAL for task in tasks)
    if ended:
        facts.append(f"{count(ended, 'task')} ended already and will be left out.")
    with_eta = sum(bool(task.eta) and task.state == RECEIVED for task in tasks)
    if with_eta:
        facts.append(
            f"{count(with_eta, 'task')} with an ETA: still listed until then, dropped at that time."
        )
    return tuple(facts)


def _warnings(tasks: Sequence[Task], cluster: Cluster) -> Iterable[str]:
    running = [task for task in tasks if task.state == STARTED]
    if running:
        yield (
            f"{count(len(running), 'task')} running on {named(t.worker for t in running)}: "
            "revoke lets that go on to its end, terminate (T) stops it."
        )
    handed = [task for task in tasks if task.state == RECEIVED and _runs_anyway(task, cluster)]
    if handed:
        yield (
            f"{count(len(handed), 'task')} on {named(t.worker for t in handed)} may run anyway: "
            "a threads or gevent pool has it already."
        )
    if len(running) < len(tasks):
        yield "A worker that restarts without --statedb forgets it."


def _runs_anyway(task: Task, cluster: Cluster) -> bool:
    worker = cluster.workers.get(task.worker)
    return worker is not None and worker.pool in POOLS_THAT_RUN_IT_ANYWAY and not task.eta


def prepare(preview: Preview, context: Context, wire: Wire) -> Preview:
    """The preview after asking the workers where each task is."""
    targets = preview.request.targets
    looked = look(wire, context, [target.id for target in targets])
    states = stored_states(wire, [target.id for target in targets])
    checks = tuple(_check(target, context, looked, states) for target in targets)
    blocked = preview.blocked
    if not blocked and checks and all(check.ok is False for check in checks):
        blocked = checks[0].text if len(checks) == 1 else "None of them can be revoked any more."
    return msgspec.structs.replace(preview, checks=checks, ready=True, blocked=blocked)


def _check(target: Target, context: Context, looked: Looked, states: dict[str, str]) -> Check:
    at = time.time()
    over = why_not(target, context, looked, states)
    if over:
        return Check(target, False, over, at)
    sightings = looked.on_workers(target.id)
    if not sightings:
        return Check(target, None, "on no worker: waits in its queue, or is on its way", at)
    words = "; ".join(f"{s.state} on {s.worker}" for s in sightings)
    return Check(target, True, words, at)


def why_not(target: Target, context: Context, looked: Looked, states: dict[str, str]) -> str:
    """Why a revoke must not be sent for this target; empty: it may.

    Revoking an id that nobody knows makes workers write a result for it that never expires
    into anything, so an id has to be known from somewhere.
    """
    task = context.tasks.get(target.id)
    state = task.state if task is not None else target.state
    if state in FINAL:
        return f"it has ended already: {state}"
    if states.get(target.id) in ("SUCCESS", "FAILURE"):
        return f"it has ended already: {states[target.id]}, says the result backend"
    if looked.on_workers(target.id):
        return ""
    everybody = set(context.answering()) <= looked.answered
    if task is None:
        return "no such task is known: not sent, it would leave a false result behind"
    if state in (STARTED, UNKNOWN) and everybody:
        return "no worker has it any more"
    return ""


def run(request: ActionRequest, context: Context, wire: Wire, put: Put) -> None:
    """Re-check, send in chunks, tell each target how many workers answered."""
    ids = [target.id for target in request.targets]
    looked = look(wire, context, ids)
    states = stored_states(wire, ids)
    going: list[Target] = []
    for target in request.targets:
        reason = why_not(target, context, looked, states)
        if reason:
            put(outcome(request, target, Stage.DONE_ELSEWHERE, reason))
        else:
            going.append(target)
    for chunk in chunks([target.id for target in going]):
        chosen = [target for target in going if target.id in set(chunk)]
        _send(request, chosen, context, wire, put)


def _send(
    request: ActionRequest,
    targets: Sequence[Target],
    context: Context,
    wire: Wire,
    put: Put,
) -> None:
    expected = context.answering()
    for target in targets:
        put(outcome(request, target, Stage.SENT, "sent", 0, len(expected)))
    arguments = {"task_id": [t.id for t in targets], "terminate": False, "signal": "TERM"}
    answers = wire.ask("revoke", arguments, expected=len(expected))
    stage, text = judged(answers, expected)
    of = len(set(expected) | set(answers))
    for target in targets:
        put(outcome(request, target, stage, text, len(answers), of))


def judged(answers: dict[str, Any], expected: Sequence[str]) -> tuple[Stage, str]:
    """Stage and words for the replies of several workers to one command."""
    of = len(set(expected) | set(answers))
    refused = {host: error_of(answer) for host, answer in answers.items() if error_of(answer)}
    if not answers and not expected:
        return Stage.FAILED, "no worker is up, so nobody has heard it"
    if not answers:
        return Stage.NOT_CONFIRMED, f"sent, 0 of {of} workers answered"
    text = f"{len(answers)} of {count(of, 'worker')} answered"
    silent = sorted(set(expected) - set(answers))
    if silent:
        text += f", not {named(silent)}"
    if refused:
        host, words = next(iter(sorted(refused.items())))
        text += f"; {host} refused: {words}"
    return (Stage.FAILED if len(refused) == len(answers) else Stage.ACKNOWLEDGED), text
