"""Tasks: the words and glyphs of their states, and the columns of the Tasks screen."""

from __future__ import annotations

from ..model.ledger import NOT_CONFIRMED_AFTER_S, Asked
from ..model.observations import ResultsLookedThrough
from ..model.redact import redact_text
from ..model.seam import Act, Stage
from ..model.task import INSPECT, RECEIVED, STARTED, Task
from ..model.task import UNKNOWN as STATE_UNKNOWN
from ..model.times import parse_iso
from .base import Cell, Column, View
from .calls import call_text
from .facts import Fact
from .gauges import gauge
from .names import cut_exception, cut_middle, cut_task_name, literal, node, short_id
from .numbers import NOT_APPLICABLE, UNKNOWN, clock, count, duration, known

STATES: dict[str, tuple[str, str, str]] = {
    "PENDING": ("⋅", "pending", "dim"),
    "RECEIVED": ("◦", "received", "dim"),
    "STARTED": ("▸", "started", "bold"),
    "SUCCESS": ("✓", "success", "ok"),
    "RETRY": ("↻", "retry", "warn"),
    "FAILURE": ("✗", "failure", "crit"),
    "REVOKED": ("⊘", "revoked", "dim"),
    "REJECTED": ("⊖", "rejected", "warn"),
    "UNKNOWN": ("?", "?", "warn"),
    "LOST?": ("?", "lost?", "warn"),
    "ETA": ("◷", "eta", "dim"),
    "REVOKE?": ("⊘", "revoke?", "acc"),
    "NOT CONFIRMED": ("⊘", "not conf.", "warn"),
}
"""State -> glyph, word, style; the last four are ours, worked out by ``shown_state``."""


ROW_BAR, PAGE_BAR = 10, 30
"""Cells of the bar of a task's progress in a row, and on its page."""


def eta_of(task: Task) -> float | None:
    """Epoch seconds before which it does not run, or None."""
    return parse_iso(task.eta) if task.eta else None


def shown_state(task: Task, view: View) -> str:
    """The state as people see it: ETA while it waits for its time, REVOKE? once we asked."""
    asked = view.cluster.asked.get(task.id)
    if (
        asked is not None
        and not task.final
        and asked.outcome.request.act in (Act.REVOKE, Act.TERMINATE)
    ):
        return _asked_state(asked, view.now)
    if task.state == RECEIVED:
        eta = eta_of(task)
        if eta is not None and eta > view.now:
            return "ETA"
    if task.state == STATE_UNKNOWN and task.id in view.cluster.reconciler.fates:
        return "LOST?"
    return task.state


def _asked_state(asked: Asked, now: float) -> str:
    if asked.outcome.stage in (Stage.NOT_CONFIRMED, Stage.FAILED):
        return "NOT CONFIRMED"
    late = now - asked.at > NOT_CONFIRMED_AFTER_S and asked.outcome.stage == Stage.SENT
    return "NOT CONFIRMED" if late else "REVOKE?"


def state_cell(task: Task, view: View) -> Cell:
    """Glyph and word."""
    glyph, word, style = STATES.get(shown_state(task, view), ("◦", task.state.lower(), ""))
    return f"{glyph} {literal(word, 40)}", style


def glyph_cell(task: Task, view: View) -> Cell:
    """Glyph alone, for narrow lists."""
    glyph, _, style = STATES.get(shown_state(task, view), ("◦", "", ""))
    return glyph, style


def id_cell(task: Task, view: View) -> Cell:
    """First 8 digits of the id."""
    return short_id(task.id), "dim"


def name_cell(task: Task, view: View) -> Cell:
    """Task name; ``?`` where no source told it."""
    if not task.name:
        return UNKNOWN
    return literal(task.name, 300), "bold" if task.state == STARTED else ""


def worker_cell(task: Task, view: View) -> Cell:
    """Node name without what all share."""
    return (node(task.worker, view.host_suffix), "") if task.worker else UNKNOWN


def queue_cell(task: Task, view: View) -> Cell:
    """Queue; its routing key in its stead where only that is known (marked as a guess)."""
    if task.queue:
        return literal(task.queue, 200), ""
    return (f"~{literal(task.routing_key, 200)}", "dim") if task.routing_key else UNKNOWN


def age_cell(task: Task, view: View) -> Cell:
    """Since its newest moment; ``in 30s`` while it waits for its ETA."""
    eta = eta_of(task) if task.state == RECEIVED else None
    if eta is not None and eta > view.now:
        return f"in {duration(eta - view.now)}", "dim"
    if not task.changed_at:  # it has not ended, and nobody says when it last moved
        return UNKNOWN
    return known(task.changed_at, duration(view.now - task.changed_at), view, "")


def run_cell(task: Task, view: View) -> Cell:
    """How long it ran, or has been running."""
    if task.state == "REVOKED" and task.started_at is None:
        return NOT_APPLICABLE
    seconds = task.runtime_so_far(view.now)
    if seconds is None:
        return ("", "") if not task.started_at and not task.final else UNKNOWN
    running = task.state == STARTED
    words = "<1s" if running and not seconds else duration(seconds)
    return known(seconds, words, view, "bold" if running else "")


def process_cell(task: Task, view: View) -> Cell:
    """The pool process that runs it; events tell the worker's main process only."""
    if task.pid is None:
        return UNKNOWN
    worker = view.cluster.workers.get(task.worker)
    main = worker is not None and task.pid in worker.main_pids
    return (f"{task.pid} (worker)", "dim") if main else (str(task.pid), "")


def pid_cell(task: Task, view: View) -> Cell:
    """Process that runs it."""
    return (str(task.pid), "dim") if task.pid is not None and task.started_at else ("", "")


def tries_cell(task: Task, view: View) -> Cell:
    """Retries so far; ``?`` where nobody told: inspect does not."""
    if not task.sources:
        return NOT_APPLICABLE
    return (str(task.retries), "") if tries_known(task) else UNKNOWN


def tries_known(task: Task) -> bool:
    """Whether a source told how often it was tried, or it was heard to begin its life."""
    heard = task.received_at is not None or task.sent_at is not None
    return bool(heard or task.retries or task.attempts) or task.sources != (INSPECT,)


def args_text(task: Task, limit: int = 600) -> str:
    """Arguments for people: no secrets, one line, literal; ``?`` where no source told them."""
    return call_text(task.args, task.kwargs, limit)


def args_cell(task: Task, view: View) -> Cell:
    """Arguments in one line."""
    text = args_text(task)
    return (text, "dim") if text != "?" else UNKNOWN


def progress_cells(task: Task, width: int) -> tuple[Cell, ...]:
    """What it told of itself: its word, a bar of so many cells, how many of how many."""
    told = None if task.final else task.progress
    if told is None:
        return ()
    word: Cell = (literal(told.state, 40), "bold")
    if told.current is None:
        return word, (f"  {literal(redact_text(told.text[:600]), 300)}", "")
    if not told.total:
        return word, (f"  {_amount(told.current)}", "")
    part = f"  {_amount(told.current)} of {_amount(told.total)}"
    percent = (f"  {min(told.current / told.total, 1.0):.0%}", "bold")
    return word, ("  ", ""), *gauge(told.current, told.total, width), (part, ""), percent


def _amount(number: float) -> str:
    return f"{number:,.0f}" if number == int(number) else f"{number:,.4g}"


def why_cell(task: Task, view: View) -> Cell:
    """Exception, how far it says it is, or how the state was worked out."""
    if task.progress is not None and task.state == STARTED:
        return "".join(text for text, _ in progress_cells(task, ROW_BAR)), ""
    if task.exception and task.state in ("FAILURE", "RETRY", "REJECTED"):
        return literal(redact_text(task.exception[:600]), 300), ""
    if task.verdict:
        return verdict(task, view), "warn" if task.state == "UNKNOWN" else "dim"
    return args_cell(task, view)


def verdict(task: Task, view: View) -> str:
    """How its state was worked out, and when its message comes back."""
    fate = view.cluster.reconciler.fates.get(task.id)
    words = literal(task.verdict or "", 300)
    if fate is None or fate.back_at is None or not fate.unacked:
        return words
    wait_s = fate.back_at - view.now
    left = f"in {duration(wait_s)}" if wait_s > 0 else "any moment"
    return f"{words}, at {clock(fate.back_at, view)}, {left}"


def becomes_cell(task: Task, view: View) -> Cell:
    """Of a task whose worker is gone: what becomes of its message, in few words; else its args."""
    fate = view.cluster.reconciler.fates.get(task.id)
    if fate is None:
        return args_cell(task, view)
    ran = fate.was == STARTED
    if fate.went_back:
        return "in its queue again", ""
    if fate.unacked and fate.back_at is not None:
        wait_s = fate.back_at - view.now
        return (f"back in {duration(wait_s)}" if wait_s > 0 else "back any moment"), ""
    if fate.unacked is False:
        return ("gone" if ran else "in its queue again"), "warn" if ran else ""
    return ("back if acks_late" if ran else "will be back"), "dim"


COLUMNS: tuple[Column[Task], ...] = (
    Column("state", "state", state_cell, lambda t, v: shown_state(t, v), 10, sort="s"),
    Column(
        "name",
        "task",
        name_cell,
        lambda t, v: t.name or None,
        20,
        grow=16,
        cut=cut_task_name,
        sort="n",
    ),
    Column("id", "id", id_cell, lambda t, v: t.id, 8, keep=90, sort="i"),
    Column(
        "queue",
        "queue",
        queue_cell,
        lambda t, v: t.queue,
        9,
        keep=30,
        grow=3,
        cut=cut_middle,
        sort="q",
    ),
    Column(
        "worker",
        "worker",
        worker_cell,
        lambda t, v: t.worker or None,
        12,
        keep=40,
        grow=6,
        cut=cut_middle,
        sort="w",
    ),
    Column("age", "age", age_cell, lambda t, v: t.changed_at, 9, right=True, sort="a"),
    Column(
        "run",
        "run",
        run_cell,
        lambda t, v: t.runtime_so_far(v.now),
        6,
        right=True,
        keep=50,
        sort="r",
    ),
    Column("tries", "tries", tries_cell, lambda t, v: t.retries, 5, right=True, keep=10, sort="t"),
    Column(
        "why",
        "args, exception",
        why_cell,
        lambda t, v: t.exception,
        20,
        keep=20,
        grow=200,
        cut=cut_exception,
        sort="e",
    ),
)

RUNNING: tuple[Column[Task], ...] = (
    Column("glyph", "", glyph_cell, lambda t, v: t.state, 1),
    Column("name", "", name_cell, lambda t, v: t.name, 20, grow=16, cut=cut_task_name),
    Column("id", "id", id_cell, lambda t, v: t.id, 8, keep=20),
    Column("args", "args", args_cell, lambda t, v: t.args, 8, keep=10, grow=100),
    Column("run", "for", run_cell, lambda t, v: t.runtime_so_far(v.now), 6, right=True),
    Column(
        "worker", "worker", worker_cell, lambda t, v: t.worker, 12, keep=30, grow=6, cut=cut_middle
    ),
)
WORKER_TASKS: tuple[Column[Task], ...] = (
    Column("state", "", state_cell, lambda t, v: t.state, 10),
    Column("name", "", name_cell, lambda t, v: t.name, 22, grow=18, cut=cut_task_name),
    Column("id", "id", id_cell, lambda t, v: t.id, 8),
    Column("args", "args", becomes_cell, lambda t, v: t.args, 12, keep=10, grow=100),
    Column("pid", "pid", pid_cell, lambda t, v: t.pid, 7, right=True, keep=20),
    Column("run", "for", run_cell, lambda t, v: t.runtime_so_far(v.now), 6, right=True),
)


def _exception(task: Task, view: View) -> Cell:
    text = literal(redact_text((task.exception or "?")[:600]), 300)
    return text, ""


FAILURES: tuple[Column[Task], ...] = (
    Column("glyph", "", glyph_cell, lambda t, v: t.state, 1),
    Column("name", "", name_cell, lambda t, v: t.name, 20, grow=8, cut=cut_task_name),
    Column(
        "exception",
        "exception",
        _exception,
        lambda t, v: t.exception,
        22,
        grow=100,
        cut=cut_exception,
    ),
    Column("worker", "worker", worker_cell, lambda t, v: t.worker, 12, keep=30, cut=cut_middle),
    Column("tries", "tries", tries_cell, lambda t, v: t.retries, 5, right=True, keep=10),
    Column("age", "last", age_cell, lambda t, v: t.changed_at, 6, right=True),
)


def counts_facts(counts: dict[str, int], evicted: int) -> list[Fact]:
    """``◦ received 178   ▸ started 46 …`` for the Tasks screen; zeros only of the common ones."""
    dropped = [Fact((("  older ", "dim"), (f"{count(evicted)} dropped", "dim")), 5)]
    return [
        _count_fact(state, counts.get(state, 0), keep)
        for state, keep in COUNTED.items()
        if counts.get(state, 0) or keep >= COMMON
    ] + (dropped if evicted else [])


def search_fact(search: ResultsLookedThrough | None) -> list[Fact]:
    """How far the search for recent results is, and what of them cannot be shown."""
    if search is None:
        return []
    if not search.done:
        label, words = "results: ", f"{search.keys:,} of ~{search.of:,} keys looked through"
    elif search.note:
        label, words = "results: ", search.note
    else:
        unread = (f"{number:,} {why}" for why, number in sorted(search.unread.items()))
        label, words = "results not shown: ", ", ".join(unread)
    return [Fact(((label, "dim"), (literal(words, 100), "dim")), 4)] if words else []


COMMON = 50
COUNTED = {
    "PENDING": 10, "RECEIVED": 60, "STARTED": 90, "SUCCESS": 70, "RETRY": 50, "FAILURE": 80,
    "REVOKED": 20, "REJECTED": 15, "UNKNOWN": 40,
}  # fmt: skip
"""State -> what stays longest when the width is short; from COMMON on even zero is shown."""


def _count_fact(state: str, number: int, keep: int) -> Fact:
    glyph, word, style = STATES[state]
    word = "outcome unknown" if state == "UNKNOWN" else word
    cells = ((glyph, style), (f" {word} ", "dim"), (count(number), "bold" if number else "dim"))
    return Fact(cells, keep)
