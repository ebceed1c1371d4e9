"""Terminate: the worker sends a signal to the process that runs the task."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import msgspec

from ..errors import ActionError
from ..model.cluster import Cluster
from ..model.fleet import pool_name
from ..model.seam import ActionRequest, Check, Outcome, Preview, Stage, Target
from ..model.task import FINAL, STARTED, Task
from ..model.worker import LOST, STOPPED
from .base import Context, Put, outcome, refusal
from .ended import follow
from .look import Looked, Sighting, look
from .wire import Wire, error_of
from .words import celery_line, count, duration, named

SIGNALS = ("TERM", "KILL", "QUIT", "USR1")
"""USR1 raises SoftTimeLimitExceeded inside the task. INT is not among them: the processes of a
prefork pool ignore it, and the worker reports the task as revoked while it runs to its end."""
GREEN = frozenset({"gevent", "eventlet"})
CANNOT = {
    "threads": "a thread cannot be killed; stop the worker, or wait",
    "solo": "its only process runs the task and hears nothing until that ends",
}
"""Pools that cannot terminate, and why."""

__all__ = ["follow", "prepare", "preview", "run"]


def preview(request: ActionRequest, cluster: Cluster) -> Preview:
    """What the signal would do, by the model."""
    pools = {target.where: _pool(target, cluster) for target in request.targets}
    green = bool(pools) and set(pools.values()) <= GREEN
    return Preview(
        request,
        title=f"TERMINATE  {count(len(request.targets), 'running task')}",
        irreversible=True,
        button="Terminate",
        facts=tuple(_facts(request, cluster, pools)),
        warnings=tuple(_warnings(request, cluster, pools)),
        signals=() if green else SIGNALS,
        blocked=_blocked(request, cluster),
        command=_command(request),
    )


def _pool(target: Target, cluster: Cluster) -> str:
    worker = cluster.workers.get(target.where)
    return (worker.pool if worker is not None else None) or ""


def _blocked(request: ActionRequest, cluster: Cluster) -> str:
    refused = refusal(request, cluster, "running task")
    if refused:
        return refused
    reasons = [_why_not(target, cluster) for target in request.targets]
    if not all(reasons):
        return ""
    return reasons[0] if len(reasons) == 1 else f"None of them can be terminated: {reasons[0]}"


def _why_not(target: Target, cluster: Cluster) -> str:
    task = cluster.tasks.get(target.id)
    if task is not None and task.state in FINAL:
        return f"It has ended already: {task.state}."
    worker = cluster.workers.get(target.where)
    if worker is None:
        return ""
    if worker.pool in CANNOT:
        return f"{target.where} has a {worker.pool} pool: {CANNOT[worker.pool]}."
    state = cluster.state_of(worker, cluster.now)
    return f"{target.where} is {state}." if state in (LOST, STOPPED) else ""


def _facts(request: ActionRequest, cluster: Cluster, pools: dict[str, str]) -> Iterator[str]:
    for target in request.targets[:10]:
        task = cluster.tasks.get(target.id)
        pid = _process(target, task, cluster)
        process = f"pool process {pid}" if pid else "the pool process"
        where = f" on {target.where}" if target.where else ""
        running = _running(task, cluster.now)
        yield f"SIG{request.signal} goes to {process}{where}{running}."
    if set(pools.values()) & GREEN:
        yield "On a gevent or eventlet worker the greenlet is killed; the signal does not matter."
    yield "The worker checks the id once more; it is looked up again just before sending."


def _process(target: Target, task: Task | None, cluster: Cluster) -> int | None:
    pid = target.pid or (task.pid if task is not None else None)
    worker = cluster.workers.get(target.where)
    return None if worker is not None and pid in worker.main_pids else pid


def _running(task: Task | None, now: float) -> str:
    so_far = task.runtime_so_far(now) if task is not None and task.state == STARTED else None
    return f", which has run it for {duration(so_far)}" if so_far is not None else ""


def _warnings(request: ActionRequest, cluster: Cluster, pools: dict[str, str]) -> Iterator[str]:
    yield "The signal hits the process: if it has moved on by then, another task dies."
    yield "The id stays revoked on that worker: a retry under the same id is dropped there."
    tasks = cluster.tasks_of(target.id for target in request.targets)
    if any(task.group_id for task in tasks):
        yield "It belongs to a group: a chord that waits for it will not fire."
    if "gevent" in pools.values():
        yield "A gevent worker reports success after the kill; that report is wrong."
    for hostname in sorted(host for host, pool in pools.items() if pool in CANNOT):
        yield f"{hostname} has a {pools[hostname]} pool: {CANNOT[pools[hostname]]}."


def _command(request: ActionRequest) -> str:
    if len(request.targets) != 1:
        return ""
    target = request.targets[0]
    addressed = [target.where] if target.where else []
    return celery_line("control", "terminate", request.signal, target.id, destination=addressed)


def prepare(preview: Preview, context: Context, wire: Wire) -> Preview:
    """The preview after asking the workers which process runs each task now."""
    targets = preview.request.targets
    looked = look(wire, context, [target.id for target in targets])
    checks = tuple(_check(target, looked, context, wire) for target in targets)
    blocked = preview.blocked
    if not blocked and checks and all(check.ok is False for check in checks):
        blocked = checks[0].text if len(checks) == 1 else "None of them can be terminated now."
    return msgspec.structs.replace(preview, checks=checks, ready=True, blocked=blocked)


def _check(target: Target, looked: Looked, context: Context, wire: Wire) -> Check:
    at = time.time()
    sighting, reason = aim(target, looked, context)
    if sighting is None:
        silent = not target.where or target.where not in looked.answered
        return Check(target, None if silent else False, reason, at)
    pool = pool_of(sighting.worker, context, wire)
    if pool in CANNOT:
        return Check(target, False, f"{sighting.worker} has a {pool} pool: {CANNOT[pool]}", at)
    pinned = pinned_process(target, context)
    same = "same pid" if pinned == sighting.pid else f"pid {sighting.pid}"
    others = [s.worker for s in looked.on_workers(target.id) if s.worker != sighting.worker]
    also = f"; also held by {named(others)}, which is not touched" if others else ""
    return Check(target, True, f"still running on {sighting.worker}, {same}{also}", at)


def aim(target: Target, looked: Looked, context: Context) -> tuple[Sighting | None, str]:
    """Where the signal has to go, or why nowhere: ended, not begun, or another attempt."""
    sighting = looked.active(target.id, target.where)
    if sighting is not None:
        pinned = pinned_process(target, context)
        if pinned and sighting.pid and sighting.pid != pinned:
            return None, f"it runs in another process now ({sighting.pid}): another attempt"
        return sighting, ""
    elsewhere = looked.on_workers(target.id)
    if elsewhere:
        first = elsewhere[0]
        return None, f"it is {first.state} on {first.worker} now, not running as it was"
    if target.where and target.where not in looked.answered:
        return None, f"{target.where} does not answer"
    return None, "it does not run any more"


def pinned_process(target: Target, context: Context) -> int | None:
    """The pool process that was shown when the key was pressed, if one was."""
    worker = context.workers.get(target.where)
    main = worker.main_pids if worker is not None else frozenset()
    return None if target.pid in main else target.pid


def pool_of(hostname: str, context: Context, wire: Wire) -> str:
    """The worker's pool as known, else asked; empty if it does not tell."""
    known = context.pool(hostname)
    if known:
        return known
    stats = wire.ask("stats", destination=[hostname]).get(hostname)
    pool = stats.get("pool") if isinstance(stats, dict) else None
    return (pool_name(pool.get("implementation")) or "") if isinstance(pool, dict) else ""


def run(request: ActionRequest, context: Context, wire: Wire, put: Put) -> None:
    """One target after the other: look, send at once, tell what the worker said."""
    if request.signal not in SIGNALS:
        raise ActionError(f"SIG{request.signal} does not end a task", f"Use {', '.join(SIGNALS)}.")
    for target in request.targets:
        put(_terminate(request, target, context, wire, put))


def _terminate(
    request: ActionRequest, target: Target, context: Context, wire: Wire, put: Put
) -> Outcome:
    destination = [target.where] if target.where else []
    looked = look(wire, context, [target.id], destination)
    sighting, reason = aim(target, looked, context)
    if sighting is None:
        silent = reason.endswith("does not answer")
        stage = Stage.FAILED if silent else Stage.DONE_ELSEWHERE
        return outcome(request, target, stage, f"not sent: {reason}")
    pool = pool_of(sighting.worker, context, wire)
    if pool in CANNOT:
        words = f"not sent: {sighting.worker} has a {pool} pool: {CANNOT[pool]}"
        return outcome(request, target, Stage.FAILED, words)
    # Whoever looks for proof needs to know where the signal went.
    target = msgspec.structs.replace(target, where=sighting.worker, pid=sighting.pid)
    put(outcome(request, target, Stage.SENT, f"SIG{request.signal} sent", 0, 1))
    arguments = {"task_id": target.id, "terminate": True, "signal": request.signal}
    # Between the look above and this line lies one round trip.
    answers = wire.ask("revoke", arguments, destination=[sighting.worker])
    stage, text = judged(answers.get(sighting.worker), sighting)
    return outcome(request, target, stage, text, len(answers), 1)


def judged(answer: Any, sighting: Sighting) -> tuple[Stage, str]:
    """Stage and words for the one worker's reply."""
    worker = sighting.worker
    if answer is None:
        return Stage.NOT_CONFIRMED, f"sent, {worker} did not answer"
    if error_of(answer):
        return Stage.FAILED, f"{worker} refused: {error_of(answer)}"
    if "unknown" in str(answer.get("ok", "") if isinstance(answer, dict) else answer):
        return Stage.DONE_ELSEWHERE, f"it had left {worker} by then; nothing was hit"
    process = f"process {sighting.pid}" if sighting.pid else "its process"
    return Stage.ACKNOWLEDGED, f"{worker} answered: signal sent to {process}"
