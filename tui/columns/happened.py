"""What the Log tells of workers and links, in the few words that fit below a chart."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from ..model.history import SPAN_S
from ..model.seam import LogLine
from .base import View
from .charts import Cause
from .names import cut_middle, tail

NAME = 20
"""Cells of a name below a chart."""
JUST_ATTACHED_S = 20.0
"""What was found so soon began earlier, nobody knows when."""
TOGETHER_S = 30.0
"""What several workers do within this time is one thing: a deploy."""
NEWS = {
    "lost": "lost",
    "went offline": "gone",
    "restarted": "restarted",
    "reconnected": "reconnected",
    "came online": "online",
}
"""What the model writes of a worker -> our word; the gravest first."""
LINK = "link lost"


def happened(view: View, queue: str = "") -> list[Cause]:
    """Of the last 20 minutes: who went, links that were lost, who came; the gravest first.

    With ``queue`` only of workers that may have listened to it.
    """
    began = max(view.now - SPAN_S, view.cluster.attached_at + JUST_ATTACHED_S)
    recent = (line for line in view.cluster.log if line.at >= began)
    told = [event for line in recent if (event := _event(line, view, queue))]
    order = [*NEWS.values()]
    order.insert(2, LINK)
    grouped = list(_together(told))
    grouped.sort(key=lambda event: (order.index(event[1]), -event[0]))
    return [Cause(at, _words(word, names, view.cut)) for at, word, names in grouped]


def _event(line: LogLine, view: View, queue: str) -> tuple[float, str, str] | None:
    """(when, our word, of whom)."""
    if line.kind == "link" and line.level == "crit" and line.text.startswith(("events", "queues")):
        return line.at, LINK, ""
    if line.kind != "worker":
        return None
    name, _, news = line.text.partition(" ")
    worker = view.cluster.workers.get(name)
    if queue and worker is not None and queue not in (worker.queues or (queue,)):
        return None
    word = next((word for said, word in NEWS.items() if news.startswith(said)), None)
    return (line.at, word, tail(name, view.cluster.workers, view.host_suffix)) if word else None


def _together(
    told: Iterable[tuple[float, str, str]],
) -> Iterator[tuple[float, str, tuple[str, ...]]]:
    """One for each word within TOGETHER_S, with the names it holds for."""
    latest: dict[str, tuple[float, list[str]]] = {}
    for at, word, name in told:
        if word in latest and at - latest[word][0] <= TOGETHER_S:
            latest[word][1].append(name)
            continue
        if word in latest:
            yield latest[word][0], word, tuple(dict.fromkeys(latest[word][1]))
        latest[word] = at, [name]
    for word, (at, names) in latest.items():
        yield at, word, tuple(dict.fromkeys(names))


def _words(word: str, names: tuple[str, ...], cut: str) -> str:
    if word == LINK:
        return word
    name = cut_middle(names[0], NAME, cut) if len(names) == 1 else f"{len(names)} workers"
    return f"{name} {word}"
