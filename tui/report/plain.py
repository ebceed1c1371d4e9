"""The status document as plain text for people: no escape codes, one fact a line."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from ..columns.names import literal
from ..columns.numbers import duration

LONGEST_CELL = 60
ROWS_SHOWN = 20


def lines(document: dict[str, Any]) -> Iterator[str]:
    """Home without a screen: what needs somebody, workers, queues, what runs, what failed."""
    yield from _links(document)
    yield from _section("Attention", map(_finding, document["findings"]), "nothing needs you")
    none = _none(document, "workers", "no worker has been heard")
    yield from _section("Workers", map(_worker, document["workers"]), none)
    ranked = sorted(document["queues"], key=_by_attention)
    yield from _section(
        "Queues", map(_queue, ranked), _none(document, "queues", "no queue was found")
    )
    active, recent = document["tasks"]["active"], document["tasks"]["recent"]
    yield from _section("Running", map(_active, active), "no task is known to run")
    left = document["tasks"]["left_behind"]
    if left:
        taken = document["taken_at"]
        rows = (_left_behind(task, taken) for task in left)
        yield from _section("Left behind by workers that are gone", rows, "")
    failed = [task for task in recent if task["state"] == "FAILURE"]
    yield from _section("Failed", map(_failed, failed), "no failure was seen")


def _none(document: dict[str, Any], what: str, words: str) -> str:
    """What is said where none is listed: of what could not be read nobody knows."""
    why = document["unread"][what]
    return words if why is None else f"? not known: {literal(why)}"


def _links(document: dict[str, Any]) -> Iterator[str]:
    broker, backend, events = document["broker"], document["result_backend"], document["events"]
    yield f"broker   {_link(broker)}{_latency(broker['latency_ms'])}"
    yield f"results  {_link(backend)}"
    counts = document["tasks"]["counts"]
    states = ", ".join(f"{count:,} {state.lower()}" for state, count in counts.items())
    heard = f"{events['counted']:,} event{'s' if events['counted'] != 1 else ''}"
    if events["lost"]:
        heard += f", those of ~{events['lost']:,} tasks lost"
    yield f"watched  {duration(document['watched_s'])}, {heard}" + (
        f"; tasks: {literal(states)}" if states else ""
    )


def _link(link: dict[str, Any]) -> str:
    words = [literal(word) for word in (link["url"] or "none", link["state"] or "?")]
    error = f": {literal(link['error'])}" if link["error"] else ""
    error += f" ({literal(link['facts'])})" if link["facts"] else ""
    return " ".join(words) + error


def _latency(latency_ms: float | None) -> str:
    return "" if latency_ms is None else f", {latency_ms:.1f} ms"


def _section(title: str, rows: Iterable[Sequence[str]], empty: str) -> Iterator[str]:
    shown = [[literal(cell, LONGEST_CELL * 8) for cell in row] for row in rows]
    yield ""
    yield f"{title} ({len(shown)})" if shown else f"{title}: {empty}"
    yield from table(shown[:ROWS_SHOWN])
    if len(shown) > ROWS_SHOWN:
        yield f"  and {len(shown) - ROWS_SHOWN:,} more"


def table(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """Rows in aligned columns; the last column may be of any length."""
    if not rows:
        return
    widths = [min(LONGEST_CELL, max(map(len, column))) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = [cell.ljust(width) for cell, width in zip(row, widths, strict=True)]
        yield f"  {'  '.join(cells)}".rstrip()


def _finding(one: dict[str, Any]) -> tuple[str, ...]:
    words = one["severity"].upper(), one["rule"], one["subject"]
    return (*words, f"{one['text']}. {one['next'][:1].upper()}{one['next'][1:]}")


def _worker(one: dict[str, Any]) -> tuple[str, ...]:
    busy = f"{_known(one['active'])}/{_known(one['concurrency'])} busy"
    held = None if one["reserved"] is None else one["reserved"] + (one["scheduled"] or 0)
    queues = "?" if one["queues"] is None else ", ".join(one["queues"]) or "no queue"
    return one["hostname"], one["state"], busy, f"{_known(held)} held", queues


def _by_attention(one: dict[str, Any]) -> tuple[bool, bool, int, str]:
    alone = one["consumers"] == 0 and bool(one["depth"])
    return one["quarantine"], not alone, -(one["depth"] or 0), one["name"]


def _queue(one: dict[str, Any]) -> tuple[str, ...]:
    use = "quarantine" if one["quarantine"] else _plural(one["consumers"], "consumer")
    waiting = f"{_known(one['depth'])} waiting"
    return one["name"], waiting, _oldest(one), f"{_known(one['unacked'])} unacked", use, _drain(one)


def _oldest(one: dict[str, Any]) -> str:
    low, high = one["oldest_age_s"]
    if low is None:
        return "" if one["depth"] == 0 or one["quarantine"] else "oldest ?"
    return f"oldest {'at least ' if high is None else ''}{duration(low)}"


def _drain(one: dict[str, Any]) -> str:
    drain = one["drain_s"]
    if not one["depth"] or drain is None:
        return ""
    return "drains never" if drain == "never" else f"drains in {duration(drain)}"


def _active(one: dict[str, Any]) -> tuple[str, ...]:
    runtime = "?" if one["runtime_s"] is None else duration(one["runtime_s"])
    arguments = f"{one['args'] or '?'} {one['kwargs'] or '?'}"
    return one["id"], one["name"] or "?", one["worker"] or "?", runtime, arguments


def _left_behind(one: dict[str, Any], now: float) -> tuple[str, ...]:
    back = one["back_at"]
    when = "" if back is None else f", in {duration(max(0.0, back - now))}"
    return one["id"], one["name"] or "?", f"{one['verdict'] or '?'}{when}"


def _failed(one: dict[str, Any]) -> tuple[str, ...]:
    return one["id"], one["name"] or "?", one["worker"] or "?", one["exception"] or "?"


def _plural(count: int | None, noun: str) -> str:
    return f"{_known(count)} {noun}{'' if count == 1 else 's'}"


def _known(count: int | None) -> str:
    return "?" if count is None else f"{count:,}"
