"""The lines of a queue's page around its messages. Pure: (queue, view, width) -> lines."""

from __future__ import annotations

from ..columns import queues as words
from ..columns import waits
from ..columns.base import Cell, View
from ..columns.gauges import gauge
from ..columns.messages import range_words
from ..columns.names import cut_task_name, literal, node
from ..columns.numbers import clock, count, duration, share, whole
from ..model.peeked import Peeked, Sampled
from ..model.queue import Queue
from ..model.worker import LOST, STOPPED
from ..widgets.lines import Line
from ..widgets.wrapping import wrapped
from .page import labelled, section

MOST_NAMES = 5
BAR_CELLS = 24
UNKNOWN: Cell = ("?", "dim")


def facts(queue: Queue, view: View, width: int) -> list[Line]:
    """How it is, what waits and moves, what workers hold of it, and who they are."""
    name = words.name_cell(queue, view)[0] if queue.quarantine else literal(queue.name, 300)
    glyph, gap = words.glyph_cell(queue, view), ("  ", "")
    first = Line((glyph, gap, (name, "bright"), gap, _state(queue, view)))
    if queue.quarantine:
        return [first, *labelled(width, ("holds", words.depth_cell(queue, view)), *_steps(queue))]
    moves = labelled(
        width,
        ("waiting", words.depth_cell(queue, view)),
        ("in", _per_s(waits.in_cell(queue, view))),
        ("out", _per_s(waits.out_cell(queue, view))),
        ("oldest", _oldest(queue, view)),
        ("drains", waits.drain_cell(queue, view)),
    )
    held = view.cluster.queue_news.held(queue.name)
    limbo = waits.limbo_cell(queue, view)
    holds = labelled(
        width,
        ("held by workers", count(held) if held is not None else UNKNOWN),
        ("unacked", words.unacked_cell(queue, view)),
        ("limbo", limbo if limbo[0] else UNKNOWN),
        ("use", words.use_cell(queue, view)),
        *_steps(queue),
    )
    return [first, *moves, *holds, *labelled(width, *_consumers(queue, view, width))]


def _state(queue: Queue, view: View) -> Cell:
    if queue.only_doubtful:
        return "they may be in their queue, or have run: Z sends them anyway, D throws away", "warn"
    if queue.quarantine and queue.restarted:
        return "in quarantine; the broker was restarted since, and may have some, too", "warn"
    if queue.quarantine:
        return "in quarantine: Z moves it back", "acc"
    if words.unconsumed(queue, view):
        return "nobody consumes it", "crit"
    if words.deserted(queue, view):
        return "all that consume it are lost", "crit"
    if words.growing(queue):
        return "it only grows", "warn"
    if queue.depth is None:
        return "its depth is not known", "dim"
    return ("", "") if queue.depth else ("nothing waits", "dim")


def _per_s(cell: Cell) -> Cell:
    text, style = cell
    return (f"{text}/s", style) if text[-1:].isdigit() or text[-1:] == "k" else cell


def _oldest(queue: Queue, view: View) -> Cell:
    """In words where only a bound is known."""
    cell = waits.oldest_cell(queue, view)
    low, high = queue.oldest_s(waits.read_at(queue, view))
    if low is not None and high is None and queue.depth and cell != UNKNOWN:
        return f"at least {whole(low)}, since we watch", cell[1]
    if cell == UNKNOWN and view.cluster.depths.no_ages:
        return f"? {literal(view.cluster.depths.no_ages, 60)}", "dim"
    return cell


def _steps(queue: Queue) -> list[tuple[str, Cell | str]]:
    if len(queue.by_priority) < 2:
        return []
    steps = sorted(queue.by_priority.items(), key=lambda item: (len(item[0]), item[0]))
    told = "  ".join(f"{literal(step, 8)}: {count(depth)}" for step, depth in steps)
    return [("priorities", told)]


def _consumers(queue: Queue, view: View, width: int) -> list[tuple[str, Cell | str]]:
    names = words.listeners(queue, view)
    if names is None:
        return [("consumers", ("? no worker has told yet", "dim"))]
    if names:
        shown = ", ".join(node(name, view.host_suffix) for name in names[:20])
        more = f" and {len(names) - 20} more" if len(names) > 20 else ""
        room = max(20, width - 20)
        told = shown + more
        return [("consumers", told if len(told) < room else told[: room - 2].rstrip() + view.cut)]
    cluster = view.cluster
    states = [cluster.state_of(worker, view.now) for worker in cluster.workers.values()]
    up = sum(state not in (LOST, STOPPED) for state in states)
    who = f"none: {up} worker{'s' if up != 1 else ''} up, none lists it" if up else "none is up"
    pairs: list[tuple[str, Cell | str]] = [("consumers", (who, "crit" if queue.depth else ""))]
    if queue.last_consumer:
        gone = queue.unconsumed_since
        when = f", gone {clock(gone, view)}" if gone is not None else ""
        pairs.append(("last", f"{node(queue.last_consumer, view.host_suffix)}{when}"))
    return pairs


# -- messages ---------------------------------------------------------------------------------


def reading(page: Peeked | None, view: View, width: int) -> list[Line]:
    """Which messages are shown, how old that is, and the keys that show others; or the error."""
    if page is not None and page.error:
        mark, style = ("!", "warn") if page.asks else ("✗", "crit")
        said = [(f"{mark} {literal(page.error, 400)}", style), (literal(page.hint, 300), "dim")]
        return [Line(((part, style),)) for text, style in said for part in wrapped(text, width - 3)]
    if page is None or not page.messages:
        return []
    age = max(0.0, view.now - page.at)
    told = f"{range_words(page)}, read {whole(age) if age >= 1 else 'now'}"
    told += " ago" if age >= 1 else ""
    large: Cell = ("  ! a short page: they are large", "warn") if page.cut else ("", "")
    keys = (("←", "acc bold"), (" ", ""), ("→", "acc bold"), (" page  ", "dim"))
    other = "newest" if page.end == "head" else "oldest"
    right = (*keys, ("o", "acc bold"), (f" {other} first ", "dim"))
    return [Line(((told, "dim"), large), right)]


def in_a_line(sample: Sampled | None, width: int) -> list[Line]:
    """The most frequent names in one line, where there is no room for bars."""
    if sample is None or not sample.sampled:
        return []
    cells: list[Cell] = [("in it ", "dim")]
    used = 10
    for name, many in _ranked(sample):
        shown = cut_task_name(_named(name), 24)
        part = share(many / sample.sampled)
        used += len(shown) + len(part) + 4
        if used > width - 24 and len(cells) > 1:
            break
        cells += [(f"{shown} ", ""), (f"{part}   ", "bright")]
    return [Line((*cells, (sampled_words(sample), "dim")))]


def histogram(sample: Sampled | None, view: View, width: int) -> list[Line]:
    """What is in it, as bars, by a sample that says how large it is."""
    if sample is None or not sample.sampled:
        return []
    lines = [section("What is in it", width, sampled_words(sample))]
    ranked = _ranked(sample)
    longest = max(10, min(40, width - BAR_CELLS - 28))
    for name, many in ranked[:MOST_NAMES]:
        shown = cut_task_name(_named(name), longest, view.cut).ljust(longest)
        cells: tuple[Cell, ...] = (
            (f"{shown}  ", "" if name else "warn"),
            *gauge(many, sample.sampled, BAR_CELLS),
            (f"  {share(many / sample.sampled):>5}", "bright"),
            (f"  {count(many):>5}", "dim"),
        )
        lines.append(Line(cells))
    if len(ranked) > MOST_NAMES:
        lines.append(Line(((f"and {count(len(ranked) - MOST_NAMES)} other names", "dim"),)))
    return lines


def sampled_words(sample: Sampled) -> str:
    """How much of the queue was looked at."""
    if sample.sampled >= sample.total:
        return f"all {count(sample.total)} of it" if sample.total > 1 else "all of it"
    return f"of {count(sample.sampled)} sampled of {count(sample.total)}"


def _ranked(sample: Sampled) -> list[tuple[str, int]]:
    return sorted(sample.names.items(), key=lambda item: (-item[1], item[0]))


def _named(name: str) -> str:
    return literal(name, 300) if name else "no task message"


def gone_lines(name: str, attached_s: float, is_amqp: bool = False) -> list[Line]:
    """The queue is not known, or no more."""
    told = f"the queue {literal(name, 100)} is no more: no list, no binding and no worker has it"
    if is_amqp:
        told = f"there is no queue {literal(name, 100)}: deleted, or another connection's own"
    young = f"we attached {duration(attached_s)} ago and may not have found it yet"
    return [Line(((told if attached_s > 10 else young, "dim"),))]
