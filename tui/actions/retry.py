"""Retry: send a task again, under a new id, with exactly the arguments it had."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence

import msgspec

from ..errors import ActionError, BrokerError
from ..links.kombu_link import link_errors
from ..model.cluster import Cluster
from ..model.redact import HIDDEN, redact_text
from ..model.seam import ActionRequest, ArgsKnown, Check, Outcome, Preview, Stage, Target
from ..model.task import PENDING, RECEIVED, RETRY, STARTED, Task
from .arrived import follow
from .base import Context, Put, outcome, refusal
from .edited import unhidden
from .original import MESSAGE, REPR, Original, originals, shown
from .resend import RETRIED_FROM, send
from .route import Route, route_of
from .wire import Wire
from .words import celery_line, count

__all__ = ["follow", "prepare", "preview", "run"]
EDIT, RETRY_BUTTON = "Edit and send", "Retry"


# -- preview ---------------------------------------------------------------------------------


def preview(request: ActionRequest, cluster: Cluster) -> Preview:
    """What would be sent, by the model; ``prepare`` looks for a surer source."""
    tasks = cluster.tasks_of(target.id for target in request.targets)
    known = tuple(_known_by_model(task) for task in tasks)
    return Preview(
        request,
        title=f"RETRY  {count(len(request.targets), 'task')}",
        irreversible=True,
        button=_button(request, known),
        facts=_facts(len(request.targets)),
        warnings=tuple(_warnings(tasks)),
        args=known,
        blocked=refusal(request, cluster, "task"),
    )


def _known_by_model(task: Task) -> ArgsKnown:
    if task.exact is not None:
        args, kwargs = shown(task.exact.args), shown(task.exact.kwargs)
        return ArgsKnown(task.id, True, task.exact.source, args, kwargs, task.queue or "")
    args, kwargs = redact_text(task.args or ""), redact_text(task.kwargs or "")
    return ArgsKnown(task.id, False, REPR, args, kwargs, task.queue or "")


def _button(request: ActionRequest, known: Sequence[ArgsKnown]) -> str:
    edited = request.edited or {}
    return EDIT if any(not a.exact and a.task_id not in edited for a in known) else RETRY_BUTTON


def _facts(number: int) -> tuple[str, ...]:
    what = "The task is sent again" if number == 1 else "Each task is sent again"
    return (
        f"{what} under a new id, to the same queue; header {RETRIED_FROM} names the old one.",
        "It runs at once: an ETA it had is dropped. Its count of retries begins anew.",
    )


def _warnings(tasks: Sequence[Task]) -> Iterator[str]:
    yield "What the first run did is done again, unless the task can bear that."
    running = [task for task in tasks if task.state == STARTED]
    if running:
        yield f"{count(len(running), 'task')} still running: the copy runs beside it."
    waiting = [task for task in tasks if task.state in (PENDING, RECEIVED, RETRY)]
    if waiting:
        yield f"{count(len(waiting), 'task')} not run to the end yet: the copy is a second one."
    if any(task.group_id for task in tasks):
        yield "Part of a group: sending it again does not repair a chord that waits for it."


# -- prepare ---------------------------------------------------------------------------------


def prepare(preview: Preview, context: Context, wire: Wire) -> Preview:
    """The preview with the surest arguments there are, and the queue they would go to."""
    targets = preview.request.targets
    found = originals(targets, context, wire)
    known, checks = [], []
    for target in targets:
        one = found[target.id]
        try:
            route, text = route_of(one.trace, context, wire), ""
        except ActionError as error:
            route, text = None, str(error)
        known.append(_known(one, route, text))
        checks.append(_check(target, one, route, text))
    return msgspec.structs.replace(
        preview,
        args=tuple(known),
        checks=tuple(checks),
        ready=True,
        button=_button(preview.request, known),
        warnings=(*preview.warnings, *_found_warnings(list(found.values()))),
        blocked=preview.blocked or (checks[0].text if not any(c.ok for c in checks) else ""),
        command=_command(targets, found, known),
    )


def _known(one: Original, route: Route | None, trouble: str) -> ArgsKnown:
    words = [trouble or f"queue {route.queue if route else '?'}"]
    if one.priority is not None:
        words.append(f"priority {one.priority}")
    if one.embed and any(one.embed.values()):
        words.append("with " + ", ".join(sorted(k for k, v in one.embed.items() if v)))
    text = ", ".join(words)
    return ArgsKnown(one.task_id, one.exact, one.source, one.args_text, one.kwargs_text, text)


def _check(target: Target, one: Original, route: Route | None, trouble: str) -> Check:
    at = time.time()
    if route is None:
        return Check(target, False, trouble, at)
    if not one.name:
        return Check(target, False, "its task name is not known", at)
    source = f"exact, from {one.source}" if one.exact else "only as text, perhaps cut: edit first"
    return Check(target, True, f"arguments {source}; queue {route.queue}", at)


def _found_warnings(found: Sequence[Original]) -> Iterator[str]:
    if any(one.source != MESSAGE for one in found):
        yield "Callbacks, chains, chords and custom headers are not included: no message is left."
        if any(one.source != MESSAGE and one.priority is None for one in found):
            yield "Its priority is not known: sent without one."
    if any(one.embed and one.embed.get("chord") for one in found):
        yield "It is part of a chord: the copy counts towards it as well."
    waiting = sum(one.waiting for one in found)
    if waiting:
        yield f"{count(waiting, 'task')} still waiting in the queue: this makes a second copy."
    if any(not one.exact for one in found):
        yield "Only a repr is known: what was cut or changed in it is for you to fill in."


def _command(
    targets: Sequence[Target], found: dict[str, Original], known: Sequence[ArgsKnown]
) -> str:
    one = found[targets[0].id] if len(targets) == 1 else None
    readable = one is not None and one.exact and (one.embed is not None or one.envelope is None)
    if one is None or not readable or not one.name or HIDDEN in known[0].args + known[0].kwargs:
        return ""
    return celery_line(
        "call", one.name, f"--args={known[0].args}", f"--kwargs={known[0].kwargs}",
        f"--queue={one.trace.queue or one.trace.routing_key}",
    )  # fmt: skip


# -- run -------------------------------------------------------------------------------------


def run(request: ActionRequest, context: Context, wire: Wire, put: Put) -> None:
    """Look everything up again and send what is exact or was typed by the operator.

    Raises ActionError when not one of the targets may be sent.
    """
    edited = request.edited or {}
    found = originals(request.targets, context, wire)
    if not any(found[t.id].exact or t.id in edited for t in request.targets):
        some = any(found[t.id].args_text for t in request.targets)
        raise ActionError(
            "Not sent: only a repr of the arguments is known, and it may be cut"
            if some
            else "Not sent: no source knows the arguments any more",
            "Edit them first.",
        )
    lost: tuple[type[Exception], ...] = (BrokerError, *link_errors(wire.connection))
    for place, target in enumerate(request.targets):
        try:
            put(_send(request, target, found[target.id], context, wire))
        except ActionError as error:
            put(outcome(request, target, Stage.FAILED, f"not sent: {error}"))
        except lost:  # said of this one by who called
            for other in request.targets[place + 1 :]:
                put(outcome(request, other, Stage.FAILED, "not sent: the link failed before it"))
            raise


def _send(
    request: ActionRequest, target: Target, one: Original, context: Context, wire: Wire
) -> Outcome:
    edited = (request.edited or {}).get(target.id)
    if not one.exact and edited is None:
        raise ActionError("only a repr of its arguments is known, and it may be cut", "Edit it.")
    if edited is not None:
        edited = unhidden(edited, (one.args, one.kwargs) if one.exact else ([], {}))
    route = route_of(one.trace, context, wire)
    new_id = send(one, route, edited, wire)
    source = "edited arguments" if edited is not None else f"exact, from {one.source}"
    done = outcome(request, target, Stage.SENT, f"sent to {route.queue} as {new_id} ({source})")
    return msgspec.structs.replace(done, new_id=new_id)
