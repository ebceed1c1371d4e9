"""The words of a confirm dialog: a preview as lines of cells. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from ..columns.base import Cell
from ..columns.names import cut_task_name, literal
from ..columns.numbers import count, duration
from ..model.seam import Act, ArgsKnown, Check, Preview, Target
from ..widgets.lines import Line
from ..widgets.wrapping import wrapped

LABEL = 9
"""Cells of the labels: id, on, now."""
LISTED = 8
"""Targets of a bulk act that are named one by one."""
SIGNAL_NOTES = {"USR1": "USR1, soft timeout"}
MARKS = {True: ("✓", "ok"), False: ("✗", "warn bold"), None: ("?", "dim")}
"""Glyph and style of a check."""


def band(*cells: Cell) -> Line:
    """A line of the panel."""
    return Line(cells, (), "band")


def word_to_type(preview: Preview) -> tuple[str, str]:
    """What has to be typed before the act, and what that is; empty: nothing has.

    Violent acts ask for the first 4 of the id, acts on many targets for their number, purges
    that cannot be undone as it should be for the queue's name.
    """
    request = preview.request
    if preview.to_type:
        return _name(preview.to_type, str(request.act))
    number = len(request.targets)
    if request.act not in (Act.REVOKE, Act.RETRY, Act.TERMINATE) or not number:
        return "", ""
    if number > 1:
        return str(number), "the number of tasks"
    start = request.targets[0].id[:4]
    if request.act is not Act.TERMINATE:
        return "", ""
    typeable = len(start) == 4 and start.isascii() and start.isprintable() and " " not in start
    return (start, "first 4 of the id") if typeable else ("1", "the number of tasks")


def _name(queue: str, act: str) -> tuple[str, str]:
    plain = queue.isascii() and queue.isprintable() and " " not in queue
    return (queue, "the queue's name") if plain else (act, "what it does")


def shown_signals(signals: Sequence[str]) -> list[str]:
    """Signals with what they mean, where that is not plain."""
    return [SIGNAL_NOTES.get(signal, literal(signal, 40)) for signal in signals]


def signal_of(shown: str) -> str:
    """The signal's own name."""
    return shown.partition(",")[0].strip()


def body(preview: Preview, now: float, width: int, cut: str, low: bool = False) -> list[Line]:
    """All that is said between title and fields; in a ``low`` terminal without blank lines."""
    lines = _targets(preview.request.targets, width, cut)
    lines += _arguments(preview.args, len(preview.request.targets), width, cut)
    if lines and not low:
        lines.append(band())
    for fact in preview.facts:
        lines += _point("⋅", "dim", fact, "", width)
    for warning in preview.warnings:
        if warning.rstrip(".") != preview.blocked.rstrip("."):  # said below, where the act was
            lines += _point("!", "warn", warning, "bright", width)
    return [*lines, *_now(preview, now, width, cut)]


def blocked_lines(reason: str, width: int) -> list[Line]:
    """Why it cannot be done."""
    return _point("!", "warn", reason, "bright", width) if reason else []


def _targets(targets: Sequence[Target], width: int, cut: str) -> list[Line]:
    if len(targets) == 1:
        return list(_one(targets[0], width))
    lines = [_listed(target, width, cut) for target in targets[:LISTED]]
    rest = len(targets) - LISTED
    if rest > 0:
        lines.append(band((f"and {count(rest)} more, fixed when the key was pressed", "dim")))
    return lines


def _one(target: Target, width: int) -> Iterable[Line]:
    name = literal(target.name, 300)
    if name:
        yield from _spread((), name, "bright", width)
        yield from _told("id", literal(target.id, 300), width)
    else:
        yield from _spread((), literal(target.id, 300), "bright", width)
    if target.where:
        yield from _told("on" if "@" in target.where else "in", literal(target.where, 300), width)
    if target.pid is not None:
        yield from _told("child", f"pid {target.pid}", width)
    if target.state:
        yield from _told("was", literal(target.state, 40).lower(), width)


def _told(label: str, text: str, width: int, style: str = "") -> list[Line]:
    """A label and its value, which is never cut: where both do not fit the label goes."""
    if len(text) > width - LABEL - 3 and len(text) <= width - 3:
        return [band((text, style))]
    return _spread(((label.ljust(LABEL), "dim"),), text, style, width)


def _spread(
    lead: tuple[Cell, ...], text: str, style: str, width: int, most: int = 0, cut: str = "…"
) -> list[Line]:
    """``text`` over as many lines as it needs, below each other behind ``lead``."""
    indent = sum(len(words) for words, _ in lead)
    first, *more = wrapped(text, width - indent - 3, most, cut)
    blank: Cell = (" " * indent, "")
    return [band(*lead, (first, style)), *(band(blank, (line, style)) for line in more)]


def _listed(target: Target, width: int, cut: str) -> Line:
    task_id = literal(target.id, 300)
    room = width - len(task_id) - 5
    name = cut_task_name(literal(target.name or target.where, 300), room, cut) if room > 3 else ""
    return band((f"{task_id}  ", ""), (name, "bright" if target.name else "dim"))


def _point(mark: str, mark_style: str, text: str, style: str, width: int) -> list[Line]:
    return _spread(((f"{mark} ", mark_style),), literal(text), style, width)


# -- what a retry would send --------------------------------------------------------------------


def _arguments(known: Sequence[ArgsKnown], wanted: int, width: int, cut: str) -> list[Line]:
    if len(known) == 1 and wanted == 1:
        return _sent(known[0], width, cut)
    exact = sum(one.exact for one in known)
    if not known or exact == len(known):
        return []
    words = f"exact for {count(exact)} of {count(wanted)}"
    return [band(("args".ljust(LABEL), "dim"), (words, "warn"))]


def _sent(one: ArgsKnown, width: int, cut: str) -> list[Line]:
    lines: list[Line] = []
    for label, text in (("args", one.args), ("kwargs", one.kwargs)):
        lead = ((label.ljust(LABEL), "dim"),)
        lines += _spread(lead, literal(text, 2_000) or "?", "", width, 3, cut)
    sure: Cell = ("exact", "") if one.exact else ("as text, perhaps cut", "warn")
    source: Cell = (f", from {literal(one.source, 60)}", "dim")
    return [*lines, band(("known".ljust(LABEL), "dim"), sure, source)]


# -- now: the look-up in the cluster ------------------------------------------------------------


def _now(preview: Preview, now: float, width: int, cut: str) -> list[Line]:
    label: Cell = ("now".ljust(LABEL), "dim")
    if not preview.ready:
        return [band(label, ("checking" + cut, "dim"))]
    if not preview.checks:
        return []
    oldest = min(check.at for check in preview.checks)
    age = f"   checked {duration(now - oldest)} ago"
    groups = _grouped(preview.checks)
    lines: list[Line] = []
    for index, (ok, text) in enumerate(groups):
        glyph, style = MARKS[ok]
        lead = (label if not index else (" " * LABEL, ""), (f"{glyph} ", style))
        lines += _spread(lead, text, style, width)
    last = lines[-1]
    if sum(len(words) for words, _ in last.left) + len(age) + 3 <= width:
        lines[-1] = band(*last.left, (age, "dim"))
    else:
        lines.append(band((" " * LABEL, ""), (age.strip(), "dim")))
    return lines


def _grouped(checks: Sequence[Check], most: int = 4) -> list[tuple[bool | None, str]]:
    """One entry for each finding, with how many targets it holds for."""
    if len(checks) == 1:
        return [(checks[0].ok, literal(checks[0].text))]
    found = Counter((check.ok, check.text) for check in checks).most_common()
    groups = [(ok, f"{count(number)}: {literal(text)}") for (ok, text), number in found[:most]]
    rest = sum(number for _, number in found[most:])
    return [*groups, (None, f"{count(rest)}: otherwise")] if rest else groups
