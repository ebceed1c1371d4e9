"""Text that a cluster may send and that must only ever be shown, and a cluster made of it."""

from __future__ import annotations

import json
from typing import Any

from celery_tui.backends import meta
from celery_tui.model.cluster import Cluster
from celery_tui.model.events import decode
from celery_tui.model.observations import (
    EventBatch,
    Prefixes,
    QueueDepth,
    QueueDepths,
    Reply,
    Results,
    RoundEnded,
)
from celery_tui.model.seam import (
    Act,
    ActionRequest,
    ArgsKnown,
    Check,
    Health,
    Link,
    LogLine,
    Outcome,
    Preview,
    Stage,
    Target,
)

NOW = 1_795_176_600.0

HOSTILE: dict[str, str] = {
    "closing tag": "[/oops]",
    "link": "[@click=app.quit]press me[/]",
    "bold": "[b]bold[/b] [red on blue]x[/]",
    "broken markup": "[[[/][$%&[link=",
    "escape sequences": "\x1b[2J\x1b[31m\x1b]0;owned\x07\x1b[?1049l\x1b[10;10H\x1bc",
    "8-bit sequences": "\x9b2J\x9d0;owned\x9c\x9b31m\x90q\x9c",
    "C0": "".join(map(chr, range(0x20))) + "\x7f",
    "C1": "".join(map(chr, range(0x80, 0xA0))),
    "NUL": "a\x00b\x00",
    "newlines": "one\ntwo\r\nthree\rfour\x0bfive\x0csix\u2028seven\u2029eight\x85nine\ttab",
    "CJK": "支払い.領収書を送る.한국어.全角ＡＢＣ",
    "decomposed Korean": "\u1112\u1161\u11ab\u1100\u116e\u11a8",
    "right to left": "\u202etxt.exe\u202c \u2067שלום\u2069 \u200fعربي\u200e",
    "zero widths": "a\u200bb\u200cc\u200dd\u2060e\ufefff\u00adg\u180eh\u034fi",
    "combining flood": "z" + "\u0301\u0316\u20dd\u0903" * 400 + "algo",
    "combining first": "\u0301\u0302\u20e3 leads",
    "jamo flood": "\u1100" + "\u1161\u11a8" * 300,
    "emoji": "👍🏽 👨\u200d👩\u200d👧 ❤\ufe0f ☎\ufe0e 🇩🇪 1\ufe0f\u20e3 🏴\U000e0067\U000e007f 🫠",
    "lone surrogates": "a\ud800b\udfffc\udc80",
    "unassigned": "\u0378\ufffe\uffff\U0010ffff\ue000\U000f0000",
    "tags and fillers": "\u3164\u115f\uffa0\U000e0041\u2800\u3000\u00a0end",
    "long name": "package." * 600 + "task",
    "one long word": "W" * 9_000,
    "wide cut": "漢" * 500,
    "empty": "",
    "blanks": "   ",
    "at signs": "@@celery@@host@",
    "format": "%s %(x)s {0} {x} \\x1b $tone-dim",
    "path": "../../etc/passwd:queue:emails",
}
"""Name of a danger -> text. Everything but lone surrogates also goes over the wire as it is."""
LITERALS = ("[/oops]", "[@click=app.quit]", "[b]bold[/b]")
"""Must be read on the screen letter by letter."""


def hostile_cluster(*texts: str, now: float = NOW) -> Cluster:
    """Every field of every observation holds a hostile text; each text has a task in each state."""
    cluster = Cluster(now - 100)
    for source in ("events", "inspect", "queues", "results"):
        cluster.apply(Health(source, Link.LIVE, now - 90, text_of(texts), text_of(texts)))
    for number, text in enumerate(texts):
        populate(cluster, text, number, now)
    cluster.apply(Prefixes(now, tuple(texts)))
    answered = frozenset(cluster.workers)
    cluster.apply(RoundEnded("ping", now - 2, now - 1, answered))
    cluster.apply(RoundEnded("active_queues", now - 2, now - 1, answered))
    return cluster


def text_of(texts: tuple[str, ...]) -> str:
    """All of them in one."""
    return " ".join(texts) or "?"


def populate(cluster: Cluster, text: str, number: int, now: float) -> None:
    """One text in every field that events, replies, readings, results and log lines have."""
    _events(cluster, text, number, now)
    _replies(cluster, text, number, now)
    depth = QueueDepth(7, {text: 3, f"6{text}": 4})
    held = QueueDepth(5, {"0": 5}, quarantine=True)
    queues = {text: depth, f"celery-tui:quarantine:{text}:2026-11-20": held}
    cluster.apply(QueueDepths(now - 1, queues, unacked=3, unacked_by_queue={text: 3}))
    for level in ("info", "warn", "crit", "ours", text):
        cluster.apply(LogLine(now - 1, text, level, text))
    _results(cluster, text, number, now)
    _outcomes(cluster, text, number, now)


STATES = ("received", "started", "succeeded", "failed", "retried", "revoked", "rejected")


def task_ids(text: str, number: int) -> list[str]:
    """Ids of the tasks that a text has, one a state; each holds the text itself."""
    return [f"{number}-{state}-{text}" for state in STATES]


def _events(cluster: Cluster, text: str, number: int, now: float) -> None:
    worker = f"{text}@{number}{text}"
    wire: list[dict[str, Any]] = []
    for state, task_id in zip(STATES, task_ids(text, number), strict=True):
        common = {"hostname": worker, "uuid": task_id, "pid": 7, "clock": 1, "utcoffset": 0}
        sent = {
            "name": text, "args": text, "kwargs": text, "root_id": text, "parent_id": f"p{text}",
            "queue": text, "exchange": text, "routing_key": text, "retries": 0, "eta": text,
            "expires": text,
        }  # fmt: skip
        wire.append({**common, **sent, "type": "task-sent", "timestamp": now - 9})
        wire.append({**common, **sent, "type": "task-received", "timestamp": now - 8})
        if state != "received":
            wire.append({**common, "type": "task-started", "timestamp": now - 7})
        if state not in ("received", "started"):
            last = {
                "result": text, "exception": text, "traceback": f"{text}\n{text}", "runtime": 0.1,
                "terminated": True, "signum": text, "expired": False, "requeue": False,
            }  # fmt: skip
            wire.append({**common, **last, "type": f"task-{state}", "timestamp": now - 6})
    beat = {"freq": 2.0, "active": 1, "processed": 5, "loadavg": [0.1, 0.2, 0.3]}
    named = {"sw_ident": text, "sw_ver": text, "sw_sys": text, "hostname": worker, "pid": 6}
    wire.append({**beat, **named, "type": "worker-online", "timestamp": now - 9})
    wire.append({**beat, **named, "type": "worker-heartbeat", "timestamp": now - 1})
    custom = {"type": f"task-{text}", "uuid": task_ids(text, number)[0], text: [text, {text: text}]}
    wire.append({**custom, "timestamp": now - 3, "hostname": worker})
    decoded = decode(json.dumps(wire).encode())
    cluster.apply(EventBatch(now - 1, decoded.events, decoded.malformed))


def _replies(cluster: Cluster, text: str, number: int, now: float) -> None:
    worker = f"{text}@{number}{text}"
    request = {
        "id": f"{number}-inspected-{text}", "name": text, "args": [text], "kwargs": {text: text},
        "type": text, "hostname": text, "time_start": now - 5, "worker_pid": 9,
        "delivery_info": {"exchange": text, "routing_key": text, "priority": text},
    }  # fmt: skip
    stats = {
        "pool": {"implementation": f"x.{text}:{text}", "max-concurrency": 4, "processes": [1, 2]},
        "broker": {"hostname": text}, "total": {text: 3}, "pid": 5, "prefetch_count": 8,
        "uptime": 100, "rusage": {"maxrss": 100},
    }  # fmt: skip
    waits = {"eta": text, "priority": 1, "request": {**request, "id": f"{number}-later-{text}"}}
    payloads: dict[str, Any] = {
        "stats": stats,
        "active_queues": [{"name": text, "exchange": {"name": text}}],
        "registered": [text, f"{text} [rate_limit={text}]"],
        "active": [request],
        "reserved": [{**request, "id": f"{number}-held-{text}", "time_start": None}],
        "scheduled": [waits],
    }
    for question, payload in payloads.items():
        cluster.apply(Reply(question, worker, payload, now - 2, now - 1))


def _results(cluster: Cluster, text: str, number: int, now: float) -> None:
    stored = {
        "result": {"exc_type": text, "exc_message": [text, {text: text}], "exc_module": text},
        "traceback": text, "name": text, "args": [text], "kwargs": {text: text}, "worker": text,
        "queue": text, "parent_id": text, "group_id": text, "children": [[[text, None], None]],
        "date_done": text,
    }  # fmt: skip
    metas = tuple(
        meta.read(task_id, json.dumps({**stored, "status": status}).encode())
        for task_id, status in zip(
            task_ids(text, number),
            ("FAILURE", "SUCCESS", text, "RETRY", "REVOKED", "STARTED", "PENDING"),
            strict=True,
        )
    )
    cluster.apply(Results(now, metas))


def _outcomes(cluster: Cluster, text: str, number: int, now: float) -> None:
    for stage, task_id in zip((*Stage, Stage.SENT), task_ids(text, number), strict=True):
        target = Target("task", task_id, text, text, 7, text)
        request = ActionRequest(f"{number}{text}", Act.REVOKE, (target,), now - 5, reason=text)
        cluster.apply(Outcome(request, target, stage, text, now - 1, new_id=None))


def hostile_preview(request: ActionRequest, text: str) -> Preview:
    """A preview that came back from the cluster full of it."""
    known = tuple(
        ArgsKnown(target.id, number % 2 == 1, text, text, text, text)
        for number, target in enumerate(request.targets)
    )
    checks = tuple(Check(target, None, text, NOW) for target in request.targets)
    return Preview(
        request, text, True, text, (text, text), (text,), (text, "TERM"), checks, known, True, "",
        text,
    )  # fmt: skip
